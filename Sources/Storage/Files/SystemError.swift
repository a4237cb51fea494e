import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A failed system call. It stays inside this target; `BlockingWork.run` turns it into a `TakumiError` at the seam.
struct SystemError: Error, Equatable {
    let code: Int32
    /// What was being done, without any path of the server's disk: the sentence may reach a user.
    let operation: String

    var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

    var takumi: TakumiError {
        if isDiskFull { return TakumiError(.unavailable, "\(operation): \(Self.noSpace)") }
        return TakumiError(.failed, "\(operation): \(String(cString: strerror(code)))")
    }

    /// The words that a full disk is reported with everywhere, so that a job's cause can be recognised.
    static let noSpace = "no space left on device"
}

extension TakumiError {
    /// True where the store or a staging folder ran out of disk.
    package var isDiskFull: Bool { code == .unavailable && message.contains(SystemError.noSpace) }
}

/// Repeats a call that a signal interrupted, and throws for any other negative result.
@discardableResult
func check<Result: SignedInteger>(_ operation: @autoclosure () -> String, _ call: () -> Result) throws(SystemError)
    -> Result
{
    while true {
        let result = call()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw SystemError(code: code, operation: operation()) }
    }
}
