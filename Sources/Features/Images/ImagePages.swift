import Catalog
import Console
import Engine
import Hummingbird
import Web

/// What a workload can be made of, for people: images with their dates and states (SP-3, SP-4), instance types.
struct ImagePages: Sendable {
    let catalog: Catalog
    let engine: any Engine
    let pages: Pages

    func add(to group: RouterGroup<TakumiContext>) {
        group.get("images") { request, context in try await list(try pages.page(request, context)) }
    }

    private func list(_ page: Page) async throws -> Response {
        let t = page.t
        let capacity = await engine.capacity()
        let type = page.query["type"] ?? ""
        let images = catalog.images.filter { type.isEmpty || $0.type.rawValue == type }
        let today = String(WireJSON.time(.now).prefix(10))
        let model: [String: Any] = [
            "heading": t("menu.images"),
            "types": ["TRAINING", "NOTEBOOK"].map { value -> [String: Any] in
                ["value": value, "name": t("images.\(value)"), "selected": value == type]
            },
            "images": images.map { image -> [String: Any] in
                let wire = WireImage(image, gpus: capacity.gpus)
                var row: [String: Any] = [
                    "name": image.name, "description": image.description, "type": t("images.\(image.type.rawValue)"),
                    "core": image.core.rawValue, "alias": image.alias,
                    "framework": "\(image.framework.rawValue) \(image.frameworkVersion)",
                    "python": image.pythonVersion, "supportEnds": image.supportEnds,
                    "availabilityEnds": image.availabilityEnds,
                    "digest": Cell.code(String(image.digest.prefix(19))).model,
                    "badge": state(image, isRunnable: wire.isRunnable, today: today, t).model,
                ]
                if let reason = wire.reason { row["reason"] = reason }
                return row
            },
            "flavors": catalog.flavors.map { flavor -> [String: Any] in
                let wire = WireFlavor(flavor, capacity: capacity)
                var row: [String: Any] = [
                    "name": flavor.name, "vcpus": "\(flavor.vcpus)",
                    "memory": Cell.bytes(Int64(flavor.memoryMiB) << 20),
                    "gpus": flavor.gpus > 0 ? "\(flavor.gpus)" : "–",
                    "badge": (wire.isRunnable ? Badge(t("images.runs"), .good) : Badge(t("images.runsNot"), .off))
                        .model,
                ]
                if let reason = wire.reason { row["reason"] = reason }
                return row
            },
        ]
        return try await page.respond("images", model, title: t("menu.images"), section: "images")
    }

    private func state(_ image: Image, isRunnable: Bool, today: String, _ t: Strings) -> Badge {
        if today > image.availabilityEnds { return Badge(t("images.gone"), .bad) }
        if today > image.supportEnds { return Badge(t("images.deprecated"), .wait) }
        return isRunnable ? Badge(t("images.supported"), .good) : Badge(t("images.runsNot"), .off)
    }
}
