import ArgumentParser
import AsyncHTTPClient

/// A command that talks to the server. It writes its `run(_:)`; connecting, and what becomes of errors, is here.
protocol ClientCommand: AsyncParsableCommand {
    var client: ClientOptions { get }

    /// - Throws: whatever went wrong. An `ExitCode` ends the command with that status and without a word.
    func run(_ session: Session) async throws
}

extension ClientCommand {
    package mutating func run() async throws {
        let command = self
        let console = Console.standard
        do {
            try await Session.open(command.client, console: console) { session in
                try await command.run(session)
            }
        } catch let status as ExitCode {
            throw status
        } catch {
            let failure = CommandFailure(describing: error)
            for line in failure.lines { console.note("error: \(line)") }
            throw ExitCode(failure.status)
        }
    }
}

/// What a command works with: the server, the terminal, and how to print.
struct Session: Sendable {
    let api: API
    let console: Console
    let format: OutputFormat

    static func open(
        _ options: ClientOptions, console: Console, _ body: (Session) async throws -> Void
    ) async throws {
        let connection = try Connection.resolve(
            home: options.home, url: options.url, token: options.token, project: options.project,
            caFile: options.caFile, in: .real)
        try await HTTPClient.withHTTPClient(configuration: HTTP.configuration(caFile: connection.caFile)) { client in
            let http = HTTP(client: client) { cause in
                connection.isLocal
                    ? Connection.notRunning(connection.homeLabel)
                    : .unavailable("cannot reach \(connection.url): \(cause)")
            }
            try await body(
                Session(api: API(http: http, connection: connection), console: console, format: options.output))
        }
    }
}
