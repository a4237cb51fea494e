/// Rows under headings, aligned by spaces alone, so that they can be read, cut and searched.
struct Table {
    struct Column: Sendable {
        var title: String
        var isNumber = false
        /// May be cut with an ellipsis where the terminal is narrow. Ids never are: they are there to be copied.
        var isFlexible = false

        /// Left out where the terminal is too narrow for all.
        var isOptional = false
    }

    var columns: [Column]
    var rows: [[String]]

    /// A flexible column is cut to this before others are left out, and below it only after.
    static let readable = 20
    static let narrowest = 8
    private static let gap = 2

    /// - Parameter width: the terminal's columns, or nil for as wide as it gets.
    func lines(width: Int?) -> [String] {
        let cells = [columns.map(\.title)] + rows.map { $0.map(TextWidth.printable) }
        var widths = columns.indices.map { column in cells.map { TextWidth.of($0[column]) }.max() ?? 0 }
        var shown = Array(columns.indices)
        if let width { fit(&widths, &shown, to: width) }
        return cells.map { cells in line(shown.map { (columns[$0], cells[$0], widths[$0]) }) }
    }

    private func fit(_ widths: inout [Int], _ shown: inout [Int], to total: Int) {
        shrink(&widths, shown, to: total, keeping: Self.readable)
        while sum(widths, shown) > total, let last = shown.last(where: { columns[$0].isOptional }) {
            shown.removeAll { $0 == last }
        }
        shrink(&widths, shown, to: total, keeping: Self.narrowest)
    }

    /// Takes from the widest flexible column first, so that short ones stay whole.
    private func shrink(_ widths: inout [Int], _ shown: [Int], to total: Int, keeping least: Int) {
        while sum(widths, shown) > total {
            let candidates = shown.filter { columns[$0].isFlexible && widths[$0] > least }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { return }
            widths[widest] -= 1
        }
    }

    private func sum(_ widths: [Int], _ shown: [Int]) -> Int {
        shown.reduce(Self.gap * max(0, shown.count - 1)) { $0 + widths[$1] }
    }

    private func line(_ cells: [(column: Column, text: String, width: Int)]) -> String {
        // Names that programs make differ at their ends.
        let padded = cells.map { cell in
            TextWidth.pad(
                TextWidth.cutMiddle(cell.text, to: cell.width), to: cell.width, onTheLeft: cell.column.isNumber)
        }
        var line = padded.joined(separator: String(repeating: " ", count: Self.gap))
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }
}

/// One resource, a field a line. Fields without a value are left out.
struct Details {
    var fields: [(name: String, value: String)]

    func lines() -> [String] {
        let shown = fields.filter { !$0.value.isEmpty }
        let width = shown.map { TextWidth.of($0.name) }.max() ?? 0
        return shown.map { "\(TextWidth.pad($0.name, to: width))  \(TextWidth.printable($0.value))" }
    }
}
