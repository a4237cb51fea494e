import Foundation

/// Puts locks where agents read them: one file per content in the server's home, written once.
package enum LockFile {
    /// - Returns: the path of the file that holds the lock.
    package static func place(_ lock: Data, digest: String, home: String) throws -> String {
        let path = "\(home)/images/\(digest).txt"
        if !FileManager.default.fileExists(atPath: path) {
            try FileManager.default.createDirectory(atPath: "\(home)/images", withIntermediateDirectories: true)
            try lock.write(to: URL(fileURLWithPath: path), options: .atomic)
        }
        return path
    }
}
