import ArgumentParser
import Foundation
import Identity
import Resource

/// `takumi project …`: on the home itself, as tokens are.
struct ProjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Projects: each has its own resources, storage and tokens.",
        subcommands: [Create.self, List.self])

    struct Line: Encodable {
        var project: String
        var tenantId: String

        init(_ project: Project) {
            self.project = project.metadata.name
            tenantId = project.spec.tenantID
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create a project.")

        @OptionGroup var access: AccessOptions
        @Argument(help: "Its app key: letters, digits, '-' and '_', at most 50.")
        var appKey: String

        func run() async throws {
            try await access.run { directory in
                let project = try await directory.createNewProject(appKey: appKey)
                access.print(appKey, json: Line(project))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the projects.")

        @OptionGroup var access: AccessOptions

        func run() async throws {
            try await access.run { directory in
                let projects = try await directory.projects().sorted { $0.metadata.name < $1.metadata.name }
                access.print(projects.map(\.metadata.name), json: projects.map(Line.init))
            }
        }
    }
}
