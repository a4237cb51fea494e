import Foundation

/// Folders that users' programs have written.
package enum FileTree {
    /// Removes a folder with all that is in it, or a file; nothing where there is neither.
    ///
    /// A folder may forbid its owner to change it, as Go's module cache does: that is taken back first. Links are removed and
    /// never followed, names may be any bytes. However deep it is, two descriptors and no recursion do: what lies deeper is
    /// moved up.
    /// - Throws: `SystemError`.
    package static func remove(_ path: String) throws {
        guard let root = try Folder(AT_FDCWD, path) else {
            guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("delete \(path)") }
            return
        }
        var moved = 0
        while case let names = try root.names(), !names.isEmpty {
            for name in names where try !root.unlink(name) {
                guard let folder = try Folder(root.descriptor, name) else { continue }
                guard folder.device == root.device else { throw SystemError("delete \(folder.path)", number: EXDEV) }
                for inner in try folder.names() where try !folder.unlink(inner) && !folder.removeEmpty(inner) {
                    repeat { moved += 1 } while try !folder.move(inner, to: root, as: "takumi-removed-\(moved)")
                }
                _ = try root.removeEmpty(name)
            }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw SystemError("delete \(path)") }
    }
}

/// An open folder that its owner may change.
private final class Folder {
    typealias Name = [CChar]

    let descriptor: Int32
    let device: dev_t
    let path: String

    /// - Returns: nil where it is no folder, or a link to one.
    convenience init?(_ parent: Int32, _ name: String) throws {
        try self.init(parent, Array(name.utf8CString))
    }

    init?(_ parent: Int32, _ name: Name) throws {
        path = Folder.text(name)
        // Without permission to read it, it cannot be opened.
        fchmodat(parent, name, 0o700, AT_SYMLINK_NOFOLLOW)
        descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard [ENOENT, ENOTDIR, ELOOP].contains(errno) else { throw SystemError("open \(path)") }
            return nil
        }
        var status = stat()
        fstat(descriptor, &status)
        device = status.st_dev
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func names() throws -> [Name] {
        // `closedir` closes what it was given.
        guard let stream = fdopendir(openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) else {
            throw SystemError("read \(path)")
        }
        defer { closedir(stream) }
        var names: [Name] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { start in
                    Array(UnsafeBufferPointer(start: start, count: strlen(start) + 1))
                }
            }
            if ![".", ".."].contains(Folder.text(name)) { names.append(name) }
        }
        return names
    }

    /// - Returns: false where it is a folder.
    func unlink(_ name: Name) throws -> Bool {
        if unlinkat(descriptor, name, 0) == 0 || errno == ENOENT { return true }
        guard errno == EISDIR else { throw failure(name) }
        return false
    }

    /// - Returns: false where the folder has something in it.
    func removeEmpty(_ name: Name) throws -> Bool {
        if unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT { return true }
        guard [ENOTEMPTY, EEXIST].contains(errno) else { throw failure(name) }
        return false
    }

    /// - Returns: false where that name is taken.
    func move(_ name: Name, to other: Folder, as newName: String) throws -> Bool {
        // Where it lies is written in it.
        fchmodat(descriptor, name, 0o700, AT_SYMLINK_NOFOLLOW)
        if renameat(descriptor, name, other.descriptor, newName) == 0 { return true }
        guard [EEXIST, ENOTEMPTY, ENOTDIR].contains(errno) else { throw failure(name) }
        return false
    }

    private func failure(_ name: Name) -> SystemError { SystemError("delete \(path)/\(Folder.text(name))") }

    private static func text(_ name: Name) -> String {
        String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
