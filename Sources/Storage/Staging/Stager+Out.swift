import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Stager {
    func storeEmbedded(
        _ files: [FolderScan.File], _ container: ContainerPath, _ path: String, mode: StageMode, overwrite: Bool,
        _ observer: @escaping StageObserver
    ) async throws -> StageReport {
        let store = try embedded
        if !overwrite {
            for file in files where try await store.object(container.object(Self.join(path, file.name))) != nil {
                throw Self.exists(Self.join(path, file.name))
            }
        }
        let counter = Self.counter(files, observer)
        for file in files {
            let target = container.object(Self.join(path, file.name))
            try await counter.transfer(target.name, size: file.size) {
                try await BlockingWork.run {
                    _ = try store.putFile(file.path, at: target, allowingLink: mode == .link) {
                        try counter.advance(target.name, to: $0)
                    }
                }
            }
        }
        return counter.report()
    }

    func store(
        _ client: SwiftClient, _ files: [FolderScan.File], _ container: ContainerPath, _ path: String, overwrite: Bool,
        _ observer: @escaping StageObserver
    ) async throws -> StageReport {
        if !overwrite {
            for file in files where try await client.head(container.object(Self.join(path, file.name))) != nil {
                throw Self.exists(Self.join(path, file.name))
            }
        }
        let counter = Self.counter(files, observer)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, file) in files.enumerated() {
                if index >= 4 { try await group.next() }
                group.addTask {
                    let target = container.object(Self.join(path, file.name))
                    try await counter.transfer(target.name, size: file.size) {
                        let source = try await BlockingWork.run {
                            try OpenFile(unmoved: file.path, operation: "storing '\(target.name.excerpt)'")
                        }
                        try await client.upload(source, to: target) { try? counter.advance(target.name, to: $0) }
                    }
                }
            }
            try await group.waitForAll()
        }
        return counter.report()
    }

    func storeFolder(
        _ files: [FolderScan.File], _ root: String, _ path: String, overwrite: Bool, _ observer: @escaping StageObserver
    ) async throws -> StageReport {
        if !overwrite {
            for file in files {
                let taken = try await BlockingWork.run {
                    try Files.status(Confinement.place(Self.join(path, file.name), in: root)) != nil
                }
                if taken { throw Self.exists(Self.join(path, file.name)) }
            }
        }
        let counter = Self.counter(files, observer)
        for file in files {
            try await counter.transfer(file.name, size: file.size) {
                try await BlockingWork.run {
                    let operation = "storing '\(file.name.excerpt)'"
                    let target = try Confinement.place(Self.join(path, file.name), in: root)
                    try Files.makeParents(of: target, operation: operation)
                    let draft = "\(target).partial-\(TemporaryFile.freshName().prefix(8))"
                    defer { unlink(draft) }
                    let source = try OpenFile(unmoved: file.path, operation: operation)
                    _ = try FileCopy.place(
                        file.path, opened: source, at: draft, allowingLink: false, operation: operation
                    ) { try counter.advance(file.name, to: $0) }
                    try Files.move(draft, to: target, operation: operation)
                }
            }
        }
        return counter.report()
    }

    private static func counter(_ files: [FolderScan.File], _ observer: @escaping StageObserver) -> StageCounter {
        StageCounter("storing", files: files.count, bytes: files.reduce(0) { $0 + $1.size }, observer: observer)
    }

    private static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path)/\(name)" }

    private static func exists(_ name: String) -> TakumiError {
        TakumiError(.conflict, "'\(name.excerpt)' exists already; choose another output path")
    }
}
