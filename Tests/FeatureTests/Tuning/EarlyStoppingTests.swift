import Foundation
import JobKit
import Resource
import Testing

@testable import TuningFeature

@Suite struct EarlyStoppingTests {
    private let up = Objective(metric: "m", direction: .maximize, goal: nil, strategy: .max)
    private let down = Objective(metric: "m", direction: .minimize, goal: nil, strategy: .min)

    @Test func theMedianIsTheMiddleAndNotTheMean() {
        #expect(EarlyStopping.median([0.1, 0.2, 0.9], minTrials: 3) == 0.2)
        #expect(EarlyStopping.mean([0.1, 0.2, 0.9], minTrials: 3).map { abs($0 - 0.4) < 1e-12 } == true)
        #expect(EarlyStopping.median([0.4, 0.1, 0.2, 0.3], minTrials: 3) == 0.25)
        #expect(EarlyStopping.median([0.1, 0.2], minTrials: 3) == nil)
    }

    private func stops(_ reports: [Double], means: [Double], startStep: Int, _ objective: Objective) -> Bool {
        let spec = TuningSpec(
            experimentID: "e",
            job: JobSpec(imageID: "i", flavorID: "f", source: "s", entryPoint: "t.py", modelOutput: "m"),
            strategy: .random, randomState: 1, parameters: [], metrics: ["m"], metricPattern: "", objective: objective,
            maxFailedTrials: 3, maxTrials: nil, parallelTrials: 1,
            earlyStopping: StoppingRule(rule: .median, minTrials: 1, startStep: startStep), maxDuration: nil,
            runName: "r")
        let trial = Trial(
            metadata: Metadata(
                key: ResourceKey(.trial, "t"), project: "p", name: "trial-0001",
                createdAt: Date(timeIntervalSince1970: 0)),
            spec: TrialSpec(tuningID: "x", number: 1, parameters: []), status: TrialStatus())
        let best = objective.direction == .minimize ? reports.min() : reports.max()
        return EarlyStopping.Rivals(firstMeans: means)
            .stop(trial, TrialReports(first: reports, count: reports.count, best: best), spec)
    }

    @Test func aTrialIsStoppedAtAnyReportFromTheStartStepOn() {
        // Katib would look at the fourth report only, where the first one was still above the bound.
        let reports = [0.1, 0.2, 0.2, 0.2, 0.2]
        #expect(!stops(Array(reports.prefix(3)), means: [0.5], startStep: 4, up))
        #expect(stops(reports, means: [0.5], startStep: 4, up))
        #expect(!stops(reports, means: [0.2], startStep: 4, up))
        #expect(stops([9, 8, 7], means: [6], startStep: 3, down))
        #expect(!stops([9, 8, 5], means: [6], startStep: 3, down))
        #expect(!stops([], means: [6], startStep: 3, down))
    }

    @Test func rungsAreTheBestSoFarAtEachPowerOfThree() {
        let reports = [0.1, 0.5, 0.3, 0.4, 0.4, 0.6, 0.2, 0.2, 0.2]
        #expect(EarlyStopping.rungs(reports, startStep: 1, up) == [0.1, 0.5, 0.6])
        #expect(EarlyStopping.rungs(reports, startStep: 4, up) == [0.5])
        #expect(EarlyStopping.rungs([], startStep: 1, up) == [])
    }

    @Test func onlyTheBestThirdOfARungGoesOn() {
        let others = [[0.9], [0.8], [0.1], [0.2], [0.3]]
        #expect(!EarlyStopping.stops(rungs: [0.95], others: others, up))
        #expect(!EarlyStopping.stops(rungs: [0.85], others: others, up))
        #expect(EarlyStopping.stops(rungs: [0.5], others: others, up))
        // Who has come further is compared with who has come as far.
        #expect(!EarlyStopping.stops(rungs: [0.1, 0.2], others: others, up))
        // Two are too few for a third.
        #expect(!EarlyStopping.stops(rungs: [0.1], others: [[0.9]], up))
        #expect(EarlyStopping.stops(rungs: [5], others: [[1], [2], [9]], down))
    }
}
