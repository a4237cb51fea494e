import Console
import Foundation
import Testing
import Web

@testable import EndpointsFeature

@Suite struct StageWireTests {
    /// SDK 2.1.5: `EndpointStage.expired_datetime`.
    @Test func saysUntilWhenAnOldStageStaysByTheNameThatTheSDKReads() async throws {
        let stored = try await StoredEndpoint()
        let wire = StageWire(
            try await stored.stage("blue"), of: try await stored.endpoint(), resources: [], flavor: nil,
            gateway: "h", expiry: stored.now)
        let json = String(decoding: try WireJSON.encode(wire), as: UTF8.self)
        #expect(json.contains(#""expiredDatetime":"1970-01-12T13:46:40Z""#))
        #expect(json.contains(#""isClusterLatest":false"#))
    }

    @Test func theExampleTrustsTheServersOwnCertificate() throws {
        let at = StageResourceWire.At(stageId: "s", deployStatus: "ACTIVE", stageUrl: "h:1/default/iris")
        let wire = StageResourceWire(StageWorld().resources[0], model: nil, stage: at)
        let snippets = ServingText.examples(
            wire, needsKey: false, home: "/srv/takumi home", sdk: "", try Strings(.english, files: ConsoleFiles()))
        #expect(snippets[0].code.hasPrefix("curl --cacert '/srv/takumi home/ca.pem' -H"))
    }
}
