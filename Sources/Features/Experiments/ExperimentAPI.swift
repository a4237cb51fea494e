import Console
import Control
import Engine
import FeatureKit
import Foundation
import Hummingbird
import Resource
import Storage
import Store
import Web

/// Experiments as a kind: the example of docs/adding-a-feature.md.
struct ExperimentType: ResourceType {
    struct Create: Decodable, Sendable {
        var experimentName: String?
        var description: String?
        var tagList: [WireTag]?
    }

    struct Wire: Encodable, Sendable {
        var experimentId: String
        var experimentName: String
        var experimentStatusCode: String
        var statusReason: String?
        var description: String
        var appKey: String
        var createdDatetime: String
        var tensorboardAccessUri: String
        var tagList: [WireTag]
    }

    let names = WireNames(kind: .experiment, singular: "experiment", collection: "experiments")
    let hasUniqueNames = true
    let store: Store
    let home: String
    /// Where users' programs are reached from outside.
    let publicURL: @Sendable () -> String

    func draft(_ body: Create, project: String) async throws -> Draft<ExperimentSpec, ExperimentStatus> {
        var validator = Validator()
        let tags = (body.tagList ?? []).map(\.tag)
        validator.name(body.experimentName, "experimentName")
        validator.length(body.description, "description", limit: Limits.description)
        validator.tags(tags)
        try validator.check()
        return Draft(
            name: body.experimentName ?? "", description: body.description, tags: tags, spec: ExperimentSpec(),
            status: ExperimentStatus())
    }

    func wire(_ experiments: [Experiment], project: String) async throws -> [Wire] {
        experiments.map { experiment in
            Wire(
                experimentId: experiment.id, experimentName: experiment.metadata.name,
                experimentStatusCode: experiment.status.phase.rawValue, statusReason: experiment.status.cause,
                description: experiment.metadata.description, appKey: project,
                createdDatetime: WireJSON.time(experiment.metadata.createdAt),
                tensorboardAccessUri: "\(publicURL())/tensorboard/\(project)/experiments/\(experiment.id)/",
                tagList: experiment.metadata.tags.map(WireTag.init))
        }
    }

    func checkDelete(_ experiment: Experiment) async throws {
        guard experiment.status.phase.isSettled else {
            throw TakumiError(.conflict, "experiment \(experiment.id) is being created; delete it when it is ACTIVE")
        }
    }

    /// Creates a failed experiment again.
    func retry(_ experiment: Experiment) async throws -> Experiment {
        guard experiment.status.phase == .createFailed else {
            throw TakumiError(
                .conflict,
                "experiment \(experiment.id) is \(experiment.status.phase.displayName); only a failed one can be retried"
            )
        }
        var experiment = experiment
        experiment.status.phase = .createRequested
        guard let stored = try await store.updateStatus(experiment, event: "retry requested") else {
            throw TakumiError(.conflict, "experiment \(experiment.id) has just changed; look at it again")
        }
        return stored
    }

    func didDelete(_ experiment: Experiment, parts: [ResourceKey]) async throws {
        let folder = ExperimentReconciler.folder(home: home, experiment)
        try await BlockingWork.run { try FileTree.remove(folder) }
    }
}

package struct ExperimentsFeature: Feature {
    private let store: Store
    private let home: String
    private let routes: ResourceRoutes<ExperimentType>

    package init(store: Store, sources: ClockAndIDs, home: String, publicURL: @escaping @Sendable () -> String) {
        self.store = store
        self.home = home
        routes = ResourceRoutes(
            ExperimentType(store: store, home: home, publicURL: publicURL), store: store, sources: sources)
    }

    /// Finds the experiment of a name or creates it, for kinds that offer that on the spot.
    package func findOrCreate(name: String, description: String?, project: String) async throws -> String {
        var query = Query(.experiment, project: project)
        query.names = [name]
        if let found = try await store.versions(query).first { return found.id }
        let draft = try await routes.type.draft(
            .init(experimentName: name, description: description, tagList: nil), project: project)
        do {
            return try await routes.insert(draft, project: project).id
        } catch let error as TakumiError where error.code == .conflict {
            // Two requests with the same new name: the other one was first.
            guard let found = try await store.versions(query).first else { throw error }
            return found.id
        }
    }

    /// Below the home; nil for another kind's record.
    package static func tensorBoardFolder(_ record: Record) throws -> String? {
        record.key.kind == .experiment ? tensorBoardFolder(record.metadata) : nil
    }

    static func tensorBoardFolder(_ metadata: Metadata) -> String {
        "tensorboard/\(metadata.project)/\(metadata.key.id)"
    }

    package var reconcilers: [any Reconciler] { [ExperimentReconciler(store: store, home: home)] }

    package func addProjectRoutes(to group: RouterGroup<TakumiContext>) {
        routes.add(to: group)
        group.put("experiments/{id}/retry") { _, context in
            try await routes.respond(try await routes.type.retry(try await routes.resource(context)))
        }
    }

    package var menu: [MenuEntry] { [MenuEntry("experiments", icon: "experiment", path: "experiments", rank: 3)] }
    package var collections: [ResourceKind: String] { [.experiment: routes.type.names.collection] }

    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        ResourcePages(routes, pages, store: store).add(to: group)
    }

    package var api: APIDescription {
        .resource(
            routes.type.names,
            create: [.init("experimentName", required: true), .init("description"), .init("tagList", "object[]")])
            + APIDescription([
                .init("PUT", "/experiments/{id}/retry", "Create a failed experiment again", payload: "experiment")
            ])
    }
}
