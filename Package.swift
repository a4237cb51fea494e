// swift-tools-version: 6.1
import PackageDescription

// MARK: - Outside parts

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let certificates: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

// MARK: - The house

let strict: [SwiftSetting] = [.unsafeFlags(["-warnings-as-errors"])]

/// The features, one folder and one target each under `Sources/Features`. A new kind adds one word here.
let features = [
    "Access", "Dashboard", "Endpoints", "Experiments", "Images", "Models", "Notebooks", "ObjectStorage", "Templates",
    "TensorBoard",
    "Training", "Tuning",
]
let featureTargets: [Target.Dependency] = features.map { .target(name: "\($0)Feature") }

/// What a feature may reach. No feature reaches another.
let featureDependencies: [Target.Dependency] = [
    "Resource", "Store", "Control", "Engine", "Storage", "Telemetry", "Identity", "Catalog", "Web", "Console",
    "Gateway", "FeatureKit", "JobKit", "ServingKit",
    hummingbird, lifecycle, crypto, httpTypes, nioCore, nioHTTPTypes,
]

let package = Package(
    name: "takumi",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "takumi", targets: ["App"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", "4.5.2"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "Resource", swiftSettings: strict),
        .target(name: "Store", dependencies: ["Resource", grdb], swiftSettings: strict),
        .target(name: "Control", dependencies: ["Resource", "Store", lifecycle, logging], swiftSettings: strict),
        .target(name: "CSpawn"),
        .target(name: "Engine", dependencies: ["Resource", "CSpawn", lifecycle, logging], swiftSettings: strict),
        .target(
            name: "Storage",
            dependencies: ["Resource", asyncHTTPClient, crypto, logging, nioCore, nioHTTP1, nioPosix, nioSSL],
            swiftSettings: strict),
        // Statically, so that the binary runs where libre2 is not installed.
        .target(
            name: "CRegex", linkerSettings: [.linkedLibrary(":libre2.a"), .linkedLibrary("stdc++")]),
        .target(name: "Telemetry", dependencies: ["Resource", "CRegex"], swiftSettings: strict),
        .target(
            name: "Agent", dependencies: ["Resource", "CSpawn", "Engine", "Telemetry", crypto], swiftSettings: strict),
        .target(
            name: "Identity", dependencies: ["Resource", "Store", crypto, cryptoExtras, certificates],
            swiftSettings: strict),
        .target(
            name: "Web",
            dependencies: ["Resource", "Store", "Identity", crypto, hummingbird, httpTypes, logging, nioCore],
            swiftSettings: strict),
        .target(name: "CConsole"),
        .target(
            name: "Console",
            dependencies: [
                "CConsole", "Resource", "Store", "Identity", "Web", crypto, hummingbird, httpTypes, lifecycle, mustache,
                nioCore, yams,
            ], swiftSettings: strict),
        .target(
            name: "Gateway",
            dependencies: [
                "Resource", asyncHTTPClient, crypto, lifecycle, logging, nioCore, nioPosix, nioSSL,
            ],
            swiftSettings: strict),
        .target(name: "CTensors", linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("stdc++")]),
        .target(
            name: "ModelServer",
            dependencies: ["Resource", "Engine", "CTensors", logging, nioCore, nioHTTP1, nioPosix],
            swiftSettings: strict),
        .target(
            name: "ModelServerGRPC",
            dependencies: [
                "Resource", "ModelServer", nioCore,
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
                .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
            ], exclude: ["inference.proto"], swiftSettings: strict),
        .target(name: "CCatalog"),
        .target(name: "Catalog", dependencies: ["CCatalog", "Resource", crypto, yams], swiftSettings: strict),
        .target(
            name: "FeatureKit",
            dependencies: [
                "Resource", "Store", "Control", "Identity", "Web", "Console", "Gateway", hummingbird, lifecycle,
                logging,
            ],
            swiftSettings: strict),
        .target(
            name: "JobKit",
            dependencies: [
                "Resource", "Store", "Engine", "Storage", "Telemetry", "Catalog", "Web", "Console", "FeatureKit",
                hummingbird, httpTypes, nioCore,
            ], swiftSettings: strict),
        .target(
            name: "ServingKit",
            dependencies: ["Resource", "Engine", "Catalog", "JobKit", "FeatureKit"], swiftSettings: strict),
    ]
        + features.map {
            .target(
                name: "\($0)Feature", dependencies: featureDependencies, path: "Sources/Features/\($0)",
                swiftSettings: strict)
        } + [
            .target(
                name: "CLI",
                dependencies: ["Resource", argumentParser, asyncHTTPClient, nioCore, nioHTTP1, nioPosix, nioSSL],
                swiftSettings: strict),
            .executableTarget(
                name: "App",
                dependencies: [
                    "Resource", "Store", "Control", "Engine", "Agent", "Storage", "Telemetry", "Identity", "Catalog",
                    "Web",
                    "Gateway", "ModelServer", "ModelServerGRPC", "FeatureKit", "JobKit", "ServingKit", "CLI",
                    argumentParser, asyncHTTPClient, hummingbird,
                    hummingbirdTLS,
                    lifecycle, logging,
                    yams,
                ] + featureTargets,
                swiftSettings: strict),

            // The gateway alone, serving a table from a file: for its end-to-end tests.
            .executableTarget(
                name: "GatewayHost", dependencies: ["Gateway", lifecycle, logging], path: "Tests/GatewayHost",
                swiftSettings: strict),
            .target(
                name: "Support", dependencies: ["Resource", "Store", "Engine"], path: "Tests/Support",
                swiftSettings: strict),
            .testTarget(
                name: "ServingTests",
                dependencies: [
                    "Resource", "Gateway", "ModelServer", "CTensors", "Support", nioCore, nioHTTP1, nioPosix,
                ],
                swiftSettings: strict),
            .testTarget(
                name: "KernelTests",
                dependencies: [
                    "Resource", "Store", "Control", "Engine", "Agent", "Storage", "Telemetry", "Identity", "Web",
                    "Console", "CLI",
                    "Support",
                    "Catalog", "FeatureKit", "Gateway", "ObjectStorageFeature", hummingbird, hummingbirdTesting,
                    certificates,
                    lifecycle, logging,
                ], swiftSettings: strict),
            .testTarget(
                name: "FeatureTests",
                dependencies: ["FeatureKit", "JobKit", "Web", "Support", hummingbird, hummingbirdTesting, logging]
                    + featureTargets,
                swiftSettings: strict),
        ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c2x,
    cxxLanguageStandard: .cxx17
)
