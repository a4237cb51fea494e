import GRPCCore
import ModelServer
import NIOCore

/// Answers the protocol's calls by the model server's core.
struct InferenceService: Inference_GRPCInferenceService.SimpleServiceProtocol {
    let core: InferenceCore

    func serverLive(
        request: Inference_ServerLiveRequest, context: ServerContext
    ) async throws -> Inference_ServerLiveResponse { .with { $0.live = true } }

    func serverReady(
        request: Inference_ServerReadyRequest, context: ServerContext
    ) async throws -> Inference_ServerReadyResponse {
        let isReady = (try? await core.description()) != nil
        return .with { $0.ready = isReady }
    }

    func modelReady(
        request: Inference_ModelReadyRequest, context: ServerContext
    ) async throws -> Inference_ModelReadyResponse {
        try check(request.name, request.version)
        let isReady = (try? await core.description()) != nil
        return .with { $0.ready = isReady }
    }

    func serverMetadata(
        request: Inference_ServerMetadataRequest, context: ServerContext
    ) async throws -> Inference_ServerMetadataResponse {
        .with {
            $0.name = "takumi"
            $0.version = "0.1.0"
        }
    }

    func modelMetadata(
        request: Inference_ModelMetadataRequest, context: ServerContext
    ) async throws -> Inference_ModelMetadataResponse {
        try check(request.name, request.version)
        let description: ModelDescription
        do { description = try await core.description() } catch { throw RPCError(error) }
        func tensors(_ ports: [ModelDescription.Port]) -> [Inference_ModelMetadataResponse.TensorMetadata] {
            ports.map { port in
                .with {
                    $0.name = port.name
                    $0.datatype = port.datatype
                    $0.shape = port.shape.map(Int64.init)
                }
            }
        }
        return .with {
            $0.name = core.model
            $0.platform = description.platform
            $0.inputs = tensors(description.inputs)
            $0.outputs = tensors(description.outputs)
        }
    }

    func modelInfer(
        request: Inference_ModelInferRequest, context: ServerContext
    ) async throws -> Inference_ModelInferResponse {
        let begin = ContinuousClock.now
        var code = 200
        defer { core.count(grpc: code, seconds: (ContinuousClock.now - begin) / .seconds(1)) }
        do throws(ServingError) {
            guard request.modelName == core.model else { throw .unknownModel(request.modelName) }
            guard request.modelVersion.isEmpty else {
                throw ServingError(501, "Model versioning not supported yet.")
            }
            let tensors = try TensorSet(request)
            let answer = try await core.infer(
                InferenceRequest(
                    dialect: .v2, payload: .tensors(tensors), id: request.id.isEmpty ? nil : request.id))
            guard case .outputs(let outputs, _) = answer else {
                throw ServingError(500, "The model answered with something else than tensors.")
            }
            return try response(to: request, outputs)
        } catch {
            code = error.status
            throw RPCError(error)
        }
    }

    private func response(
        to request: Inference_ModelInferRequest, _ outputs: [OutputTensor]
    ) throws(ServingError) -> Inference_ModelInferResponse {
        let wanted = request.outputs.map(\.name)
        for name in wanted where !outputs.contains(where: { $0.name == name }) {
            throw .bad("Unexpected inference output '\(name)' for model '\(core.model)'")
        }
        let given = wanted.isEmpty ? outputs : outputs.filter { wanted.contains($0.name) }
        var response = Inference_ModelInferResponse()
        response.modelName = core.model
        response.modelVersion = "1"
        response.id = request.id
        response.outputs = given.map { output in
            .with {
                $0.name = output.name
                $0.datatype = output.datatype.name
                $0.shape = output.shape.map(Int64.init)
            }
        }
        response.rawOutputContents = given.map { $0.bytes.withUnsafeReadableBytes { .init($0) } }
        return response
    }

    private func check(_ name: String, _ version: String) throws {
        guard name == core.model else { throw RPCError(ServingError.unknownModel(name)) }
        guard version.isEmpty else { throw RPCError(ServingError(501, "Model versioning not supported yet.")) }
    }
}

extension RPCError {
    init(_ error: ServingError) {
        let code: RPCError.Code =
            switch error.status {
            case 400: .invalidArgument
            case 404: .notFound
            case 413: .resourceExhausted
            case 499: .cancelled
            case 501: .unimplemented
            case 503: .unavailable
            case 504: .deadlineExceeded
            default: .internalError
            }
        self.init(code: code, message: error.message)
    }
}
