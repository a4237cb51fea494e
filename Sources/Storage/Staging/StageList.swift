import Resource

/// Which objects a path stands for, and where each goes in a folder. Pure.
struct StageList: Equatable {
    struct Object: Equatable {
        var name: String
        var size: Int64
        var contentType: String
        var kind: ObjectKind
    }

    struct File: Equatable {
        var object: String
        /// Relative, with slashes, safe to join to a folder.
        var target: String
        var size: Int64
        var kind: ObjectKind
    }

    private(set) var files: [File] = []

    var bytes: Int64 { files.reduce(0) { $0 + $1.size } }

    /// - Parameters:
    ///   - objects: the objects whose names begin with `path`, in byte order.
    ///   - path: an object's name, or the folder part of names. As the vendor's SDK does, the object itself goes under its
    ///     last part, and what lies below the folder under the rest of its name.
    /// - Throws: `.invalid` naming the object whose place would lie outside the folder, or whose place is taken.
    init(_ objects: [Object], at path: String, container: String) throws {
        let folder = path.isEmpty ? "" : path + "/"
        var places = Places()
        var segments: [[UInt8]] = []
        for object in objects {
            let name = object.name
            let isItself = !path.isEmpty && Names.same(name, path)
            guard isItself || name.utf8.starts(with: folder.utf8) else { continue }
            // Folders themselves, as consoles and `swift upload --dir-marker` leave them.
            if name.utf8.last == 0x2F || Self.isFolderMarker(object) { continue }
            if segments.contains(where: { name.utf8.starts(with: $0) }) { continue }
            if object.kind.isLarge {
                // The segments of a large object often lie below its own name. They are its content, not files beside it.
                segments.append(Array((name + "/").utf8))
                if case .dynamic(let place, let prefix) = object.kind, Names.same(place, container),
                    !prefix.isEmpty, !Names.same(prefix, name)
                {
                    segments.append(Array(prefix.utf8))
                }
            }
            let target =
                isItself
                ? String(decoding: name.utf8.split(separator: 0x2F).last ?? [], as: UTF8.self)
                : String(decoding: name.utf8.dropFirst(folder.utf8.count), as: UTF8.self)
            try places.take(target, for: name)
            files.append(File(object: name, target: target, size: object.size, kind: object.kind))
        }
    }

    private static func isFolderMarker(_ object: Object) -> Bool {
        object.size == 0
            && ["application/directory", "text/directory"].contains(object.contentType.split(separator: ";").first)
    }
}

/// The places in a folder that are taken.
private struct Places {
    private enum Use { case file, folder }
    /// By bytes: two names may be equal as text and still be two files.
    private var taken: [[UInt8]: Use] = [:]

    mutating func take(_ target: String, for name: String) throws {
        let parts = target.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
        for part in parts {
            let isSafe =
                !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
                && !part.contains(0) && part.count <= 255
            if !isSafe {
                throw TakumiError(
                    .invalid,
                    "object '\(name.excerpt)' cannot be a file: its name would lead out of the folder, "
                        + "or has a part that is empty or too long; rename or remove it")
            }
        }
        var path: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if index > 0 { path.append(0x2F) }
            path += part
            let use: Use = index == parts.count - 1 ? .file : .folder
            if let other = taken[path], other != use || use == .file {
                throw TakumiError(
                    .invalid,
                    "object '\(name.excerpt)' cannot be a file: there is a file and a folder of the same name "
                        + "'\(String(decoding: path, as: UTF8.self).excerpt)'; rename or remove one")
            }
            taken[path] = use
        }
    }
}
