import Catalog
import Console
import FeatureKit
import Foundation
import JobKit
import Resource
import Store
import Web

/// Tunings in the console: list, details, actions (H-9 to H-12).
extension TuningType: PagedType {
    var icon: String { "tuning" }
    var filterNames: [String] { ["experimentId"] }

    func columns(_ t: Strings) -> [Column] {
        [
            Column(t("field.name"), orders: (.name, .nameDescending)),
            Column(t("list.state"), orders: (.phase, .phaseDescending)),
            Column(t("training.experiment")),
            Column(t("tuning.best")),
            Column(t("tuning.completed"), isNumber: true),
            Column(t("tuning.running"), isNumber: true),
            Column(t("tuning.failed"), isNumber: true),
            Column(t("training.elapsed"), isNumber: true),
            Column(t("detail.created"), orders: (.oldest, .newest)),
        ]
    }

    func cells(_ tuning: Tuning, _ wire: TuningWire, _ page: Page) -> [Cell] {
        let counts = tuning.status.counts
        return [
            .title(tuning.metadata.name, href: address(tuning.id, page)),
            .badges([badge(tuning)]),
            experiment(wire, page),
            best(tuning, page),
            .number(page.t.number(counts[.succeeded] + counts[.earlyStopped])),
            .number(page.t.number(counts.active)),
            .number(page.t.number(counts.failed)),
            elapsed(tuning),
            .time(tuning.metadata.createdAt),
        ]
    }

    func badge(_ tuning: Tuning) -> Badge {
        let (phase, reason) = (tuning.status.phase, tuning.status.reason)
        guard phase == .complete, let reason else { return Badge(phase, cause: tuning.status.cause) }
        return Badge("\(phase.displayName) (\(reason.rawValue))", Tone(phase, cause: nil))
    }

    private func elapsed(_ tuning: Tuning) -> Cell {
        let status = tuning.status
        guard let start = status.startedAt else { return .text("") }
        return .elapsed(
            start: start.addingTimeInterval(-Double(status.spentSeconds)),
            end: status.phase.isSettled ? status.endedAt ?? tuning.metadata.updatedAt : nil)
    }

    private func experiment(_ wire: TuningWire, _ page: Page) -> Cell {
        guard let experiment = wire.job.experiment else { return .text("") }
        return .link(experiment.experimentName, href: "\(page.base)/experiments/\(experiment.experimentId)")
    }

    private func best(_ tuning: Tuning, _ page: Page) -> Cell {
        guard let best = tuning.status.best else { return .text("") }
        return .link(
            "\(tuning.spec.objective.metric) = \(MetricText.number(best.value))",
            href: "\(page.base)/trials/\(best.id)")
    }

    func filters(_ page: Page) async throws -> [Listing.Filter] {
        let chosen = page.query["experimentId"]
        return [
            Listing.Filter(
                "experimentId", page.t("training.experiment"),
                try await JobForm.experimentOptions(page, chosen: chosen, store: store))
        ]
    }

    func causeLink(_ tuning: Tuning, _ page: Page) -> Action? {
        let path = "\(address(tuning.id, page))/trials?state=FAILED"
        return tuning.status.counts[.failed] > 0 ? Action(page.t("tuning.openFailed"), href: path) : nil
    }

    // MARK: - Details

    func cards(_ tuning: Tuning, _ wire: TuningWire, _ page: Page) async throws -> [FactCard] {
        let (t, spec, status) = (page.t, tuning.spec, tuning.status)
        var run: [(name: String, value: Cell)] = [
            (t("training.experiment"), experiment(wire, page)), (t("training.elapsed"), elapsed(tuning)),
            (t("training.started"), .time(status.startedAt)), (t("training.ended"), .time(status.endedAt)),
        ]
        if let reason = status.reason { run.append((t("tuning.reason"), .text(reason.rawValue))) }
        run.append((t("tuning.trials"), .lines(trials(tuning, t))))
        return [
            FactCard(t("tuning.best"), bestFacts(tuning, wire, page)), FactCard(t("training.run"), run),
            FactCard(t("tuning.search"), search(spec, t)),
            FactCard(t("training.resources"), resources(tuning, wire, t)),
            FactCard(
                t("training.program"),
                [
                    (t("training.source"), .code(spec.job.source)),
                    (t("training.entryPoint"), .code(spec.job.entryPoint)),
                    (t("training.modelOutput"), .code(spec.job.modelOutput)),
                ], isWide: true),
        ]
    }

    private func bestFacts(_ tuning: Tuning, _ wire: TuningWire, _ page: Page) -> [(name: String, value: Cell)] {
        let t = page.t
        guard let best = tuning.status.best, let trial = wire.own.optimalTrial else {
            return [(t("tuning.trial"), .text(t("tuning.noBest")))]
        }
        return [
            (tuning.spec.objective.metric, .number(MetricText.number(best.value))),
            (t("tuning.trial"), .link(best.name, href: "\(page.base)/trials/\(best.id)")),
            (
                t("training.hyperparameters"),
                .lines(trial.hyperparameterList.map { "\($0.parameterName ?? "") = \($0.parameterValue ?? "")" })
            ),
        ]
    }

    private func trials(_ tuning: Tuning, _ t: Strings) -> [String] {
        let counts = tuning.status.counts
        return TrialPhase.allCases.filter { $0 != .created && counts[$0] > 0 }.map {
            "\($0.displayName): \(t.number(counts[$0]))"
        }
    }

