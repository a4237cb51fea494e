import CConsole
import Foundation

/// The files of `Console/`: stylesheet, scripts, icons, templates, tables of strings.
package struct ConsoleFiles: Sendable {
    package let contents: [String: Data]

    /// - Parameter folder: read from there instead of from the binary, for work on the console itself.
    package init(folder: String? = nil) {
        var contents: [String: Data] = [:]
        var index: Int32 = 0
        while let file = takumi_console_file(index)?.pointee {
            contents[String(cString: file.name)] = Data(bytes: file.data, count: Int(file.length))
            index += 1
        }
        if let folder {
            for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
                contents[name] = FileManager.default.contents(atPath: "\(folder)/\(name)")
            }
        }
        self.contents = contents
    }
}
