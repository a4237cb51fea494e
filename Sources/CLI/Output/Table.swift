/// Rows under headings, aligned by spaces alone, so that they can be read, cut and searched.
struct Table {
    struct Column: Sendable {
        var title: String
        var isNumber = false
        /// May be cut with an ellipsis where the terminal is narrow. Ids never are: they are there to be copied.
        var isFlexible = false

        init(_ title: String, isNumber: Bool = false, isFlexible: Bool = false) {
            self.title = title
            self.isNumber = isNumber
            self.isFlexible = isFlexible
        }
    }

    var columns: [Column]
    var rows: [[String]]

    /// A flexible column is not cut below this.
    static let narrowest = 8
    private static let gap = 2

    /// - Parameter width: the terminal's columns, or nil for as wide as it gets.
    func lines(width: Int?) -> [String] {
        let cells = [columns.map(\.title)] + rows.map { $0.map(TextWidth.printable) }
        var widths = columns.indices.map { column in cells.map { TextWidth.of($0[column]) }.max() ?? 0 }
        if let width { shrink(&widths, to: width) }
        return cells.map { line($0, widths) }
    }

    /// Takes from the widest flexible column first, so that short ones stay whole.
    private func shrink(_ widths: inout [Int], to total: Int) {
        let gaps = Self.gap * max(0, columns.count - 1)
        while widths.reduce(gaps, +) > total {
            let candidates = columns.indices.filter { columns[$0].isFlexible && widths[$0] > Self.narrowest }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { return }
            widths[widest] -= 1
        }
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = columns.indices.map { column in
            TextWidth.pad(
                TextWidth.cut(cells[column], to: widths[column]), to: widths[column],
                onTheLeft: columns[column].isNumber)
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
