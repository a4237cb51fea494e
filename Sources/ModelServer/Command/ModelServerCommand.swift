import Foundation
import NIOCore
import NIOPosix

/// `takumi model-server`: serves one model until SIGTERM.
package enum ModelServerCommand {
    /// Runs in the foreground. Writes plain lines to standard error.
    /// - Parameter fronts: other doors to the model than HTTP.
    /// - Returns: the exit status: 0 after SIGTERM, 1 where the model could not be loaded, 2 for wrong arguments.
    package static func run(arguments: [String], fronts: [any InferenceFront] = []) async -> Int32 {
        let options: ModelServerOptions
        do {
            options = try ModelServerOptions(arguments: arguments)
        } catch {
            log("\(error)")
            return 2
        }
        signal(SIGPIPE, SIG_IGN)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        // One waits for the worker's end, the others read and write large bodies.
        let threads = NIOThreadPool(numberOfThreads: 1 + min(4, System.coreCount))
        threads.start()
        let status = await serve(options, fronts, loop: group.next(), threads: threads)
        try? await group.shutdownGracefully()
        try? await threads.shutdownGracefully()
        return status
    }

    private static func serve(
        _ options: ModelServerOptions, _ fronts: [any InferenceFront], loop: any EventLoop, threads: NIOThreadPool
    ) async -> Int32 {
        let result = loop.makePromise(of: Int32.self)
        let drain = loop.makePromise(of: Void.self)
        let signals = watch { drain.succeed() }
        defer { for source in signals { source.cancel() } }
        // Whatever ends the server ends the fronts too.
        result.futureResult.whenComplete { _ in drain.succeed() }
        let started = loop.submit {
            let server = try ModelServer(options, loop: loop, threads: threads, result: result, log: log)
            server.start()
            drain.futureResult.assumeIsolated().whenSuccess { server.drain() }
            return (server.inference, NIOLoopBound(server, eventLoop: loop))
        }
        do {
            let (core, server) = try await started.get()
            await withDiscardingTaskGroup { group in
                for front in fronts {
                    group.addTask {
                        do {
                            try await front.serve(core, options: options, until: drain.futureResult)
                        } catch {
                            loop.execute { server.value.fail("\(error)") }
                        }
                    }
                }
            }
            return try await result.futureResult.get()
        } catch {
            log("\(error)")
            result.succeed(1)
            return 1
        }
    }

    private static func watch(_ action: @escaping @Sendable () -> Void) -> [any DispatchSourceSignal] {
        [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: action)
            source.activate()
            return source
        }
    }

    /// In one write, so that lines of the worker and ours do not mix.
    @Sendable private static func log(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = write(2, bytes, bytes.count)
    }
}
