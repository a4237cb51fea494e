import Catalog
import Console
import FeatureKit
import Foundation
import JobKit
import Resource
import Store
import Web

/// Notebooks in the console: list, details, actions (N-3 to N-5, N-8).
extension NotebookType: PagedType {
    var icon: String { "notebook" }

    func columns(_ t: Strings) -> [Column] {
        [
            Column(t("field.name"), orders: (.name, .nameDescending)),
            Column(t("list.state"), orders: (.phase, .phaseDescending)),
            Column(t("notebook.jupyter")),
            Column(t("training.image")),
            Column(t("training.instance")),
            Column(t("detail.created"), orders: (.oldest, .newest)),
        ]
    }

    func cells(_ notebook: Notebook, _ wire: NotebookWire, _ page: Page) -> [Cell] {
        var badges = [Badge(notebook.status.phase, cause: notebook.status.cause)]
        if let expiry = wire.expireDatetime {
            badges.append(Badge(page.t("notebook.rebootBy", ["date": "\(expiry.prefix(10))"]), .wait))
        }
        return [
            .title(notebook.metadata.name, href: address(notebook.id, page)),
            .badges(badges),
            isOpen(notebook, page)
                ? .external(page.t("notebook.open"), href: "\(address(notebook.id, page))/open") : .text(""),
            .text(wire.image?.imageName ?? ""),
            .text(wire.flavor?.name ?? ""),
            .time(notebook.metadata.createdAt),
        ]
    }

    private func isOpen(_ notebook: Notebook, _ page: Page) -> Bool {
        page.mayWrite && notebook.status.phase.isActive
    }

    func causeLink(_ notebook: Notebook, _ page: Page) -> Action? {
        Action(page.t("training.openLog"), href: "\(address(notebook.id, page))/log")
    }

    // MARK: - Details

    func cards(_ notebook: Notebook, _ wire: NotebookWire, _ page: Page) async throws -> [FactCard] {
        let (t, spec, status) = (page.t, notebook.spec, notebook.status)
        var state: [(name: String, value: Cell)] = [
            (t("notebook.since"), .time(status.phase.isActive ? status.activeAt : nil)),
            (t("notebook.idleStop"), .text(idle(notebook, t))),
        ]
        if let stopsAt = status.stopsAt { state.append((t("notebook.stopsAt"), .time(stopsAt))) }
        if let use = status.inUse { state.append((t("notebook.inUse"), .text(use))) }
        if status.phase == .stopped, let cause = status.cause { state.append((t("notebook.stopCause"), .text(cause))) }
        if let expiry = wire.expireDatetime {
            state.append((t("notebook.outdated"), .text(t("notebook.outdatedText", ["date": "\(expiry.prefix(10))"]))))
        }
        if let isolation = status.isolation { state.append((t("training.isolation"), .text(isolation))) }
        var storage: [(name: String, value: Cell)] = [
            (t("notebook.data"), .text(size(spec.dataStorageSize, NotebookVolume.data, wire, t))),
            (t("notebook.boot"), .text(size(spec.bootStorageSize, NotebookVolume.boot, wire, t))),
        ]
        for nas in spec.nas {
            storage.append(("\(NotebookVolume.dataPlace)/\(nas.directory)", .code(nas.uri)))
        }
        return [
            FactCard(t("notebook.jupyter"), state),
            FactCard(
                t("training.resources"),
                [
                    (t("training.image"), .text(wire.image?.imageName ?? spec.imageID)),
                    (t("notebook.python"), .text(wire.image?.pythonVersion ?? "")),
                    (t("training.instance"), .text(wire.flavor.map { FlavorText.text($0) } ?? spec.flavorID)),
                ]),
            FactCard(t("notebook.storage"), storage),
        ]
    }

    private func idle(_ notebook: Notebook, _ t: Strings) -> String {
        guard let rule = notebook.spec.idleStop else { return t("notebook.idleNever") }
        let text = t("notebook.idleAfter", ["time": Cell.span(rule.minutes * 60)])
        return rule.ignoresConnections ? "\(text), \(t("notebook.idleConnected"))" : text
    }

    /// "3.2 of 20 GB", or the size alone while nothing measures.
    private func size(_ limit: Int, _ name: String, _ wire: NotebookWire, _ t: Strings) -> String {
        guard let use = wire.storageUseList.first(where: { $0.name == name }) else { return "\(limit) GB" }
        return t(
            "notebook.used", ["used": Cell.bytes(Int64(use.usedMiB) << 20), "size": "\(limit) GB"])
    }

    func tabs(_ t: Strings) -> [Tab] {
        [Tab("monitoring", t("training.tab.monitoring")), Tab("log", t("training.tab.log"))]
    }

    /// Not while it is created or something goes on (N-5).
    func refusal(ofTab id: String, _ notebook: Notebook, _ t: Strings) -> String? {
        id == "monitoring" && !notebook.status.phase.isSettled ? t("notebook.monitoringNotYet") : nil
    }

    func actions(_ notebook: Notebook, _ page: Page) -> [Action] {
        guard page.mayWrite else { return [] }
        let (t, address, phase) = (page.t, address(notebook.id, page), notebook.status.phase)
        var actions: [Action] = []
        if phase.isActive {
            actions.append(
                Action(t("notebook.open"), href: "\(address)/open", look: .primary, isExternal: true, icon: "external"))
        }
        if phase.next.contains(.startInProgress) {
            actions.append(Action(t("notebook.start"), href: "\(address)/do/start", isDialog: true, icon: "play"))
        }
        if phase.next.contains(.stopInProgress) {
            actions.append(Action(t("action.stop"), href: "\(address)/do/stop", isDialog: true, icon: "stop"))
        }
        if phase.next.contains(.rebootInProgress) {
            actions.append(Action(t("notebook.reboot"), href: "\(address)/do/reboot", isDialog: true, icon: "undo"))
        }
        if phase != .deleteInProgress {
            if phase.isResizable {
                actions.append(Action(t("notebook.resizeButton"), href: "\(address)/resize"))
            }
            actions.append(Action(t("notebook.idleStop"), href: "\(address)/idle-stop", icon: "clock"))
        }
        return actions
    }

    private static let phases: [String: NotebookPhase] = [
        "start": .startInProgress, "stop": .stopInProgress, "reboot": .rebootInProgress,
    ]

    func confirmation(_ action: String, _ notebook: Notebook, _ page: Page) -> Confirmation? {
        guard let next = NotebookType.phases[action] else { return nil }
        let phase = notebook.status.phase
        let button = action == "stop" ? "action.stop" : "notebook.\(action)"
        return Confirmation(
            title: page.t("notebook.\(action)Title", ["name": notebook.metadata.name]),
            text: page.t("notebook.\(action)Text"), button: page.t(button), isDanger: action != "start",
            refusal: phase.next.contains(next) || phase == next
                ? nil : page.t("notebook.cannot", ["state": phase.displayName]),
            back: address(notebook.id, page))
    }

    func perform(_ action: String, _ notebook: Notebook, _ page: Page) async throws {
        let actions = NotebookActions(store: store, checks: checks)
        switch NotebookType.phases[action] {
        case .startInProgress: _ = try await actions.start(notebook, by: page.principal)
        case .stopInProgress: _ = try await actions.stop(notebook)
        default: _ = try await actions.reboot(notebook, by: page.principal)
        }
    }

    func snippets(_ page: Page) -> [Snippet] {
        [
            Snippet(
                page.t("snippet.cli"),
                """
                takumi notebook create iris --image python --instance m2.c2m4 --storage 20 --wait
                takumi notebook open iris
                """)
        ]
    }
}
