import NIOCore
import NIOHTTP1
import NIOPosix

/// Listens for HTTP/1.1 on a port of this machine, on the core's event loop.
enum HTTPListener {
    static func bind(_ service: HTTPService, port: Int) -> EventLoopFuture<any Channel> {
        let loop = service.core.loop
        let service = NIOLoopBound(service, eventLoop: loop)
        return ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Requests are small: a second look at the socket would find nothing nearly always.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // No encoder: answers are written as bytes.
                    let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
                    try channel.pipeline.syncOperations.addHandlers([
                        decoder, HTTPConnection(service: service.value),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: port)
    }
}
