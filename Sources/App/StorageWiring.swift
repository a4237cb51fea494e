import Agent
import Engine
import FeatureKit
import Foundation
import Identity
import ObjectStorageFeature
import Resource
import Storage

/// What the server tells the agents about storage, in a file of the home, since an agent may outlive the server.
struct AgentConfiguration: Codable, Sendable {
    var storage: StorageConfiguration
    /// Names of this machine: `obs://` with one of them is the embedded store, whatever the port was at that time.
    var hosts: [String]

    func service(store: DiskStore) -> StorageService {
        StorageService(store: store, configuration: storage) { host in
            // A configured server on this machine (another port) is not ours.
            storage.server(host) == nil && hosts.contains(AgentConfiguration.name(of: host))
        }
    }

    private static func name(of host: String) -> String {
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        return String(host.prefix { $0 != ":" }).lowercased()
    }
}

/// The service towards object storage, one identity per project.
struct ServiceAccounts: Sendable {
    let tenantID: String
    let directory: Directory

    func identity(for project: Project) -> StorageIdentity {
        StorageIdentity(
            tenantID: tenantID, userID: project.spec.serviceUserID, userName: "takumi-service", isAccountUser: false)
    }

    func identity(project appKey: String) async throws -> StorageIdentity {
        guard let project = try await directory.project(appKey: appKey) else {
            throw TakumiError(.notFound, "no project has the app key '\(appKey.excerpt)'", field: "appKey")
        }
        return identity(for: project)
    }
}

/// Checks requests against storage in the name of the project's service account.
struct ServiceStorageChecks: StorageChecks {
    let service: StorageService
    let accounts: ServiceAccounts
    let publicURL: @Sendable () -> String

    func defaultPlace(project appKey: String) async throws -> String {
        guard let project = try await accounts.directory.project(appKey: appKey) else {
            throw TakumiError(.notFound, "no project has the app key '\(appKey.excerpt)'", field: "appKey")
        }
        let root = publicURL().replacing("https://", with: "obs://")
        return "\(root)/v1/AUTH_\(project.spec.tenantID)/\(ObjectStorageFeature.defaultContainer)"
    }

    func checkReadable(_ uri: String, project: String, field: String) async throws {
        try await probe(uri, .readPrefix, project, field)
    }

    func checkWritable(_ uri: String, project: String, field: String) async throws {
        try await probe(uri, .write, project, field)
    }

    func checkContains(_ uri: String, file: String, project: String, field: String) async throws {
        guard try await service.entryExists(try StorageURI(uri, field: field), file, project: project, field: field)
        else {
            throw TakumiError.invalid(field, "'\(file.excerpt)' is not in \(uri)")
        }
    }

    private func probe(_ uri: String, _ need: StorageNeed, _ project: String, _ field: String) async throws {
        try await service.probe(
            try StorageURI(uri, field: field), project: project, as: try await accounts.identity(project: project),
            need: need, field: field)
    }
}

/// Brings an agent's inputs and outputs, with the storage that the server is configured for.
struct StagerStaging: Staging {
    let service: StorageService
    let stager: Stager
    /// Links are only safe where the sandbox makes them read-only.
    let mayLink: Bool

    init(_ assignment: TaskAssignment) throws {
        guard let configuration = JSONFile.read(AgentConfiguration.self, at: "\(assignment.home)/agent.json") else {
            throw TakumiError(.failed, "agent.json is missing in the server's home")
        }
        let store = try DiskStore(root: "\(assignment.home)/objects")
        service = configuration.service(store: store)
        stager = Stager(store: store, configuration: configuration.storage)
        mayLink = assignment.sandbox
    }

    func fetch(_ uri: String, into folder: String, project: String, writable: Bool) async throws -> [String] {
        let place = try service.location(of: try StorageURI(uri, field: "uri"), project: project, field: "uri")
        try FileManager.default.createDirectory(
            atPath: (folder as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        let report = try await stager.stageIn(place, into: folder, mode: mayLink && !writable ? .link : .copy)
        return report.linkedTo.map { [$0] } ?? []
    }

    func directory(of uri: String, project: String) async throws -> String {
        try service.directory(of: uri, project: project)
    }

    func upload(_ folder: String, to uri: String, project: String) async throws -> [String] {
        let place = try service.location(of: try StorageURI(uri, field: "uri"), project: project, field: "uri")
        // The program has ended and nobody else writes to its outputs: the store may take the files as they are.
        return try await stager.stageOut(folder, to: place, mode: .link, overwrite: true).warnings
    }
}

extension StorageService {
    /// The directory of this machine that a URI names.
    /// - Throws: `TakumiError` where it names none, or one that leads out of its NAS.
    func directory(of uri: String, project: String) throws -> String {
        guard
            case .folder(let root, let path) = try location(
                of: try StorageURI(uri, field: "uri"), project: project, field: "uri")
        else { throw TakumiError(.failed, "\(uri) is no mounted directory") }
        func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        let (share, directory) = (resolved(root), resolved("\(root)/\(path)"))
        // A link in a share must not lead out of it.
        guard directory == share || directory.hasPrefix(share == "/" ? "/" : "\(share)/") else {
            throw TakumiError(.failed, "\(uri) leads out of its NAS")
        }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw TakumiError(.failed, "\(uri) is no directory; make it there first")
        }
        return directory
    }
}
