import Catalog
import Console
import FeatureKit
import Resource
import Store
import Web

/// The form of a training: everything of T-1 to T-7.
extension TrainingType {
    func form(_ page: Page, copied: Training?) async throws -> Form {
        let t = page.t
        let place = try await storage.defaultPlace(project: page.project ?? "")
        return Form(
            [
                FieldGroup(t("detail.about"), try await about(page, copied: copied)),
                FieldGroup(t("training.program"), hint: t("training.programHint"), program(t)),
                FieldGroup(t("training.resources"), await resources(t)),
                FieldGroup(t("training.input"), hint: t("training.inputHint"), isFolded: false, input(t)),
                FieldGroup(t("training.output"), output(t, place)),
                FieldGroup(t("training.extra"), isFolded: true, extra(t)),
            ], submit: t("training.new"), cancel: "\(page.base)/\(names.collection)")
    }

    private func about(_ page: Page, copied: Training?) async throws -> [[Field]] {
        let t = page.t
        let wanted = page.browser.form["experimentId"] ?? copied?.spec.experimentID ?? page.query["experimentId"]
        let experiments = try await experimentOptions(page, chosen: wanted)
        let chosen = wanted ?? experiments.first?.value ?? ""
        return [
            [Field("trainingName", t("field.name"), hint: t("training.nameHint"))],
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

    private func program(_ t: Strings) -> [[Field]] {
        let images = catalog.images.filter { $0.type == .training }
        let first = images.first { $0.framework == .pytorch && $0.core == .cpu } ?? images.first
        return [
            [
                Field(
                    "imageId", t("training.image"),
                    .choice(
                        images.map { image in
                            Field.Option(
                                image.id, image.name,
                                data: ["core": image.core.rawValue, "framework": image.framework.rawValue])
                        }), value: first?.id, data: ["core-source": ""])
            ],
            [
                Field(
                    "sourceDirUri", t("training.source"), .path(mode: "folder"), hint: t("training.sourceHint"),
                    placeholder: "obs://…/source"),
                Field(
                    "entryPoint", t("training.entryPoint"), .path(mode: "py", base: "sourceDirUri"),
                    placeholder: "train.py"),
            ],
            [
                Field(
                    "hyperparameterList", t("training.hyperparameters"),
                    .rows(
                        [
                            Field("parameterName", t("field.key"), placeholder: "epochs"),
                            Field("parameterValue", t("field.value"), .verbatim, placeholder: "20"),
                        ], add: t("training.addHyperparameter")), hint: t("training.hyperparametersHint"))
            ],
            [
                Field(
                    "useTorchrun", t("training.useTorchrun"), .check, hint: t("training.torchrunHint")),
                Field(
                    "nprocPerNode", t("training.processes"), .number(1...256), value: "1",
                    showWhen: "useTorchrun=true"),
            ],
        ]
    }

    private func resources(_ t: Strings) async -> [[Field]] {
        let capacity = await engine.capacity()
        let flavors = catalog.flavors.map { flavor in
            let fits =
                flavor.vcpus <= capacity.cpus && flavor.memoryMiB <= capacity.memoryMiB && flavor.gpus <= capacity.gpus
            let text = TrainingPages.text(
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
                    "flavorId", t("training.instance"), .choice(flavors), value: usual?.id,
                    data: ["requires": "imageId"]),
                Field("instanceCount", t("training.nodes"), .number(1...10), hint: t("training.nodesHint"), value: "1"),
            ]
        ]
    }

    private func input(_ t: Strings) -> [[Field]] {
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

    private func output(_ t: Strings, _ place: String) -> [[Field]] {
        [
            [
                Field(
                    "modelUploadUri", t("training.modelOutput"), .path(mode: "folder"),
                    hint: t("training.modelOutputHint"), placeholder: "\(place)/model",
                    follows: ("trainingName", "\(place)/trainings/{}/model"))
            ],
            [
                Field(
                    "checkPointUploadUri", t("training.checkpointOutput"), .path(mode: "folder"), isOptional: true,
                    placeholder: "obs://…/checkpoint")
            ],
        ]
    }

    private func extra(_ t: Strings) -> [[Field]] {
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
    func explained(_ error: TakumiError, _ typed: FormFields, _ t: Strings) -> TakumiError {
        guard error.field == "experimentId", typed["experimentId"] == nil else { return error }
        return .invalid("experimentName", t("training.experimentMissing"))
    }

    /// What a copy starts from (C-6).
    func fields(of training: Training, as name: String) -> FormFields {
        let spec = training.spec
        // A copy that wrote to the same place would overwrite what the original has left there.
        func moved(_ uri: String) -> String {
            uri.split(separator: "/", omittingEmptySubsequences: false).map { part in
                part == training.metadata.name || String(part) == Form.slug(training.metadata.name)
                    ? Form.slug(name) : String(part)
            }.joined(separator: "/")
        }
        var pairs: [(name: String, value: String)] = [
            ("description", training.metadata.description), ("experimentId", spec.experimentID),
            ("imageId", spec.imageID), ("sourceDirUri", spec.source), ("entryPoint", spec.entryPoint),
            ("flavorId", spec.flavorID), ("instanceCount", "\(spec.nodes)"),
            ("useTorchrun", spec.usesTorchrun ? "true" : ""), ("useLog", spec.usesLog ? "true" : ""),
            ("nprocPerNode", spec.processesPerNode.map { "\($0)" } ?? ""),
            ("checkPointInputUri", spec.checkpointInput ?? ""),
            ("checkPointUploadUri", moved(spec.checkpointOutput ?? "")), ("modelUploadUri", moved(spec.modelOutput)),
            ("timeoutMinutes", "\(spec.timeoutMinutes)"),
            ("dataStorageSize", spec.dataStorageSize.map { "\($0)" } ?? ""),
        ]
        for (index, parameter) in spec.hyperparameters.enumerated() {
            pairs.append(("hyperparameterList[\(index)].parameterName", parameter.name))
            pairs.append(("hyperparameterList[\(index)].parameterValue", parameter.value))
        }
        for (index, dataset) in spec.datasets.enumerated() {
            pairs.append(("datasetList[\(index)].datasetName", dataset.name))
            pairs.append(("datasetList[\(index)].dataUri", dataset.uri))
        }
        return FormFields(pairs + FormFields.tags(training.metadata.tags))
    }
}
