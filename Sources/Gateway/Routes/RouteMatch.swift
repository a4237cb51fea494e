/// Where a path leads.
struct RouteMatch {
    var stage: CompiledStage
    /// nil where the stage has none for the path.
    var resource: CompiledResource?
    /// Offset of what the backend gets as its path; the path's end for `/`.
    var rest: Int
    /// Offset of the slash after the stage's prefix, or the path's end.
    var stageEnd: Int
    /// What the path names in place of a resource, for the message.
    var name: Range<Int>
}

extension CompiledTable {
    /// - Parameter path: Percent-encoded, with a slash in front.
    /// - Returns: nil where no stage's prefix leads the path.
    func match(_ bytes: UnsafeRawBufferPointer, _ path: Range<Int>) throws(Refusal) -> RouteMatch? {
        let index: Int
        let end: Int
        switch prefixes.longest(bytes, path) {
        case .none: return nil
        case .malformed:
            throw Refusal(status: 400, message: "the path has a percent sign without two hexadecimal digits")
        case .stage(let found, end: let offset): (index, end) = (found, offset)
        }
        let stage = stages[index]
        let part = min(end + 1, path.upperBound)
        let partEnd = PathPart.end(bytes, from: part, end: path.upperBound)
        let name = part..<partEnd
        if !name.isEmpty, let resource = stage.resource(bytes, name) {
            return RouteMatch(stage: stage, resource: resource, rest: partEnd, stageEnd: end, name: name)
        }
        // The vendor's SDK leaves the resource out and names the model only after /v1/models.
        let resource = stage.resourceNamed(bytes, after: name, end: path.upperBound)
        return RouteMatch(
            stage: stage, resource: resource, rest: end, stageEnd: end,
            name: stage.isProtocol(bytes, name) ? stage.modelName(bytes, from: partEnd, end: path.upperBound) : name)
    }
}

extension CompiledStage {
    fileprivate func resourceNamed(_ bytes: UnsafeRawBufferPointer, after first: Range<Int>, end: Int)
        -> CompiledResource?
    {
        guard isProtocol(bytes, first) else { return nil }
        let part = modelPart(bytes, from: first.upperBound, end: end)
        if let resource = resource(bytes, part) { return resource }
        // A name may have a colon itself, so the whole part comes first, and then all but the last colon's verb.
        if let colon = PathPart.lastColon(bytes, part), let resource = resource(bytes, part.lowerBound..<colon) {
            return resource
        }
        return resources.count == 1 ? resources[0] : nil
    }

    func isProtocol(_ bytes: UnsafeRawBufferPointer, _ part: Range<Int>) -> Bool {
        bytes.isExactly(part, "v1") || bytes.isExactly(part, "v2") || bytes.isExactly(part, "openai")
    }

    /// The model that a path of a protocol names, for the message; empty where it names none.
    func modelName(_ bytes: UnsafeRawBufferPointer, from slash: Int, end: Int) -> Range<Int> {
        let part = modelPart(bytes, from: slash, end: end)
        guard let colon = PathPart.lastColon(bytes, part) else { return part }
        let verb = PathPart.text(bytes, colon..<part.upperBound)
        return verb == ":predict" || verb == ":explain" ? part.lowerBound..<colon : part
    }

    /// `{m}` of `/models/{m}`, `/models/{m}:predict`, `/models/{m}/...`.
    private func modelPart(_ bytes: UnsafeRawBufferPointer, from slash: Int, end: Int) -> Range<Int> {
        let models = min(slash + 1, end)
        let modelsEnd = PathPart.end(bytes, from: models, end: end)
        guard bytes.isExactly(models..<modelsEnd, "models"), modelsEnd < end else { return end..<end }
        return modelsEnd + 1..<PathPart.end(bytes, from: modelsEnd + 1, end: end)
    }
}
