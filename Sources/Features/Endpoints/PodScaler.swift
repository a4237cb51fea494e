import Foundation

/// The rules of Kubernetes' horizontal pod autoscaler for one resource (SEMANTICS.md, Autoscaling). A struct that holds no
/// clock: whoever asks says when.
struct PodScaler {
    /// What was recommended in the last five minutes: going down waits for the highest of them.
    private var recommendations: [(at: Date, pods: Int)] = []
    /// What was added in the last fifteen seconds: going up is limited by it.
    private var additions: [(at: Date, pods: Int)] = []
    private static let window = 300.0
    private static let period = 15.0
    private static let tolerance = 0.1

    /// Before the first recommendation, what there is counts as one: a restarted server takes nothing away at once.
    init(current: Int, now: Date) { recommendations = [(now, current)] }

    /// - Parameters:
    ///   - usages: of each ready pod, used ÷ requested, 1 is all of it; nil where nothing is known of it.
    ///   - unready: pods that are wanted and not ready.
    ///   - target: used ÷ requested that is aimed at.
    mutating func wanted(
        current: Int, usages: [Double?], unready: Int, target: Double, range: ClosedRange<Int>, now: Date
    ) -> Int {
        recommendations.removeAll { now.timeIntervalSince($0.at) > PodScaler.window }
        additions.removeAll { now.timeIntervalSince($0.at) >= PodScaler.period }
        let bare = PodScaler.recommended(current: current, usages: usages, unready: unready, target: target)
        recommendations.append((now, bare))
        var wanted = bare
        if bare < current {
            wanted = min(current, recommendations.map(\.pods).max() ?? bare)
        } else if bare > current {
            let before = current - additions.reduce(0) { $0 + $1.pods }
            wanted = min(bare, max(before * 2, before + 4))
            wanted = max(wanted, current)
        }
        wanted = min(max(wanted, range.lowerBound), range.upperBound)
        if wanted > current { additions.append((now, wanted - current)) }
        return wanted
    }

    /// Without limits of time.
    static func recommended(current: Int, usages: [Double?], unready: Int, target: Double) -> Int {
        let known = usages.compactMap { $0 }
        guard !known.isEmpty, target > 0 else { return current }
        let missing = usages.count - known.count
        let ratio = known.reduce(0, +) / Double(known.count) / target
        if missing == 0, unready == 0 || ratio < 1 {
            return abs(ratio - 1) <= tolerance ? current : pods(ratio * Double(known.count))
        }
        // What is not known must not make it move further: full going down, idle going up.
        let all =
            ratio < 1
            ? known + Array(repeating: 1, count: missing) : known + Array(repeating: 0, count: missing + unready)
        let careful = all.reduce(0, +) / Double(all.count) / target
        if abs(careful - 1) <= tolerance || (ratio < 1) != (careful < 1) { return current }
        let wanted = pods(careful * Double(all.count))
        // Not against the direction.
        return ratio < 1 ? min(wanted, current) : max(wanted, current)
    }

    /// Of a tiny allotment, usage may be any number of times as much.
    private static func pods(_ count: Double) -> Int {
        Int(min(count.rounded(.up), Double(StageResourceBody.mostPods)))
    }
}
