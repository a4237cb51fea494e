import AccessFeature
import Agent
import AsyncHTTPClient
import Catalog
import Console
import Control
import DashboardFeature
import EndpointsFeature
import Engine
import ExperimentsFeature
import FeatureKit
import Foundation
import Gateway
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Identity
import ImagesFeature
import JobKit
import Logging
import ModelsFeature
import NIOCore
import NIOSSL
import NotebooksFeature
import ObjectStorageFeature
import Resource
import ServiceLifecycle
import Storage
import Store
import TemplatesFeature
import TensorBoardFeature
import TrainingFeature
import TuningFeature
import Web

/// Where the server's doors are to be; 0 for any free port.
struct Ports: Sendable {
    var plain: Int
    var tls: Int
    var apps: Int
    var gateway: Int
}

extension Gateway: Traffic {}

/// Builds everything and connects it: the only place that does.
struct Server {
    private let home: Home
    private let host: String
    private let ports: Ports
    private let logger: Logger
    private let directory: Directory
    private let authority: CertificateAuthority
    private let engine: ProcessEngine
    private let gateway: Gateway
    private let controller: Controller
    private let leftovers: Leftovers
    private let features: [any Feature]
    private let live: LiveHub
    private let pages: Pages
    private let storage: StorageService
    private let client: HTTPClient
    private let addresses: Addresses
    private let isFirst: Bool
    private let administrator: User
    private let notes: [String]

    init(
        home: Home, configuration: Configuration, host: String, ports: Ports, logger: Logger
    ) async throws {
        self.home = home
        self.host = host
        self.ports = ports
        self.logger = logger
        let store = try Store(path: home.database)
        directory = Directory(store: store)
        let (instance, isFirst, administrator) = try await home.bootstrap(directory)
        self.administrator = administrator
        self.isFirst = isFirst
        let names = Server.names(configuration, host: host)
        authority = try CertificateAuthority(home: home.path, hosts: names)
        let addresses = Addresses(
            // Listening everywhere says nothing about what to call this machine.
            host: Server.isWildcard(host) ? configuration.names.first ?? names[3] : host)
        self.addresses = addresses
        let publicURL: @Sendable () -> String = { addresses.tls }
        let appsURL: @Sendable () -> String = { addresses.apps }

        let catalog = try Catalog()
        let sandbox = Sandbox()?.works() ?? false
        notes =
            sandbox ? [] : ["bubblewrap does not work here: jobs run without a sandbox (apt-get install bubblewrap)"]
        let late = LateController()
        do {
            engine = try ProcessEngine(
                settings: .init(
                    home: home.path, program: Server.program, overcommit: configuration.cpuOvercommit,
                    reserveMiB: configuration.memoryReserveMiB,
                    environments: ProcessInfo.processInfo.environment["TAKUMI_ENVIRONMENTS"] ?? configuration
                        .environments
                        ?? "\(home.path)/environments", sandbox: sandbox,
                    warm: configuration.warmMemoryMiB == 0
                        ? nil
                        : WarmSettings(
                            program: try catalog.warmProgram.place(home: home.path), folder: "\(home.path)/warm",
                            idle: 60 * configuration.warmIdleMinutes),
                    warmMemoryMiB: configuration.warmMemoryMiB),
                logger: logger, changed: { late.value?.enqueue($0) })
        } catch let error as TakumiError where error.code == .conflict {
            let pid = ServerFile.read(home: home).map { " (process \($0.pid))" } ?? ""
            throw TakumiError(
                .conflict, "another server\(pid) already uses \(home.path); stop it or choose another --home")
        }

        leftovers = Leftovers(store: store, engine: engine, home: home.path, logger: logger)

        let objects = try DiskStore(root: home.objects)
        let agents = AgentConfiguration(storage: configuration.storage, hosts: names)
        try Home.write(try JSONEncoder().encode(agents), to: home.agentFile)
        let accounts = ServiceAccounts(tenantID: instance.serviceTenantID, directory: directory)
        storage = agents.service(store: objects)
        let objectStorage = ObjectStorageFeature(
            store: objects, storage: storage, directory: directory, service: accounts.identity(for:),
            publicURL: publicURL)
        for project in try await directory.projects() { try await objectStorage.prepare(project) }
        let wake: @Sendable (ResourceKey) -> Void = { late.value?.enqueue($0) }
        gateway = try Server.gateway(
            home: home, host: host, port: ports.gateway, authority: authority, addresses: addresses, store: store,
            wake: wake, logger: logger)
        // The last thing that could throw was above: a client must be shut down, and only `run` does that. Not the shared
        // client, which unpacks what it receives and leaves the headers as they were.
        var local = HTTPClient.Configuration(timeout: .init(connect: .seconds(2)))
        // It asks this machine only: what refuses a connection is not there.
        local.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: local)

