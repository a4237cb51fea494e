import Foundation
import Identity
import Resource
import Storage
import Store

/// The folder that holds everything a server has, and what a first start puts there.
struct Home: Sendable {
    let path: String

    /// - Parameter path: nil for `~/.takumi`, or what TAKUMI_HOME says.
    /// - Throws: where the folder cannot be made.
    init(_ path: String?) throws {
        let environment = ProcessInfo.processInfo.environment
        let given = path ?? environment["TAKUMI_HOME"] ?? "\(environment["HOME"] ?? "/root")/.takumi"
        let absolute = URL(fileURLWithPath: given).standardizedFileURL.path
        do {
            try FileManager.default.createDirectory(
                atPath: absolute, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw TakumiError(
                .unavailable,
                "the home folder \(absolute) cannot be made: \(error.localizedDescription); choose another --home")
        }
        // Also one that was there: the database and the log hold what only the owner may see.
        chmod(absolute, 0o700)
        umask(0o077)
        // Symbolic links resolved: the sandbox hides and shows real paths.
        self.path = URL(fileURLWithPath: absolute).resolvingSymlinksInPath().path
    }

    var database: String { "\(path)/takumi.db" }
    var serverFile: String { "\(path)/server.json" }
    var clientToken: String { "\(path)/cli-token" }
    /// Since when the present version of the platform has been running here.
    var platformFile: String { "\(path)/platform.json" }
    var objects: String { "\(path)/objects" }
    /// What an agent must know of the server's configuration.
    var agentFile: String { "\(path)/agent.json" }
    private var instanceFile: String { "\(path)/instance.json" }

    /// Who the service is towards object storage (12.1).
    struct Instance: Codable, Sendable {
        var serviceTenantID: String
    }

    /// Makes what is missing: the service's identity, the project `default`, an administrator, the token of the
    /// command line.
    /// - Returns: `isFirst`: true at the very first start.
    func bootstrap(_ directory: Directory) async throws -> (
        instance: Instance, isFirst: Bool, administrator: User
    ) {
        var isFirst = false
        let instance: Instance
        if let data = FileManager.default.contents(atPath: instanceFile) {
            instance = try JSONDecoder().decode(Instance.self, from: data)
        } else {
            isFirst = true
            instance = Instance(serviceTenantID: Directory.hex())
            try Home.write(try JSONEncoder().encode(instance), to: instanceFile)
        }
        try await directory.createProject(appKey: "default")
        let administrator = try await directory.ensureAdministrator()
        if !FileManager.default.fileExists(atPath: clientToken) {
            let token = try await directory.createToken(.api, user: "admin", project: nil, role: .administrator)
            try Home.write(Data(token.secret.utf8), to: clientToken)
        }
        return (instance, isFirst, administrator)
    }

    /// Writes a file that only its owner can read, whole or not at all.
    static func write(_ data: Data, to path: String) throws {
        let temporary = "\(path).tmp"
        unlink(temporary)
        guard
            FileManager.default.createFile(
                atPath: temporary, contents: data, attributes: [.posixPermissions: 0o600]),
            rename(temporary, path) == 0
        else { throw TakumiError(.unavailable, "\(path) cannot be written: \(String(cString: strerror(errno)))") }
    }
}
