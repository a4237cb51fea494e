import CSpawn
import Engine
import Foundation

/// A run that a warm image has forked: its leader is the image's child, and tells of the end over the connection.
final class ForkedProcess: StartedProcess {
    struct Request: Encodable {
        /// The script and its arguments.
        var arguments: [String]
        var environment: [String: String]
        var directory: String
        var sandboxed: Bool
        /// Files of control groups to enter.
        var joins: [String]
    }

    private struct Answer: Decodable {
        var supervisor: Int32?
        var program: Int32?
        var status: Int?
    }

    /// Why no program was started. It has not run a line, so a cold start may follow.
    struct Failure: Error, CustomStringConvertible {
        var description: String { "the warm interpreter did not answer" }
    }

    let pid: pid_t
    let program: pid_t
    /// The connection: readable when there is an exit status, or when nobody is left to tell it.
    let descriptor: Int32
    private let sandbox: SandboxHolder?

    /// Takes the connection over.
    ///
    /// - Parameter sandbox: makes the sandbox while the fork enters its control groups, for which the kernel may take longer
    ///   than for all the rest.
    init(
        _ request: Request, connection: Int32, output: Int32, error: Int32, sandbox: () throws -> SandboxHolder?
    ) throws {
        descriptor = connection
        do {
            let body = try JSONEncoder().encode(request)
            let length = withUnsafeBytes(of: UInt32(body.count).littleEndian) { Array($0) }
            guard takumi_send_descriptors(connection, length, 4, [output, error], 2) == 0,
                ForkedProcess.send(body, to: connection)
            else { throw Failure() }
            self.sandbox = try sandbox()
        } catch {
            close(connection)
            throw error
        }
        let namespaces = self.sandbox?.namespaces ?? []
        guard
            namespaces.isEmpty
                || takumi_send_descriptors(connection, [0x6E], 1, namespaces, Int32(namespaces.count)) == 0,
            let answer = ForkedProcess.answer(from: connection), let pid = answer.supervisor,
            let program = answer.program
        else {
            close(connection)
            self.sandbox?.release()
            throw Failure()
        }
        (self.pid, self.program) = (pid, program)
    }

    deinit { close(descriptor) }

    func exitCode() -> Int? {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Foundation.poll(&poll, 1, 0) > 0 else { return nil }
        // A leader that was killed tells nothing.
        return ForkedProcess.answer(from: descriptor)?.status ?? -Int(SIGKILL)
    }

    func release() { sandbox?.release() }

    private static func send(_ body: Data, to socket: Int32) -> Bool {
        var rest = body[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// One line. Byte by byte, so that nothing of the next one is taken: there are two in the life of a run.
    private static func answer(from socket: Int32) -> Answer? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while line.count < 4096 {
            let count = read(socket, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { return nil }
            if byte == 0x0A { return try? JSONDecoder().decode(Answer.self, from: Data(line)) }
            line.append(byte)
        }
        return nil
    }
}
