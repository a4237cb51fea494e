import ArgumentParser
import Foundation
import Identity
import Resource
import Store

/// `takumi token …`: works on the home itself, so it needs no running server, and no token to make the first one.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "API tokens.", subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a new API token. It is shown once and kept only as a hash.")

        @OptionGroup var access: AccessOptions
        @Option(help: "The app key of the project that the token is good for.")
        var project = "default"
        @Option(help: "What it may do there.")
        var role = Role.member
        @Option(help: "Days until it expires; without it, never.")
        var days: Int?

        func validate() throws {
            if let days, days < 1 { throw ValidationError("--days \(days) is too few; use 1 or more") }
        }

        func run() async throws {
            try await access.run { directory in
                guard try await directory.project(appKey: project) != nil else {
                    let known = try await directory.projects().map(\.metadata.name).sorted().joined(separator: ", ")
                    throw TakumiError.invalid(
                        "--project", "no project has the app key '\(project.excerpt)'; there are: \(known)")
                }
                let lifetime = days.map { TimeInterval($0) * 24 * 3600 }
                let token = try await directory.createToken(
                    .api, user: "cli", project: project, role: role, lifetime: lifetime)
                access.print(token.secret, json: ["token": token.secret, "project": project, "role": role.rawValue])
            }
        }
    }
}

extension TokenCommand {
    struct Line: Encodable {
        var id: String
        var project: String?
        var role: Role
        var user: String
        var name: String?
        var createdAt: String
        var expiresAt: String?

        init(_ token: Token) {
            id = token.id
            project = token.spec.project
            role = token.spec.role
            user = token.spec.user
            name = token.spec.label
            createdAt = token.metadata.createdAt.formatted(.iso8601)
            expiresAt = token.spec.expiresAt?.formatted(.iso8601)
        }

        var text: String {
            [id, project ?? "(every project)", role.rawValue, user, name, expiresAt.map { "until \($0)" }]
                .compactMap { $0 }.joined(separator: "  ")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the API tokens: id, project, role, whose, name, end. Secrets are not kept.")

        @OptionGroup var access: AccessOptions

        func run() async throws {
            try await access.run { directory in
                let lines = try await directory.apiTokens().map(Line.init)
                access.print(lines.map(\.text), json: lines)
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke an API token. A running server refuses it within five seconds.")

        @OptionGroup var access: AccessOptions
        @Argument(help: "The token's id, as `takumi token list` prints it.")
        var id: String

        func run() async throws {
            try await access.run { directory in
                guard let token = try await directory.apiTokens().first(where: { $0.id == id.lowercased() }) else {
                    throw TakumiError.invalid(
                        "token", "no token has the id '\(id.excerpt)'; takumi token list shows them")
                }
                try await directory.revoke(token)
                access.print(token.id, json: ["id": token.id])
            }
        }
    }
}

/// `takumi login`: a fresh one-time link for the browser.
struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Print a one-time link that logs a browser in, good for an hour.")

    @OptionGroup var access: AccessOptions
    @Option(help: "Who logs in; also the way back in for who has forgotten the password (default: the administrator).")
    var user: String?

    func run() async throws {
        try await access.run { directory in
            guard let server = ServerFile.read(home: try Home(access.home)) else {
                throw TakumiError(.unavailable, "no server runs for this home; start it with: takumi serve")
            }
            let named: User =
                if let user { try await UserCommand.user(user, directory) } else {
                    try await directory.ensureAdministrator()
                }
            let link = try await LoginLink.make(directory, for: named, url: server.url, lifetime: 3600)
            access.print(link, json: ["url": link])
        }
    }
}

enum LoginLink {
    static func make(_ directory: Directory, for user: User, url: String, lifetime: TimeInterval) async throws
        -> String
    {
        let token = try await directory.createToken(
            .login, user: user.metadata.name, project: nil, role: .viewer, lifetime: lifetime, owner: user.id)
        return "\(url)/login?token=\(token.secret)"
    }
}

extension Role: ExpressibleByArgument {}

/// For commands that open the home's database themselves.
struct AccessOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument { case table, json }

    @Option(help: "The server's folder. [env: TAKUMI_HOME] (default: ~/.takumi)")
    var home: String?
    @Option(help: "How to print: table (text for people) or json.")
    var output: Format = .table

    func run(_ body: (Directory) async throws -> Void) async throws {
        do {
            let home = try Home(self.home)
            let directory = Directory(store: try Store(path: home.database))
            _ = try await home.bootstrap(directory)
            try await body(directory)
        } catch let error as TakumiError {
            try? FileHandle.standardError.write(contentsOf: Data("error: \(error.line)\n".utf8))
            throw ExitCode(1)
        }
    }

    func print(_ text: String, json: some Encodable) { print([text], json: json) }

    func print(_ lines: [String], json: some Encodable) {
        guard output == .json else { return lines.forEach { Swift.print($0) } }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        Swift.print(String(decoding: (try? encoder.encode(json)) ?? Data(), as: UTF8.self))
    }
}
