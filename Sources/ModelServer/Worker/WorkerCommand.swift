import Foundation

/// How the worker is started: its arguments and its environment.
struct WorkerCommand: Sendable {
    var executable: String
    var arguments: [String]
    var environment: [String: String]

    init(_ options: ModelServerOptions, socket: String, inherited: [String: String]) {
        executable = WorkerCommand.resolve(options.python, path: inherited["PATH"])
        arguments = [
            options.program, "--takumi-framework", options.framework, "--takumi-name", options.name,
            "--takumi-scratch", options.scratch,
        ]
        if let folder = options.modelFolder { arguments += ["--takumi-model-dir", folder] }
        environment = inherited
        for (name, value) in options.parameters {
            arguments += ["--\(name)", value]
            let variable = WorkerCommand.screamingSnakeCase(name)
            // A model parameter called "path" must not take the interpreter its PATH. It still arrives as an argument.
            if !WorkerCommand.isReserved(variable) { environment[variable] = value }
        }
        if environment["OMP_NUM_THREADS"] == nil {
            environment["OMP_NUM_THREADS"] = String(ProcessInfo.processInfo.activeProcessorCount)
        }
        environment["TAKUMI_WORKER_SOCKET"] = socket
    }

    /// `maxLength`, `max-length` and `MaxLength` → `MAX_LENGTH`; `HTTPPort` → `HTTP_PORT`.
    static func screamingSnakeCase(_ name: String) -> String {
        let characters = Array(name)
        var result = ""
        for (index, character) in characters.enumerated() {
            guard character.isASCII, character.isLetter || character.isNumber else {
                if !result.isEmpty, result.last != "_" { result += "_" }
                continue
            }
            let previous = index > 0 ? characters[index - 1] : nil
            let next = index + 1 < characters.count ? characters[index + 1] : nil
            let begins =
                character.isUppercase
                && (previous?.isLowercase == true || previous?.isNumber == true
                    || (previous?.isUppercase == true && next?.isLowercase == true))
            if begins, result.last != "_" { result += "_" }
            result += character.uppercased()
        }
        while result.last == "_" { result.removeLast() }
        return result
    }

    private static func isReserved(_ variable: String) -> Bool {
        variable.isEmpty || ["PATH", "HOME", "PYTHONHOME", "PYTHONPATH", "OMP_NUM_THREADS"].contains(variable)
            || variable.hasPrefix("LD_") || variable.hasPrefix("TAKUMI_")
    }

    /// A name without a slash is looked for as a shell would.
    private static func resolve(_ executable: String, path: String?) -> String {
        guard !executable.contains("/") else { return executable }
        let folders = (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        return folders.map { "\($0)/\(executable)" }.first { access($0, X_OK) == 0 } ?? executable
    }
}
