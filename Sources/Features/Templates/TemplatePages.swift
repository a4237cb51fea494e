import Catalog
import Console
import FeatureKit
import JobKit
import Resource
import Web

/// Templates in the console (TT-1).
extension TemplateType: PagedType {
    var icon: String { "template" }

    func columns(_ t: Strings) -> [Column] {
        [
            Column(t("field.name"), orders: (.name, .nameDescending)),
            Column(t("training.hyperparameters")), Column(t("training.image")), Column(t("training.instance")),
            Column(t("detail.created"), orders: (.oldest, .newest)),
        ]
    }

    func cells(_ template: Template, _ wire: TemplateWire, _ page: Page) -> [Cell] {
        let settings = template.spec.settings
        return [
            .title(template.metadata.name, href: address(template.id, page)),
            .text(settings.hyperparameterNames.joined(separator: ", ")),
            .text(image(settings)), .text(flavor(settings)), .time(template.metadata.createdAt),
        ]
    }

    private func image(_ settings: JobSettings) -> String {
        settings.job.imageId.flatMap(catalog.image(id:))?.name ?? settings.job.imageId ?? ""
    }

    private func flavor(_ settings: JobSettings) -> String {
        settings.job.flavorId.flatMap(catalog.flavor(id:))?.name ?? settings.job.flavorId ?? ""
    }

    func cards(_ template: Template, _ wire: TemplateWire, _ page: Page) async throws -> [FactCard] {
        let (t, settings) = (page.t, template.spec.settings)
        let (job, search) = (settings.job, settings.search)
        func number(_ value: WholeNumber?) -> Cell { value.map { .number("\($0.value)") } ?? .text("") }
        var cards = [
            FactCard(
                t("training.program"),
                [
                    (t("training.source"), .code(job.sourceDirUri ?? "")),
                    (t("training.entryPoint"), .code(job.entryPoint ?? "")),
                    (t("training.modelOutput"), .code(job.modelUploadUri ?? "")),
                    (
                        t("training.datasets"),
                        .lines((job.datasetList ?? []).map { "\($0.datasetName ?? ""): \($0.dataUri ?? "")" })
                    ),
                ], isWide: true),
            FactCard(
                t("training.resources"),
                [
                    (t("training.image"), .text(image(settings))), (t("training.instance"), .text(flavor(settings))),
                    (t("tuning.instances"), number(job.instanceCount)),
                    (t("training.timeout"), .text(job.timeoutMinutes.map { Cell.span($0.value * 60) } ?? "")),
                ]),
        ]
        if search != SearchBody() { cards.append(FactCard(t("tuning.search"), searchFacts(search, t))) }
        return cards
    }

    private func searchFacts(_ search: SearchBody, _ t: Strings) -> [(name: String, value: Cell)] {
        func number(_ value: WholeNumber?) -> Cell { value.map { .number("\($0.value)") } ?? .text("") }
        let all: [(name: String, value: Cell)] = [
            (
                t("tuning.objective"),
                .text(
                    [search.objectiveTypeCode, search.objectiveMetric?.name].compactMap(\.self).joined(separator: " "))
            ),
            (t("tuning.goal"), .text(search.objectiveGoal?.text ?? "")),
            (t("tuning.metrics"), .lines((search.metricList ?? []).compactMap(\.name))),
            (t("tuning.metricRegex"), .code(search.metricRegex ?? "")),
            (t("tuning.strategy"), .text(search.strategyCode.map { t("tuning.strategy.\($0)") } ?? "")),
            (t("tuning.randomState"), number(search.tuningStrategyRandomState)),
            (t("tuning.maxTrials"), number(search.maxTrialCount)),
            (t("tuning.maxFailed"), number(search.maxFailedTrialCount)),
            (t("tuning.parallel"), number(search.parallelTrialCount)),
            (t("tuning.maxDuration"), number(search.maxDurationSeconds)),
            (t("tuning.earlyStopping"), .text(search.ruleCode.map { t("tuning.stopping.\($0)") } ?? "")),
        ]
        return all.filter { if case .text("") = $0.value { false } else { true } }
    }

    func tabs(_ t: Strings) -> [Tab] { [Tab("hyperparameters", t("training.tab.hyperparameters"))] }

    func actions(_ template: Template, _ page: Page) -> [Action] {
        guard page.mayWrite else { return [] }
        return [
            Action(
                page.t("template.train"), href: "\(page.base)/trainings/new?template=\(template.id)", icon: "training"),
            Action(
                page.t("template.tune"), href: "\(page.base)/hyperparameter-tunings/new?template=\(template.id)",
                icon: "tuning"),
            Action(
                page.t("action.copy"), href: "\(page.base)/training-templates/new?copy=\(template.id)", icon: "copy"),
        ]
    }

    func form(_ page: Page, copied: Template?) async throws -> Form {
        let t = page.t
        let parts = JobForm(checks: checks, store: store, isPartial: true)
        return Form(
            [
                FieldGroup(
                    t("detail.about"),
                    [
                        [Field("trainingTemplateName", t("field.name"), hint: t("training.nameHint"))],
                        [Field("description", t("field.description"), .area, isOptional: true)],
                    ]),
                FieldGroup(
                    t("training.program"), hint: t("training.programHint"),
                    parts.program(t, parameters: JobForm.hyperparameters(t))),
                FieldGroup(
                    t("training.resources"),
                    await parts.resources(
                        t, counts: [Field("instanceCount", t("tuning.instances"), .number(1...10), isOptional: true)])),
                FieldGroup(t("training.input"), isFolded: true, parts.input(t)),
                FieldGroup(
                    t("training.output"), isFolded: true,
                    parts.output(t, try await parts.place(page), nameField: names.nameField, folder: names.collection)),
                FieldGroup(
                    t("template.parametersOfTuning"), isFolded: true,
                    [[SearchForm.parameters(t)], [SearchForm.parallel(t)]] + SearchForm.objective(t, isPartial: true)
                        + SearchForm.search(t, isPartial: true) + SearchForm.stopping(t)),
                FieldGroup(t("training.extra"), isFolded: true, [SearchForm.budget(t)] + parts.extra(t)),
            ], submit: t("trainingTemplate.new"), cancel: "\(page.base)/\(names.collection)")
    }

    func fields(of template: Template, as name: String) -> FormFields {
        FormFields(
            template.spec.settings.fields + [("description", template.metadata.description)]
                + FormFields.tags(template.metadata.tags))
    }

    func snippets(_ page: Page) -> [Snippet] {
        [
            Snippet(
                page.t("snippet.cli"),
                """
                takumi template create iris --image pytorch --instance m2.c2m4 \\
                    --source obs://…/iris/source --entry-point train.py --hp epochs=20
                takumi training create iris-1 --template iris
                """)
        ]
    }
}
