import JobKit
import Resource
import Testing

/// What a request says of a search, and what is refused in it.
@Suite struct SearchBodyTests {
    private func check(_ change: (inout SearchBody) -> Void) -> (checked: SearchBody.Checked, problems: [String]) {
        var body = SearchBody()
        change(&body)
        var validator = Validator()
        let checked = body.checked(&validator, instances: nil, isComplete: false)
        return (checked, validator.problems.map { "\($0.field ?? ""): \($0.message)" })
    }

    @Test func aChoiceMayStandInOurFieldOrTheVendors() {
        let vendors = check { ($0.tuningStrategyName, $0.earlyStoppingAlgorithm) = ("CMA_ES", "ASHA") }
        #expect((vendors.checked.strategy, vendors.checked.earlyStopping?.rule) == (.cmaEs, .asha))
        let own = check { ($0.searchStrategyCode, $0.earlyStoppingRuleCode) = ("GRID", "MEDIAN_KATIB") }
        #expect((own.checked.strategy, own.checked.earlyStopping?.rule) == (.grid, .katibMedian))
        #expect(vendors.problems + own.problems == [])
    }

    @Test(arguments: SearchStrategy.allCases, StoppingRule.Rule.allCases)
    func ourFieldWinsWhereTheVendorsHasWhatItsSDKWasAnswered(_ strategy: SearchStrategy, _ rule: StoppingRule.Rule) {
        let (checked, problems) = check {
            ($0.searchStrategyCode, $0.tuningStrategyName) = (strategy.rawValue, strategy.vendorCode)
            ($0.earlyStoppingRuleCode, $0.earlyStoppingAlgorithm) = (rule.rawValue, rule.vendorCode)
        }
        #expect((checked.strategy, checked.earlyStopping?.rule) == (strategy, rule))
        #expect(problems == [])
        #expect(["GRID", "RANDOM", "BAYESIAN_OPTIMIZATION"].contains(strategy.vendorCode))
        #expect(rule.vendorCode == "MEDIAN")
    }

    @Test func twoChoicesAreRefused() {
        let strategies = check { ($0.searchStrategyCode, $0.tuningStrategyName) = ("CMA_ES", "RANDOM") }
        #expect(strategies.problems.count == 1 && strategies.problems[0].contains("searchStrategyCode alone"))
        let rules = check { ($0.earlyStoppingRuleCode, $0.earlyStoppingAlgorithm) = ("ASHA", "MEDIAN_KATIB") }
        #expect(rules.problems.count == 1 && rules.problems[0].contains("earlyStoppingRuleCode alone"))
    }

    @Test func aTemplateHoldsEachChoiceOnce() {
        var body = SearchBody()
        (body.tuningStrategyName, body.earlyStoppingAlgorithm) = ("GRID", "ASHA")
        let own = body.inOwnFields
        #expect((own.searchStrategyCode, own.tuningStrategyName) == ("GRID", nil))
        #expect((own.earlyStoppingRuleCode, own.earlyStoppingAlgorithm) == ("ASHA", nil))
    }

    /// In binary 0.3 - 0.1 is less than 0.2, 0.4 - 0.1 more than 0.3, and 0.9 - 0.7 more than 0.2.
    @Test(arguments: [
        ("0.1", "0.3", "0.2", 2), ("0.1", "0.4", "0.3", 2), ("0.7", "0.9", "0.2", 2), ("0", "1", "1.1", 0),
    ])
    func aStepAsWideAsTheRangeFits(_ low: String, _ high: String, _ step: String, _ count: Int) {
        let (checked, problems) = check {
            var parameter = SearchBody.Parameter(SearchParameter(name: "x", space: .double(0...1, step: 1, log: false)))
            parameter.hyperparameterMinValue = NumberText(low)
            parameter.hyperparameterMaxValue = NumberText(high)
            parameter.hyperparameterStep = NumberText(step)
            $0.hyperparameterSpecList = [parameter]
        }
        #expect(problems.isEmpty == (count > 0), "\(problems)")
        if count > 0 { #expect(checked.parameters.first?.grid?.count == count) }
    }
}
