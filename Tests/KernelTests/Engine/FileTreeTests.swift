import Engine
import Foundation
import Support
import Testing

@Suite struct FileTreeTests {
    private let temporary: TemporaryFolder
    private var tree: String { "\(temporary.path)/tree" }

    init() throws {
        temporary = try TemporaryFolder()
        try make("\(temporary.path)/tree")
    }

    private func make(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    private func write(_ path: String) { _ = FileManager.default.createFile(atPath: path, contents: Data("x".utf8)) }

    private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// As a user without root's rights, which no permission would stop.
    private func removeAsNobody() throws {
        try #require(system("chmod 711 '\(temporary.path)' && chown -R 65534 '\(temporary.path)'") == 0)
        let setUser = unsafeBitCast(
            try #require(dlsym(dlopen(nil, RTLD_NOW), "setfsuid")), to: (@convention(c) (UInt32) -> Int32).self)
        let before = setUser(65534)
        defer { _ = setUser(UInt32(before)) }
        try FileTree.remove(tree)
    }

    private func system(_ command: String) -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        try? process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// As Go's module cache is, and a folder that may not even be read.
    @Test func foldersThatForbidTheirOwnerToChangeThem() throws {
        try make("\(tree)/mod/cache/inner")
        try make("\(tree)/closed/inner")
        for path in ["\(tree)/mod/a", "\(tree)/mod/cache/b", "\(tree)/mod/cache/inner/c", "\(tree)/closed/inner/d"] {
            write(path)
        }
        for (path, mode) in [
            ("mod/cache/inner", 0o555), ("mod/cache", 0o555), ("mod", 0o500), ("closed/inner", 0), ("closed", 0),
            ("", 0o555),
        ] { chmod("\(tree)/\(path)", mode_t(mode)) }
        try removeAsNobody()
        #expect(!isThere(tree))
    }

    @Test func linksAreNotFollowed() throws {
        let other = "\(temporary.path)/other"
        try make("\(other)/folder")
        write("\(other)/file")
        chmod("\(other)/folder", 0o555)
        for target in [other, "\(other)/file", "\(other)/folder", "\(temporary.path)/nowhere"] {
            symlink(target, "\(tree)/link-\(target.hash)")
        }
        symlink(other, "\(temporary.path)/link")
        try FileTree.remove(tree)
        try FileTree.remove("\(temporary.path)/link")
        #expect(!isThere(tree) && isThere("\(other)/file"))
        var status = stat()
        stat("\(other)/folder", &status)
        #expect(status.st_mode & 0o777 == 0o555)
    }

    /// Longer than any path may be, and with names that are no text.
    @Test func deepFoldersAndAnyNames() throws {
        var folder = open(tree, O_RDONLY | O_DIRECTORY)
        for level in 0..<200 {
            let name = String(repeating: "x", count: 120) + "\(level)"
            try #require(mkdirat(folder, name, 0o700) == 0 && mkdirat(folder, "takumi-removed-1", 0o700) == 0)
            let noText: [CChar] = [-1, 10, 0]
            close(openat(folder, noText, O_WRONLY | O_CREAT, 0o600))
            let inner = openat(folder, name, O_RDONLY | O_DIRECTORY)
            close(folder)
            folder = inner
        }
        close(folder)
        try FileTree.remove(tree)
        #expect(!isThere(tree))
    }

    @Test func whatIsNotThereIsGone() throws {
        try FileTree.remove("\(tree)/nothing")
        write("\(tree)/file")
        try FileTree.remove("\(tree)/file")
        #expect(!isThere("\(tree)/file"))
    }
}
