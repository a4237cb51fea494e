import Foundation
import Resource

extension SearchParameter {
    private static let types = ["int", "double", "discrete", "categorical"]

    /// Checks the list of a request; of what is wrong in it the field, the value and the remedy.
    static func validated(
        _ list: [SearchBody.Parameter], strategy: SearchStrategy, _ validator: inout Validator
    ) -> [SearchParameter] {
        validator.count(list.count, "hyperparameterSpecList", limit: 100)
        var seen: Set<String> = []
        return list.enumerated().compactMap { index, item in
            let field = "hyperparameterSpecList[\(index)]"
            let name = item.hyperparameterName ?? ""
            JobBody.validate(parameterName: name, "\(field).hyperparameterName", &seen, &validator)
            guard let space = space(item, field, strategy, &validator) else { return nil }
            return SearchParameter(name: name, space: space)
        }
    }

    private static func space(
        _ item: SearchBody.Parameter, _ field: String, _ strategy: SearchStrategy,
        _ validator: inout Validator
    ) -> Space? {
        let type = item.hyperparameterTypeCode ?? ""
        guard types.contains(type) else {
            validator.refuse(
                "\(field).hyperparameterTypeCode",
                type.isEmpty
                    ? "is required; use \(types.joined(separator: ", "))"
                    : "'\(type.excerpt)' is not known; use \(types.joined(separator: ", "))")
            return nil
        }
        let isRange = type == "int" || type == "double"
        let scale = item.hyperparameterScale ?? "linear"
        validator.require(
            ["linear", "log", ""].contains(scale), "\(field).hyperparameterScale",
            "'\(scale.excerpt)' is not known; use linear or log")
        for (value, name) in [
            (item.hyperparameterMinValue, "hyperparameterMinValue"),
            (item.hyperparameterMaxValue, "hyperparameterMaxValue"), (item.hyperparameterStep, "hyperparameterStep"),
        ] where !isRange && !(value?.text ?? "").isEmpty {
            validator.refuse("\(field).\(name)", "is for int and double; give a \(type) hyperparameterSpecifiedValues")
        }
        validator.require(
            !isRange || (item.hyperparameterSpecifiedValues ?? "").isEmpty, "\(field).hyperparameterSpecifiedValues",
            "is for discrete and categorical; give \(type == "int" ? "an int" : "a double") a minimum and a maximum")
        guard isRange else { return values(item, field, type, &validator) }
        return type == "int"
            ? integers(item, field, isLog: scale == "log", &validator)
            : doubles(item, field, isLog: scale == "log", strategy, &validator)
    }

    /// A finite number as people and Python write it: not hexadecimal, which `Double` reads, too.
    static func decimal(_ text: String) -> Double? {
        guard text.wholeMatch(of: #/[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/#) != nil else { return nil }
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
    }

    private static func values(
        _ item: SearchBody.Parameter, _ field: String, _ type: String, _ validator: inout Validator
    ) -> Space? {
        let name = "\(field).hyperparameterSpecifiedValues"
        let values = (item.hyperparameterSpecifiedValues ?? "").split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
        guard values != [""] else {
            validator.refuse(name, "is required; values with commas between them, such as sgd, adam")
            return nil
        }
        validator.require(!values.contains(""), name, "has an empty value between two commas")
        validator.count(values.count, name, limit: 1000)
        validator.require(Set(values).count == values.count, name, "has a value twice")
        for value in values {
            validator.require(!value.unicodeScalars.contains { $0.value == 0 }, name, "has a NUL character")
            validator.length(value, name, limit: 1000)
            if type == "discrete" {
                validator.require(
                    decimal(value) != nil, name,
                    "'\(value.excerpt)' is not a number; discrete values are, use categorical")
            }
        }
        return type == "discrete" ? .discrete(values) : .categorical(values)
    }

    private static func integers(
        _ item: SearchBody.Parameter, _ field: String, isLog: Bool, _ validator: inout Validator
    ) -> Space? {
        func whole(_ number: NumberText?, _ name: String, isRequired: Bool) -> Int? {
            guard let text = number?.text, !text.isEmpty else {
                validator.require(!isRequired, "\(field).\(name)", "is required for an int")
                return nil
            }
            guard let value = decimal(text), let int = Int(exactly: value), abs(int) <= 1 << 53 else {
                validator.refuse("\(field).\(name)", "'\(text.excerpt)' is not a whole number")
                return nil
            }
            return int
        }
        let low = whole(item.hyperparameterMinValue, "hyperparameterMinValue", isRequired: true)
        let high = whole(item.hyperparameterMaxValue, "hyperparameterMaxValue", isRequired: true)
        let step = whole(item.hyperparameterStep, "hyperparameterStep", isRequired: false)
        guard let low, let high,
            checkRange(low, high, step, field, isLog: isLog, fits: { $0 <= high - low }, &validator)
        else { return nil }
        return .int(low...high, step: step ?? 1, log: isLog)
    }

    private static func doubles(
        _ item: SearchBody.Parameter, _ field: String, isLog: Bool, _ strategy: SearchStrategy,
        _ validator: inout Validator
    ) -> Space? {
        func number(_ number: NumberText?, _ name: String, isRequired: Bool) -> Double? {
            guard let text = number?.text, !text.isEmpty else {
                validator.require(!isRequired, "\(field).\(name)", "is required for a double")
                return nil
            }
            guard let value = decimal(text) else {
                validator.refuse("\(field).\(name)", "'\(text.excerpt)' is not a number")
                return nil
            }
            return value
        }
        let low = number(item.hyperparameterMinValue, "hyperparameterMinValue", isRequired: true)
        let high = number(item.hyperparameterMaxValue, "hyperparameterMaxValue", isRequired: true)
        let step = number(item.hyperparameterStep, "hyperparameterStep", isRequired: false)
        if strategy == .grid, (item.hyperparameterStep?.text ?? "").isEmpty {
            validator.refuse(
                "\(field).hyperparameterStep", "is required for a double with the strategy GRID, which needs a step")
        }
        guard let low, let high,
            checkRange(
                low, high, step, field, isLog: isLog && strategy != .grid, fits: { count(low...high, $0) > 1 },
                &validator)
        else { return nil }
        validator.require(
            (high - low).isFinite, "\(field).hyperparameterMaxValue", "\(high) is too far from the minimum \(low)")
        return .double(low...high, step: step, log: isLog && strategy != .grid)
    }

    private static func checkRange<T: Comparable & SignedNumeric>(
        _ low: T, _ high: T, _ step: T?, _ field: String, isLog: Bool, fits: (T) -> Bool,
        _ validator: inout Validator
    ) -> Bool {
        guard low <= high else {
            validator.refuse(
                "\(field).hyperparameterMinValue", "\(low) is above hyperparameterMaxValue \(high); exchange them")
            return false
        }
        if let step {
            guard step > 0 else {
                validator.refuse("\(field).hyperparameterStep", "\(step) must be above 0")
                return false
            }
            validator.require(
                low == high || fits(step), "\(field).hyperparameterStep",
                "\(step) is larger than the range from \(low) to \(high)")
        }
        guard isLog else { return true }
        validator.require(
            low > 0, "\(field).hyperparameterMinValue", "\(low) must be above 0 for a log scale")
        validator.require(
            step == nil || step == 1 && T.self == Int.self, "\(field).hyperparameterStep",
            "cannot be used with a log scale; leave it out")
        return true
    }
}
