import ArgumentParser

struct EndpointLogs: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what the pods of a model have printed.",
        discussion: "Of a model that could not be served, what its last pod has printed.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @Argument(help: "The model, by name or id. (default: all that the stage serves)")
    var model: String?

    @OptionGroup var choice: StageChoice

    @Option(help: "Only this pod, by its number or id (see: takumi endpoint stage get).")
    var pod: String?

    @Option(help: "Only the last so many lines of each pod.")
    var tail = 1000

    @Flag(name: .shortAndLong, help: "Show when each line was written, in UTC.")
    var timestamps = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws { try Self.check(tail, 1...10_000, "--tail", "lines") }

    func run(_ session: Session) async throws {
        let stage = try await Endpoints.view(endpoint, session).stage(choice.stage)
        let sources = Source.all(of: try stage.resources(model), on: stage, pod)
        guard !sources.isEmpty else {
            let what = pod.map { "no pod '\($0)'" } ?? "nothing"
            throw CommandFailure("stage '\(stage.name)' has \(what); see: takumi endpoint stage get \(endpoint)")
        }
        var isSilent = true
        for source in sources {
            let query = [("tail", String(tail))] + (source.pod.map { [("pod", $0)] } ?? [])
            let log = try await session.text("\(StageModel.path)/\(source.resource.id)/logs", query)
            isSilent = isSilent && log.isEmpty
            for line in log.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                show(LogRecord(plain: line, node: 0), of: source, isOnly: sources.count == 1, session)
            }
        }
        if isSilent { session.console.note("nothing has been printed") }
    }

    private func show(_ record: LogRecord, of source: Source, isOnly: Bool, _ session: Session) {
        switch session.format {
        case .table:
            let prefix = isOnly ? "" : "[\(source.label)] "
            session.console.out(prefix + record.line(ofNodes: 1, withTime: timestamps))
        case .json:
            let fields: [String: JSONValue?] = [
                "endpointModelId": .string(source.resource.id), "podId": .string(source.pod),
                "time": .string(record.time), "text": .string(record.text),
            ]
            session.console.out(JSONText.line(.fields(fields)))
        }
    }

    /// Whose log is shown.
    struct Source: Equatable {
        var resource: StageModel
        /// Of the stage's pods, counted from 0.
        var number: Int?
        /// nil where there is none, and the server has the log of the last one.
        var pod: String?

        var label: String { "\(resource.model)\(number.map { " \($0)" } ?? "")" }

        /// - Parameter word: a pod's number or id; nil for all.
        static func all(of resources: [StageModel], on stage: StageView, _ word: String?) -> [Source] {
            let pods = stage.pods.enumerated().map { number, item in
                Source(resource: item.resource, number: number, pod: item.pod["podId"].text)
            }
            let chosen = pods.filter { source in
                resources.contains(source.resource)
                    && (word.map { source.pod == $0.lowercased() || source.number == Int($0) } ?? true)
            }
            guard word == nil else { return chosen }
            let silent = resources.filter { resource in !pods.contains { $0.resource == resource } }
            return chosen + silent.map { Source(resource: $0, number: nil, pod: nil) }
        }
    }
}

extension Session {
    /// A reply that is text and comes in no envelope.
    func text(_ path: String, _ query: [(String, String)]) async throws -> String {
        let reply = try await api.http.send(.GET, api.url(path, query), headers: api.headers)
        guard reply.status == 200 else {
            _ = try Envelope.open(status: reply.status, body: reply.body)
            throw CommandFailure("the server answered \(reply.status) instead of a log")
        }
        return String(decoding: reply.body, as: UTF8.self)
    }
}
