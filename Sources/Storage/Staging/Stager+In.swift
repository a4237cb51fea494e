import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Stager {
    func fetchEmbedded(
        _ container: ContainerPath, _ path: String, into folder: String, mode: StageMode,
        _ observer: @escaping StageObserver
    ) async throws -> StageReport {
        let store = try embedded
        let list = try await BlockingWork.run { try StageList.embedded(store, container, path) }
        if list.files.isEmpty { throw Self.nothing(path, in: container.container) }
        let counter = StageCounter("fetching", files: list.files.count, bytes: list.bytes, observer: observer)
        for file in list.files {
            try await counter.transfer(file.object, size: file.size) {
                try await BlockingWork.run {
                    try store.fetch(container.object(file.object), to: "\(folder)/\(file.target)", mode: mode) {
                        try counter.advance(file.object, to: $0)
                    }
                }
            }
        }
        return counter.report()
    }

    /// Four at a time: one connection seldom fills a network, and a slow object must not hold up the others.
    func fetch(
        _ client: SwiftClient, _ container: ContainerPath, _ path: String, into folder: String,
        _ observer: @escaping StageObserver
    ) async throws -> StageReport {
        let list = try await StageList.remote(client, container, path)
        if list.files.isEmpty { throw Self.nothing(path, in: container.container) }
        let counter = StageCounter("fetching", files: list.files.count, bytes: list.bytes, observer: observer)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, file) in list.files.enumerated() {
                if index >= 4 { try await group.next() }
                group.addTask {
                    try await counter.transfer(file.object, size: file.size) {
                        let target = "\(folder)/\(file.target)"
                        try await BlockingWork.run { try Files.makeParents(of: target, operation: "making a folder") }
                        try await client.download(container.object(file.object), to: target) {
                            try? counter.advance(file.object, to: $0)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        return counter.report()
    }

    func fetchFolder(
        _ root: String, _ path: String, into folder: String, mode: StageMode, _ observer: @escaping StageObserver
    ) async throws -> StageReport {
        let (source, status) = try await BlockingWork.run {
            guard let source = try Confinement.existing(path, in: root), let status = try Files.status(source) else {
                throw Self.nothing(path, in: "the directory")
            }
            return (source, status)
        }
        if mode == .link {
            return try await BlockingWork.run {
                let name = String(source.split(separator: "/").last ?? "")
                if status.kind == .folder { _ = Files.removeEmptyFolder(folder) }
                let link = status.kind == .folder ? folder : "\(folder)/\(name)"
                try check("linking '\(path.excerpt)'") { symlink(source, link) }
                var report = StageReport()
                report.linkedTo = source
                return report
            }
        }
        let scan = try await BlockingWork.run {
            if status.kind == .folder { return try FolderScan.scan(source) }
            return FolderScan(single: source, size: status.size)
        }
        let counter = StageCounter(
            "fetching", files: scan.files.count, bytes: scan.files.reduce(0) { $0 + $1.size }, observer: observer)
        for file in scan.files {
            try await counter.transfer(file.name, size: file.size) {
                try await BlockingWork.run {
                    let target = "\(folder)/\(file.name)"
                    try Files.makeParents(of: target, operation: "making a folder")
                    _ = try FileCopy.place(
                        file.path, at: target, allowingLink: false, operation: "fetching '\(file.name.excerpt)'"
                    ) { try counter.advance(file.name, to: $0) }
                }
            }
        }
        var report = counter.report()
        report.warnings = scan.warnings
        return report
    }

    private static func nothing(_ path: String, in place: String) -> TakumiError {
        TakumiError(.notFound, "there is nothing at '\(path.excerpt)' in \(place)")
    }
}

extension DiskStore {
    /// Brings one object's content to a file. Blocks.
    fileprivate func fetch(
        _ path: ObjectPath, to target: String, mode: StageMode, progress: FileCopy.Progress
    ) throws {
        let operation = "fetching '\(path.name.excerpt)'"
        try Files.makeParents(of: target, operation: operation)
        for attempt in 1... {
            guard let content = try openBlocking(path) else { throw Self.noObject(path) }
            do {
                if content.parts.count == 1, let part = content.parts.first, !content.info.kind.isLarge {
                    _ = try FileCopy.place(
                        part.path, at: target, allowingLink: mode == .link, operation: operation, progress: progress)
                } else {
                    let output = try OpenFile(target, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644, operation: operation)
                    _ = try Self.write(content.parts, to: output, operation: operation, progress: progress)
                }
                return
            } catch let error as SystemError where error.code == ENOENT && attempt < 10 {
                // Overwritten since it was opened: take the new content.
                try Files.remove(target)
            }
        }
    }
}

extension Files {
    static func makeParents(of path: String, operation: String) throws(SystemError) {
        guard let slash = path.utf8.lastIndex(of: 0x2F), slash != path.startIndex else { return }
        try makeFolders(String(path[..<slash]), operation: operation)
    }
}
