import Crypto
import Resource

extension DiskStore {
    /// Where the bytes of an object lie.
    struct Part: Sendable {
        /// The data file.
        var path: String
        var offset: Int64
        var length: Int64
    }

    /// What a user sees of a record: of a dynamic large object the sum of its segments.
    func info(of record: ObjectRecord, at path: ObjectPath) throws -> ObjectInfo {
        guard case .dynamic(let container, let prefix) = record.kind else { return record.info }
        let segments = try dynamicSegments(container, prefix, manifest: path)
        var info = record.info
        info.size = segments.reduce(0) { $0 + $1.info.size }
        info.etag = Self.joinedEtag(segments.map(\.etag))
        return info
    }

    /// The files that make up an object's content, in order.
    ///
    /// - Throws: `.conflict` where a segment of a static large object is gone or not the one that was recorded.
    func parts(of record: ObjectRecord, at path: ObjectPath) throws -> [Part] {
        switch record.kind {
        case .plain:
            guard let data = record.data else { return [] }
            return [Part(path: layout.container(path.container).data(data), offset: 0, length: record.size)]
        case .dynamic(let name, let prefix):
            let container = ContainerPath(tenant: path.container.tenant, container: name)
            return try dynamicSegments(name, prefix, manifest: path).flatMap { segment -> [Part] in
                // A manifest among the segments counts as what it is: no bytes of its own.
                if case .dynamic = segment.kind { return [] }
                return try parts(of: segment, at: container.object(segment.name))
            }
        case .static:
            return try (record.segments ?? []).flatMap { segment in
                let place = ContainerPath(tenant: path.container.tenant, container: segment.container)
                    .object(segment.name)
                guard let part = try self.record(of: place), part.kind == .plain, part.etag == segment.etag else {
                    throw TakumiError(
                        .conflict,
                        "segment '\(segment.container)/\(segment.name.excerpt)' of '\(path.name.excerpt)' is "
                            + "gone or was changed; upload the object again")
                }
                return try parts(of: part, at: place).map { whole in
                    Part(path: whole.path, offset: segment.first ?? 0, length: segment.usedSize)
                }
            }
        }
    }

    /// The records under a manifest's prefix, in the order of their names.
    ///
    /// The vendor's SDK names the segments of `model.bin` `model.bin/001` and so on, but gives `model.bin` as the prefix,
    /// under which `model.bin.txt` would count as well. So where a manifest's prefix is its own name and there are segments
    /// below that name as a folder, only those are taken. The manifest itself never is.
    func dynamicSegments(_ name: String, _ prefix: String, manifest: ObjectPath) throws -> [ObjectRecord] {
        let container = ContainerPath(tenant: manifest.container.tenant, container: name)
        let isHome = Names.same(name, manifest.container.container)
        if isHome && Names.same(prefix, manifest.name) {
            let below = try segmentRecords(container, prefix: prefix + "/")
            if !below.isEmpty { return below }
        }
        return try segmentRecords(container, prefix: prefix).filter { !(isHome && Names.same($0.name, manifest.name)) }
    }

    private func segmentRecords(_ path: ContainerPath, prefix: String) throws -> [ObjectRecord] {
        let container = layout.container(path)
        return try NameWalk.entries(in: container, cache: cache, query: ListQuery(prefix: prefix, limit: .max))
            .compactMap { entry in
                guard case .object(let name) = entry else { return nil }
                return try record(of: path.object(name))
            }
    }

    static func joinedEtag(_ etags: [String]) -> String {
        Insecure.MD5.hash(data: Array(etags.joined().utf8)).hexadecimal
    }
}
