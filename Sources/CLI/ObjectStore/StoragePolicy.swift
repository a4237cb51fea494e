import ArgumentParser
import NIOHTTP1

struct StorageMakeContainer: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "mkdir", abstract: "Make a container. Folders in it appear with their files.")

    @Argument(help: "Its name.")
    var container: String

    @Flag(help: "Let trainings read and write it: its access policy allows the service account.")
    var allowService = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let store = try await StoreClient(session)
        let place = try store.parse(container)
        guard place.trimmedPath.isEmpty else {
            throw CommandFailure.usage(
                "'\(container)' is a folder, and folders appear with their files; give a container's name")
        }
        let headers: HTTPHeaders =
            allowService
            ? ["x-container-read": store.info.serviceGrant, "x-container-write": store.info.serviceGrant] : [:]
        try await store.send(.PUT, store.url(place), of: place, headers: headers)
        session.console.note("made \(store.info.uri(of: place))")
        if session.format == .json { session.printJSON(.object(["uri": .string(store.info.uri(of: place))])) }
    }
}

struct StoragePolicy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Who may read and write a container besides its owner.",
        subcommands: [StoragePolicyShow.self, StoragePolicySet.self])
}

struct StoragePolicyShow: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a container's access policy.")

    @Argument(help: "The container.")
    var container: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let store = try await StoreClient(session)
        try AccessHeaders(try await store.container(container).headers).print(session, store.info)
    }
}

struct StoragePolicySet: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a container's access policy.",
        discussion: "A policy is a list of TENANT:USER separated by commas; '*' stands for any.")

    @Argument(help: "The container.")
    var container: String

    @Option(help: ArgumentHelp("Who may read; '' for nobody else.", valueName: "policy"))
    var read: String?

    @Option(help: ArgumentHelp("Who may write; '' for nobody else.", valueName: "policy"))
    var write: String?

    @Flag(help: "Add the service account, so that trainings can read and write it.")
    var allowService = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        if read == nil, write == nil, !allowService {
            throw ValidationError("nothing to change; use --read, --write or --allow-service")
        }
    }

    func run(_ session: Session) async throws {
        let store = try await StoreClient(session)
        let (place, headers) = try await store.container(container)
        var policy = AccessHeaders(headers)
        if let read { policy.read = read }
        if let write { policy.write = write }
        if allowService { policy.allow(store.info.serviceGrant) }
        let change: HTTPHeaders = ["x-container-read": policy.read, "x-container-write": policy.write]
        try await store.send(.POST, store.url(place), of: place, headers: change)
        try AccessHeaders(try await store.container(container).headers).print(session, store.info)
    }
}

/// A container's access policy, as its headers have it.
struct AccessHeaders: Equatable {
    var read: String
    var write: String

    init(read: String, write: String) {
        self.read = read
        self.write = write
    }

    init(_ headers: HTTPHeaders) {
        read = headers.first(name: "x-container-read") ?? ""
        write = headers.first(name: "x-container-write") ?? ""
    }

    /// Adds a grant to both, where it is not there.
    mutating func allow(_ grant: String) {
        read = Self.adding(grant, to: read)
        write = Self.adding(grant, to: write)
    }

    func allows(_ grant: String) -> Bool {
        [read, write].allSatisfy { Self.grants($0).contains(grant) }
    }

    func print(_ session: Session, _ info: StoreInfo) throws {
        let item = JSONValue.object(["read": .string(read), "write": .string(write)])
        let service =
            allows(info.serviceGrant)
            ? "may read and write" : "may not read and write (storage policy set --allow-service lets it)"
        try session.print(item) { _ in
            [
                ("read", read.isEmpty ? "the owner" : read), ("write", write.isEmpty ? "the owner" : write),
                ("service account", "\(info.serviceGrant) \(service)"),
            ]
        }
    }

    private static func grants(_ policy: String) -> [String] { policy.split(separator: ",").map { String($0).trimmed } }

    private static func adding(_ grant: String, to policy: String) -> String {
        grants(policy).contains(grant) ? policy : (grants(policy) + [grant]).joined(separator: ",")
    }
}

extension StoreClient {
    /// - Throws: `CommandFailure` where it is not there.
    func container(_ name: String) async throws -> (place: RemotePath, headers: HTTPHeaders) {
        let place = try parse(name)
        guard place.trimmedPath.isEmpty else {
            throw CommandFailure.usage("'\(name)' is a folder; a policy belongs to a container")
        }
        guard let headers = try await head(place) else {
            throw CommandFailure("there is no container '\(place.container)'")
        }
        return (place, headers)
    }
}
