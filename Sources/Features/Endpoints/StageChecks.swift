import Catalog
import Engine
import FeatureKit
import Foundation
import Resource
import ServingKit
import Store

/// Checks what is to be served against what there is: models, instance types, room.
struct StageChecks: Sendable {
    let store: Store
    let catalog: Catalog
    let engine: any Engine
    /// Reads a model's record; its wire form; whether it is ready.
    let served: @Sendable (Record) throws -> (model: ServedModel, wire: [UInt8], isActive: Bool)

    /// - Throws: `invalid`, blaming `flavorId`.
    func flavor(_ id: String?) throws -> Flavor {
        guard let id, let flavor = catalog.flavor(id: id) else {
            throw TakumiError.invalid(
                "flavorId", "no instance type has the id '\((id ?? "").excerpt)'; GET /flavors lists them")
        }
        return flavor
    }

    /// A resource of a stage, checked but for the room that it takes.
    struct Checked: Sendable {
        var model: ServedModel
        var allotment: Allotment
        var body: StageResourceBody
    }

    /// - Parameter prefix: what the fields' names begin with, by number.
    func resources(
        _ bodies: [StageResourceBody], flavor: Flavor, nodes: Int, project: String, prefix: (Int) -> String
    ) async throws -> [Checked] {
        let room = Allotment(of: flavor)
        let total = max(1, bodies.reduce(0) { $0 + $1.pods })
        let onOne = max(1, (total + nodes - 1) / nodes)
        let share = Allotment(
            cpus: (room.cpus / Double(onOne) * 1000).rounded(.down) / 1000, memoryMiB: room.memoryMiB / onOne,
            gpus: room.gpus / onOne)
        var checked: [Checked] = []
        var problems: [TakumiError] = []
        for (index, body) in bodies.enumerated() {
            do {
                let model = try await model(body.modelId, project: project, field: "\(prefix(index))modelId")
                let allotment = try body.allotment(room: room, share: share, prefix(index))
                try await engine.check([allotment.resources])
                checked.append(Checked(model: model, allotment: allotment, body: body))
            } catch let errors as ValidationErrors {
                problems += errors.errors
            } catch let error as TakumiError where error.code == .invalid {
                problems.append(error)
            }
        }
        guard problems.isEmpty else { throw ValidationErrors(problems) }
        return checked
    }

    private func model(_ id: String?, project: String, field: String) async throws -> ServedModel {
        let key = ResourceKey(.model, (id ?? "").lowercased())
        guard let record = try await store.record(key, project: project) else {
            throw TakumiError.invalid(field, "no model has the id '\(key.id.excerpt)'; GET /models lists them")
        }
        let (model, _, isActive) = try served(record)
        guard isActive else {
            throw TakumiError(
                .conflict, "model '\(model.name)' is not ACTIVE yet; wait until it is, then try again", field: field)
        }
        return model
    }

    /// That all pods find room on the instances, and that no address means two models.
    /// - Parameter there: what is on the stage already.
    func check(
        _ new: [Checked], beside there: [StageResource], flavor: Flavor, nodes: Int, field: String
    ) throws {
        var models: [String: String] = [:]
        for resource in there { models[resource.spec.path] = resource.spec.modelID }
        for checked in new {
            if let other = models[checked.model.name], other != checked.model.id {
                throw TakumiError.invalid(
                    field,
                    "two models are called '\(checked.model.name)', which is their address; rename one, or use another stage"
                )
            }
            models[checked.model.name] = checked.model.id
        }
        let room = Allotment(of: flavor)
        guard StageChecks.fit(new.flatMap { Array(repeating: $0.allotment, count: $0.body.pods) }, there, nodes, room)
        else {
            let pods =
                there.flatMap { Array(repeating: $0.spec.allotment, count: $0.spec.pods) }
                + new.flatMap { Array(repeating: $0.allotment, count: $0.body.pods) }
            let stay = there.isEmpty ? "" : "; pods that run stay where they are"
            throw TakumiError.invalid(
                field,
                "\(pods.count) pods ask for \(pods.reduce(.none, +).text) in all, which do not find room on \(nodes) × \(flavor.name), each really offering \(room.text)\(stay)"
            )
        }
    }

    /// Whether pods find room beside those of a stage's resources, the least that there are to be of each.
    static func fit(_ new: [Allotment], _ there: [StageResource], _ nodes: Int, _ room: Allotment) -> Bool {
        var packing = Packing(nodes: 1...nodes, room: room)
        var placeless = new
        for resource in there {
            let (allotment, running) = (resource.spec.allotment, resource.status.pods.filter(\.isStaying))
            for pod in running.prefix(resource.spec.pods) { packing.occupy(pod.node, by: allotment) }
            placeless += Array(repeating: allotment, count: max(0, resource.spec.pods - running.count))
        }
        return packing.largestFirst(placeless).allSatisfy { packing.place($0) != nil }
    }
}
