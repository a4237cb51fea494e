#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension ConnectionSurroundings {
    static var real: ConnectionSurroundings {
        ConnectionSurroundings(
            environment: ProcessInfo.processInfo.environment,
            read: { path in try? String(contentsOf: URL(filePath: path), encoding: .utf8) },
            // EPERM means that it runs as somebody else.
            isRunning: { pid in kill(pid_t(pid), 0) == 0 || errno == EPERM })
    }
}
