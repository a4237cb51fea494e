/// One line at the foot of a terminal that says how it goes: redrawn in place, out of the way of what is printed.
/// Returns what to write and writes nothing itself.
struct ProgressLine {
    /// Columns of the terminal; nil where there is none, and nothing is ever drawn.
    let width: Int?
    private(set) var shown = ""

    init(width: Int?) { self.width = width }

    /// Back to the first column, and everything behind it gone.
    private static let erase = "\r\u{1B}[2K"

    /// What brings the line to `text`; nothing where it is there already.
    mutating func draw(_ text: String) -> String {
        guard let width else { return "" }
        // One column short: a terminal may wrap after its last one, and the line could not be erased any more.
        let line = TextWidth.cutMiddle(TextWidth.printable(text), to: max(1, width - 1))
        guard line != shown else { return "" }
        shown = line
        return Self.erase + line
    }

    /// What takes the line away.
    mutating func clear() -> String {
        guard !shown.isEmpty else { return "" }
        shown = ""
        return Self.erase
    }
}
