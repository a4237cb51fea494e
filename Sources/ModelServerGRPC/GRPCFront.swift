import GRPCCore
import GRPCNIOTransportHTTP2Posix
import ModelServer
import NIOCore
import Resource

/// The model server's second door: the Open Inference Protocol over gRPC, on `--grpc-port`. Without that option it stays shut.
package struct GRPCFront: InferenceFront {
    package init() {}

    package func serve(
        _ core: InferenceCore, options: ModelServerOptions, until drain: EventLoopFuture<Void>
    ) async throws {
        guard let port = options.grpcPort else { return }
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: .plaintext,
            config: .defaults { config in
                // As the bodies of HTTP requests: an image does not fit into gRPC's own 4 MiB.
                config.rpc.maxRequestPayloadSize = options.largestMessage
            })
        let server = GRPCServer(transport: transport, services: [InferenceService(core: core)])
        drain.whenComplete { _ in server.beginGracefulShutdown() }
        try await server.serve()
    }
}
