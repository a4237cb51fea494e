extension Models {
    static func isSettled(_ model: JSONValue) -> Bool { ServingState.isSettled(model["modelStatusCode"].text) }
    static func hasFailed(_ model: JSONValue) -> Bool { ServingState.hasFailed(model["modelStatusCode"].text) }

    /// The model once it is ACTIVE or has failed: creating one takes a moment only.
    static func settled(_ model: JSONValue, _ session: Session) async throws -> JSONValue {
        var model = model
        while !isSettled(model) {
            try await Task.sleep(for: .milliseconds(100))
            model = try await session.api.get("\(path)/\(id(model))")[singular]
        }
        return model
    }
}

extension Session {
    /// The id of the model of that name or id, once it can be served.
    /// - Throws: `CommandFailure` where there is none, or it has failed.
    func servable(_ word: String) async throws -> String {
        let model = try await Models.settled(try await find(Models.self, word), self)
        guard !Models.hasFailed(model) else {
            throw CommandFailure("\(Models.label(model)) is \(Models.state(model)): \(model["statusReason"].text)")
        }
        return Models.id(model)
    }
}
