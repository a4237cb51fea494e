/// Counts for `/metrics`, kept on the core's event loop.
final class Metrics {
    /// By which door a request came.
    enum Door: Int, CaseIterable {
        case v1, v2, grpc, openai, other

        var name: String { ["v1", "v2", "grpc", "openai", "other"][rawValue] }
    }

    private struct Key: Hashable {
        var door: Door
        var code: Int
    }

    private var requests: [Key: Int] = [:]
    private var latency = Histogram(bounds: [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ])
    private var batchRows = Histogram(bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
    private var batchRequests = Histogram(bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
    var restarts = 0
    var ready = false

    func request(_ door: Door, code: Int, seconds: Double) {
        requests[Key(door: door, code: code), default: 0] += 1
        latency.add(seconds)
    }

    func batch(rows: Int, requests: Int) {
        batchRows.add(Double(rows))
        batchRequests.add(Double(requests))
    }

    /// The text that Prometheus reads.
    func text(queue: Int) -> String {
        var text = "# HELP takumi_requests_total Requests answered, by protocol and status.\n"
        text += "# TYPE takumi_requests_total counter\n"
        for (key, count) in requests.sorted(by: {
            ($0.key.door.rawValue, $0.key.code) < ($1.key.door.rawValue, $1.key.code)
        }) {
            text += "takumi_requests_total{protocol=\"\(key.door.name)\",code=\"\(key.code)\"} \(count)\n"
        }
        text += latency.text("takumi_request_seconds", "Time from a request's head to its answer.")
        text += batchRows.text("takumi_batch_rows", "Rows of the calls to the model.")
        text += batchRequests.text("takumi_batch_requests", "Requests joined in the calls to the model.")
        text += gauge("takumi_queue_length", "Requests that wait for the model.", queue)
        text += gauge("takumi_ready", "1 where the model is loaded.", ready ? 1 : 0)
        text += "# HELP takumi_worker_restarts_total Times that the model's process ended and was started again.\n"
        text += "# TYPE takumi_worker_restarts_total counter\ntakumi_worker_restarts_total \(restarts)\n"
        return text
    }

    private func gauge(_ name: String, _ help: String, _ value: Int) -> String {
        "# HELP \(name) \(help)\n# TYPE \(name) gauge\n\(name) \(value)\n"
    }
}

/// Counts by upper bounds.
struct Histogram {
    private let bounds: [Double]
    private var counts: [Int]
    private var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    mutating func add(_ value: Double) {
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        counts[index] += 1
        sum += value
    }

    func text(_ name: String, _ help: String) -> String {
        var text = "# HELP \(name) \(help)\n# TYPE \(name) histogram\n"
        var total = 0
        for (bound, count) in zip(bounds, counts) {
            total += count
            let label = bound == bound.rounded() ? "\(Int(bound))" : "\(bound)"
            text += "\(name)_bucket{le=\"\(label)\"} \(total)\n"
        }
        total += counts[bounds.count]
        text += "\(name)_bucket{le=\"+Inf\"} \(total)\n\(name)_sum \(sum)\n\(name)_count \(total)\n"
        return text
    }
}
