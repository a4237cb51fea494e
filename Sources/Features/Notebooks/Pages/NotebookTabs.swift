import Catalog
import Console
import FeatureKit
import Foundation
import Hummingbird
import JobKit
import Resource
import Storage
import Store
import Telemetry
import Web

/// The tabs of a notebook's details, the forms of its actions, and the way to JupyterLab.
struct NotebookTabs: Sendable {
    let notebooks: ResourcePages<NotebookType>
    let actions: NotebookActions
    let files: JobFiles
    let appsURL: @Sendable () -> String
    let store: Store

    func add(to group: RouterGroup<TakumiContext>) {
        let one = group.group("notebooks/{id}")
        one.get("open") { request, context in
            let (notebook, page) = try await notebooks.load(request, context)
            return try await page.redirect(toApp: "\(notebook.path)lab", at: appsURL())
        }
        .get("monitoring") { request, context in try await monitoring(request, context) }
        .get("samples") { request, context in
            let (notebook, page) = try await notebooks.load(request, context)
            return try await samples(notebook, page)
        }
        .get("log") { request, context in try await log(request, context) }
        .get("log/lines") { request, context in
            let (notebook, page) = try await notebooks.load(request, context)
            return try await answers(notebook).lines(page.query)
        }
        .get("log/search") { request, context in
            let (notebook, page) = try await notebooks.load(request, context)
            return try await answers(notebook).search(page.query)
        }
        .get("log/download") { request, context in
            let (notebook, _) = try await notebooks.load(request, context)
            let log = LogReader(path: files.index(notebook.workloadID, node: 0).path)
            return JobLogs.text(log, from: 0, as: "\(notebook.metadata.name).log")
        }
        .get("live") { request, context in
            let (notebook, page) = try await notebooks.load(request, context)
            return LiveStream(page, kinds: [.notebook], id: notebook.id, poll: news(of: notebook)).response()
        }
        notebooks.add(to: one, form: "resize", refusal: refusalToResize, resizeForm, send: resize)
        notebooks.add(
            to: one, form: "idle-stop",
            { _, page in
                Form(
                    [FieldGroup(page.t("notebook.idleStop"), NotebookType.idleFields(page.t))],
                    submit: page.t("form.save"))
            }, filled: idleFields, send: setIdleStop)
    }

    private func address(_ notebook: Notebook, _ page: Page) -> String {
        notebooks.routes.type.address(notebook.id, page)
    }

    // MARK: - Monitoring and log

    /// Nothing to see while it is being created or something is going on (N-5). A stopped one has the samples of its last run.
    private func monitoring(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (notebook, page) = try await notebooks.load(request, context)
        let address = address(notebook, page)
        return try await notebooks.respond(
            "training-monitoring", notebook, page, tab: "monitoring", live: "\(address)/live",
            [
                "charts": "\(address)/samples", "hasRun": notebook.status.phase.isSettled,
                "notYet": page.t("notebook.monitoringNotYet"), "hasInstances": true,
                "instances": [
                    [
                        "name": notebook.hostName,
                        "type": flavor(of: notebook).map { FlavorText.text(JobWire.Flavor($0)) }
                            ?? notebook.spec.flavorID,
                        "since": Cell.time(notebook.status.launchedAt).model,
                    ] as [String: Any]
                ],
            ])
    }

    private func flavor(of notebook: Notebook) -> Flavor? {
        notebooks.routes.type.catalog.flavor(id: notebook.spec.flavorID)
    }

    private func samples(_ notebook: Notebook, _ page: Page) async throws -> Response {
        let log = files.samples(notebook.workloadID, node: 0)
        let samples = try await BlockingWork.run { log.read() }
        let charts = SampleCharts(nodes: [samples], labels: [notebook.hostName], t: page.t)
        return try Chart.response(charts.usage + charts.traffic + charts.gpus)
    }

    private func log(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (notebook, page) = try await notebooks.load(request, context)
        let address = address(notebook, page)
        return try await notebooks.respond(
            "training-log", notebook, page, tab: "log", live: "\(address)/live",
            [
                "log": "\(address)/log", "node": "0", "ended": isOver(notebook),
                "download": "\(address)/log/download", "hasNodes": false, "nodes": [String](),
                "label": page.t("training.logOf", ["name": notebook.metadata.name]),
            ])
    }

    private func isOver(_ notebook: Notebook) -> Bool {
        notebook.status.phase.isSettled && !notebook.status.phase.isActive
    }

    private func answers(_ notebook: Notebook) -> LogAnswers {
        LogAnswers(files.index(notebook.workloadID, node: 0), isEnded: isOver(notebook))
    }

    private func news(of notebook: Notebook) -> (@Sendable () async -> [LiveStream.Event]?)? {
        if isOver(notebook) { return nil }
        let (files, workload) = (files, notebook.workloadID)
        let seen = Seen()
        return { await files.news(workload, node: 0, since: seen) }
    }

    // MARK: - Forms

    private func refusalToResize(_ notebook: Notebook, _ page: Page) -> String? {
        let phase = notebook.status.phase
        return phase.isResizable ? nil : page.t("notebook.resizeCannot", ["state": phase.displayName])
    }

    private func resizeForm(_ notebook: Notebook, _ page: Page) async throws -> Form {
        let (t, type) = (page.t, notebooks.routes.type)
        let isGPU = flavor(of: notebook).map { $0.gpus > 0 } ?? false
        let options = type.catalog.flavors.filter { ($0.gpus > 0) == isGPU }.map { flavor in
            Field.Option(
                flavor.id,
                FlavorText.text(flavor.name, vcpus: flavor.vcpus, memoryMiB: flavor.memoryMiB, gpus: flavor.gpus))
        }
        return Form(
            [
                FieldGroup(
                    t("training.instance"), hint: t("notebook.resizeHint"),
                    [[Field("flavorId", t("training.instance"), .choice(options), value: notebook.spec.flavorID)]])
            ], submit: t("notebook.resizeButton"))
    }

    private func resize(_ notebook: Notebook, _ form: Form, _ typed: FormFields, _ page: Page) async throws -> (
        to: String, notice: String
    ) {
        let body = try JSONDecoder().decode(NotebookActions.Resize.self, from: form.json(typed))
        _ = try await actions.resize(notebook, body)
        return (address(notebook, page), page.t("notice.saved"))
    }

    private func idleFields(_ notebook: Notebook) -> FormFields? {
        guard let rule = notebook.spec.idleStop else { return nil }
        return FormFields([
            ("idleStopMinutes", "\(rule.minutes)"),
            ("idleStopIgnoresConnections", rule.ignoresConnections ? "true" : "false"),
        ])
    }

    private func setIdleStop(_ notebook: Notebook, _ form: Form, _ typed: FormFields, _ page: Page) async throws -> (
        to: String, notice: String
    ) {
        // The form has the fields that the form of creating has, and leaves out what is empty.
        let body = try JSONDecoder().decode(NotebookCreate.self, from: form.json(typed))
        _ = try await actions.setIdleStop(notebook, body.idleStop)
        return (address(notebook, page), page.t("notice.saved"))
    }
}

extension NotebooksFeature {
    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        let notebooks = ResourcePages(routes, pages, store: store)
        NotebookTabs(notebooks: notebooks, actions: actions, files: files, appsURL: appsURL, store: store)
            .add(to: group)
        notebooks.add(to: group)
    }
}
