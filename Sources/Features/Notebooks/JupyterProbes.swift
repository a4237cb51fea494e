import Foundation
import Resource
import Synchronization

/// Asks JupyterLab how it is and who uses it, through its own API, and not more often than is worth it.
final class JupyterProbes: Sendable {
    typealias Get = @Sendable (_ port: Int, _ path: String, _ token: String) async throws -> (status: Int, body: Data)

    /// Questions in a row without an answer after which it counts as unhealthy: one that is late may only be busy.
    private static let patience = 3
    private static let healthInterval = Duration.seconds(5)
    private static let useInterval = Duration.seconds(20)

    private struct Entry {
        var health = NotebookSight.Health.healthy
        var failures = 0
        var askedAt: ContinuousClock.Instant?
        var use: NotebookUse?
        var useAskedAt: ContinuousClock.Instant?
    }

    private let get: Get
    private let entries = Mutex<[String: Entry]>([:])

    init(get: @escaping Get) { self.get = get }

    /// - Parameters:
    ///   - base: the path that JupyterLab is below, with slashes around it.
    ///   - isStarting: asked each time, and the first failure counts.
    func health(of workload: String, port: Int, base: String, token: String, isStarting: Bool) async
        -> NotebookSight.Health
    {
        var entry = entries.withLock { $0[workload] ?? Entry() }
        if !isStarting, let askedAt = entry.askedAt, .now - askedAt < JupyterProbes.healthInterval {
            return entry.health
        }
        entry.askedAt = .now
        let health = await ask(port, base, token)
        entry.failures = health == .healthy ? 0 : entry.failures + 1
        if health == .healthy || isStarting || entry.failures >= JupyterProbes.patience { entry.health = health }
        let asked = entry
        entries.withLock { $0[workload] = asked }
        return entry.health
    }

    private func ask(_ port: Int, _ base: String, _ token: String) async -> NotebookSight.Health {
        do {
            let (status, body) = try await get(port, "\(base)api/status", token)
            guard status == 200, (try? JSONSerialization.jsonObject(with: body)) is [String: Any] else {
                return .unhealthy("JupyterLab answers its health check with status \(status)")
            }
            return .healthy
        } catch {
            return .unhealthy("JupyterLab does not answer its health check; reboot the notebook if that stays")
        }
    }

    /// - Parameter afresh: no answer of before will do.
    /// - Returns: nil where it does not say.
    func use(of workload: String, port: Int, base: String, token: String, afresh: Bool) async -> NotebookUse? {
        let entry = entries.withLock { $0[workload] ?? Entry() }
        if !afresh, let askedAt = entry.useAskedAt, .now - askedAt < JupyterProbes.useInterval { return entry.use }
        var use: NotebookUse?
        // Without counting as use themselves.
        if let status = try? await get(port, "\(base)api/status", token),
            let kernels = try? await get(port, "\(base)api/kernels?no_track_activity=1", token),
            let terminals = try? await get(port, "\(base)api/terminals?no_track_activity=1", token)
        {
            use = try? NotebookUse(kernels: kernels.body, terminals: terminals.body, status: status.body)
        }
        let found = use
        entries.withLock { entries in
            entries[workload, default: Entry()].use = found
            entries[workload, default: Entry()].useAskedAt = .now
        }
        return found
    }

    func forget(_ workload: String) { entries.withLock { $0[workload] = nil } }
}
