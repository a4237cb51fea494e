extension SearchBody.Parameter {
    /// As the request that made it.
    package init(_ parameter: SearchParameter) {
        hyperparameterName = parameter.name
        switch parameter.space {
        case .double(let range, let step, let log):
            hyperparameterTypeCode = "double"
            hyperparameterMinValue = NumberText("\(range.lowerBound)")
            hyperparameterMaxValue = NumberText("\(range.upperBound)")
            hyperparameterStep = step.map { NumberText("\($0)") }
            hyperparameterScale = log ? "log" : "linear"
        case .int(let range, let step, let log):
            hyperparameterTypeCode = "int"
            hyperparameterMinValue = NumberText("\(range.lowerBound)")
            hyperparameterMaxValue = NumberText("\(range.upperBound)")
            hyperparameterStep = step == 1 ? nil : NumberText("\(step)")
            hyperparameterScale = log ? "log" : "linear"
        case .discrete(let values):
            hyperparameterTypeCode = "discrete"
            hyperparameterSpecifiedValues = values.joined(separator: ",")
        case .categorical(let values):
            hyperparameterTypeCode = "categorical"
            hyperparameterSpecifiedValues = values.joined(separator: ",")
        }
    }
}
