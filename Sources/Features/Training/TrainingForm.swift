import Console
import FeatureKit
import JobKit
import Resource
import Web

/// The form of a training: everything of T-1 to T-7.
extension TrainingType {
    func form(_ page: Page, copied: Training?) async throws -> Form {
        let t = page.t
        let parts = JobForm(checks: checks, store: store)
        let nodes = Field(
            "instanceCount", t("training.nodes"), .number(1...10), hint: t("training.nodesHint"), value: "1")
        return Form(
            [
                FieldGroup(
                    t("detail.about"),
                    try await parts.about(page, nameField: names.nameField, experiment: copied?.spec.experimentID)),
                FieldGroup(
                    t("training.program"), hint: t("training.programHint"),
                    parts.program(t, parameters: JobForm.hyperparameters(t))),
                FieldGroup(t("training.resources"), await parts.resources(t, counts: [nodes])),
                FieldGroup(t("training.input"), hint: t("training.inputHint"), isFolded: false, parts.input(t)),
                FieldGroup(
                    t("training.output"),
                    parts.output(
                        t, try await parts.place(page), nameField: names.nameField, folder: names.collection)),
                FieldGroup(t("training.extra"), isFolded: true, parts.extra(t)),
            ], submit: t("training.new"), cancel: "\(page.base)/\(names.collection)")
    }

    func prefilled(_ page: Page) async throws -> FormFields? { try await JobForm.prefilled(page, templates) }

    func chooser(_ page: Page) async throws -> [String: Any]? {
        try await JobForm.chooser(page, templates, action: "\(page.base)/\(names.collection)/new")
    }

    func explained(_ error: TakumiError, _ typed: FormFields, _ t: Strings) -> TakumiError {
        JobForm.explained(error, typed, t)
    }

    func fields(of training: Training, as name: String) -> FormFields {
        let spec = training.spec
        var pairs = spec.job.fields(experiment: spec.experimentID, name: training.metadata.name, copy: name)
        pairs.append(("description", training.metadata.description))
        for (index, parameter) in spec.hyperparameters.enumerated() {
            pairs.append(("hyperparameterList[\(index)].parameterName", parameter.name))
            pairs.append(("hyperparameterList[\(index)].parameterValue", parameter.value))
        }
        return FormFields(pairs + FormFields.tags(training.metadata.tags))
    }
}
