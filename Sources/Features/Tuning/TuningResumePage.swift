import Console
import FeatureKit
import Foundation
import Hummingbird
import Resource
import Web

/// Where the limits of a tuning that has ended are raised, so that it goes on.
struct TuningResumePage: Sendable {
    let tunings: ResourcePages<TuningType>

    func add(to group: RouterGroup<TakumiContext>) {
        group.group("hyperparameter-tunings/{id}/resume")
            .get { request, context in
                let (tuning, page) = try await tunings.loadToChange(request, context)
                let typed = FormFields([("maxTrialCount", tuning.spec.maxTrials.map { "\(2 * $0)" } ?? "")])
                return try await show(tuning, page, typed: typed, errors: [])
            }
            .post { request, context in
                let (tuning, page) = try await tunings.loadToChange(request, context)
                return try await resume(tuning, page)
            }
    }

    private func form(_ tuning: Tuning, _ page: Page) -> Form {
        let t = page.t
        let address = tunings.routes.type.address(tuning.id, page)
        return Form(
            [
                FieldGroup(
                    t("tuning.search"), hint: t("tuning.resumeHint"),
                    [
                        [
                            Field("maxTrialCount", t("tuning.maxTrials"), .number(1...100_000)),
                            Field(
                                "maxFailedTrialCount", t("tuning.maxFailed"), .number(1...100_000), isOptional: true,
                                placeholder: "\(tuning.spec.maxFailedTrials)"),
                        ],
                        [
                            Field(
                                "maxDurationSeconds", t("tuning.maxDuration"), .number(1...2_592_000),
                                hint: t("tuning.maxDurationHint"), isOptional: true)
                        ],
                    ])
            ], submit: t("tuning.resume"), cancel: address, action: "\(address)/resume")
    }

    private func resume(_ tuning: Tuning, _ page: Page) async throws -> Response {
        let form = form(tuning, page)
        let typed = form.tidied(page.browser.form)
        do {
            let body = try JSONDecoder().decode(TuningType.Resumption.self, from: form.json(typed))
            _ = try await tunings.routes.type.resume(tuning, body)
            return page.redirect(
                to: tunings.routes.type.address(tuning.id, page), notice: page.t("hyperparameterTuning.did.resume"))
        } catch {
            guard let errors = FormErrors.of(error) else { throw error }
            return try await show(tuning, page, typed: typed, errors: errors)
        }
    }

    private func show(_ tuning: Tuning, _ page: Page, typed: FormFields, errors: [TakumiError]) async throws -> Response
    {
        let title = page.t("tuning.resumeTitle", ["name": tuning.metadata.name])
        let names = tunings.routes.type.names
        return try await page.respond(
            "form",
            [
                "heading": title, "crumb": true,
                "crumbs": [
                    ["name": page.t("hyperparameterTuning.title"), "href": "\(page.base)/\(names.collection)"],
                    ["name": tuning.metadata.name, "href": tunings.routes.type.address(tuning.id, page)],
                ],
                "form": form(tuning, page).model(page.t, typed: typed, errors: errors),
            ], title: title, section: names.collection, status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}
