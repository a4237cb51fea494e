import Resource
import Testing

@testable import ModelServer

struct WorkerCommandTests {
    private let required = [
        "--name", "m", "--framework", "SKLEARN", "--model-dir", "/m", "--scratch", "/s", "--python", "/p", "--program",
        "/w",
    ]

    @Test(arguments: [
        ("maxLength", "MAX_LENGTH"), ("max-length", "MAX_LENGTH"), ("MAX_LENGTH", "MAX_LENGTH"),
        ("model id", "MODEL_ID"),
        ("HTTPPort", "HTTP_PORT"), ("topK2", "TOP_K2"), ("a.b..c", "A_B_C"), ("task", "TASK"), ("--x-", "X"),
    ])
    func screamingSnakeCase(_ name: String, _ variable: String) {
        #expect(WorkerCommand.screamingSnakeCase(name) == variable)
    }

    /// Its scratch folder is not taken for its files.
    @Test func aModelWithoutFilesHasNoFolder() throws {
        let options = try ModelServerOptions(arguments: required.filter { !["--model-dir", "/m"].contains($0) })
        let command = WorkerCommand(options, socket: "/sock", inherited: [:])
        #expect(!command.arguments.contains("--takumi-model-dir"))
    }

    @Test func parametersReachTheWorkerBothWays() throws {
        let options = try ModelServerOptions(
            arguments: required + [
                "--parameter", "maxLength=a=b", "--parameter=path=/evil", "--parameter", "ld-preload=x",
            ])
        let command = WorkerCommand(options, socket: "/sock", inherited: ["PATH": "/bin", "EM_REGION": "kr1"])
        #expect(command.executable == "/p")
        #expect(
            command.arguments == [
                "/w", "--takumi-framework", "SKLEARN", "--takumi-name", "m", "--takumi-scratch", "/s",
                "--takumi-model-dir", "/m", "--maxLength", "a=b", "--path", "/evil", "--ld-preload", "x",
            ])
        #expect(command.environment["MAX_LENGTH"] == "a=b")
        #expect(command.environment["PATH"] == "/bin")
        #expect(command.environment["LD_PRELOAD"] == nil)
        #expect(command.environment["EM_REGION"] == "kr1")
        #expect(command.environment["TAKUMI_WORKER_SOCKET"] == "/sock")
        #expect(command.environment["OMP_NUM_THREADS"] != nil)
    }

    @Test(arguments: [
        (["--port", "x"], "--port: 'x' is no whole number from 0 to 65535"), (["--nope", "1"], "--nope: is no option"),
        (["--timeout", "0"], "--timeout: '0' is no number of seconds"), (["--parameter", "x"], "'x' has no '='"),
        (["--max-batch"], "--max-batch: needs a value"), (["x"], "x: is no option"),
        (["--name", ""], "--name: is missing"),
    ])
    func wrongArgumentsAreNamed(_ extra: [String], _ sentence: String) {
        let error = #expect(throws: TakumiError.self) { try ModelServerOptions(arguments: required + extra) }
        #expect(error?.line.contains(sentence) == true, "\(error?.line ?? "")")
    }

    @Test func pausesDoubleAndStartAgainAfterAMinuteOfHealth() {
        var backoff = Backoff()
        let pauses = (0..<9).map { _ in backoff.pause(healthy: .seconds(1)).nanoseconds / 1_000_000 }
        #expect(pauses == [100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000])
        let afterHealth = backoff.pause(healthy: .seconds(60))
        #expect(afterHealth == .milliseconds(100))
    }
}
