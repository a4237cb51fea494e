import ArgumentParser

/// Waits until what was asked for is there, or cannot be: how it is on stderr, each new cause once.
struct ServingWatch {
    let session: Session
    private var said: Set<String> = []

    init(session: Session) { self.session = session }

    /// The endpoint once it has settled.
    mutating func endpoint(_ endpoint: EndpointView) async throws -> EndpointView {
        try await follow(endpoint, Self.news, until: \.isSettled)
    }

    /// The endpoint once its stage of that id has settled.
    mutating func stage(_ id: String, of endpoint: EndpointView) async throws -> EndpointView {
        try await follow(
            endpoint, { Self.news($0.stages.filter { $0.id == id }) },
            until: { $0.stages.first { $0.id == id }?.isSettled ?? true })
    }

    /// The endpoint once what its stage serves under that id has settled.
    mutating func resource(_ id: String, of endpoint: EndpointView) async throws -> EndpointView {
        func resource(_ view: EndpointView) -> StageModel? {
            view.stages.lazy.flatMap(\.resources).first { $0.id == id }
        }
        return try await follow(
            endpoint, { view in resource(view).map { Self.news($0) } ?? [] },
            until: { resource($0)?.isSettled ?? true })
    }

    private mutating func follow(
        _ endpoint: EndpointView, _ news: (EndpointView) -> [String], until isOver: (EndpointView) -> Bool
    ) async throws -> EndpointView {
        var view = endpoint
        var line = ProgressLine(width: session.console.noteWidth)
        let start = ContinuousClock.now
        while true {
            for text in news(view) where said.insert(text).inserted {
                session.console.write(.error, line.clear())
                session.console.note(text)
            }
            guard !isOver(view) else { break }
            let waited = Int((ContinuousClock.now - start).components.seconds)
            session.console.write(.error, line.draw(Self.progress(view, waited: waited)))
            try await Task.sleep(for: .milliseconds(500))
            view = try await Endpoints.read(view.id, session)
        }
        session.console.write(.error, line.clear())
        return view
    }

    // MARK: - What is said

    /// A line for every stage and for all that it serves.
    static func news(_ view: EndpointView) -> [String] { news(view.stages) }

    static func news(_ stages: [StageView]) -> [String] {
        stages.flatMap { stage in
            let state = "stage '\(stage.name)': \(Format.state(stage.code))"
            return stage.resources.flatMap { news($0) }
                + [[state, stage.ownReason].compactMap { $0 }.joined(separator: ": ")]
        }
    }

    /// `iris: 1/2 pods ready · installing scikit-learn`
    static func news(_ resource: StageModel) -> [String] {
        let state = resource.isSettled ? resource.stateText : "\(resource.pods) pods ready"
        return ["\(resource.model): \([state, resource.reason].compactMap { $0 }.joined(separator: " · "))"]
    }

    /// What is drawn below it meanwhile.
    static func progress(_ view: EndpointView, waited: Int) -> String {
        [Format.state(view.code), Format.duration(waited), view.reason].compactMap { $0 }.joined(separator: " · ")
    }
}
