import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The two outputs of a command. What was asked for goes to stdout; what is said about it goes to stderr.
struct Console: Sendable {
    enum Stream: Sendable {
        case out
        case error
    }

    /// Columns of stdout; nil where it is no terminal and lines may be as long as they are.
    var width: Int?
    /// Columns of stderr; nil where it is no terminal, and nothing may be redrawn there.
    var noteWidth: Int?
    /// True where somebody is there to answer a question.
    var isInteractive: Bool
    /// True where that somebody can see one.
    var showsNotes: Bool
    var write: @Sendable (Stream, String) -> Void

    func out(_ line: String) { write(.out, line + "\n") }
    func note(_ line: String) { write(.error, line + "\n") }

    static let standard = Console(
        width: Terminal.width(STDOUT_FILENO), noteWidth: Terminal.width(STDERR_FILENO),
        isInteractive: isatty(STDIN_FILENO) == 1, showsNotes: isatty(STDERR_FILENO) == 1,
        write: { stream, text in Terminal.write(stream == .out ? STDOUT_FILENO : STDERR_FILENO, text) })

    static let yesHelp: ArgumentHelp = "Do not ask. Scripts, whose standard input is no terminal, are never asked."

    /// Asks before something that cannot be undone. A script, which nobody watches, has named what it means.
    func confirm(_ question: String, assumed: Bool) throws {
        guard isInteractive, !assumed else { return }
        guard showsNotes else {
            throw CommandFailure(
                "nothing was changed: the question cannot be shown where errors go; answer it with --yes")
        }
        write(.error, "\(question) [y/N] ")
        let answer = readLine()?.trimmed.lowercased()
        guard answer == "y" || answer == "yes" else { throw CommandFailure("nothing was changed") }
    }
}

enum Terminal {
    static func width(_ descriptor: Int32) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Unbuffered, so that lines of stdout and stderr keep their order where both go to one place.
    static func write(_ descriptor: Int32, _ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if errno == EPIPE, descriptor == STDOUT_FILENO {
                // `… | head`: end as SIGPIPE would have ended us, were it not ignored by the network library.
                exit(128 + SIGPIPE)
            } else if errno == EAGAIN {
                var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = systemPoll(&poll)
            } else if errno != EINTR {
                return
            }
        }
    }

    private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes, count)
        #elseif canImport(Musl)
            Musl.write(descriptor, bytes, count)
        #else
            Darwin.write(descriptor, bytes, count)
        #endif
    }

    private static func systemPoll(_ descriptor: inout pollfd) -> Int32 {
        poll(&descriptor, 1, 1000)
    }
}