        let environment = ClockAndIDs()
        let tokens = NotebookTokens(directory: directory)
        let platform = PlatformVersion(file: home.platformFile, now: environment.now())
        let experiments = ExperimentsFeature(store: store, sources: environment, home: home.path, publicURL: appsURL)
        let checks = JobChecks(
            store: store, engine: engine, catalog: catalog,
            storage: ServiceStorageChecks(service: storage, accounts: accounts, publicURL: publicURL),
            sources: environment, createExperiment: experiments.findOrCreate)
        let templates = TemplateFeature.templates(in: store)
        let trainings = TrainingFeature(
            store: store, checks: checks, templates: templates, sources: environment, home: home.path,
            region: configuration.region, apiURL: { addresses.plain }, publicURL: appsURL)
        let portClient = PortClient(client: client)
        let tunings = TuningFeature(
            store: store, checks: checks, templates: templates, client: portClient,
            sources: environment, home: home.path, region: configuration.region, apiURL: { addresses.plain },
            publicURL: appsURL)
        features = [
            DashboardFeature(store: store, engine: engine),
            experiments,
            trainings, tunings,
            ModelsFeature(
                store: store, storage: checks.storage, sources: environment,
                origins: { key, project, field in
                    key.kind == ResourceKind("training")
                        ? try await trainings.modelOrigin(key, project: project, field: field)
                        : try await tunings.modelOrigin(key, project: project, field: field)
                }, places: { try await EndpointsFeature.places(of: $0, in: store) }),
            EndpointsFeature(
                store: store, engine: engine, catalog: catalog, traffic: gateway, sources: environment,
                surroundings: .init(
                    home: home.path, program: Server.program, platform: platform, region: configuration.region,
                    apiURL: { addresses.plain }, gatewayAddress: { addresses.gatewayHost },
                    isReady: { await portClient.answers(port: $0, path: "/v2/health/ready") }, wake: wake,
                    served: ModelsFeature.served)),
            NotebooksFeature(
                store: store, checks: checks,
                platform: platform, sources: environment,
                surroundings: .init(
                    home: home.path, region: configuration.region, apiURL: { addresses.plain }, appsURL: appsURL,
                    get: portClient.get,
                    directory: { [storage] in try storage.directory(of: $0, project: $1) }, issueToken: tokens.issue,
                    revokeTokens: tokens.revoke,
                    wake: wake)),
            TemplateFeature(store: store, checks: checks, sources: environment),
            ImagesFeature(catalog: catalog, engine: engine),
            objectStorage,
            TensorBoardFeature(
                store: store, engine: engine, catalog: catalog, client: portClient, home: home.path,
                idle: .seconds(60 * configuration.tensorBoardIdleMinutes), appsURL: appsURL,
                folder: {
                    try ExperimentsFeature.tensorBoardFolder($0) ?? TrainingFeature.tensorBoardFolder($0)
                        ?? TuningFeature.tensorBoardFolder($0)
                }),
            AccessFeature(directory: directory, prepare: objectStorage.prepare),
        ]
        live = LiveHub(store: store)
        pages = try Pages(
            menu: features.flatMap(\.menu),
            collections: features.reduce(into: [:]) { $0.merge($1.collections) { $1 } },
            related: features.flatMap(\.relatedTabs), dashboard: features.compactMap(\.dashboard),
            directory: directory, live: live, folder: ProcessInfo.processInfo.environment["TAKUMI_CONSOLE"])
        controller = Controller(store: store, reconcilers: features.flatMap(\.reconcilers), logger: logger)
        late.set(controller)
        let gate = AppsGate(
            directory: directory, apps: features.flatMap(\.apps), logger: logger,
            consoleURL: { addresses.console }, isReady: { addresses.isReady })
        gateway.open(AppsDoor(port: ports.apps, gate: gate, started: { await addresses.started(.apps, port: $0) }))
    }

    /// Runs until a signal or a failure.
    func run(ready: @escaping @Sendable (StartSummary) -> Void) async throws {
        do {
            try await serve(ready)
        } catch {
            try? await shutdown()
            throw error
        }
        try await shutdown()
    }

    private func serve(_ ready: @escaping @Sendable (StartSummary) -> Void) async throws {
        // Clients that ask before a large upload (curl, Swift's own) wait a second for an answer that never comes otherwise.
        let http1 = HTTP1Channel.Configuration(additionalChannelHandlers: [ContinueHandler()])
        let plain = Application(
            router: router(isSecure: false), server: .http1(configuration: http1),
            configuration: .init(address: .hostname(host, port: ports.plain), serverName: "takumi"),
            onServerRunning: { await addresses.started(.plain, port: $0.localAddress?.port ?? ports.plain) },
            logger: logger)
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(authority.certificatePath).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: authority.keyPath, format: .pem)))
        tls.minimumTLSVersion = .tlsv12
        let secure = Application(
            router: router(isSecure: true), server: try .tls(.http1(configuration: http1), tlsConfiguration: tls),
            configuration: .init(address: .hostname(host, port: ports.tls), serverName: "takumi"),
            onServerRunning: { await addresses.started(.tls, port: $0.localAddress?.port ?? ports.tls) },
            logger: logger)

        let announcement = Announcement(
            addresses: addresses, home: home, directory: directory, firstUser: isFirst ? administrator : nil,
            notes: notes,
            ready: ready)
        // Stopped in the opposite order: first open pages are let go, which the listeners would wait for, then nothing new
        // comes in, then the work in progress ends.
        let services: [any Service] =
            [engine, controller, leftovers]
            + features.flatMap(\.services) + [announcement, gateway, secure, plain, live]
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(20)
        defer { unlink(home.serverFile) }
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as NIOCore.IOError where error.errnoCode == EADDRINUSE {
            throw TakumiError(
                .conflict,
                "port \(ports.plain), \(ports.tls), \(ports.apps) or \(ports.gateway) is taken; choose others with --port, --tls-port, --apps-port and --gateway-port"
            )
        }
    }

    /// Clients that are let go without this end the process.
    private func shutdown() async throws {
        try await storage.shutdown()
        try await client.shutdown()
    }

    private func router(isSecure: Bool) -> Router<TakumiContext> {
        let methods = RouteMethods()
        let router = baseRouter(methods)
        router.add(middleware: UnknownPages(pages: pages, isSecure: isSecure))
        let openAPI = OpenAPI(features: features.map(\.api))
        router.get("nhn-api-gateway") { _, _ in Envelope.empty() }
        router.get("openapi.json") { _, _ in try openAPI.response() }
        let project = router.group("v1.0/appkeys/{appKey}").add(middleware: ProjectAccess(directory: directory))
        for feature in features {
            feature.addRootRoutes(to: router)
            feature.addProjectRoutes(to: project)
        }
        addConsole(to: router, isSecure: isSecure)
        methods.read(router)
        return router
    }

    private func addConsole(to router: Router<TakumiContext>, isSecure: Bool) {
        AssetRoutes(pages: pages).add(to: router)
        let site = router.group("")
            .add(middleware: ConsoleBrowser(directory: directory, isSecure: isSecure))
            .add(middleware: ConsoleErrors(pages: pages))
        AppsAccess.addConsoleRoute(to: site, pages: pages, appsURL: { addresses.apps })
        let project = site.group("projects/{appKey}").add(middleware: ConsoleProjectAccess(directory: directory))
        for feature in features {
            feature.addSitePages(to: site, pages)
            feature.addPages(to: project, pages)
        }
    }

    private func baseRouter(_ methods: RouteMethods) -> Router<TakumiContext> {
        let router = Router(context: TakumiContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestLog())
        router.add(middleware: ErrorEnvelope(methods: methods))
        router.add(middleware: Authentication(directory: directory))
        router.get("healthz") { _, _ in
            addresses.isReady
                ? Response(status: .ok, body: .init(byteBuffer: .init(string: "ok\n")))
                : Response(status: .serviceUnavailable)
        }
        return router
    }

    private static func gateway(
        home: Home, host: String, port: Int, authority: CertificateAuthority, addresses: Addresses, store: Store,
        wake: @escaping @Sendable (ResourceKey) -> Void, logger: Logger
    ) throws -> Gateway {
        try Gateway(
            GatewaySettings(
                host: host, port: port, certificate: authority.certificatePath, key: authority.keyPath,
                statistics: "\(home.path)/statistics",
                threads: max(1, ProcessInfo.processInfo.activeProcessorCount / 2)), logger: logger,
            started: { await addresses.started(.gateway, port: $0) },
            wanted: { stage, _ in wake(ResourceKey(ResourceKind("endpointStage"), stage)) })
    }

    /// The names by which this machine is reached: loopback, its own, the configured ones.
    private static func names(_ configuration: Configuration, host: String) -> [String] {
        var names = ["127.0.0.1", "localhost", "::1", ProcessInfo.processInfo.hostName.lowercased()]
        for name in configuration.names + [host] where !names.contains(name) && !isWildcard(name) { names.append(name) }
        return names
    }

    private static func isWildcard(_ host: String) -> Bool { host == "0.0.0.0" || host == "::" }

    /// This program, for starting agents: by its file, so that a replaced binary still finds itself.
    private static var program: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
