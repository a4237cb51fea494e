import ArgumentParser

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct StorageCopy: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "cp", abstract: "Copy files and folders to the store, or from it.",
        discussion: """
            takumi storage cp ./iris easymaker/data/iris       what is in iris goes to data/iris
            takumi storage cp easymaker/runs/x/model ./model   and back
            takumi storage cp weights.pt easymaker/models/     a slash at the end: into that folder, by its own name

            A folder is copied with all in it. Where a word could be either, a source that exists here is a local one.
            """)

    @Argument(help: "A local file or folder, or a place in the store.")
    var source: String

    @Argument(help: "The other of the two.")
    var destination: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        do throws(CommandFailure) {
            _ = try CopyDirection(source, destination, exists: { FileStatus($0) != nil })
        } catch {
            throw ValidationError(error.lines.joined(separator: "\n"))
        }
    }

    func run(_ session: Session) async throws {
        let store = try await StoreClient(session)
        switch try CopyDirection(source, destination, exists: { FileStatus($0) != nil }) {
        case .up: try await upload(to: try store.parse(destination), store, session)
        case .down: try await download(from: try store.parse(source), store, session)
        }
    }

    private func upload(to target: RemotePath, _ store: StoreClient, _ session: Session) async throws {
        guard let status = FileStatus(source) else {
            throw CommandFailure("\(source): there is no such file or folder")
        }
        var result = target
        switch status.kind {
        case .file:
            if target.saysFolder { result = target.appending(LocalPath.name(LocalPath.absolute(source) ?? source)) }
            let file = FolderScan.File(path: source, name: "", size: status.size)
            let transfer = Transfer(title: "uploading", items: [file], bytes: file.size, console: session.console)
            let place = result
            try await transfer.run { file in
                try await store.upload(file, to: place)
                return file.size
            }
            session.console.note("uploaded \(Format.bytes(file.size)) to \(result.short)")
        case .folder:
            let scan = try FolderScan(source)
            scan.skipped.forEach { session.console.note("left out '\($0)': it is neither a file nor a folder") }
            guard !scan.files.isEmpty else { throw CommandFailure("\(source): there are no files in it") }
            try await store.upload(scan.files, to: target, title: "uploading", console: session.console)
            let count = Format.count(scan.files.count, "file")
            session.console.note("uploaded \(count), \(Format.bytes(scan.bytes)), to \(target.short)")
        case .other: throw CommandFailure("\(source): is neither a file nor a folder")
        }
        if session.format == .json { session.printJSON(.object(["uri": .string(store.info.uri(of: result))])) }
    }

    private func download(from place: RemotePath, _ store: StoreClient, _ session: Session) async throws {
        let plan = try await plan(place, store)
        let bytes = try await store.download(plan, from: place, title: "downloading", console: session.console)
        let count = Format.count(plan.items.count, "file")
        session.console.note("downloaded \(count), \(Format.bytes(bytes)), to \(destination)")
        if session.format == .json { session.printJSON(.array(plan.items.map { .string($0.path) })) }
    }

    private func plan(_ place: RemotePath, _ store: StoreClient) async throws -> DownloadPlan {
        if !place.saysFolder, let headers = try await store.head(place) {
            let bytes = headers.first(name: "content-length").flatMap { Int($0) } ?? 0
            let isInto = destination.hasSuffix("/") || FileStatus(destination)?.kind == .folder
            let path = isInto ? LocalPath.join(destination, LocalPath.name(place.path)) : destination
            return DownloadPlan(file: StoreEntry(name: place.path, bytes: bytes), to: path)
        }
        let entries = try await store.files(place, prefix: place.folderPrefix)
        if entries.isEmpty { throw CommandFailure("\(place.short): there is no such file or folder, or it is empty") }
        return try DownloadPlan(folder: entries, prefix: place.folderPrefix, into: destination)
    }
}

/// Which of the two words is meant to be in the store.
enum CopyDirection: Equatable {
    case up
    case down

    /// - Throws: a usage `CommandFailure` where both are, or neither is.
    init(_ source: String, _ destination: String, exists: (String) -> Bool) throws(CommandFailure) {
        switch (Self.isRemote(source), Self.isRemote(destination)) {
        case (true, true): throw .usage("both places are in the store; copy to a local folder and from there")
        case (false, false):
            throw .usage("both places are local; one of them has to be CONTAINER/PATH or an obs:// URI")
        case (true, _), (nil, false): self = .down
        case (_, true), (false, nil): self = .up
        case (nil, nil): self = exists(source) ? .up : .down
        }
    }

    /// Nil where it could be either.
    private static func isRemote(_ place: String) -> Bool? {
        if place.hasPrefix("obs://") { return true }
        return place.hasPrefix("/") || place.hasPrefix(".") || place.hasPrefix("~") ? false : nil
    }
}
