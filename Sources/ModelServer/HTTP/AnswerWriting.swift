import NIOCore

/// From a model's outputs to the body of an answer. A pure function of its input, so that large answers can be written on
/// another thread.
struct AnswerWriting: Sendable {
    var isV2: Bool
    var verb: InferenceRequest.Verb
    var wishes: V2Wishes
    var model: String
    /// For a request that came without one.
    var newID: String

    /// - Returns: the length of the JSON where binary data follows it.
    func write(
        _ outputs: [OutputTensor], parameters: ByteBuffer?, to body: inout ByteBuffer
    ) throws(ServingError) -> Int? {
        guard isV2 else {
            try V1Answer.write(outputs, verb: verb, to: &body)
            return nil
        }
        return try V2Answer.write(
            outputs, parameters: parameters, wishes: wishes, model: model, newID: newID, to: &body)
    }
}