    private func search(_ spec: TuningSpec, _ t: Strings) -> [(name: String, value: Cell)] {
        let goal = spec.objective.goal.map { MetricText.number($0) }
        var facts: [(name: String, value: Cell)] = [
            (t("tuning.strategy"), .text(t("tuning.strategy.\(spec.strategy.rawValue)"))),
            (t("tuning.randomState"), .number("\(spec.randomState)")),
            (
                t("tuning.objective"),
                .text("\(spec.objective.direction.rawValue) \(spec.objective.metric)")
            ),
            (t("tuning.goal"), .text(goal ?? "")),
            (t("tuning.maxTrials"), .text(spec.maxTrials.map { t.number($0) } ?? "")),
            (t("tuning.maxFailed"), .number(t.number(spec.maxFailedTrials))),
            (t("tuning.metrics"), .lines(spec.metrics)),
            (t("tuning.metricRegex"), .code(spec.metricPattern)),
        ]
        if let rule = spec.earlyStopping {
            facts.append(
                (
                    t("tuning.earlyStopping"),
                    .lines([
                        t("tuning.stopping.\(rule.rule.rawValue)"),
                        "\(t("tuning.minTrials")): \(rule.minTrials)", "\(t("tuning.startStep")): \(rule.startStep)",
                    ])
                ))
        }
        return facts
    }

    private func resources(_ tuning: Tuning, _ wire: TuningWire, _ t: Strings) -> [(name: String, value: Cell)] {
        let spec = tuning.spec
        var facts: [(name: String, value: Cell)] = [
            (t("training.image"), .text(wire.job.image?.imageName ?? spec.job.imageID)),
            (t("training.instance"), .text(wire.job.flavor.map(FlavorText.text) ?? spec.job.flavorID)),
            (t("training.nodes"), .number("\(spec.job.nodes)")),
            (t("tuning.parallel"), .number("\(spec.parallelTrials)")),
        ]
        if spec.job.usesTorchrun {
            facts.append((t("training.processes"), .number("\(spec.job.processesPerNode ?? 1)")))
        }
        facts.append((t("training.timeout"), .text(Cell.span(spec.budget))))
        return facts
    }

    func tabs(_ t: Strings) -> [Tab] {
        [
            Tab("study", t("tuning.tab.study")), Tab("trials", t("tuning.tab.trials")),
            Tab("monitoring", t("training.tab.monitoring")),
            Tab("hyperparameters", t("training.tab.hyperparameters")),
        ]
    }

    func refusal(ofTab id: String, _ tuning: Tuning, _ t: Strings) -> String? {
        id == "monitoring" && tuning.status.phase.isBeingCreated ? t("tuning.monitoringNotYet") : nil
    }

    func actions(_ tuning: Tuning, _ page: Page) -> [Action] {
        let address = address(tuning.id, page)
        var actions = [Action("TensorBoard", href: "\(address)/tensorboard", isExternal: true, icon: "external")]
        guard page.mayWrite else { return actions }
        if tuning.status.phase == .complete, tuning.status.best != nil {
            let path = "\(page.base)/models/new?hyperparameterTuningId=\(tuning.id)"
            actions.append(Action(page.t("model.new"), href: path, icon: "model"))
        }
        if tuning.status.phase.isStoppable {
            actions.append(Action(page.t("action.stop"), href: "\(address)/do/stop", isDialog: true, icon: "stop"))
        }
        if tuning.mayGoOn {
            actions.append(Action(page.t("tuning.resume"), href: "\(address)/resume", icon: "play"))
        }
        actions.append(
            Action(
                page.t("action.copy"), href: "\(page.base)/hyperparameter-tunings/new?copy=\(tuning.id)", icon: "copy"))
        return actions
    }

    func confirmation(_ action: String, _ tuning: Tuning, _ page: Page) -> Confirmation? {
        guard action == "stop" else { return nil }
        let phase = tuning.status.phase
        return Confirmation(
            title: page.t("tuning.stop", ["name": tuning.metadata.name]), text: page.t("tuning.stopText"),
            button: page.t("action.stop"),
            refusal: phase.isStoppable || phase == .stopInProgress
                ? nil : page.t("training.cannotStop", ["state": phase.displayName]), back: address(tuning.id, page))
    }

    func perform(_ action: String, _ tuning: Tuning, _ page: Page) async throws { _ = try await stop(tuning) }

    func snippets(_ page: Page) -> [Snippet] {
        [
            Snippet(
                page.t("snippet.cli"),
                """
                takumi tuning create iris-search --image pytorch --instance m2.c2m4 \\
                    --source obs://…/iris/source --entry-point train.py \\
                    --search lr=double:0.001..0.1:log --search batch=int:8..64:8 \\
                    --maximize Validation-accuracy --max-trials 20 --parallel 2
                """),
            Snippet(
                page.t("snippet.sdk"),
                """
                import easymaker
                from easymaker.training.components import HyperparameterSpec

                easymaker.HyperparameterTuning().run(
                    hyperparameter_tuning_name="iris-search", experiment_id="…",
                    image_name="Ubuntu 22.04 CPU PyTorch Training", instance_type_name="m2.c2m4",
                    source_dir_uri="obs://…/iris/source", entry_point="train.py",
                    model_upload_uri="obs://…/iris/model", parallel_trial_count=2, max_trial_count=20,
                    hyperparameter_spec_list=[HyperparameterSpec(
                        hyperparameter_name="lr", hyperparameter_type_code="double",
                        hyperparameter_min_value="0.001", hyperparameter_max_value="0.1")],
                    objective_metric_name="Validation-accuracy",
                    objective_type_code=easymaker.ObjectiveTypeCode.MAXIMIZE)
                """),
        ]
    }
}
