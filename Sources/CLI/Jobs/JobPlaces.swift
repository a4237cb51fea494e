extension JobSettings {
    /// Every place as the API takes it: any URI untouched, `CONTAINER/PATH` as the URI that it is short for.
    /// - Parameter source: one more place.
    /// - Returns: that one.
    /// - Throws: a usage `CommandFailure` for a place on this machine.
    mutating func place(with source: String?, _ session: Session) async throws -> String? {
        let places = [source, modelOutput, checkpointInput, checkpointOutput] + data.map(\.value)
        // Who writes URIs only needs no store to be there.
        guard places.contains(where: { $0?.contains("://") == false }) else { return source }
        return try place(with: source, try await StoreClient(session))
    }

    mutating func place(with source: String?, _ store: StoreClient) throws -> String? {
        modelOutput = try modelOutput.map { try Self.uri($0, store, "--model-output") }
        checkpointInput = try checkpointInput.map { try Self.uri($0, store, "--checkpoint-input") }
        checkpointOutput = try checkpointOutput.map { try Self.uri($0, store, "--checkpoint-output") }
        data = try data.map { KeyValue(key: $0.key, value: try Self.uri($0.value, store, "--data \($0.key)")) }
        return try source.map { try Self.uri($0, store, "--source") }
    }

    private static func uri(_ place: String, _ store: StoreClient, _ option: String) throws -> String {
        if place.contains("://") { return place }
        guard !place.hasPrefix("."), !place.hasPrefix("/"), !place.hasPrefix("~") else {
            throw CommandFailure.usage(
                "\(option): '\(place)' is on this machine; copy it with takumi storage cp, or train with takumi run")
        }
        return store.info.uri(of: try store.parse(place))
    }
}
