import Console
import Foundation
import HTTPTypes
import Hummingbird
import Resource
import Store
import Web

/// Deleting, and a kind's own actions: what is asked about before it is done.
extension ResourcePages {
    // MARK: - Delete and the kind's own actions

    func confirmDelete(_ page: Page, _ context: TakumiContext) async throws -> Response {
        try page.checkMayWrite()
        let resource = try await routes.resource(context)
        let dependents = try await store.dependents(of: resource.key, limit: 20)
        let more = try await store.dependentCount(of: resource.key) - dependents.count
        let t = page.t
        let refusal = await refusalToDelete(resource)
        let confirmation = Confirmation(
            title: t("\(names.singular).delete", ["name": resource.metadata.name]),
            text: t("\(names.singular).deleteText"), button: t("action.delete"),
            dependents: dependents.map { record in
                (
                    record.metadata.name, page.address(of: record.key),
                    Badge(
                        PhaseName.displayed(record.phase),
                        Tone(
                            phase: record.phase, isFailure: record.phase.contains("FAIL"), isSettled: record.settled,
                            cause: nil))
                )
            }, dependentsTitle: t("delete.dependents"),
            more: more > 0 ? t("delete.more", ["count": t.number(more)]) : nil,
            refusal: refusal, back: type.address(resource.id, page))
        return try await page.respond(
            "confirm", confirmation.model, title: confirmation.title, section: section)
    }

    /// Why it cannot be deleted now, before anybody tries.
    func refusalToDelete(_ resource: Type.Object) async -> String? {
        do {
            try await type.checkDelete(resource)
            try await store.checkDeletable(resource.key)
            return nil
        } catch { return (error as? TakumiError)?.message ?? "\(error)" }
    }

    func delete(_ page: Page, _ context: TakumiContext) async throws -> Response {
        let resource = try await routes.resource(context)
        // Asked before: what it belonged to may go with it.
        let back = try await type.crumbs(resource, page)?.last?["href"]
        try await routes.delete(resource)
        return page.redirect(
            to: back ?? "\(page.base)/\(names.collection)",
            notice: page.t("\(names.singular).deleted", ["name": resource.metadata.name]))
    }

    func confirm(_ page: Page, _ context: TakumiContext) async throws -> Response {
        try page.checkMayWrite()
        let resource = try await routes.resource(context)
        let action = try context.parameters.require("action")
        guard let confirmation = type.confirmation(action, resource, page) else {
            throw TakumiError(.notFound, "there is no such page")
        }
        return try await page.respond("confirm", confirmation.model, title: confirmation.title, section: section)
    }

    func perform(_ page: Page, _ context: TakumiContext) async throws -> Response {
        let resource = try await routes.resource(context)
        let action = try context.parameters.require("action")
        guard type.confirmation(action, resource, page) != nil else {
            throw TakumiError(.notFound, "there is no such page")
        }
        try await type.perform(action, resource, page)
        return page.redirect(
            to: type.address(resource.id, page), notice: page.t("\(names.singular).did.\(action)"))
    }
}
