import Engine
import Foundation

/// Starts a task's program: as a fork of a warm image where that is the same as a cold start, else cold.
struct Launch {
    private let assignment: TaskAssignment
    private let paths: TaskPaths
    /// The folder of the image's packages.
    private let environment: String
    private let rule: StartRule?
    private let group: ControlGroup?
    private let stop: StopRequest
    private let command: [String]
    private let variables: [String: String]

    init(
        assignment: TaskAssignment, paths: TaskPaths, environment: String, hasRequirements: Bool, group: ControlGroup?,
        stop: StopRequest
    ) {
        (self.assignment, self.paths, self.environment) = (assignment, paths, environment)
        (self.group, self.stop) = (group, stop)
        // A warm interpreter runs outside the sandbox, and packages can bring code that runs when an interpreter starts: only
        // those of the image, which are locked, are let near it.
        rule =
            hasRequirements && assignment.spec.start?.isWarm == true
            ? .cold(reason: "requirements.txt adds packages to the image") : assignment.spec.start
        let values = paths.placeholders(environment: environment)
        command = assignment.spec.command.map { Placeholder.fill($0, values) }
        variables = paths.environment(filling: values)
    }

    /// - Returns: the process, and how it was started for the details of the run.
    func start(output: Int32, error: Int32) throws -> (any StartedProcess, String?) {
        switch rule {
        case .warm(let imports, let waits)?:
            guard let image = image(imports) else { return (try cold(output, error), "cold: switched off") }
            let begin = ContinuousClock.now
            let reason: String
            if let connection = waits ? try image.waitUntilReady(stop: stop) : image.connect() {
                do {
                    let process = try forked(connection, output, error)
                    let time = Int((ContinuousClock.now - begin) / .milliseconds(1))
                    return (process, "forked from an interpreter with \(imports.joined(separator: ", ")) in \(time) ms")
                } catch let failure { reason = "\(failure)" }
            } else {
                reason = image.unusable ?? "no interpreter was warm yet"
            }
            return (try cold(output, error), "cold: \(reason)")
        case .cold(let reason)?:
            return (try cold(output, error), "cold: \(reason)")
        case nil:
            return (try cold(output, error), nil)
        }
    }

    /// Leaves a warm interpreter for who comes next. After the run, which needed the machine for itself.
    func warmForNext() {
        guard case .warm(let imports, false)? = rule, let image = image(imports),
            image.unusable == nil,
            !stop.isRequested
        else { return }
        if let connection = image.connect() { close(connection) } else { try? image.start() }
    }

    private func image(_ imports: [String]) -> WarmImage? {
        assignment.warm.map {
            WarmImage(settings: $0, environment: environment, imports: imports, variables: variables)
        }
    }

    private func cold(_ output: Int32, _ error: Int32) throws -> SpawnedProcess {
        try SpawnedProcess(
            sandboxed(command) ?? command, environment: variables, directory: paths.directory, output: output,
            error: error, isBubblewrap: assignment.sandbox, joining: group?.entrances ?? [])
    }

    private func forked(_ connection: Int32, _ output: Int32, _ error: Int32) throws -> ForkedProcess {
        var variables = variables
        let wrapped = sandboxed(SandboxHolder.command, informing: SandboxHolder.infoDescriptor)
        // As bubblewrap says it to who it starts.
        if wrapped != nil { variables["PWD"] = paths.directory }
        let process = try ForkedProcess(
            ForkedProcess.Request(
                arguments: Array(command.dropFirst()), environment: variables, directory: paths.directory,
                sandboxed: wrapped != nil, joins: group.map { [$0.memoryEntrance] } ?? []),
            connection: connection, output: output, error: error,
            sandbox: { try wrapped.map { try SandboxHolder($0, environment: ["PATH": "/usr/bin:/bin"]) } })
        if let entrance = group?.cpuEntrance {
            // Only a weight: the program need not wait for the kernel, which may take as long as a trial's whole start.
            let program = process.program
            Thread.detachNewThread { ControlGroup.enter(entrance, program) }
        }
        return process
    }

    /// nil where there is no sandbox here.
    private func sandboxed(_ command: [String], informing: Int? = nil) -> [String]? {
        guard assignment.sandbox, let sandbox = Sandbox() else { return nil }
        return sandbox.wrapping(
            command, home: assignment.home, directory: paths.directory,
            readable: paths.hiddenTools(environment: environment) + [Mount(environment)] + paths.readable,
            writable: paths.writable, gpu: !assignment.gpus.isEmpty, volumes: paths.volumeMounts,
            asRoot: assignment.spec.session != nil, informing: informing)
    }
}
