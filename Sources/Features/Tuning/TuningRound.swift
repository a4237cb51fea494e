import Engine
import Foundation
import JobKit
import Resource

/// One look at a tuning: collects what is seen and decides what to write and do. Pure.
struct TuningRound: Sendable {
    let tuning: Tuning
    /// Trials that had not ended when the round began.
    let active: [Trial]
    let now: Date

    private(set) var changed: [Trial] = []
    private(set) var added: [Trial] = []
    private(set) var toStop: [Trial] = []
    private(set) var toLaunch: [Trial] = []
    /// How many suggestions to ask for.
    private(set) var wanted = 0
    private(set) var event: String?
    var status: TuningStatus
    /// The active ones as they are now, with what they have reported.
    private var current: [(trial: Trial, reports: TrialReports)] = []

    init(_ tuning: Tuning, trials: [Trial], now: Date) {
        (self.tuning, active, self.now) = (tuning, trials, now)
        status = tuning.status
    }

    private var spec: TuningSpec { tuning.spec }
    /// Those that ended in this round.
    var settled: [Trial] { changed.filter { $0.status.phase.isSettled } }
    /// Those that go on, with their reports.
    var running: [(trial: Trial, reports: TrialReports)] {
        current.filter { $0.trial.status.phase == .running && $0.trial.status.ending == nil }
    }

    // MARK: - Looking

    mutating func look(at trial: Trial, _ observation: Observation?, _ reports: TrialReports) {
        var next = trial
        next.status = trial.advanced(observation, reports, spec)
        let phase = next.status.phase
        if observation == nil, !phase.isSettled { toLaunch.append(next) }
        // Asked for before the server was killed, and perhaps not heard.
        if next.status.ending != nil, !phase.isSettled, observation?.stopRequested == false { toStop.append(next) }
        status.counts.move(from: trial.status.phase, to: phase)
        if let started = next.status.startedAt, status.startedAt == nil { status.startedAt = started }
        if phase.isSettled, let value = next.status.value,
            status.best.map({ spec.objective.isBetter(value, than: $0.value) }) ?? true
        {
            status.best = .init(id: next.id, number: next.spec.number, name: next.metadata.name, value: value)
        }
        if phase.isFailure { status.lastFailure = next.status.cause }
        if next.status != trial.status { changed.append(next) }
        current.append((next, reports))
    }

    // MARK: - Deciding

    /// - Parameter rivals: what early stopping compares with.
    mutating func decide(_ rivals: EarlyStopping.Rivals) {
        switch status.phase {
        case .createRequested:
            status.phase = .createInProgress
        case .createInProgress where status.startedAt != nil:
            status.phase = .running
            status.cause = nil
            event = "the first trial runs"
        default: break
        }
        decideEnd()
        guard !status.phase.isEnding else { return }
        let judged = Dictionary(active.map { ($0.id, $0.status.rungs.count) }) { $1 }
        for (trial, reports) in running where rivals.stop(trial, reports, spec, judged: judged[trial.id] ?? 0) {
            end(trial, .earlyStopped)
        }
        wanted = status.isExhausted ? 0 : spec.trialsToAdd(status.counts).add
        showWaiting()
    }

    mutating func decideEnd() {
        if !status.phase.isEnding,
            let end = spec.end(
                status.counts, best: status.best?.value, isExhausted: status.isExhausted,
                elapsed: status.lastRun(at: now), lastFailure: status.lastFailure)
        {
            switch end {
            case .complete(let reason):
                (status.phase, status.reason, status.cause) = (.completeInProgress, reason, nil)
            case .fail(let cause):
                (status.phase, status.cause) = (.failInProgress, cause)
            }
        }
        guard status.phase.isEnding else { return }
        wanted = 0
        // What has not begun must not begin.
        toLaunch = []
        for (trial, _) in current where !trial.status.phase.isSettled && trial.status.ending == nil {
            end(trial, .killed)
        }
        if status.counts.active == 0 { settle() }
    }

    /// Nothing more can be tried, for this reason.
    mutating func fail(_ cause: String) {
        if status.counts.total == 0 {
            (status.phase, status.cause, status.endedAt, event) = (.createFailed, cause, now, cause)
        } else {
            (status.phase, status.cause) = (.failInProgress, cause)
            decideEnd()
        }
    }

    mutating func add(_ suggestion: SamplerAnswer.Suggestion, id: String, bound: Double?, now: Date) {
        let number = suggestion.number + 1
        // In the order of the tuning's list, so that command lines look alike.
        let parameters = spec.parameters.compactMap { parameter in
            suggestion.parameters[parameter.name].map { JobParameter(name: parameter.name, value: $0) }
        }
        added.append(
            Trial(
                metadata: Metadata(
                    key: ResourceKey(.trial, id), project: tuning.metadata.project, name: Trial.name(number),
                    createdAt: now),
                spec: TrialSpec(
                    tuningID: tuning.id, number: number, parameters: parameters,
                    attributes: suggestion.attributes?.text, bound: bound),
                status: TrialStatus()))
        status.counts.add(.created)
    }

    private mutating func end(_ trial: Trial, _ ending: TrialStatus.Ending) {
        var next = trial
        next.status.ending = ending
        if let index = changed.firstIndex(where: { $0.id == trial.id }) {
            changed[index] = next
        } else {
            changed.append(next)
        }
        if let index = current.firstIndex(where: { $0.trial.id == trial.id }) { current[index].trial = next }
        toStop.append(next)
    }

    private mutating func settle() {
        switch status.phase {
        case .completeInProgress:
            status.phase = .complete
            event = "\(status.reason?.rawValue ?? "ended") after \(TuningRound.trials(status.counts.total))"
        case .failInProgress:
            status.phase = .fail
            event = status.cause
        case .stopInProgress:
            status.phase = .stopped
            status.cause = nil
            event = "stopped after \(TuningRound.trials(status.counts.completed))"
        case .createRequested, .createInProgress, .running, .stopped, .complete, .fail, .createFailed: return
        }
        status.endedAt = now
    }

    /// Until the first trial runs, what it waits for is what the tuning waits for.
    private mutating func showWaiting() {
        guard status.phase == .createInProgress else { return }
        if let cause = current.first?.trial.status.cause { status.cause = cause }
    }

    static func trials(_ count: Int) -> String { count == 1 ? "1 trial" : "\(count) trials" }
}
