import Foundation

/// What JupyterLab says of its kernels, terminals and connections.
struct NotebookUse: Sendable, Equatable {
    var busyKernels = 0
    var connections = 0
    /// Of kernels and terminals; nil where there were none.
    var lastActivity: Date?
    /// When a client last asked for anything: a browser does every few seconds, also where no kernel is used.
    var lastRequest: Date?

    /// Why it counts as used at this moment; nil where it does not.
    func reason(ignoringConnections: Bool) -> String? {
        if busyKernels > 0 { return busyKernels == 1 ? "a kernel is busy" : "\(busyKernels) kernels are busy" }
        if connections > 0, !ignoringConnections { return "a browser is connected" }
        return nil
    }

    private struct Kernel: Decodable {
        var executionState: String?
        var lastActivity: String?
        var connections: Int?
    }

    private struct Activity: Decodable {
        var lastActivity: String?
    }

    /// Since when it has not been used.
    func since(ignoringConnections: Bool) -> Date? {
        [lastActivity, ignoringConnections ? nil : lastRequest].compactMap { $0 }.max()
    }

    /// - Parameters:
    ///   - kernels: the answer of `/api/kernels`.
    ///   - terminals: the answer of `/api/terminals`.
    ///   - status: the answer of `/api/status`.
    init(kernels: Data, terminals: Data, status: Data) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let kernels = try decoder.decode([Kernel].self, from: kernels)
        let terminals = try decoder.decode([Activity].self, from: terminals)
        // One that nobody has ever connected to stays "starting". Its start counts as activity, as long as any.
        busyKernels = kernels.count { !["idle", "starting", "dead"].contains($0.executionState) }
        connections = kernels.reduce(0) { $0 + ($1.connections ?? 0) }
        let times = kernels.map(\.lastActivity) + terminals.map(\.lastActivity)
        lastActivity = times.compactMap { $0 }.compactMap(NotebookUse.date).max()
        lastRequest = try decoder.decode(Activity.self, from: status).lastActivity.flatMap(NotebookUse.date)
    }

    /// Jupyter writes times with and without parts of a second.
    private static func date(_ text: String) -> Date? {
        let whole = text.prefix { $0 != "." && $0 != "Z" }
        return try? Date("\(whole)Z", strategy: .iso8601)
    }
}
