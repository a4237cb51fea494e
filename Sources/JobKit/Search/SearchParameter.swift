import Foundation
import Resource

/// A hyperparameter and the values to look for it in (H-3).
package struct SearchParameter: Codable, Sendable, Equatable {
    package enum Space: Codable, Sendable, Equatable {
        /// Both ends count. With a step only the multiples above the minimum; log-scaled ones have none.
        case double(ClosedRange<Double>, step: Double?, log: Bool)
        case int(ClosedRange<Int>, step: Int, log: Bool)
        /// Numbers as typed, without an order to the search.
        case discrete([String])
        case categorical([String])
    }

    package var name: String
    package var space: Space

    package init(name: String, space: Space) {
        (self.name, self.space) = (name, space)
    }

    /// The values of a grid, as texts; nil where a double has no step.
    package var grid: [String]? {
        switch space {
        case .double(let range, let step?, _):
            SearchParameter.steps(range, step).map { "\($0)" }
        case .double(_, nil, _): nil
        case .int(let range, let step, _):
            stride(from: range.lowerBound, through: range.upperBound, by: step).map { "\($0)" }
        case .discrete(let values), .categorical(let values): values
        }
    }

    /// How many values a grid has, without making them; nil where a double has no step.
    package var gridCount: Int? {
        switch space {
        case .double(let range, let step?, _): SearchParameter.count(range, step)
        case .double(_, nil, _): nil
        case .int(let range, let step, _): (range.upperBound - range.lowerBound) / step + 1
        case .discrete(let values), .categorical(let values): values.count
        }
    }

    static func count(_ range: ClosedRange<Double>, _ step: Double) -> Int {
        // A step that divides the range must reach its end, whatever the last bit says.
        let steps = ((range.upperBound - range.lowerBound) / step * (1 + 1e-12) + 1e-9).rounded(.down)
        return steps < 1e9 ? Int(steps) + 1 : Int(1e9)
    }

    private static func steps(_ range: ClosedRange<Double>, _ step: Double) -> [Double] {
        (0..<count(range, step)).map { min(range.lowerBound + Double($0) * step, range.upperBound) }
    }

    /// - Returns: the number of combinations, or nil where one parameter has no grid. At most 10⁹.
    package static func combinations(_ parameters: [SearchParameter]) -> Int? {
        var product = 1
        for parameter in parameters {
            guard let count = parameter.gridCount else { return nil }
            let (value, overflow) = product.multipliedReportingOverflow(by: count)
            if overflow || value > 1_000_000_000 { return 1_000_000_000 }
            product = value
        }
        return product
    }
}
