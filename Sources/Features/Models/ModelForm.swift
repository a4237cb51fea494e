import Console
import FeatureKit
import JobKit
import Resource
import ServingKit
import Store
import Web

/// The form of a model: its files, or the training or tuning that made them (M-1).
extension ModelType {
    private enum Origin: String, CaseIterable {
        case files, training, tuning

        var field: String { self == .training ? "trainingId" : "hyperparameterTuningId" }
        var kind: ResourceKind { ResourceKind(self == .training ? "training" : "hyperparameterTuning") }
    }

    func form(_ page: Page, copied: Model?) async throws -> Form {
        let t = page.t
        let formats = ModelFormat.allCases.map { Field.Option($0.rawValue, $0.displayName) }
        return Form(
            [
                FieldGroup(
                    t("detail.about"),
                    [
                        [Field(names.nameField, t("field.name"), hint: t("model.nameHint"))],
                        [Field("description", t("field.description"), .area, isOptional: true)],
                    ]),
                FieldGroup(
                    t("model.source"),
                    [
                        [
                            Field(
                                "origin", t("model.origin"),
                                .choice(Origin.allCases.map { Field.Option($0.rawValue, t("model.origin.\($0)")) }),
                                value: wanted(page).rawValue)
                        ],
                        [try await choice(.training, page)], [try await choice(.tuning, page)],
                        [
                            Field(
                                "modelUploadUri", t("model.artifact"), .path(mode: "folder"),
                                hint: t("model.artifactHint"), placeholder: "obs://…/model",
                                showWhen: "origin=\(Origin.files)")
                        ],
                    ]),
                FieldGroup(
                    t("model.framework"),
                    [
                        [
                            Field(
                                "modelFormatCode", t("model.framework"),
                                .choice([Field.Option("", t("model.choose"))] + formats),
                                hint: t("model.formatHint")),
                            Field("frameworkVersion", t("model.version"), isOptional: true, placeholder: "2.13.0"),
                        ],
                        [
                            Field(
                                "parameterList", t("model.parameters"),
                                .rows(
                                    [
                                        Field("parameterName", t("field.name"), placeholder: "model_id"),
                                        Field("parameterValue", t("field.value"), .verbatim),
                                    ], add: t("model.addParameter")), hint: t("model.parametersHint"))
                        ],
                    ]),
                FieldGroup(t("training.extra"), isFolded: true, [[.tags(t)]]),
            ], submit: t("model.new"), cancel: "\(page.base)/\(names.collection)")
    }

    /// Which of the three the address asks for.
    private func wanted(_ page: Page) -> Origin {
        [Origin.training, .tuning].first { page.query[$0.field] != nil } ?? .files
    }

    /// The newest that have ended well, and the one that the address asks for, however old.
    private func choice(_ origin: Origin, _ page: Page) async throws -> Field {
        var query = Query(origin.kind, project: page.project)
        query.phases = ["COMPLETE"]
        query.limit = 200
        var records = try await store.records(query)
        let chosen = page.query[origin.field]?.lowercased()
        if let chosen, !records.contains(where: { $0.key.id == chosen }),
            let record = try await store.record(ResourceKey(origin.kind, chosen), project: page.project)
        {
            records.append(record)
        }
        return Field(
            origin.field, page.t("model.\(origin)"),
            .choice(
                [Field.Option("", page.t(records.isEmpty ? "model.noneComplete" : "model.choose"))]
                    + records.map { Field.Option($0.key.id, $0.metadata.name) }),
            hint: page.t("model.\(origin)Hint"), value: chosen, showWhen: "origin=\(origin)")
    }

    /// What is missing is a choice of this form, where the API would miss files.
    func explained(_ error: TakumiError, _ typed: FormFields, _ t: Strings) -> TakumiError {
        guard let origin = typed["origin"].flatMap(Origin.init), origin != .files, typed[origin.field] == nil,
            error.field == "modelUploadUri" || error.field == "modelFormatCode"
        else { return error }
        return .invalid(origin.field, t("model.originMissing"))
    }

    func fields(of model: Model, as name: String) -> FormFields { FormFields([]) }
}
