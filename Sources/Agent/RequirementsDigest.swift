import Crypto
import Foundation
import Resource

/// Names the environment that an image and a `requirements.txt` make together.
enum RequirementsDigest {
    /// - Parameter path: the file. Where it names other files (a wheel beside it, `-r more.txt`), everything in its folder
    ///   counts too, since any of it may be what is installed.
    static func of(_ path: String, image: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw TakumiError(.failed, "requirements.txt cannot be read")
        }
        var hash = SHA256()
        hash.update(data: Data("\(image)\n".utf8) + data)
        if namesFiles(String(decoding: data, as: UTF8.self)) {
            let folder = (path as NSString).deletingLastPathComponent
            for name in (try FileManager.default.subpathsOfDirectory(atPath: folder)).sorted() {
                // A folder has no contents of its own.
                guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else { continue }
                hash.update(data: Data("\(name)\0\(data.count)\0".utf8) + data)
            }
        }
        return hash.finalize().hex
    }

    static func namesFiles(_ requirements: String) -> Bool {
        requirements.split(separator: "\n").contains { line in
            let text = line.trimmingCharacters(in: .whitespaces)
            guard !text.hasPrefix("#") else { return false }
            return text.hasPrefix(".") || text.hasPrefix("/") || text.hasPrefix("-") || text.contains("file:")
                || text.contains(".whl") || text.contains(".tar.gz")
        }
    }
}
