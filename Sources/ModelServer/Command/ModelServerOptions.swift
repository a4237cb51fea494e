import NIOCore
import Resource

/// What `takumi model-server` was asked for.
package struct ModelServerOptions: Sendable {
    package var name = ""
    package var framework = ""
    /// nil for a model without files, which a parameter names.
    package var modelFolder: String?
    package var scratch = ""
    package var python = ""
    package var program = ""
    package var port = 0
    package var grpcPort: Int?
    package var maxBatch = 32
    package var batchWindow = TimeAmount.zero
    package var queue = 1024
    package var timeLimit = TimeAmount.seconds(60)
    /// Bytes of a request's body.
    package var maxBody = 512 << 20
    /// What the pod, which is this server and its worker, is ended for taking more of; nil where nobody does that.
    package var memoryMiB: Int?
    package var parameters: [(name: String, value: String)] = []

    package init() {}

    /// - Throws: `invalid`, with the option as its field.
    package init(arguments: [String]) throws {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            guard option.hasPrefix("--") else {
                throw TakumiError.invalid(option, "is no option; options begin with --")
            }
            // `--port=1` and `--port 1`
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                throw TakumiError.invalid(name, "needs a value")
            }
            try set(name, value)
        }
        for (option, value) in [
            ("--name", self.name), ("--framework", framework), ("--scratch", scratch),
            ("--python", python), ("--program", program),
        ] where value.isEmpty {
            throw TakumiError.invalid(option, "is missing")
        }
    }

    var bodyMemory: BodyMemory { BodyMemory(largest: maxBody, podMiB: memoryMiB) }

    /// Bytes of a request over gRPC, whose messages are not counted together: a twelfth of the pod's memory, and as much as
    /// gRPC's own limit at least.
    package var largestMessage: Int { min(maxBody, memoryMiB.map { max(4 << 20, ($0 << 20) / 12) } ?? maxBody) }

    private mutating func set(_ option: String, _ value: String) throws {
        switch option {
        case "--name": name = value
        case "--framework": framework = value
        case "--model-dir": modelFolder = value
        case "--scratch": scratch = value
        case "--python": python = value
        case "--program": program = value
        case "--port": port = try number(option, value, 0...65535)
        case "--grpc-port": grpcPort = try number(option, value, 0...65535)
        case "--max-batch": maxBatch = try number(option, value, 1...100_000)
        case "--batch-window-us": batchWindow = .microseconds(Int64(try number(option, value, 0...60_000_000)))
        case "--queue": queue = try number(option, value, 1...1_000_000)
        case "--timeout": timeLimit = try seconds(option, value)
        case "--max-body": maxBody = try number(option, value, 1024...(1 << 30))
        case "--memory-mib": memoryMiB = try number(option, value, 1...(1 << 30))
        case "--parameter":
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw TakumiError.invalid(option, "'\(value)' has no '=': write name=value")
            }
            parameters.append((String(parts[0]), String(parts[1])))
        default: throw TakumiError.invalid(option, "is no option of model-server")
        }
    }

    private func number(_ option: String, _ value: String, _ range: ClosedRange<Int>) throws -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw TakumiError.invalid(
                option, "'\(value)' is no whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func seconds(_ option: String, _ value: String) throws -> TimeAmount {
        guard let number = Double(value), number >= 0.01, number <= 86400 else {
            throw TakumiError.invalid(option, "'\(value)' is no number of seconds from 0.01 to 86400")
        }
        return .nanoseconds(Int64(number * 1e9))
    }
}
