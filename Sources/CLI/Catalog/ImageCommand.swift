import ArgumentParser

/// `takumi image …`
package struct ImageCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "image", abstract: "The images that a training or a notebook can run in.",
        subcommands: [ImageList.self])

    package init() {}
}

struct ImageList: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the images. --image takes a name, an alias or an id of this list.")

    @Option(help: ArgumentHelp("Only those for this use: training or notebook.", valueName: "use"))
    var type: String = "TRAINING"

    @Option(help: ArgumentHelp("Only those with this framework, such as PYTORCH.", valueName: "framework"))
    var framework: String?

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let reply = try await session.api.get("/images", [("groupTypeCodeList", type.uppercased())])
        let images = (reply["imageList"].array ?? []).filter { image in
            framework.map { image["frameworkCode"].string?.uppercased() == $0.uppercased() } ?? true
        }
        try session.print(images, columns: columns, none: "no images for \(type.uppercased())")
    }

    private var columns: [Column] {
        [
            Column("ALIAS") { $0["alias"].text },
            Column("NAME", isFlexible: true, isOptional: true) { $0["imageName"].text },
            Column("FRAMEWORK") { "\($0["frameworkCode"].text) \($0["frameworkVersion"].text)".trimmed },
            Column("PYTHON", isOptional: true) { $0["pythonVersion"].text },
            Column("CORE", isOptional: true) { $0["coreTypeCode"].text },
            Column("RUNS HERE", isFlexible: true) { image in Catalog.runsHere(image) },
        ]
    }
}
