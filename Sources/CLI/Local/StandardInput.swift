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

enum StandardInput {
    /// All that comes, until its end.
    static func read() throws -> Data {
        var all = Data()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes { systemRead($0.baseAddress, $0.count) }
            if count > 0 {
                all.append(contentsOf: buffer[..<count])
            } else if count == 0 {
                return all
            } else if errno != EINTR {
                throw CommandFailure("stdin cannot be read: \(String(cString: strerror(errno)))")
            }
        }
    }

    private static func systemRead(_ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(STDIN_FILENO, bytes, count)
        #elseif canImport(Musl)
            Musl.read(STDIN_FILENO, bytes, count)
        #else
            Darwin.read(STDIN_FILENO, bytes, count)
        #endif
    }
}
