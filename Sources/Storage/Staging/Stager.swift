import Resource
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Brings inputs into a folder and outputs out of one. Used by agents, in a process of their own.
///
/// A transfer that is cancelled, fails or is killed leaves nothing that looks whole: inputs come into `{folder}.partial`,
/// which is renamed at the end; an output object or file appears only when it is complete.
package struct Stager: Sendable {
    let store: DiskStore?
    let configuration: StorageConfiguration

    /// - Parameters:
    ///   - store: the embedded store, where it is on this machine.
    ///   - configuration: where to find and how to log in to other storage.
    package init(store: DiskStore?, configuration: StorageConfiguration) {
        self.store = store
        self.configuration = configuration
    }

    /// Fetches what `source` stands for into `folder`, which must not exist or be empty.
    ///
    /// - Throws: `TakumiError` with one line for the user: `.notFound` where nothing is there, `.invalid` naming an object
    ///   that cannot be a file, `.unavailable` "no space left on device while fetching X (3 of 7 files, 1.2 GiB)".
    ///   `CancellationError`.
    package func stageIn(
        _ source: StageLocation, into folder: String, mode: StageMode, observer: @escaping StageObserver = { _ in }
    ) async throws -> StageReport {
        let partial = folder + ".partial"
        do {
            try await BlockingWork.run {
                try Files.removeTree(partial)
                try Files.makeFolders(partial, operation: "preparing a folder")
            }
            let report: StageReport
            switch source {
            case .embedded(let tenant, let container, let path):
                let place = ContainerPath(tenant: tenant, container: container)
                report = try await fetchEmbedded(place, path, into: partial, mode: mode, observer)
            case .swift(let host, let tenant, let container, let path):
                let place = ContainerPath(tenant: tenant, container: container)
                report = try await withClient(host) { client in
                    try await fetch(client, place, path, into: partial, observer)
                }
            case .folder(let root, let path):
                report = try await fetchFolder(root, path, into: partial, mode: mode, observer)
            }
            try await BlockingWork.run {
                _ = Files.removeEmptyFolder(folder)
                try Files.move(partial, to: folder, operation: "finishing a folder")
            }
            return report
        } catch {
            try? await BlockingWork.run { try Files.removeTree(partial) }
            throw error
        }
    }

    /// Stores every regular file of `folder` below `destination`.
    ///
    /// - Parameters:
    ///   - mode: `.link` only for a folder that nobody will write to any more.
    ///   - overwrite: false refuses, before anything is stored, where one of the files is there already.
    /// - Throws: `TakumiError` with one line for the user; `.conflict` naming what is there. `CancellationError`.
    package func stageOut(
        _ folder: String, to destination: StageLocation, mode: StageMode = .copy, overwrite: Bool,
        observer: @escaping StageObserver = { _ in }
    ) async throws -> StageReport {
        let scan = try await BlockingWork.run { try FolderScan.scan(folder) }
        var report: StageReport
        switch destination {
        case .embedded(let tenant, let container, let path):
            let place = ContainerPath(tenant: tenant, container: container)
            report = try await storeEmbedded(scan.files, place, path, mode: mode, overwrite: overwrite, observer)
        case .swift(let host, let tenant, let container, let path):
            let place = ContainerPath(tenant: tenant, container: container)
            report = try await withClient(host) { client in
                try await store(client, scan.files, place, path, overwrite: overwrite, observer)
            }
        case .folder(let root, let path):
            report = try await storeFolder(scan.files, root, path, overwrite: overwrite, observer)
        }
        report.warnings = scan.warnings + report.warnings
        return report
    }

    func withClient<Value>(_ host: String, _ work: (SwiftClient) async throws -> Value) async throws -> Value {
        guard let server = configuration.server(host) else {
            throw TakumiError(.invalid, "no object storage '\(host)' is configured")
        }
        let client = try SwiftClient(server)
        do {
            let value = try await work(client)
            try await client.shutdown()
            return value
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    var embedded: DiskStore {
        get throws {
            guard let store else { throw TakumiError(.unavailable, "the embedded object store is not on this machine") }
            return store
        }
    }
}

/// Counts a transfer's files and bytes, and turns cancellation of the task into an error inside blocking work.
final class StageCounter: Sendable {
    private struct State {
        var progress = StageProgress()
        var running: [String: Int64] = [:]
        var isCancelled = false
    }

    private let state = Mutex(State())
    private let observer: StageObserver
    /// `fetching` or `storing`
    private let verb: String

    init(_ verb: String, files: Int, bytes: Int64, observer: @escaping StageObserver) {
        self.verb = verb
        self.observer = observer
        state.withLock {
            $0.progress.filesTotal = files
            $0.progress.bytesTotal = bytes
        }
        observer(progress)
    }

    /// Finished files and the finished part of those in progress.
    var progress: StageProgress {
        state.withLock { state in
            var progress = state.progress
            progress.bytesDone += state.running.values.reduce(0, +)
            return progress
        }
    }

    /// Runs the transfer of one file, with the file and the progress in the error where it fails.
    func transfer(_ name: String, size: Int64, _ work: () async throws -> Void) async throws {
        try Task.checkCancellation()
        do {
            try await withTaskCancellationHandler(operation: work) { state.withLock { $0.isCancelled = true } }
        } catch let error as TakumiError {
            // A connection that broke because we cancelled is no failure of the store.
            try Task.checkCancellation()
            throw worded(error, name)
        }
        state.withLock {
            $0.running[name] = nil
            $0.progress.filesDone += 1
            $0.progress.bytesDone += size
        }
        observer(progress)
    }

    /// Notes how many bytes of a file in progress are done.
    func advance(_ name: String, to bytes: Int64) throws {
        let isCancelled = state.withLock { state in
            state.running[name] = bytes
            return state.isCancelled
        }
        if isCancelled { throw CancellationError() }
        observer(progress)
    }

    func report() -> StageReport {
        var report = StageReport()
        (report.files, report.bytes) = state.withLock { ($0.progress.filesDone, $0.progress.bytesDone) }
        return report
    }

    private func worded(_ error: TakumiError, _ name: String) -> TakumiError {
        let text = state.withLock { $0.progress.text }
        if error.isDiskFull {
            return TakumiError(.unavailable, "\(SystemError.noSpace) while \(verb) \(name.excerpt) (\(text))")
        }
        var error = error
        if !error.message.contains(name.excerpt) { error.message = "\(verb) '\(name.excerpt)': \(error.message)" }
        return error
    }
}
