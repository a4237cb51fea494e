/// Walks a container's names in byte order, from where a query begins to where it ends. Blocks.
struct NameWalk {
    enum Entry {
        case object(String)
        case folder(String)
    }

    private enum End: Error { case reached }

    private let layout: ContainerLayout
    private let cache: FolderCache
    private let prefix: [UInt8]
    private let marker: [UInt8]
    private let endMarker: [UInt8]
    private let delimiter: [UInt8]
    private let limit: Int
    /// Names with a part too long for a file name, in descending order. They are merged in.
    private var long: [[UInt8]] = []
    private var found: [Entry] = []
    /// The folder that was rolled up last; all names under it are done with.
    private var rolled: [UInt8]?

    static func entries(in layout: ContainerLayout, cache: FolderCache, query: ListQuery) throws -> [Entry] {
        var walk = NameWalk(layout: layout, cache: cache, query: query)
        if walk.limit <= 0 { return [] }
        do {
            walk.long = try Self.longNames(in: layout)
            try walk.visit(folder: layout.names, named: [])
            while let name = walk.long.popLast() { try walk.meet(name) }
        } catch is End {}
        return walk.found
    }

    private init(layout: ContainerLayout, cache: FolderCache, query: ListQuery) {
        self.layout = layout
        self.cache = cache
        prefix = Array(query.prefix.utf8)
        marker = Array(query.marker.utf8)
        endMarker = Array(query.endMarker.utf8)
        delimiter = Array(query.delimiter.utf8)
        limit = query.limit
    }

    private mutating func visit(folder path: String, named name: [UInt8]) throws {
        guard let folder = try cache.folder(path) else { return }
        // Below a folder that the prefix or marker runs through, everything before the rest of it can be skipped.
        let lower = Names.precedes(prefix, marker) ? marker : prefix
        let start = lower.starts(with: name) ? folder.start(from: lower.dropFirst(name.count)) : 0
        for child in folder.children[start...] {
            let full = name + child.key
            while let next = long.last, Names.precedes(next, full) {
                long.removeLast()
                try meet(next)
            }
            if child.isObject {
                try meet(full)
            } else if try mayContainWanted(full) {
                try visit(folder: "\(path)/d\(String(decoding: child.key.dropLast(), as: UTF8.self))", named: full)
            }
        }
    }

    /// Whether names that start with `folder` can be wanted.
    private func mayContainWanted(_ folder: [UInt8]) throws -> Bool {
        if !endMarker.isEmpty && !Names.precedes(folder, endMarker) { throw End.reached }
        if let rolled, folder.starts(with: rolled) { return false }
        if Names.precedes(folder, marker) && !marker.starts(with: folder) { return false }
        if folder.starts(with: prefix) || prefix.starts(with: folder) { return true }
        if Names.precedes(prefix, folder) { throw End.reached }
        return false
    }

    /// Takes one object's name in its turn.
    private mutating func meet(_ name: [UInt8]) throws {
        if !endMarker.isEmpty && !Names.precedes(name, endMarker) { throw End.reached }
        guard name.starts(with: prefix) else {
            if Names.precedes(prefix, name) { throw End.reached }
            return
        }
        if let rolled, name.starts(with: rolled) { return }
        guard Names.precedes(marker, name) else { return }
        if let folder = rolledUp(name) {
            rolled = folder
            // A page that ended with this very folder is continued after it.
            if folder != marker { try add(.folder(String(decoding: folder, as: UTF8.self))) }
        } else {
            try add(.object(String(decoding: name, as: UTF8.self)))
        }
    }

    private mutating func add(_ entry: Entry) throws {
        found.append(entry)
        if found.count >= limit { throw End.reached }
    }

    private func rolledUp(_ name: [UInt8]) -> [UInt8]? {
        guard !delimiter.isEmpty else { return nil }
        var position = prefix.count
        while position + delimiter.count <= name.count {
            if name[position..<(position + delimiter.count)].elementsEqual(delimiter) {
                return Array(name[..<(position + delimiter.count)])
            }
            position += 1
        }
        return nil
    }

    private static func longNames(in layout: ContainerLayout) throws -> [[UInt8]] {
        try Files.entries(of: layout.long, orEmptyIfMissing: true).compactMap { entry in
            guard let file = entry.name else { return nil }
            return try RecordFile.read("\(layout.long)/\(file)", as: ObjectRecord.self).map { Array($0.name.utf8) }
        }.sorted { Names.precedes($1, $0) }
    }
}
