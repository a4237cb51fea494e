/// What a plan cannot know yet: paths and ports, filled in by whoever finds out.
///
/// Written between two private-use characters and not between braces, since commands carry users' values, in which braces
/// are common.
package enum Placeholder {
    /// The image's Python.
    package static let python = wrap("python")
    /// The folder of the image's programs.
    package static let bin = wrap("bin")
    /// The task's private working folder.
    package static let work = wrap("work")
    package static func input(_ name: String) -> String { wrap("input:\(name)") }
    package static func output(_ name: String) -> String { wrap("output:\(name)") }
    /// Where the program finds a volume of its session.
    package static func volume(_ name: String) -> String { wrap("volume:\(name)") }
    /// A port that the engine reserved for a task under a name.
    package static func port(task: Int, _ name: String) -> String { wrap("port:\(task):\(name)") }

    private static func wrap(_ name: String) -> String { "\u{E000}\(name)\u{E001}" }

    package static func fill(_ text: String, _ values: [String: String]) -> String {
        guard text.contains("\u{E000}") else { return text }
        return values.reduce(text) { $0.replacing($1.key, with: $1.value) }
    }
}
