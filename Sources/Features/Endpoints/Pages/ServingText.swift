import Catalog
import Console
import FeatureKit
import Foundation
import JobKit
import Resource
import ServingKit
import Store
import Web

/// What pages of endpoints, stages and resources say alike.
enum ServingText {
    static func badge(_ phase: GatewayPhase) -> Badge {
        let tone: Tone =
            switch phase {
            case .active: .good
            case .createInProgress, .stageDeploying: .busy
            case .notFoundStage, .notFoundStageDeployResult, .stageDeployFail: .bad
            }
        return Badge(phase.displayName, tone)
    }

    /// What an old version of the platform asks for; none where it is up to date (12.7).
    static func outdated(_ expiry: String?, _ t: Strings) -> [Badge] {
        expiry.map { [Badge(t("serving.replaceBy", ["date": "\($0.prefix(10))"]), .wait)] } ?? []
    }

    /// `2 / 3`: healthy, and wanted.
    static func pods(_ healthy: Int, of all: Int) -> Cell { .number("\(healthy) / \(all)") }

    static func url(_ address: String) -> Cell { .code("https://\(address)") }

    /// "m2.c2m4: 2 vCPU, 4 GiB (1.9 vCPU, 3.9 GiB for pods)": an instance offers less than its type says (SPEC 12.9).
    static func flavor(_ flavor: Flavor, _ t: Strings) -> String {
        let name = FlavorText.text(
            flavor.name, vcpus: flavor.vcpus, memoryMiB: flavor.memoryMiB, gpus: flavor.gpus)
        return t("serving.offers", ["name": name, "room": Allotment(of: flavor).text])
    }

    /// How to ask a resource, with the key that the stage wants.
    /// - Parameter home: the server's, which holds the certificate to trust.
    static func examples(
        _ resource: StageResourceWire?, needsKey: Bool, home: String, sdk: String, _ t: Strings
    ) -> [Snippet] {
        guard let resource, let url = resource.apigwEndpointUri else { return [] }
        let key = needsKey ? "-H \"Authorization: Bearer $API_KEY\" " : ""
        let curl =
            Snippet(
                "curl",
                """
                curl --cacert '\(home)/ca.pem' \(key)-H "Content-Type: application/json" \\
                    \(url) \\
                    -d '{"instances": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]}'
                """)
        // The SDK knows nothing of keys.
        return needsKey ? [curl] : [curl, Snippet(t("snippet.sdk"), sdk)]
    }
}

extension StageType {
    func endpoint(of stage: Stage) async throws -> Endpoint? {
        try await store.resource(ResourceKey(.endpoint, stage.spec.endpointID))
    }

    /// Endpoints / iris / Stages.
    static func crumbs(of endpoint: Endpoint, _ page: Page) -> [[String: String]] {
        let base = "\(page.base)/endpoints"
        return [
            ["name": page.t("endpoint.title"), "href": base],
            ["name": endpoint.metadata.name, "href": "\(base)/\(endpoint.id)"],
            ["name": page.t("endpointStage.title"), "href": "\(base)/\(endpoint.id)/stages"],
        ]
    }
}
