import Foundation
import NIOCore

/// What one event loop has: its view of the table, its connections, its counts. Touched on that loop only.
final class EventLoopContext {
    let eventLoop: any EventLoop
    let core: GatewayCore
    private(set) var table: CompiledTable
    private var number: Int
    /// In the order of the table's backends.
    private(set) var pools: [ConnectionPool] = []
    /// In the order of the table's stages.
    private(set) var counters: [StageCounter] = []
    private var allCounters: [String: StageCounter] = [:]
    private var poolsByBackend: [Backend: ConnectionPool] = [:]
    private(set) var clients: [ClientConnection] = []
    private var holding: [ClientConnection] = []
    private var shadows: [ShadowRequest] = []
    private(set) lazy var apps = AppConnections(loop: self)
    private var logLines: [String: [UInt8]] = [:]
    var random = RandomSource()
    var turn = 0
    private(set) var isDraining = false
    /// A time not older than a tick.
    private(set) var coarseNow = NIODeadline.now()
    /// Wall clock minus monotonic clock, in nanoseconds.
    private var wallOffset: Int64 = 0

    static let tick = TimeAmount.milliseconds(250)

    init(eventLoop: any EventLoop, core: GatewayCore) {
        self.eventLoop = eventLoop
        self.core = core
        (table, number) = (CompiledTable(), -1)
        readClocks()
        adopt()
    }

    // MARK: - Table

    /// The table of the moment.
    func currentTable() -> CompiledTable {
        if core.registry.number != number { adopt() }
        return table
    }

    var isTableCurrent: Bool { core.registry.number == number }

    /// Takes over a new table, closes the connections to backends that are gone, and tries what waited for one.
    func adopt() {
        guard core.registry.number != number else { return }
        (table, number) = core.registry.current
        var kept: [Backend: ConnectionPool] = [:]
        pools = table.backends.map { state in
            let pool = poolsByBackend[state.backend] ?? ConnectionPool(state.address, loop: self)
            kept[state.backend] = pool
            return pool
        }
        for (backend, pool) in poolsByBackend where kept[backend] == nil { pool.retire() }
        poolsByBackend = kept
        counters = table.stages.map { stage in
            let counter = allCounters[stage.id] ?? StageCounter(stage: stage.id)
            allCounters[stage.id] = counter
            return counter
        }
        let waiting = holding
        holding = []
        for client in waiting { client.tryAgain() }
    }

    // MARK: - Connections

    func add(_ client: ClientConnection) {
        client.slot = clients.count
        clients.append(client)
    }

    func remove(_ client: ClientConnection) {
        guard clients.indices.contains(client.slot), clients[client.slot] === client else { return }
        clients.swapAt(client.slot, clients.count - 1)
        clients.removeLast()
        if client.slot < clients.count { clients[client.slot].slot = client.slot }
        client.slot = -1
    }

    func hold(_ client: ClientConnection) { holding.append(client) }
    func release(_ client: ClientConnection) { holding.removeAll { $0 === client } }

    func add(_ shadow: ShadowRequest) { shadows.append(shadow) }
    func remove(_ shadow: ShadowRequest) { shadows.removeAll { $0 === shadow } }

    // MARK: - Time

    /// Checks everything that has a time limit: one look at all now and then costs less than a timer for every request.
    func runTick() {
        readClocks()
        adopt()
        // Copies: what is out of time leaves the lists.
        for client in clients where client.deadline <= coarseNow { client.outOfTime() }
        for shadow in shadows where shadow.deadline <= coarseNow { shadow.outOfTime() }
        for pool in pools { pool.closeIdle(before: coarseNow - ConnectionPool.idleLimit) }
        apps.runTick()
        flushCounts()
    }

    private func readClocks() {
        var wall = timespec()
        clock_gettime(CLOCK_REALTIME, &wall)
        coarseNow = .now()
        wallOffset = Int64(wall.tv_sec) * 1_000_000_000 + Int64(wall.tv_nsec) - Int64(coarseNow.uptimeNanoseconds)
    }

    /// Nanoseconds since 1970.
    func wallClock(_ time: NIODeadline) -> Int64 { Int64(time.uptimeNanoseconds) + wallOffset }

    func minute(_ time: NIODeadline) -> Int { Int(wallClock(time) / 60_000_000_000) }

    // MARK: - Counts and log

    func flushCounts() {
        for counter in allCounters.values { core.statistics.merge(counter.take(), stage: counter.stage) }
        // Requests of former tables hold on to their stage's counter: it goes when they have gone.
        let present = Set(counters.map(\.stage))
        for stage in allCounters.keys where !present.contains(stage) {
            guard var counter = allCounters.removeValue(forKey: stage) else { continue }
            if !isKnownUniquelyReferenced(&counter) { allCounters[stage] = counter }
        }
        for (file, lines) in logLines where !lines.isEmpty {
            core.log.append(lines, to: file)
            logLines[file] = nil
        }
    }

    func log(_ record: InferenceRecord) {
        record.append(to: &logLines[record.fields.file, default: []])
        if let lines = logLines[record.fields.file], lines.count > 256 << 10 {
            core.log.append(lines, to: record.fields.file)
            logLines[record.fields.file] = nil
        }
    }

    // MARK: - End

    /// Nothing new: idle connections close, the others after their answer.
    func drain() {
        isDraining = true
        for client in clients { client.drain() }
    }

    /// Requests and answers that are not through; tunnels do not count.
    var unfinished: Int { clients.count { $0.delaysEnd } }

    func closeAll() {
        for client in clients { client.giveUp() }
        for pool in pools { pool.retire() }
        // Pools know this, so one side lets go.
        pools = []
        poolsByBackend = [:]
        apps.closeAll()
        for shadow in shadows { shadow.outOfTime() }
        flushCounts()
    }
}
