import Engine
import Testing

@testable import Agent

@Suite struct VerdictTests {
    private let spec = TaskSpec(
        command: [], image: ImageReference(name: "", pythonVersion: "", lock: "", digest: "", address: ""),
        resources: Resources(cpus: 1, memoryMiB: 4096), entryPoint: "train.py")

    private func verdict(_ exit: ChildExit, memory: Bool = false, limit: Int? = nil) -> Verdict {
        Verdict(exit: exit, killedForMemory: memory, spec: spec, limit: limit)
    }

    @Test func namesEachCauseInOneLine() {
        #expect(verdict(ChildExit(code: 0)).cause == nil)
        #expect(verdict(ChildExit(code: 2)).cause == "train.py ended with exit code 2; see the end of the log")
        #expect(verdict(ChildExit(code: -11)).cause == "killed by signal 11 (Segmentation fault)")
        #expect(verdict(ChildExit(code: -9), memory: true).cause?.hasPrefix("killed: out of memory at 4.0 GiB") == true)
        #expect(verdict(ChildExit(code: 1), memory: true).outcome == .failed)
        #expect(
            verdict(ChildExit(code: -15, timedOut: true), limit: 7200).cause == "ended after the maximum time of 2 h")
        #expect(verdict(ChildExit(code: -15, stopped: true)).outcome == .stopped)
    }

    @Test func aSuccessIsASuccessEvenAfterAnOutOfMemoryKillOfAHelper() {
        #expect(verdict(ChildExit(code: 0), memory: true).outcome == .succeeded)
    }

    @Test func quotesWhatUVSaid() {
        let output =
            "  × No solution found when resolving dependencies:\n  ╰─▶ Because nothing-here was not found, it is unsatisfiable.\n"
        #expect(
            EnvironmentCache.reason(in: Array(output.utf8))
                == "No solution found when resolving dependencies: Because nothing-here was not found, it is unsatisfiable."
        )
        #expect(EnvironmentCache.reason(in: []) == "uv gave no reason")
    }
}
