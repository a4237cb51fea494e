import Engine
import Foundation
import JobKit
import Resource

/// What to do next about a training.
enum TrainingAction: Equatable {
    case launch
    case stop
    /// Write this status; with a line for the history where it is worth one.
    case write(TrainingStatus, event: String?)
    /// Look again after a while, since the engine will not call for this by itself.
    case wait(Duration)
}

extension Training {
    /// Pure: the stored training and what the engine sees → what to do.
    func plan(_ observation: Observation?) -> [TrainingAction] {
        switch status.phase {
        case .createRequested:
            return [.launch, .write(status(.createInProgress), event: nil)]
        case .createInProgress, .running, .completeInProgress, .failInProgress:
            guard let observation else { return [.launch] }
            if let waiting = observation.waiting {
                return (status.cause == waiting ? [] : [.write(status(status.phase, cause: waiting), event: waiting)])
                    + [.wait(.seconds(10))]
            }
            return follow(observation)
        case .stopInProgress:
            guard let observation else { return end([]) }
            if observation.hasEnded { return end(observation.tasks) }
            return observation.stopRequested ? [] : [.stop]
        case .stopped, .complete, .fail, .createFailed:
            return []
        }
    }

    private func follow(_ observation: Observation) -> [TrainingAction] {
        if observation.hasEnded { return end(observation.tasks) }
        let tasks = observation.tasks.compactMap { $0 }
        var next = status
        next.startedAt = tasks.compactMap(\.runningAt).min() ?? status.startedAt
        next.isolation = tasks.first?.isolation ?? status.isolation
        next.start = tasks.first?.start ?? status.start
        if tasks.contains(where: { $0.hasEnded && $0.outcome != .succeeded }), next.startedAt != nil {
            next.phase = .failInProgress
            next.cause = Verdict(observation.tasks).cause
        } else if next.startedAt == nil {
            next.cause = tasks.first { !$0.hasEnded && $0.cause != nil }?.cause
        } else if tasks.count == observation.tasks.count, tasks.allSatisfy({ $0.phase == .finishing || $0.hasEnded }) {
            // Only a program that ended well leads here towards COMPLETE: the codes on that way must not contain FAIL.
            next.phase = tasks.allSatisfy { ($0.exitCode ?? 0) == 0 } ? .completeInProgress : .failInProgress
            next.cause = tasks.first { !$0.hasEnded && $0.cause != nil }?.cause
        } else {
            next.phase = .running
            next.cause = nil
        }
        guard next != status else { return [] }
        return [.write(next, event: next.phase == status.phase ? nil : event(next))]
    }

    private func end(_ tasks: [TaskState?]) -> [TrainingAction] {
        var next = status
        let verdict = Verdict(tasks)
        let states = tasks.compactMap { $0 }
        next.startedAt = states.compactMap(\.runningAt).min() ?? status.startedAt
        next.endedAt = states.compactMap(\.endedAt).max()
        next.isolation = states.first?.isolation ?? status.isolation
        next.start = states.first?.start ?? status.start
        next.exitCode = verdict.exitCode
        next.cause = verdict.cause
        if status.phase == .stopInProgress {
            next.phase = .stopped
            next.cause = nil
        } else if verdict.succeeded {
            next.phase = .complete
        } else {
            next.phase = next.startedAt == nil ? .createFailed : .fail
        }
        return [.write(next, event: event(next))]
    }

    /// A line for the history. The phase stands beside it, so it says what the phase does not.
    private func event(_ status: TrainingStatus) -> String {
        if let cause = status.cause { return cause }
        switch status.phase {
        case .createRequested, .createInProgress: return "preparing"
        case .running: return spec.job.nodes == 1 ? "the program runs" : "the program runs on \(spec.job.nodes) nodes"
        case .completeInProgress, .failInProgress, .stopInProgress: return "cleaning up"
        case .complete, .fail, .createFailed, .stopped:
            return "ended after \(status.elapsed(at: status.endedAt ?? .distantPast)) s"
        }
    }

    private func status(_ phase: TrainingPhase, cause: String? = nil) -> TrainingStatus {
        var status = status
        status.phase = phase
        status.cause = cause
        return status
    }
}
