import Engine
import Foundation

/// Where the worker connects to: a socket in a folder that only its owner may enter.
struct WorkerSocket {
    private let folder: String
    var path: String { "\(folder)/worker" }

    /// - Throws: where no folder can be made.
    init(scratch: String) throws {
        // The kernel takes paths of sockets up to 107 bytes, NIO up to 103.
        let roomy = "\(scratch)/socket-XXXXXX/worker".utf8.count <= 103
        var template = Array("\(roomy ? scratch : "/tmp")/socket-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("make a folder in \(scratch)") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() {
        unlink(path)
        rmdir(folder)
    }
}
