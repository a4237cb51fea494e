import ArgumentParser

/// What a new endpoint and a further stage have in common: what is served, and on what.
struct StageSettings: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A model to serve, by name or id, and behind commas what you like of: cpu=0.5, memory=1Gi (or 50% of an \
            instance), gpu=1 (or 50%), for each pod; pods=2, or pods=1-4 for as many as are needed; scale=cpu:50 or memory:50, the \
            percentage that these are kept at; idle=10, minutes without a request after which there is no pod until the \
            next one; description=TEXT, last. Can be repeated.
            """, valueName: "name,key=value…"),
        transform: { try ModelOption($0) })
    var model: [ModelOption] = []

    @Option(help: "The instance type, by name or id (see: takumi flavor list).")
    var instance: String

    @Option(
        help: ArgumentHelp(
            "How many instances, 1 to 10; a range such as 1-3 for as many as the pods need. (default: 1)",
            valueName: "count"),
        transform: { try CountRange($0, of: "--nodes", limit: 10) })
    var nodes: CountRange?

    @Flag(inversion: .prefixedNo, help: "With a range of instances: give back those that are not needed.")
    var scaleDown = true

    @Option(
        help: ArgumentHelp(
            "An instance is not needed where its pods ask for less than this part of it. (default: 50)",
            valueName: "percent"))
    var scaleDownThreshold: Int?

    @Option(
        help: ArgumentHelp("It goes when it was not needed for so long. (default: 10)", valueName: "minutes"))
    var scaleDownUnneeded: Int?

    @Option(
        help: ArgumentHelp("None goes so soon after one has come. (default: 10)", valueName: "minutes"))
    var scaleDownDelay: Int?

    @Flag(help: "Keep a line of every request (see: takumi endpoint requests).")
    var log = false

    @Option(help: "What it is about.")
    var description: String?

    @Option(help: ArgumentHelp("A tag. Can be repeated.", valueName: "key=value"))
    var tag: [KeyValue] = []

    func validate() throws {
        if model.isEmpty { throw ValidationError("which --model? takumi model list shows them") }
        if model.count > 10 {
            throw ValidationError("--model: there are \(model.count); at most 10 are served by one stage")
        }
        try Self.check(scaleDownThreshold, 1...100, "--scale-down-threshold", "percent")
        try Self.check(scaleDownUnneeded, 1...1440, "--scale-down-unneeded", "minutes")
        try Self.check(scaleDownDelay, 1...1440, "--scale-down-delay", "minutes")
        guard nodes?.isFixed ?? true else { return }
        let given = [
            ("--no-scale-down", !scaleDown), ("--scale-down-threshold", scaleDownThreshold != nil),
            ("--scale-down-unneeded", scaleDownUnneeded != nil), ("--scale-down-delay", scaleDownDelay != nil),
        ]
        if let option = given.first(where: \.1)?.0 {
            throw ValidationError("\(option) is for a range of instances; add --nodes 1-3, or leave it out")
        }
    }
}
