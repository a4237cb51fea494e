import Resource

/// The statuses this command line ends with, besides the exit status of a training.
enum ExitStatus {
    static let failure: Int32 = 1
    /// EX_USAGE: what was typed cannot be understood.
    static let usage: Int32 = 64
    /// EX_UNAVAILABLE: there is no server to talk to.
    static let unavailable: Int32 = 69
    /// 128 + SIGINT.
    static let interrupted: Int32 = 130
}

/// Why a command ends without success: the lines for stderr and the exit status.
struct CommandFailure: Error, Equatable {
    var lines: [String]
    var status: Int32

    init(_ lines: [String], status: Int32 = ExitStatus.failure) {
        self.lines = lines
        self.status = status
    }

    init(_ line: String, status: Int32 = ExitStatus.failure) {
        self.init([line], status: status)
    }

    static func usage(_ line: String) -> CommandFailure { CommandFailure(line, status: ExitStatus.usage) }
    static func unavailable(_ line: String) -> CommandFailure { CommandFailure(line, status: ExitStatus.unavailable) }

    /// Any error as what the user gets to see of it.
    init(describing error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as TakumiError: self.init(error.line)
        case let errors as ValidationErrors: self.init(errors.errors.map(\.line))
        case is CancellationError: self.init("interrupted", status: ExitStatus.interrupted)
        default: self.init(String(describing: error))
        }
    }
}
