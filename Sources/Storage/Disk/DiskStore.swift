import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The embedded object store: accounts, containers and objects under one folder of the local disk.
///
/// Any number of processes may use one root at a time. The server and the agents beside the workloads each open it; what
/// one commits, the others see at once, because nothing but the folder itself says what there is (see `Layout`). Uploading
/// through HTTP instead was rejected: every byte would be copied twice, and a training could not save its model while the
/// server restarts. Changes to a container are serialised by an advisory lock, which the kernel drops with a killed process.
///
/// An object's content is an immutable file. Overwriting makes another one, so a hard link of the old content stays intact.
/// All file work happens outside Swift's cooperative threads. Errors are `TakumiError`; a full disk is `.unavailable`.
package struct DiskStore: Sendable {
    /// Swift's limit for one object; larger ones are uploaded in segments.
    package static let largestObject: Int64 = 5 << 30

    package let root: String
    let layout: Layout
    let cache = FolderCache()
    let isDurable: Bool
    let clock: @Sendable () -> Timestamp

    /// Opens the store, and makes the folder where it is missing.
    ///
    /// - Parameters:
    ///   - root: the folder; its parent must exist.
    ///   - isDurable: whether a commit waits for the disk, so that it outlives a loss of power. Objects are whole or absent
    ///     after a kill in either case.
    package init(
        root: String, isDurable: Bool = true, clock: @escaping @Sendable () -> Timestamp = { Timestamp.now() }
    ) throws {
        self.root = root
        self.isDurable = isDurable
        self.clock = clock
        layout = Layout(root: root)
        do {
            for folder in [root, layout.temporary, layout.accounts] {
                try Files.makeFolder(folder, operation: "opening the object store")
            }
        } catch {
            throw error.takumi
        }
    }

    /// Removes what processes that were killed left behind: temporary files, and contents that no object names.
    /// Safe while others write. Returns the number of contents removed.
    @discardableResult
    package func sweep() async throws -> Int {
        try await BlockingWork.run { try sweepBlocking() }
    }
}

extension DiskStore {
    /// Runs `body` as the only writer of the container.
    ///
    /// - Throws: `.notFound` where the container does not exist.
    func withLock<Value>(_ path: ContainerPath, _ body: (ContainerLayout) throws -> Value) throws -> Value {
        let container = layout.container(path)
        while true {
            let file: OpenFile
            do { file = try OpenFile(container.lock, O_RDWR, operation: "locking a container") } catch {
                if error.code == ENOENT || error.code == ENOTDIR { throw Self.noContainer(path) }
                throw error
            }
            try file.lock()
            // While we waited, the container may have been deleted, and one of the same name made anew.
            guard let current = try Files.status(container.lock) else { throw Self.noContainer(path) }
            if try file.status().inode != current.inode { continue }
            return try body(container)
        }
    }

    static func noContainer(_ path: ContainerPath) -> TakumiError {
        TakumiError(.notFound, "container '\(path.container.excerpt)' does not exist")
    }

    static func noObject(_ path: ObjectPath) -> TakumiError {
        TakumiError(
            .notFound, "object '\(path.name.excerpt)' does not exist in container '\(path.container.container.excerpt)'"
        )
    }

    /// Writes a record beside its place and moves it there.
    func replaceRecord(_ record: some Encodable, at path: String, in folder: String, operation: String) throws {
        let temporary = try TemporaryFile(in: layout.temporary, operation: operation)
        try RecordFile.write(record, to: temporary.file, durably: isDurable, operation: operation)
        try temporary.move(to: path, operation: operation)
        if isDurable { try Files.syncFolder(folder, operation: operation) }
    }
}
