import Console
import FeatureKit
import Foundation
import Hummingbird
import JobKit
import Resource
import Store
import Web

/// The tabs of a tuning's details: its charts and its trials.
struct TuningTabs: Sendable {
    let tunings: ResourcePages<TuningType>
    let trials: ResourcePages<TrialType>
    let studies: Studies
    let store: Store

    func add(to group: RouterGroup<TakumiContext>) {
        group.group("hyperparameter-tunings/{id}")
            .get("study") { request, context in try await study(request, context) }
            .get("study/data") { request, context in try await data(request, context) }
            .get("study/importance") { request, context in
                let (tuning, _) = try await tunings.load(request, context)
                return try PageJSON.response(try await studies.importance(of: tuning))
            }
            .get("trials") { request, context in try await list(request, context) }
            .get("hyperparameters") { request, context in try await hyperparameters(request, context) }
    }

    /// Of the tuning and of its trials.
    private func live(_ tuning: Tuning, _ page: Page) -> String {
        "\(page.base)/live?kind=hyperparameterTuning&id=\(tuning.id)"
    }

    private func study(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (tuning, page) = try await tunings.load(request, context)
        let address = tunings.routes.type.address(tuning.id, page)
        return try await tunings.respond(
            "tuning-study", tuning, page, tab: "study", live: live(tuning, page),
            ["study": "\(address)/study/data", "trials": "\(address)/trials"])
    }

    private func data(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (tuning, page) = try await tunings.load(request, context)
        return try PageJSON.response(
            try await studies.data(of: tuning, base: page.base))
    }

    private func list(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (tuning, page) = try await tunings.load(request, context)
        let path = "\(tunings.routes.type.address(tuning.id, page))/trials"
        let listing = try await trials.listing(referring: tuning.key, path: path, page)
        var model: [String: Any] = ["listing": listing.model(page.t)]
        if listing.total == 0, !listing.request.isFiltered {
            model["isEmpty"] = ["icon": "tuning", "text": page.t("tuning.noTrials")]
        }
        return try await tunings.respond(
            "related", tuning, page, tab: "trials", live: live(tuning, page), model)
    }

    private func hyperparameters(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (tuning, page) = try await tunings.load(request, context)
        let model: [String: Any] = [
            "parameters": tuning.spec.parameters.map { parameter -> [String: Any] in
                let (type, values) = SearchText.space(parameter, page.t)
                return ["name": parameter.name, "type": type, "values": values]
            }
        ]
        return try await tunings.respond("tuning-hyperparameters", tuning, page, tab: "hyperparameters", model)
    }
}
