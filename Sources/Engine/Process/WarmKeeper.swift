import Foundation

/// Bounds what warm interpreters hold while nobody uses them. Agents start them, and they end by themselves when idle; this
/// ends them earlier where memory is short, the longest unused first. Runs that were forked from one do not notice.
struct WarmKeeper: Sendable {
    struct Entry: Equatable {
        var pid: pid_t
        var residentMiB: Int
        var lastUse: Date
    }

    private struct File: Decodable {
        var pid: Int32
        var state: String
    }

    let folder: String
    let limitMiB: Int

    /// Ends what is above the limit, and all of them where the machine itself is short of memory.
    func giveBack() {
        let entries = entries()
        guard !entries.isEmpty else { return }
        let limit = Machine.availableMiB().map { $0 < 512 } == true ? 0 : limitMiB
        for entry in WarmKeeper.excess(entries, limitMiB: limit) { kill(entry.pid, SIGTERM) }
    }

    /// What could not be used may be usable now: the reason may have been a passing one.
    func forgetUnusable() {
        for name in names() {
            let path = "\(folder)/\(name)"
            if JSONFile.read(File.self, at: path)?.state == "unusable" { unlink(path) }
        }
    }

    /// They belong to a server that runs.
    func endAll() {
        for entry in entries() { kill(entry.pid, SIGTERM) }
    }

    /// Which to end so that the rest stays below the limit.
    static func excess(_ entries: [Entry], limitMiB: Int) -> [Entry] {
        var kept = 0
        return entries.sorted { $0.lastUse > $1.lastUse }.filter { entry in
            kept += entry.residentMiB
            return kept > limitMiB
        }
    }

    private func entries() -> [Entry] {
        names().compactMap { name in
            let path = "\(folder)/\(name)"
            // The lock tells a living one from another process that was given its id.
            guard let file = JSONFile.read(File.self, at: path), file.state != "unusable",
                let lock = FileLock(path: "\(path.dropLast(5)).lock", create: false), !lock.tryLock()
            else { return nil }
            let date = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
            return Entry(
                pid: file.pid, residentMiB: WarmKeeper.residentMiB(of: file.pid), lastUse: date ?? .distantPast)
        }
    }

    private func names() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".json") }
    }

    private static func residentMiB(of pid: pid_t) -> Int {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/statm") else { return 0 }
        let pages = String(decoding: data, as: UTF8.self).split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return ((pages ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))) >> 20
    }
}
