import Console
import Control
import FeatureKit
import Hummingbird
import Resource
import ServingKit
import Store
import Web

/// Models: their routes, their pages.
package struct ModelsFeature: Feature {
    private let store: Store
    private let routes: ResourceRoutes<ModelType>

    package init(
        store: Store, storage: any StorageChecks, sources: ClockAndIDs, origins: @escaping ModelOrigins,
        places: @escaping @Sendable (ResourceKey) async throws -> [String]
    ) {
        self.store = store
        routes = ResourceRoutes(
            ModelType(store: store, storage: storage, origins: origins, places: places), store: store, sources: sources)
    }

    /// What those who serve a model know of it, and its wire form.
    package static func served(_ record: Record) throws -> (model: ServedModel, wire: [UInt8], isActive: Bool) {
        let model: Model = try record.decoded()
        return (model.served, try WireJSON.encode(ModelWire(model)), model.status.phase == .active)
    }

    package var reconcilers: [any Reconciler] { [ModelReconciler(store: store)] }

    package func addProjectRoutes(to group: RouterGroup<TakumiContext>) { routes.add(to: group) }

    package var menu: [MenuEntry] { [MenuEntry("models", icon: "model", path: "models", rank: 7)] }
    package var collections: [ResourceKind: String] { [.model: routes.type.names.collection] }

    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        ResourcePages(routes, pages, store: store).add(to: group)
    }

    package var api: APIDescription {
        .resource(
            routes.type.names,
            create: [
                .init("modelName", required: true), .init("description"),
                .init("modelFormatCode", note: "TENSORFLOW, PYTORCH, HUGGING_FACE or SKLEARN"),
                .init("frameworkVersion"), .init("modelUploadUri"), .init("trainingId"),
                .init("hyperparameterTuningId", note: "its best trial"),
                .init("fineTuningId", note: "refused: there are no fine-tunings yet"),
                .init("parameterList", "object[]"),
                .init("tagList", "object[]"),
            ], filters: [.init("trainingId"), .init("hyperparameterTuningId")])
    }
}
