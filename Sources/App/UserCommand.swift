import ArgumentParser
import Foundation
import Identity
import Resource

/// `takumi user …`: who may log in to the console, and what they may do there. On the home itself, as tokens are.
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Users of the console, their passwords and roles.",
        subcommands: [List.self, Create.self, SetPassword.self, Grant.self, Delete.self])

    static func user(_ name: String, _ directory: Directory) async throws -> User {
        if let user = try await directory.user(name: name) { return user }
        let known = try await directory.users().map(\.metadata.name).joined(separator: ", ")
        throw TakumiError.invalid("user", "no user has the name '\(name.excerpt)'; there are: \(known)")
    }

    /// One line of standard input, so that no password stands in a command line that others can see.
    static func password() throws -> String {
        guard let line = readLine(strippingNewline: true), !line.isEmpty else {
            throw TakumiError.invalid(
                "--password-stdin", "standard input is empty; write the password to it: echo \"$PASSWORD\" | takumi …")
        }
        return line
    }

    struct Line: Encodable {
        var userName: String
        var isAdministrator: Bool
        var hasPassword: Bool
        /// By the app keys of projects.
        var roles: [String: String]

        init(_ user: User) {
            userName = user.metadata.name
            isAdministrator = user.spec.isAdministrator
            hasPassword = user.spec.password != nil
            roles = user.spec.memberships.mapValues(\.rawValue)
        }

        var text: String {
            let roles = roles.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
            return [userName, isAdministrator ? "administrator" : roles, hasPassword ? "" : "(no password)"]
                .filter { !$0.isEmpty }.joined(separator: "  ")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the users with their roles.")

        @OptionGroup var access: AccessOptions

        func run() async throws {
            try await access.run { directory in
                let lines = try await directory.users().map(Line.init)
                access.print(lines.map(\.text), json: lines)
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a user. Without a password the first log in is by: takumi login --user NAME")

        @OptionGroup var access: AccessOptions
        @Argument(help: "The user name: letters, digits, '.', '_', '@' and '-', at most 50.")
        var name: String
        @Flag(help: "Read the password from standard input.")
        var passwordStdin = false
        @Flag(help: "May administer the server: every project, all users.")
        var administrator = false
        @Option(help: "A project to put the user into.")
        var project: String?
        @Option(help: "The role there.")
        var role = Role.member

        func run() async throws {
            try await access.run { directory in
                let password = passwordStdin ? try UserCommand.password() : nil
                var memberships: [String: Role] = [:]
                if let project {
                    memberships[project] = role
                    guard try await directory.hasProject(project) else { throw Grant.noProject(project) }
                }
                let user = try await directory.createUser(
                    name: name, password: password, isAdministrator: administrator, memberships: memberships)
                access.print(user.metadata.name, json: Line(user))
            }
        }
    }

    struct SetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a user's password, read from standard input. Ends the user's sessions.")

        @OptionGroup var access: AccessOptions
        @Argument(help: "The user name.")
        var name: String

        func run() async throws {
            try await access.run { directory in
                let user = try await UserCommand.user(name, directory)
                try await directory.change(user, password: try UserCommand.password())
                access.print(name, json: Line(try await UserCommand.user(name, directory)))
            }
        }
    }

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a user a role in a project, or take it away with --role none.")

        @OptionGroup var access: AccessOptions
        @Argument(help: "The user name.")
        var name: String
        @Option(help: "The project's app key.")
        var project = "default"
        @Option(help: "The role there, or none.")
        var role = Given.member

        enum Given: String, ExpressibleByArgument, CaseIterable {
            case viewer, member, administrator, none
        }

        static func noProject(_ name: String) -> TakumiError {
            TakumiError.invalid(
                "--project", "no project has the app key '\(name.excerpt)'; takumi project list shows them")
        }

        func run() async throws {
            try await access.run { directory in
                let user = try await UserCommand.user(name, directory)
                guard try await directory.hasProject(project) else { throw Grant.noProject(project) }
                try await directory.change(user, roles: [project: Role(rawValue: role.rawValue)])
                access.print(name, json: Line(try await UserCommand.user(name, directory)))
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a user, with the user's sessions and tokens.")

        @OptionGroup var access: AccessOptions
        @Argument(help: "The user name.")
        var name: String

        func run() async throws {
            try await access.run { directory in
                try await directory.deleteUser(try await UserCommand.user(name, directory).id)
                access.print(name, json: ["userName": name])
            }
        }
    }
}
