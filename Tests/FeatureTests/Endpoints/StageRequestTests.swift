import FeatureKit
import Foundation
import Resource
import Store
import Testing

@testable import EndpointsFeature

/// Requests that have all passed their checks before the first of them is stored: as many at once do.
@Suite struct StageRequestTests {
    private func stage(_ name: String) throws -> StageCreate {
        try JSONDecoder().decode(
            StageCreate.self,
            from: Data(
                """
                {"endpointId": "iris", "apigwStageName": "\(name)", "flavorId": "521f40db-bedb-518a-afff-e04c5b9ea6fa",
                 "endpointModelResourceList": [{"modelId": "model"}]}
                """.utf8))
    }

    private func resource(cpu: String) throws -> StageResourceCreate {
        try JSONDecoder().decode(
            StageResourceCreate.self,
            from: Data(
                """
                {"endpointStageId": "blue", "modelId": "model",
                 "resourceOptionDetail": {"cpu": "\(cpu)", "memory": "32Mi"}}
                """.utf8))
    }

    /// - Returns: what was refused.
    private func insert<Kind: ResourceType>(
        _ count: Int, _ routes: ResourceRoutes<Kind>, _ body: Kind.Create
    ) async throws -> [TakumiError] {
        var drafts: [Draft<Kind.Spec, Kind.Status>] = []
        for _ in 0..<count { drafts.append(try await routes.type.draft(body, project: "default")) }
        var refused: [TakumiError] = []
        for draft in drafts {
            do {
                _ = try await routes.insert(draft, project: "default")
            } catch let error as TakumiError {
                refused.append(error)
            }
        }
        return refused
    }

    @Test func oneStageOfANameIsMade() async throws {
        let stored = try await StoredEndpoint()
        let refused = try await insert(8, stored.feature.stages, try stage("same"))
        #expect(refused.count == 7)
        #expect(refused.allSatisfy { $0.code == .conflict && $0.field == "apigwStageName" })
        #expect(try await stored.store.records(Query(.stage, project: nil)).count { $0.metadata.name == "same" } == 1)
    }

    @Test func resourcesTakeNoMoreThanThereIs() async throws {
        let stored = try await StoredEndpoint()
        // 0.9 vCPU is what one instance of the smallest type offers.
        let refused = try await insert(8, stored.feature.resources, try resource(cpu: "0.4"))
        #expect(refused.count == 6)
        #expect(refused.allSatisfy { $0.field == "resourceOptionDetail" })
    }

    @Test func aStageTakesTenResources() async throws {
        let stored = try await StoredEndpoint()
        let refused = try await insert(12, stored.feature.resources, try resource(cpu: "10m"))
        #expect(refused.map(\.field) == ["endpointStageId", "endpointStageId"])
    }

    @Test func nothingIsAddedToWhatIsAboutToGo() async throws {
        let stored = try await StoredEndpoint()
        let draft = try await stored.feature.resources.type.draft(try resource(cpu: "0.1"), project: "default")
        _ = try await stored.store.move(try await stored.stage("blue"), to: .deleteInProgress, event: "goes")
        await #expect(throws: TakumiError.self) {
            try await stored.feature.resources.insert(draft, project: "default")
        }
        _ = try await stored.store.move(try await stored.endpoint(), to: .deleteInProgress, event: "goes")
        #expect(try await insert(1, stored.feature.stages, try stage("late")).first?.field == "endpointId")
    }

    @Test func aStageIsNotRenamedToAnother() async throws {
        let stored = try await StoredEndpoint()
        let routes = stored.feature.stages
        let green = try await stored.stage("green")
        await #expect(throws: TakumiError.self) {
            try await routes.change(green, name: "blue", description: nil, tags: nil)
        }
        _ = try await routes.change(green, name: "olive", description: nil, tags: nil)
        // It still has the address of its former name.
        #expect(try await insert(1, routes, try stage("green")).count == 1)
    }
}
