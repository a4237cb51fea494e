#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `HOME/server.json`, which a running server leaves for its clients.
struct ServerFile: Decodable {
    var pid: Int
    var url: String

    /// - Throws: `CommandFailure` where no server runs for that home: the file outlives a server that was killed.
    static func read(
        home: String, label: String, in surroundings: ConnectionSurroundings
    ) throws(CommandFailure) -> ServerFile {
        guard let text = surroundings.read("\(home)/server.json"),
            let file = try? JSONDecoder().decode(ServerFile.self, from: Data(text.utf8)),
            surroundings.isRunning(file.pid)
        else { throw Connection.notRunning(label) }
        return file
    }
}
