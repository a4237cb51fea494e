import ArgumentParser
import NIOHTTP1

/// `takumi storage …`
package struct StorageCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "storage", abstract: "Files in object storage.",
        discussion: """
            A place is an obs:// URI of the server's store, or in short CONTAINER/PATH. Every project has the container \
            'easymaker', which trainings can read and write.
            """,
        subcommands: [
            StorageInfo.self, StorageList.self, StorageCopy.self, StorageRemove.self, StorageMakeContainer.self,
            StoragePolicy.self,
        ])

    package init() {}
}

struct StorageInfo: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show the store's address, and the account that trainings use.")

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let envelope = try await session.api.get("/storage")
        let info = try StoreInfo(envelope)
        try session.print(envelope["storage"]) { _ in
            [
                ("uri", info.uri), ("tenant", info.tenant), ("default container", info.defaultContainer),
                ("service account", info.serviceGrant),
            ]
        }
    }
}

struct StorageList: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the containers, or what lies in a container or folder.")

    @Argument(help: "CONTAINER, CONTAINER/PATH or an obs:// URI.")
    var place: String?

    @Flag(name: .shortAndLong, help: "List everything below it.")
    var recursive = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let store = try await StoreClient(session)
        guard let place else {
            return try session.print(try await store.containers(), columns: containerColumns, none: "no containers")
        }
        let target = try store.parse(place)
        let items = try await entries(store, target)
        try session.print(items, columns: columns(below: target.folderPrefix), none: "\(target.short) is empty")
    }

    private func entries(_ store: StoreClient, _ target: RemotePath) async throws -> [JSONValue] {
        let below = try await store.list(target, prefix: target.folderPrefix, stopping: !recursive)
        guard below.isEmpty, !target.path.isEmpty else { return below }
        let file = try await store.list(target, prefix: target.trimmedPath).filter { $0["name"].string == target.path }
        if file.isEmpty { throw CommandFailure("\(target.short): there is no such file or folder") }
        return file
    }

    private func columns(below prefix: String) -> [Column] {
        [
            Column("SIZE", isNumber: true) { item in item["bytes"].int.map(Format.bytes) ?? "" },
            Column("MODIFIED") { Timestamp.local($0["last_modified"].string) },
            Column("NAME") { item in
                let name = item["subdir"].string ?? item["name"].text
                return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
            },
        ]
    }

    private var containerColumns: [Column] {
        [
            Column("OBJECTS", isNumber: true) { $0["count"].text },
            Column("SIZE", isNumber: true) { item in item["bytes"].int.map(Format.bytes) ?? "" },
            Column("CONTAINER") { $0["name"].text },
        ]
    }
}

struct StorageRemove: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove a file, or with --recursive a folder or container and all in it.")

    @Argument(help: "CONTAINER/PATH, CONTAINER or an obs:// URI.")
    var place: String

    @Flag(name: .shortAndLong, help: "Remove everything below it.")
    var recursive = false

    @Flag(name: .shortAndLong, help: Console.yesHelp)
    var yes = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let store = try await StoreClient(session)
        let target = try store.parse(place)
        var doomed: [String] = []
        if recursive {
            doomed = try await store.list(target, prefix: target.folderPrefix).map { $0["name"].text }
        }
        // What is named exactly goes as well; a folder may have a marker of its own, or none.
        let exact = target.path.isEmpty ? nil : try await store.head(target)
        if let exact, !doomed.contains(target.path) {
            doomed.append(target.path)
            doomed += try await segments(of: target, exact, store)
        }
        if doomed.isEmpty, !target.path.isEmpty {
            throw CommandFailure(
                "\(target.short): there is no such file\(recursive ? " or folder" : "; for a folder use --recursive")")
        }
        let what = target.path.isEmpty ? "the container \(target.container)" : target.short
        try session.console.confirm("Remove \(what) (\(Format.count(doomed.count, "object")))?", assumed: yes)
        try await remove(doomed, of: target, with: store, session.console)
        session.console.note("removed \(what) (\(Format.count(doomed.count, "object")))")
    }

    /// A large file is a list of segments; without it they would stay for good, unseen and in the way of no one but the
    /// disk. Only those that lie below the file are surely its own.
    private func segments(of file: RemotePath, _ headers: HTTPHeaders, _ store: StoreClient) async throws -> [String] {
        let own = "\(Percent.encode(file.container))/\(Percent.encodePath(file.path))/"
        guard headers.first(name: "x-object-manifest") == own else { return [] }
        return try await store.files(file, prefix: file.path + "/").map(\.name)
    }

    private func remove(_ names: [String], of target: RemotePath, with store: StoreClient, _ console: Console)
        async throws
    {
        let transfer = Transfer(title: "removing", items: names, bytes: 0, console: console)
        try await transfer.run { name in
            try await store.delete(RemotePath(tenant: target.tenant, container: target.container, path: name))
            return 0
        }
        if target.path.isEmpty { try await store.send(.DELETE, store.url(target), of: target) }
    }
}
