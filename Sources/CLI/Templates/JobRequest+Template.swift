extension JobRequest {
    /// For a training, what a template says; nothing where none is named.
    init(training template: String?, _ session: Session) async throws {
        self.init()
        guard let template else { return }
        try await fill(from: template, session)
        dropSearch()
    }

    /// For a tuning, what a template says; nothing where none is named.
    init(tuning template: String?, _ session: Session) async throws {
        self.init()
        guard let template else { return }
        try await fill(from: template, session)
        fields["hyperparameterList"] = nil
    }

    private mutating func fill(from template: String, _ session: Session) async throws {
        self = JobRequest(copying: try await session.read(Templates.self, template))
        // These are about the template itself.
        fields["description"] = nil
        fields["tagList"] = nil
    }

    /// For a change, which leaves alone what it does not name: null for all that was there and is no more.
    mutating func takeAway(_ known: JobRequest) {
        for field in known.fields.keys where fields[field] == nil { fields[field] = .null }
    }
}
