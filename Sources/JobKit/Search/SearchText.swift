import Console

package enum SearchText {
    /// "double" and "0.001 to 0.1, log scale".
    package static func space(_ parameter: SearchParameter, _ t: Strings) -> (type: String, values: String) {
        func range(_ low: String, _ high: String, _ step: String?, _ isLog: Bool) -> String {
            var text = t("tuning.range", ["low": low, "high": high])
            if let step { text += ", " + t("tuning.rangeStep", ["step": step]) }
            return isLog ? text + ", " + t("tuning.rangeLog") : text
        }
        switch parameter.space {
        case .double(let bounds, let step, let log):
            return ("double", range("\(bounds.lowerBound)", "\(bounds.upperBound)", step.map { "\($0)" }, log))
        case .int(let bounds, let step, let log):
            return ("int", range("\(bounds.lowerBound)", "\(bounds.upperBound)", step == 1 ? nil : "\(step)", log))
        case .discrete(let values): return ("discrete", values.joined(separator: ", "))
        case .categorical(let values): return ("categorical", values.joined(separator: ", "))
        }
    }
}
