import ArgumentParser

/// `takumi flavor …`
package struct FlavorCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "flavor", abstract: "The instance types that a training can run on.",
        subcommands: [FlavorList.self])

    package init() {}
}

struct FlavorList: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the instance types. --instance takes a name or an id of this list.")

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let flavors = try await session.api.get("/flavors")["flavorList"].array ?? []
        try session.print(flavors, columns: columns, none: "no instance types")
    }

    private var columns: [Column] {
        [
            Column("NAME") { $0["name"].text },
            Column("VCPU", isNumber: true) { $0["vcpus"].text },
            Column("MEMORY", isNumber: true) { flavor in flavor["ram"].int.map { Format.bytes($0 << 20) } ?? "" },
            Column("GPU", isNumber: true) { flavor in
                let count = flavor["gpuCount"].int ?? 0
                return count == 0 ? "" : String(count)
            },
            Column("RUNS HERE", isFlexible: true) { flavor in Catalog.runsHere(flavor) },
        ]
    }
}
