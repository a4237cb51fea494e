import ArgumentParser

/// `takumi template …`
package struct TemplateCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "template", abstract: "Settings to keep, and to begin trainings and tunings with.",
        discussion: """
            takumi template create iris --image pytorch --instance m2.c2m4 --entry-point train.py --hp epochs=20
            takumi training create first --template iris --source easymaker/iris --model-output easymaker/models/first
            """,
        subcommands: [
            ListCommand<Templates>.self, TemplateCreate.self, GetCommand<Templates>.self, TemplateUpdate.self,
            TemplateCopy.self, DeleteCommand<Templates>.self,
        ])

    package init() {}
}

/// All that a template can have, each option as trainings and tunings take it.
struct TemplateSettings: ParsableArguments {
    @OptionGroup var program: JobProgram

    @OptionGroup(title: "Settings") var parameters: Hyperparameters

    @OptionGroup(title: "Settings") var settings: JobSettings

    @OptionGroup(title: "Search") var search: SearchSettings

    func validate() throws { try search.check(with: settings) }

    func apply(to body: inout JobRequest, _ session: Session) async throws {
        try await body.apply(settings, program, session)
        body.apply(parameters)
        body.apply(search)
    }
}

struct TemplateCreate: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a template of the settings that are given.")

    @Argument(help: "Its name, of at most 50 characters.")
    var name: String

    @OptionGroup var kept: TemplateSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        var body = JobRequest()
        try await kept.apply(to: &body, session)
        try await session.print(Templates.self, try await Templates.create(name, body, session))
    }
}

struct TemplateCopy: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Create a template with the settings of another, those changed that are given.")

    @Argument(help: "The one to copy, by name or id.")
    var original: String

    @Option(help: "The name of the new one. (default: that of the original, and -copy)")
    var name: String?

    @OptionGroup var kept: TemplateSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let template = try await session.read(Templates.self, original)
        var body = JobRequest(copying: template)
        try await kept.apply(to: &body, session)
        let copy = try await Templates.create(name ?? Templates.copyName(template), body, session)
        try await session.print(Templates.self, copy)
    }
}

struct TemplateUpdate: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change the name or any setting of one template.",
        discussion: "What was made with it before does not change.")

    @Argument(help: "Its name or id.")
    var target: String

    @Option(help: "The new name.")
    var name: String?

    @Option(help: ArgumentHelp("Remove a tag.", valueName: "key"))
    var untag: [String] = []

    @OptionGroup var kept: TemplateSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let template = try await session.read(Templates.self, target)
        let known = JobRequest(copying: template)
        var body = known
        body.fields["tagList"] = TagChange.wire(
            TagChange.applied(to: TagChange.tags(of: template), setting: [], removing: untag))
        try await kept.apply(to: &body, session)
        body.takeAway(known)
        let json = body.json.with("trainingTemplateName", .string(name ?? Templates.name(template)))
        let reply = try await session.api.call(.PUT, "\(Templates.path)/\(Templates.id(template))", body: json)
        try await session.print(Templates.self, Templates.single(reply, else: template))
    }
}

extension Templates {
    /// - Returns: what the server has made of it.
    static func create(_ name: String, _ body: JobRequest, _ session: Session) async throws -> JSONValue {
        let json = body.json.with("trainingTemplateName", .string(name))
        return try await session.api.call(.POST, path, body: json)[singular]
    }
}
