import Foundation

/// `HOME/server.json`: where a running server is reached.
struct ServerFile: Codable, Sendable {
    var pid: Int32
    var port: Int
    var tlsPort: Int
    var appsPort: Int
    var gatewayPort: Int
    var url: String
    var tlsURL: String
    var appsURL: String
    var gatewayURL: String

    /// - Returns: nil where no server runs; the file of one that was killed does not count.
    static func read(home: Home) -> ServerFile? {
        guard let data = FileManager.default.contents(atPath: home.serverFile),
            let file = try? JSONDecoder().decode(ServerFile.self, from: data), kill(file.pid, 0) == 0 || errno == EPERM
        else { return nil }
        return file
    }

    func write(home: Home) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try Home.write(try encoder.encode(self), to: home.serverFile)
    }
}
