import Catalog
import Console
import Engine
import FeatureKit
import Hummingbird
import Web

/// Lists what a workload can be made of: images, instance types, provided algorithms.
package struct ImagesFeature: Feature {
    private let catalog: Catalog
    private let engine: any Engine

    package init(catalog: Catalog, engine: any Engine) {
        self.catalog = catalog
        self.engine = engine
    }

    package func addProjectRoutes(to group: RouterGroup<TakumiContext>) {
        group.get("images") { request, _ in
            let types = Set(QueryItems(request).all("groupTypeCodeList"))
            let gpus = await engine.capacity().gpus
            let images = catalog.images.filter { types.isEmpty || types.contains($0.type.rawValue) }
            return try Envelope.one("imageList", images.map { WireImage($0, gpus: gpus) })
        }
        group.get("flavors") { _, _ in
            let capacity = await engine.capacity()
            return try Envelope.one("flavorList", catalog.flavors.map { WireFlavor($0, capacity: capacity) })
        }
        // Provided algorithms come with their own issue; clients read the list before every training.
        group.get("algorithms") { _, _ in try Envelope.one("algorithmList", [String]()) }
    }

    package var menu: [MenuEntry] { [MenuEntry("images", icon: "image", path: "images", rank: 10)] }

    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        ImagePages(catalog: catalog, engine: engine, pages: pages).add(to: group)
    }

    package var api: APIDescription {
        APIDescription([
            .init(
                "GET", "/images", "List the images", query: [.init("groupTypeCodeList", "string[]")],
                payload: "imageList"),
            .init("GET", "/flavors", "List the instance types", query: [.init("groupType")], payload: "flavorList"),
            .init("GET", "/algorithms", "List the provided algorithms", payload: "algorithmList"),
        ])
    }
}

/// An image as clients see it.
package struct WireImage: Encodable, Sendable {
    var imageId: String
    var imageName: String
    var alias: String
    var imageTypeCode: String
    var coreTypeCode: String
    var frameworkCode: String
    var frameworkVersion: String
    var pythonVersion: String
    var description: String
    var imageAddress: String
    var digest: String
    var endOfSupportDate: String
    var endOfAvailabilityDate: String
    var isRunnable: Bool
    var reason: String?

    init(_ image: Image, gpus: Int) {
        imageId = image.id
        imageName = image.name
        alias = image.alias
        imageTypeCode = image.type.rawValue
        coreTypeCode = image.core.rawValue
        frameworkCode = image.framework.rawValue
        frameworkVersion = image.frameworkVersion
        pythonVersion = image.pythonVersion
        description = image.description
        imageAddress = image.address
        digest = image.digest
        endOfSupportDate = image.supportEnds
        endOfAvailabilityDate = image.availabilityEnds
        isRunnable = image.core == .cpu || gpus > 0
        reason = isRunnable ? nil : "this machine has no GPU (nvidia-smi finds none)"
    }
}

/// An instance type as clients see it; memory in MiB, disk in GB.
struct WireFlavor: Encodable {
    var id: String
    var name: String
    var vcpus: Int
    var ram: Int
    var disk: Int
    var gpuFlavor: Bool
    var gpuCount: Int
    var gpuMemory: Int
    var isRunnable: Bool
    var reason: String?

    init(_ flavor: Flavor, capacity: Capacity) {
        id = flavor.id
        name = flavor.name
        vcpus = flavor.vcpus
        ram = flavor.memoryMiB
        disk = flavor.diskGB
        gpuFlavor = flavor.gpus > 0
        gpuCount = flavor.gpus
        gpuMemory = flavor.gpuMemoryMiB
        reason = WireFlavor.lack(flavor, capacity)
        isRunnable = reason == nil
    }

    private static func lack(_ flavor: Flavor, _ capacity: Capacity) -> String? {
        if flavor.gpus > capacity.gpus {
            return capacity.gpus == 0
                ? "this machine has no GPU (nvidia-smi finds none)" : "this machine has \(capacity.gpus) GPUs"
        }
        if flavor.memoryMiB > capacity.memoryMiB {
            return "this machine offers \(gibibytes(capacity.memoryMiB)) of memory"
        }
        if flavor.vcpus > capacity.cpus { return "this machine offers \(capacity.cpus) vCPU" }
        return nil
    }
}
