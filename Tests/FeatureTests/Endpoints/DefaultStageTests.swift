import FeatureKit
import Foundation
import Resource
import Store
import Testing

@testable import EndpointsFeature

/// What becomes of stages when another one takes their place (E-9).
@Suite struct DefaultStageTests {
    @Test func everyFormerDefaultGoesInItsTime() async throws {
        let stored = try await StoredEndpoint()
        try await stored.makeDefault("green", keep: 60)
        try await stored.makeDefault("red", keep: 10)
        #expect(try await stored.endpoint().spec.formers.map(\.stageID) == ["blue", "green"])
        #expect(try await stored.reconcile().map { $0 < .seconds(601) } == true)
        stored.pass(minutes: 11)
        try await stored.reconcile()
        #expect(try await stored.stage("green").status.phase == .deleteInProgress)
        #expect(try await stored.stage("blue").status.phase == .active)
        stored.pass(minutes: 50)
        #expect(try await stored.reconcile() == nil)
        #expect(try await stored.stage("blue").status.phase == .deleteInProgress)
        #expect(try await stored.stage("red").status.phase == .active)
        #expect(try await stored.endpoint().spec.formers.isEmpty)
    }

    @Test(arguments: [
        (#"{"path":"iris","defaultStageID":"b"}"#, []),
        (#"{"path":"iris","defaultStageID":"b","former":{"stageID":"a","keptUntil":0}}"#, ["a"]),
    ])
    func whatAnOlderVersionHasStoredIsRead(_ text: String, _ formers: [String]) throws {
        let spec = try JSONDecoder().decode(EndpointSpec.self, from: Data(text.utf8))
        #expect((spec.path, spec.defaultStageID) == ("iris", "b"))
        #expect(spec.formers.map(\.stageID) == formers)
        #expect(try JSONDecoder().decode(EndpointSpec.self, from: JSONEncoder().encode(spec)) == spec)
    }

    @Test func whatIsDeletedWhileItIsReplacedNoLongerWaits() async throws {
        let stored = try await StoredEndpoint()
        try await stored.makeDefault("green")
        try await stored.reconcile()
        let going = try await stored.stage("blue")
        #expect(going.status.isReplaced == true)
        try await stored.store.hurry(going)
        #expect(try await stored.stage("blue").status.isReplaced == nil)
    }

    @Test func twoSwitchesBeforeTheReconcilersTurnLeaveNothing() async throws {
        let stored = try await StoredEndpoint()
        try await stored.makeDefault("green")
        try await stored.makeDefault("red")
        try await stored.reconcile()
        for former in ["blue", "green"] {
            #expect(try await stored.stage(former).status.phase == .deleteInProgress)
        }
    }

    @Test func longAnswersOfAFormerAreWaitedForUnlessTheEndpointGoes() async throws {
        let stored = try await StoredEndpoint()
        try await stored.makeDefault("green")
        try await stored.reconcile()
        #expect(try await stored.stage("blue").status.isReplaced == true)
        _ = try await stored.store.move(try await stored.endpoint(), to: .deleteInProgress, event: "deletion requested")
        try await stored.reconcile()
        for stage in ["blue", "green"] {
            let status = try await stored.stage(stage).status
            #expect(status.phase == .deleteInProgress && status.isReplaced == nil)
        }
    }

    @Test func goingBackLeadsThroughAllOfThem() async throws {
        let stored = try await StoredEndpoint()
        try await stored.makeDefault("green", keep: 60)
        try await stored.makeDefault("red", keep: 60)
        #expect(try await stored.actions.goBack(try await stored.endpoint()).spec.defaultStageID == "green")
        #expect(try await stored.actions.goBack(try await stored.endpoint()).spec.defaultStageID == "blue")
        await #expect(throws: TakumiError.self) { try await stored.actions.goBack(try await stored.endpoint()) }
        stored.pass(minutes: 61)
        try await stored.reconcile()
        for stage in ["green", "red"] {
            #expect(try await stored.stage(stage).status.phase == .active, "what was gone back from stays")
        }
    }

    @Test func aFormerDefaultThatIsGoneIsNotGoneBackTo() async throws {
        let stored = try await StoredEndpoint()
        try await stored.makeDefault("green", keep: 60)
        let blue = try await stored.stage("blue")
        _ = try await stored.store.move(blue, to: .deleteInProgress, event: "deletion requested")
        await #expect(throws: TakumiError.self) { try await stored.makeDefault("blue") }
        #expect(try await stored.endpoint().spec.defaultStageID == "green")
    }

    // MARK: - Protection

    @Test func aSwitchOpensTheAddressToNobody() async throws {
        let stored = try await StoredEndpoint()
        try await stored.change("blue") { ($0.keys, $0.ratePerSecond) = (["hash"], 5) }
        try await stored.makeDefault("green")
        let green = try await stored.stage("green").spec
        #expect(green.keys == ["hash"] && green.ratePerSecond == 5)
        let route = try #require(stored.table.current?.stages.first { $0.prefixes.contains("/default/iris") })
        #expect(route.id == "green" && route.keys == ["hash"] && route.rate?.perSecond == 5)
    }

    @Test func aStageWithRulesOfItsOwnKeepsThem() async throws {
        let stored = try await StoredEndpoint()
        try await stored.change("blue") { ($0.keys, $0.ratePerSecond) = (["hash"], 5) }
        try await stored.change("green") { ($0.keys, $0.ratePerSecond) = (["other"], 7) }
        try await stored.makeDefault("green")
        let green = try await stored.stage("green").spec
        #expect(green.keys == ["other"] && green.ratePerSecond == 7)
    }
}
