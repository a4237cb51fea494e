import Catalog
import Console
import Engine
import FeatureKit
import Resource
import Store
import Web

/// The parts of forms that trainings, tunings and templates share. Names of fields are those of the API.
package struct JobForm: Sendable {
    private let checks: JobChecks
    private let store: Store
    private var catalog: Catalog { checks.catalog }
    private var engine: any Engine { checks.engine }

    /// In a template nothing is required, and nothing proposed.
    private let isPartial: Bool

    package init(checks: JobChecks, store: Store, isPartial: Bool = false) {
        (self.checks, self.store, self.isPartial) = (checks, store, isPartial)
    }

    private func unset(_ t: Strings) -> [Field.Option] { isPartial ? [Field.Option("", t("template.unset"))] : [] }

    package func place(_ page: Page) async throws -> String {
        try await checks.storage.defaultPlace(project: page.project ?? "")
    }

    package func about(_ page: Page, nameField: String, experiment: String?) async throws -> [[Field]] {
        let t = page.t
        let wanted = page.browser.form["experimentId"] ?? experiment ?? page.query["experimentId"]
        let experiments = try await JobForm.experimentOptions(page, chosen: wanted, store: store)
        let chosen = wanted ?? experiments.first?.value ?? ""
        return [
            [Field(nameField, t("field.name"), hint: t("training.nameHint"))],
            [Field("description", t("field.description"), .area, isOptional: true)],
            [
                Field(
                    "experimentId", t("training.experiment"),
                    .choice([Field.Option("", t("training.newExperiment"))] + experiments),
                    hint: t("training.experimentHint"), value: chosen),
                Field(
                    "experimentName", t("training.experimentName"), hint: t("training.experimentNameHint"),
                    placeholder: "iris", showWhen: "experimentId="),
            ],
        ]
    }

    // MARK: - Templates

    /// What the template of `?template=` says.
    package static func prefilled(_ page: Page, _ templates: JobTemplates) async throws -> FormFields? {
        guard let id = page.query["template"], !id.isEmpty else { return nil }
        guard let (_, settings) = try await templates.settings(id, page.project ?? "") else {
            throw TakumiError(.notFound, "no trainingTemplate has the id '\(id.excerpt)' in this project")
        }
        return FormFields(settings.fields)
    }

    /// The choice above a form; nil where there are no templates.
    package static func chooser(_ page: Page, _ templates: JobTemplates, action: String) async throws
        -> [String: Any]?
    {
        let choices = try await templates.list(page.project ?? "")
        guard !choices.isEmpty else { return nil }
        return [
            "action": action,
            "options": choices.map { choice -> [String: Any] in
                ["value": choice.id, "name": choice.name, "selected": choice.id == page.query["template"]]
            },
        ]
    }

    /// The newest experiments: a list that a person can still choose from. And the one that is chosen, however old.
    package static func experimentOptions(_ page: Page, chosen: String?, store: Store) async throws -> [Field.Option] {
        var query = Query(.experiment, project: page.project)
        query.limit = 200
        var records = try await store.records(query)
        if let chosen, !chosen.isEmpty, !records.contains(where: { $0.key.id == chosen }),
            let record = try await store.record(ResourceKey(.experiment, chosen), project: page.project)
        {
            records.append(record)
        }
        return records.map { Field.Option($0.key.id, $0.metadata.name) }
    }

    /// Of a training: names and values.
    package static func hyperparameters(_ t: Strings) -> Field {
        Field(
            "hyperparameterList", t("training.hyperparameters"),
            .rows(
                [
                    Field("parameterName", t("field.key"), placeholder: "epochs"),
                    Field("parameterValue", t("field.value"), .verbatim, placeholder: "20"),
                ], add: t("training.addHyperparameter")), hint: t("training.hyperparametersHint"))
    }

    /// - Parameter framework: of the image that is proposed.
    package func image(_ t: Strings, _ type: Image.ImageType, preferring framework: Image.Framework) -> Field {
        let images = catalog.images.filter { $0.type == type }
        let first = images.first { $0.framework == framework && $0.core == .cpu } ?? images.first
        return Field(
            "imageId", t("training.image"),
            .choice(
                unset(t)
                    + images.map { image in
                        Field.Option(
                            image.id, image.name,
                            data: ["core": image.core.rawValue, "framework": image.framework.rawValue])
                    }), value: isPartial ? nil : first?.id, data: ["core-source": ""])
    }

    package func program(_ t: Strings, parameters: Field) -> [[Field]] {
        [
            [image(t, .training, preferring: .pytorch)],
            [
                Field(
                    "sourceDirUri", t("training.source"), .path(mode: "folder"), hint: t("training.sourceHint"),
                    isOptional: isPartial, placeholder: "obs://…/source"),
                Field(
                    "entryPoint", t("training.entryPoint"), .path(mode: "py", base: "sourceDirUri"),
                    isOptional: isPartial, placeholder: "train.py"),
            ],
            [parameters],
            [
                Field(
                    "useTorchrun", t("training.useTorchrun"), .check, hint: t("training.torchrunHint")),
                Field(
                    "nprocPerNode", t("training.processes"), .number(1...256), value: isPartial ? nil : "1",
                    showWhen: "useTorchrun=true"),
            ],
        ]
    }

    package func resources(_ t: Strings, counts: [Field]) async -> [[Field]] {
        let capacity = await engine.capacity()
        let flavors = catalog.flavors.map { flavor in
            let fits =
                flavor.vcpus <= capacity.cpus && flavor.memoryMiB <= capacity.memoryMiB && flavor.gpus <= capacity.gpus
            let text = FlavorText.text(
                flavor.name, vcpus: flavor.vcpus, memoryMiB: flavor.memoryMiB, gpus: flavor.gpus)
            return Field.Option(
                flavor.id, fits ? text : t("training.tooLarge", ["name": text]),
                data: ["core": flavor.gpus > 0 ? "GPU" : "CPU"], isDisabled: !fits)
        }
        let usual =
            catalog.flavors.first { $0.name == "m2.c2m4" && $0.memoryMiB <= capacity.memoryMiB }
            ?? catalog.flavors.first { $0.gpus == 0 }
        return [
            [
                Field(
                    "flavorId", t("training.instance"), .choice(unset(t) + flavors),
                    value: isPartial ? nil : usual?.id,
                    data: ["requires": "imageId"])
            ] + counts
        ]
    }

    package func input(_ t: Strings) -> [[Field]] {
        [
            [
                Field(
                    "datasetList", t("training.datasets"),
                    .rows(
                        [
                            Field("datasetName", t("training.datasetName"), placeholder: "train"),
                            Field(
                                "dataUri", t("training.datasetPath"), .path(mode: "folder"),
                                placeholder: "obs://…/data"),
                        ], add: t("training.addDataset")), hint: t("training.datasetsHint"))
            ],
            [
                Field(
                    "checkPointInputUri", t("training.checkpointInput"), .path(mode: "folder"), isOptional: true,
                    placeholder: "obs://…/checkpoint")
            ],
        ]
    }

    /// - Parameters:
    ///   - nameField: whose text the suggested folder follows.
    ///   - folder: of all resources of the kind.
    package func output(_ t: Strings, _ place: String, nameField: String, folder: String) -> [[Field]] {
        [
            [
                Field(
                    "modelUploadUri", t("training.modelOutput"), .path(mode: "folder"),
                    hint: t("training.modelOutputHint"), isOptional: isPartial, placeholder: "\(place)/model",
                    follows: isPartial ? nil : (nameField, "\(place)/\(folder)/{}/model"))
            ],
            [
                Field(
                    "checkPointUploadUri", t("training.checkpointOutput"), .path(mode: "folder"), isOptional: true,
                    placeholder: "obs://…/checkpoint")
            ],
        ]
    }

    package func extra(_ t: Strings) -> [[Field]] {
        [
            [
                Field(
                    "timeoutMinutes", t("training.timeoutMinutes"), .number(60...43_200),
                    hint: t("training.timeoutHint"),
                    isOptional: true, placeholder: "43200"),
                Field(
                    "dataStorageSize", t("training.storageSizeField"), .number(300...10_000), isOptional: true,
                    placeholder: "300"),
            ],
            [Field("useLog", t("training.useLog"), .check)],
            [.tags(t)],
        ]
    }

    /// Over the API one gives an id or a name. In the form the name is missing.
    package static func explained(_ error: TakumiError, _ typed: FormFields, _ t: Strings) -> TakumiError {
        guard error.field == "experimentId", typed["experimentId"] == nil else { return error }
        return .invalid("experimentName", t("training.experimentMissing"))
    }
}

package enum FlavorText {
    /// "m2.c2m4: 2 vCPU, 4 GiB".
    package static func text(_ flavor: JobWire.Flavor) -> String {
        text(flavor.name, vcpus: flavor.vcpus, memoryMiB: flavor.ram, gpus: flavor.gpuCount)
    }

    package static func text(_ name: String, vcpus: Int, memoryMiB: Int, gpus: Int) -> String {
        let memory = memoryMiB % 1024 == 0 ? "\(memoryMiB / 1024) GiB" : "\(memoryMiB) MiB"
        return "\(name): \(vcpus) vCPU, \(memory)\(gpus > 0 ? ", \(gpus) GPU" : "")"
    }
}
