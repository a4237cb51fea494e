import ArgumentParser

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct EndpointPredict: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Ask a model, and print its answer as it comes.",
        discussion: """
            takumi endpoint predict iris '{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
            takumi endpoint predict iris '[[5.1, 3.5, 1.4, 0.2]]'      the same, in short
            takumi endpoint predict iris @request.json --stage next
            echo '{"prompt": "Once upon", "max_tokens": 20}' | takumi endpoint predict stories -

            The request is JSON with instances (KServe's v1), inputs (v2), prompt or messages (OpenAI's).
            """)

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @Argument(help: ArgumentHelp("The request: JSON, @FILE, or - for what comes on stdin.", valueName: "json"))
    var request: String

    @Option(help: "The model, by name or id, where the stage serves several.")
    var model: String?

    @OptionGroup var choice: StageChoice

    @Option(help: "An API key, where the stage needs one. [env: TAKUMI_ENDPOINT_KEY]")
    var key: String?

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let body = try PredictRequest.body(request)
        let view = try await Endpoints.view(endpoint, session)
        let stage = try view.stage(choice.stage)
        let url = try Self.url(of: model, stage)
        let key = key ?? ProcessInfo.processInfo.environment["TAKUMI_ENDPOINT_KEY"]
        do {
            try await GatewayClient(session).ask(url, body, key: key) { session.console.write(.out, $0) }
        } catch let failure as CommandFailure where stage.code != "ACTIVE" {
            let state = [Format.state(stage.code), stage.reason].compactMap { $0 }.joined(separator: ": ")
            throw CommandFailure(failure.lines + ["stage '\(stage.name)' is \(state)"], status: failure.status)
        }
    }

    /// Where the model answers. Several resources of one model have one address.
    static func url(of model: String?, _ stage: StageView) throws(CommandFailure) -> String {
        let paths = Set(try stage.resources(model).map { $0.address })
        guard let path = paths.first else { throw CommandFailure("stage '\(stage.name)' serves nothing") }
        guard paths.count == 1 else {
            let names = paths.sorted().map { "'\($0.dropFirst())'" }.joined(separator: ", ")
            throw CommandFailure("which --model? stage '\(stage.name)' serves \(names)")
        }
        return stage.url + path
    }
}

/// What was typed, as a request's body.
enum PredictRequest {
    /// - Throws: a usage `CommandFailure` for what is no JSON, and for a file that cannot be read.
    static func body(_ word: String) throws -> Data {
        if word == "-" { return wrapped(try StandardInput.read()) }
        if word.hasPrefix("@") {
            let path = String(word.dropFirst())
            guard let data = FileManager.default.contents(atPath: path) else {
                throw CommandFailure.usage("the file '\(path)' cannot be read")
            }
            return wrapped(data)
        }
        let data = Data(word.utf8)
        // A shell takes the quotes away that are not quoted themselves.
        guard (try? JSONValue(parsing: data)) != nil else {
            let remedy = FileStatus(word) == nil ? "put it in '…', or give @FILE or -" : "for the file write @\(word)"
            throw CommandFailure.usage("the request '\(word.prefix(80))' is no JSON; \(remedy)")
        }
        return wrapped(data)
    }

    /// A list alone is short for instances.
    static func wrapped(_ data: Data) -> Data {
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        guard data.first(where: { !blanks.contains($0) }) == UInt8(ascii: "[") else { return data }
        return Data("{\"instances\": ".utf8) + data + Data("}".utf8)
    }
}
