import Catalog
import Console
import FeatureKit
import Foundation
import JobKit
import Resource
import Store
import Web

/// Trainings in the console: list, details, actions (T-8 to T-10).
extension TrainingType: JobType {
    func job(of training: Training) -> Job {
        Job(
            key: training.key, workloadID: training.workloadID, spec: training.spec.job,
            hyperparameters: training.spec.hyperparameters, hasRun: training.status.startedAt != nil,
            isSettled: training.status.phase.isSettled)
    }

    var icon: String { "training" }
    var filterNames: [String] { ["experimentId"] }

    func columns(_ t: Strings) -> [Column] {
        [
            Column(t("field.name"), orders: (.name, .nameDescending)),
            Column(t("list.state"), orders: (.phase, .phaseDescending)),
            Column(t("training.experiment")),
            Column(t("training.image")),
            Column(t("training.instance")),
            Column(t("training.elapsed"), isNumber: true),
            Column(t("detail.created"), orders: (.oldest, .newest)),
        ]
    }

    func cells(_ training: Training, _ wire: TrainingWire, _ page: Page) -> [Cell] {
        let count = training.spec.job.nodes > 1 ? " × \(training.spec.job.nodes)" : ""
        return [
            .title(training.metadata.name, href: address(training.id, page)),
            .badge(Badge(training.status.phase, cause: training.status.cause)),
            experiment(wire, page),
            .text(wire.job.image?.imageName ?? ""),
            .text((wire.job.flavor?.name ?? "") + count),
            .elapsed(start: training.status.startedAt, end: end(training)),
            .time(training.metadata.createdAt),
        ]
    }

    /// A training that ended without a moment of its own must not count on for ever.
    private func end(_ training: Training) -> Date? {
        training.status.phase.isSettled ? training.status.endedAt ?? training.metadata.updatedAt : nil
    }

    private func experiment(_ wire: TrainingWire, _ page: Page) -> Cell {
        guard let experiment = wire.job.experiment else { return .text("") }
        return .link(experiment.experimentName, href: "\(page.base)/experiments/\(experiment.experimentId)")
    }

    func filters(_ page: Page) async throws -> [Listing.Filter] {
        let chosen = page.query["experimentId"]
        return [
            Listing.Filter(
                "experimentId", page.t("training.experiment"),
                try await JobForm.experimentOptions(page, chosen: chosen, store: store))
        ]
    }

    func pick(_ page: Page) -> (name: String, action: String)? {
        (page.t("compare.button"), "\(page.base)/trainings/compare")
    }

    func causeLink(_ training: Training, _ page: Page) -> Action? {
        training.status.startedAt == nil
            ? nil : Action(page.t("training.openLog"), href: "\(address(training.id, page))/log")
    }

    // MARK: - Details

    func cards(_ training: Training, _ wire: TrainingWire, _ page: Page) async throws -> [FactCard] {
        let (t, spec, status) = (page.t, training.spec.job, training.status)
        var run: [(name: String, value: Cell)] = [
            (t("training.experiment"), experiment(wire, page)),
            (t("training.elapsed"), .elapsed(start: status.startedAt, end: end(training))),
            (t("training.started"), .time(status.startedAt)),
            (t("training.ended"), .time(status.endedAt)),
        ]
        if let code = status.exitCode { run.append((t("training.exitCode"), .number("\(code)"))) }
        if let start = status.start { run.append((t("training.start"), .text(start))) }
        if let isolation = status.isolation { run.append((t("training.isolation"), .text(isolation))) }
        var resources: [(name: String, value: Cell)] = [
            (t("training.image"), .text(wire.job.image?.imageName ?? spec.imageID)),
            (t("training.instance"), .text(wire.job.flavor.map { FlavorText.text($0) } ?? spec.flavorID)),
            (t("training.nodes"), .number("\(spec.nodes)")),
        ]
        if wire.job.image?.frameworkCode == Image.Framework.pytorch.rawValue {
            resources.append((t("training.torchrun"), .text(spec.usesTorchrun ? t("value.yes") : t("value.no"))))
        }
        if let processes = spec.processesPerNode {
            resources.append((t("training.processes"), .number("\(processes)")))
        }
        resources.append((t("training.timeout"), .text(Cell.span(spec.timeoutMinutes * 60))))
        if let size = spec.dataStorageSize { resources.append((t("training.storageSize"), .text("\(size) GB"))) }
        resources.append((t("training.log"), .text(spec.usesLog ? t("value.yes") : t("value.no"))))
        return [
            FactCard(t("training.run"), run), FactCard(t("training.resources"), resources),
            FactCard(
                t("training.program"),
                [
                    (t("training.source"), .code(spec.source)), (t("training.entryPoint"), .code(spec.entryPoint)),
                    (t("training.modelOutput"), .code(spec.modelOutput)),
                    (
                        t("training.hyperparameters"),
                        .lines(training.spec.hyperparameters.map { "\($0.name) = \($0.value)" })
                    ),
                ], isWide: true),
        ]
    }

    func tabs(_ t: Strings) -> [Tab] {
        [
            Tab("log", t("training.tab.log")), Tab("metrics", t("training.tab.metrics")),
            Tab("monitoring", t("training.tab.monitoring")),
            Tab("hyperparameters", t("training.tab.hyperparameters")), Tab("files", t("training.tab.files")),
        ]
    }

    func actions(_ training: Training, _ page: Page) -> [Action] {
        let address = address(training.id, page)
        var actions = [
            Action("TensorBoard", href: "\(address)/tensorboard", isExternal: true, icon: "external")
        ]
        guard page.mayWrite else { return actions }
        if training.status.phase == .complete {
            actions.append(
                Action(
                    page.t("model.new"), href: "\(page.base)/models/new?trainingId=\(training.id)", icon: "model"))
        }
        if training.status.phase.isStoppable {
            actions.append(
                Action(page.t("action.stop"), href: "\(address)/do/stop", isDialog: true, icon: "stop"))
        }
        actions.append(
            Action(page.t("action.copy"), href: "\(page.base)/trainings/new?copy=\(training.id)", icon: "copy"))
        return actions
    }

    func confirmation(_ action: String, _ training: Training, _ page: Page) -> Confirmation? {
        guard action == "stop" else { return nil }
        let phase = training.status.phase
        return Confirmation(
            title: page.t("training.stop", ["name": training.metadata.name]), text: page.t("training.stopText"),
            button: page.t("action.stop"),
            refusal: phase.isStoppable || phase == .stopInProgress
                ? nil : page.t("training.cannotStop", ["state": phase.displayName]), back: address(training.id, page))
    }

    func perform(_ action: String, _ training: Training, _ page: Page) async throws {
        _ = try await stop(training)
    }

    func snippets(_ page: Page) -> [Snippet] {
        [
            Snippet(
                page.t("snippet.cli"),
                """
                takumi run train.py --image pytorch --instance m2.c2m4 \\
                    --data train=./data --hp epochs=20 --download ./model
                """),
            Snippet(
                page.t("snippet.sdk"),
                """
                import easymaker

                easymaker.Training().run(
                    experiment_name="iris", training_name="iris-1",
                    image_name="Ubuntu 22.04 CPU PyTorch Training", instance_name="m2.c2m4",
                    source_dir_uri="obs://…/iris/source", entry_point="train.py",
                    model_upload_uri="obs://…/iris/model")
                """),
        ]
    }
}
