import Foundation

/// Where a request leads.
enum Route: Equatable {
    case alive
    case v1Models
    case v1Model
    case v1Infer(InferenceRequest.Verb)
    case v2Server
    case v2Live
    case v2Ready
    case v2Models
    case v2Model
    case v2ModelReady
    case v2Infer
    case openAI(InferenceRequest.OpenAIRoute)
    case openAIModels
    case metrics
    /// `POST /`: the body's fields tell the protocol.
    case byBody

    var door: Metrics.Door {
        switch self {
        case .v1Models, .v1Model, .v1Infer: .v1
        case .v2Server, .v2Live, .v2Ready, .v2Models, .v2Model, .v2ModelReady, .v2Infer: .v2
        case .openAI, .openAIModels: .openai
        case .alive, .metrics, .byBody: .other
        }
    }
}

/// Finds routes for the one model that is served.
struct Router {
    /// A refusal, and by which door it came: the OpenAI routes have errors of their own.
    struct Refusal: Error, Equatable {
        var error: ServingError
        var door: Metrics.Door
    }

    private let name: String
    /// The two routes nearly all requests ask for, as they are usually written.
    private let predict: String
    private let infer: String

    init(name: String) {
        self.name = name
        predict = "/v1/models/\(name):predict"
        infer = "/v2/models/\(name)/infer"
    }

    func route(isPost: Bool, isGet: Bool, uri: String) throws(Refusal) -> Route {
        if isPost, uri == predict { return .v1Infer(.predict) }
        if isPost, uri == infer { return .v2Infer }
        let parts = segments(uri)
        switch parts.first {
        case nil: return isGet ? .alive : isPost ? .byBody : try refuse(.wrongMethod(allow: "GET, POST"), .other)
        case "v1": return try v1(parts.dropFirst(), isPost: isPost, isGet: isGet)
        case "v2": return try v2(parts.dropFirst(), isPost: isPost, isGet: isGet)
        case "openai" where parts.count > 1 && parts[1] == "v1":
            guard let route = try openAI(parts.dropFirst(2), isPost: isPost, isGet: isGet) else {
                return try refuse(ServingError(404, "Not Found"), .openai)
            }
            return route
        case "openai": return try refuse(ServingError(404, "Not Found"), .openai)
        case "metrics" where parts.count == 1: return try get(.metrics, isGet)
        default: return try refuse(ServingError(404, "Not Found"), .other)
        }
    }

    private func v1(_ parts: ArraySlice<String>, isPost: Bool, isGet: Bool) throws(Refusal) -> Route {
        guard parts.first == "models" else {
            if let route = try openAI(parts, isPost: isPost, isGet: isGet) { return route }
            return try refuse(ServingError(404, "Not Found"), .v1)
        }
        let rest = Array(parts.dropFirst())
        switch rest.count {
        case 0: return try get(.v1Models, isGet)
        case 1:
            if rest[0] != name, isPost, let (model, verb) = suffix(rest[0]) {
                try check(model, .v1)
                return .v1Infer(verb)
            }
            if isPost, rest[0].contains(":"), rest[0] != name {
                return try refuse(.wrongMethod(allow: "GET"), .v1)
            }
            try check(rest[0], .v1)
            return try get(.v1Model, isGet)
        case 2:
            guard let verb = InferenceRequest.Verb(rawValue: rest[1]) else {
                return try refuse(ServingError(404, "Not Found"), .v1)
            }
            try check(rest[0], .v1)
            return try post(.v1Infer(verb), isPost)
        default: return try refuse(ServingError(404, "Not Found"), .v1)
        }
    }

    private func v2(_ parts: ArraySlice<String>, isPost: Bool, isGet: Bool) throws(Refusal) -> Route {
        let rest = Array(parts)
        switch (rest.first, rest.count) {
        case (nil, _): return try get(.v2Server, isGet)
        case ("health", 2) where rest[1] == "live": return try get(.v2Live, isGet)
        case ("health", 2) where rest[1] == "ready": return try get(.v2Ready, isGet)
        case ("models", 1): return try get(.v2Models, isGet)
        case ("models", 2):
            try check(rest[1], .v2)
            return try get(.v2Model, isGet)
        case ("models", 3) where rest[2] == "ready":
            try check(rest[1], .v2)
            return try get(.v2ModelReady, isGet)
        case ("models", 3) where rest[2] == "infer":
            try check(rest[1], .v2)
            return try post(.v2Infer, isPost)
        case ("models", 3...) where rest[2] == "versions":
            return try refuse(ServingError(501, "Model versioning not supported yet."), .v2)
        case ("repository", _):
            return try refuse(ServingError(501, "Loading and unloading of models is not supported."), .v2)
        default: return try refuse(ServingError(404, "Not Found"), .v2)
        }
    }

    private func openAI(_ parts: ArraySlice<String>, isPost: Bool, isGet: Bool) throws(Refusal) -> Route? {
        let path = parts.joined(separator: "/")
        if let route = InferenceRequest.OpenAIRoute(rawValue: path) {
            return isPost ? .openAI(route) : try refuse(.wrongMethod(allow: "POST"), .openai)
        }
        guard path == "models" || path.hasPrefix("models/") else { return nil }
        guard isGet else { return try refuse(.wrongMethod(allow: "GET"), .openai) }
        if parts.count == 2, parts.last != name {
            return try refuse(.unknownOpenAIModel(parts.last ?? ""), .openai)
        }
        return .openAIModels
    }

    private func check(_ model: String, _ door: Metrics.Door) throws(Refusal) {
        if model != name { throw Refusal(error: .unknownModel(model), door: door) }
    }

    private func get(_ route: Route, _ isGet: Bool) throws(Refusal) -> Route {
        isGet ? route : try refuse(.wrongMethod(allow: "GET"), route.door)
    }

    private func post(_ route: Route, _ isPost: Bool) throws(Refusal) -> Route {
        isPost ? route : try refuse(.wrongMethod(allow: "POST"), route.door)
    }

    private func refuse(_ error: ServingError, _ door: Metrics.Door) throws(Refusal) -> Route {
        throw Refusal(error: error, door: door)
    }

    /// `m:predict` → `m`, predict.
    private func suffix(_ part: String) -> (String, InferenceRequest.Verb)? {
        guard let colon = part.lastIndex(of: ":"),
            let verb = InferenceRequest.Verb(rawValue: String(part[part.index(after: colon)...]))
        else { return nil }
        return (String(part[..<colon]), verb)
    }

    /// The path's parts, each decoded once, so that an encoded slash stays within its part.
    private func segments(_ uri: String) -> [String] {
        var path = uri[...]
        if let end = path.firstIndex(where: { $0 == "?" || $0 == "#" }) { path = path[..<end] }
        // The absolute form that proxies send.
        if !path.hasPrefix("/"), let scheme = path.range(of: "://") {
            path = path[scheme.upperBound...]
            path = path.firstIndex(of: "/").map { path[$0...] } ?? ""
        }
        return path.split(separator: "/").map { $0.removingPercentEncoding ?? String($0) }
    }
}

extension ServingError {
    static func unknownOpenAIModel(_ name: String) -> ServingError {
        var error = ServingError.unknownModel(name)
        error.param = "\"model\""
        error.code = "\"model_not_found\""
        return error
    }
}
