import Foundation
import Synchronization
import Telemetry
import Testing

@testable import Agent

@Suite struct ChildProcessTests {
    private func run(
        _ script: String, timeLimit: Int? = nil, grace: Int = 5, stopAfter: Duration? = nil
    ) async throws -> (exit: ChildExit, output: String) {
        let stop = try StopRequest()
        return try await withCheckedThrowingContinuation { continuation in
            if let stopAfter {
                let delay = Double(stopAfter / .milliseconds(1)) / 1000
                Thread.detachNewThread {
                    Thread.sleep(forTimeInterval: delay)
                    stop.request()
                }
            }
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        var output: [UInt8] = []
                        let child = ChildProcess(
                            command: ["/bin/sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"],
                            timeLimit: timeLimit,
                            grace: grace)
                        let exit = try child.run(stop: stop) { bytes, _ in output += bytes }
                        return (exit, String(decoding: output, as: UTF8.self))
                    })
            }
        }
    }

    @Test func reportsOutputAndExit() async throws {
        let (exit, output) = try await run("echo hello; echo there >&2; exit 3")
        #expect(exit == ChildExit(code: 3))
        #expect(output.contains("hello") && output.contains("there"))
    }

    @Test func reportsASignalAsPythonDoes() async throws {
        #expect(try await run("kill -9 $$").exit == ChildExit(code: -9))
    }

    @Test func stopsWithSIGTERMFirst() async throws {
        let (exit, output) = try await run(
            "trap 'echo saved; exit 0' TERM; echo up; while :; do sleep 0.05; done", stopAfter: .milliseconds(400))
        #expect(exit.stopped)
        #expect(exit.code == 0)
        #expect(output.contains("saved"))
    }

    @Test func killsTheWholeTreeAfterTheGrace() async throws {
        let start = ContinuousClock.now
        let (exit, output) = try await run(
            "trap '' TERM; sh -c 'trap \"\" TERM; echo child $$; sleep 60' & wait", grace: 1,
            stopAfter: .milliseconds(300))
        #expect(exit.stopped)
        #expect(exit.code == -9)
        #expect(ContinuousClock.now - start < .seconds(10))
        let child = try #require(
            output.split(separator: " ").last.flatMap { pid_t($0.trimmingCharacters(in: .newlines)) })
        try await Task.sleep(for: .milliseconds(100))
        // Gone, or a zombie that its new parent has not reaped yet.
        let state = FileManager.default.contents(atPath: "/proc/\(child)/stat").map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(state == nil || state?.contains(") Z ") == true)
    }

    @Test func endsAtTheTimeLimit() async throws {
        let (exit, _) = try await run("sleep 30", timeLimit: 1)
        #expect(exit.timedOut)
        #expect(!exit.stopped)
    }

    @Test func doesNotWaitForWhatAProgramLeftBehind() async throws {
        let start = ContinuousClock.now
        let (exit, output) = try await run("sleep 30 & echo done")
        #expect(exit == ChildExit(code: 0))
        #expect(output.contains("done"))
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test func losesNoOutputAtTheEnd() async throws {
        let (_, output) = try await run("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done")
        #expect(output.split(separator: "\n").count == 20000)
    }

    @Test func inheritsNothing() async throws {
        let (_, output) = try await run("ls /proc/self/fd | wc -l; cat /proc/self/status | grep SigIgn")
        // 0, 1, 2 and the one with which ls reads the folder.
        #expect(output.split(separator: "\n").first?.trimmingCharacters(in: .whitespaces) == "4")
        // Signals 32 and 33 are the C library's own; no program sees them.
        let mask = output.split(separator: "\t").last?.trimmingCharacters(in: .newlines)
        let ignored = mask.flatMap { UInt64($0, radix: 16) }
        #expect(ignored.map { $0 & 0x7FFF_FFFF } == 0)
    }

    @Test func aMissingProgramIsAnError() async throws {
        let child = ChildProcess(command: ["/no/such/program"], environment: [:], grace: 1)
        #expect(throws: (any Error).self) { try child.run(stop: try StopRequest()) { _, _ in } }
    }
}
