import Control
import ExperimentsFeature
import FeatureKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Identity
import Logging
import Store
import Support
import Testing
import Web

/// The generic routes of a kind, in process, with experiments as the kind.
@Suite struct ExperimentRoutesTests {
    private let folder: TemporaryFolder
    private let store: Store
    private let directory: Directory

    init() throws {
        folder = try TemporaryFolder()
        store = try Store(path: nil)
        directory = Directory(store: store)
    }

    private struct Answer: Decodable {
        struct Header: Decodable {
            var isSuccessful: Bool
            var resultMessage: String
        }
        struct Experiment: Decodable {
            struct Tag: Decodable { var tagKey, tagValue: String }
            var experimentId, experimentName, experimentStatusCode, description: String
            var tagList: [Tag]
        }
        struct Problem: Decodable {
            var field: String?
            var message: String
        }
        struct Event: Decodable { var message: String }
        var header: Header
        var experiment: Experiment?
        var experimentList: [Experiment]?
        var totalCount: Int?
        var errors: [Problem]?
        var eventList: [Event]?
    }

    private struct Client {
        let client: any TestClientProtocol
        let token: String

        @discardableResult
        func send(
            _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, project: String = "default"
        ) async throws -> (status: Int, answer: Answer) {
            let headers: HTTPFields = [.authorization: "Bearer \(token)", .contentType: "application/json"]
            return try await client.execute(
                uri: "/v1.0/appkeys/\(project)/\(path)", method: method, headers: headers,
                body: body.map { ByteBuffer(string: $0) }
            ) { response in
                (Int(response.status.code), try JSONDecoder().decode(Answer.self, from: Data(buffer: response.body)))
            }
        }
    }

    private func test(role: Role = .member, _ body: @escaping @Sendable (Client) async throws -> Void) async throws {
        let feature = ExperimentsFeature(
            store: store, sources: ClockAndIDs(), home: folder.path, publicURL: { "https://takumi.test" })
        let router = Router(context: TakumiContext.self)
        router.add(middleware: ErrorEnvelope(methods: RouteMethods()))
        router.add(middleware: Authentication(directory: directory))
        feature.addProjectRoutes(
            to: router.group("v1.0/appkeys/{appKey}").add(middleware: ProjectAccess(directory: directory)))
        try await directory.createProject(appKey: "default")
        let token = try await directory.createToken(.api, user: "ann", project: "default", role: role).secret
        try await Application(router: router).test(.router) { try await body(Client(client: $0, token: token)) }
    }

    @Test func createsReadsChangesAndDeletes() async throws {
        try await test { client async throws in
            let created = try await client.send(
                .post, "experiments",
                #"{"experimentName": "one", "description": "d", "tagList": [{"tagKey": "k", "tagValue": "v"}]}"#)
            #expect(created.status == 200)
            let experiment = try #require(created.answer.experiment)
            #expect(experiment.experimentStatusCode == "CREATE_REQUESTED")
            let id = experiment.experimentId

            let refused = try await client.send(.delete, "experiments/\(id)")
            #expect(refused.status == 409)
            #expect(refused.answer.header.resultMessage.contains("being created"))

            let feature = ExperimentsFeature(
                store: store, sources: ClockAndIDs(), home: folder.path, publicURL: { "https://takumi.test" })
            let reconciler = try #require(feature.reconcilers.first)
            for key in try await store.keys(unsettledOf: reconciler.kind) {
                _ = try await reconciler.reconcile(key)
                _ = try await reconciler.reconcile(key)
            }
            let read = try await client.send(.get, "experiments/\(id.uppercased())").answer.experiment
            #expect(read?.experimentStatusCode == "ACTIVE")

            let changed = try await client.send(
                .put, "experiments/\(id)", #"{"experimentName": "two", "tagList": []}"#
            ).answer.experiment
            #expect(changed?.experimentName == "two" && changed?.description == "d" && changed?.tagList.isEmpty == true)
            #expect(
                try await client.send(.get, "experiments/\(id)/events").answer.eventList?.map(\.message) == [
                    "requested", "ready",
                ])

            #expect(try await client.send(.delete, "experiments/\(id)").status == 200)
            #expect(try await client.send(.get, "experiments/\(id)").status == 404)
        }
    }

    @Test(
        arguments: [
            (#"{}"#, "experimentName"), (#"{"experimentName": ""}"#, "experimentName"),
            (#"{"experimentName": "\#(String(repeating: "x", count: 51))"}"#, "experimentName"),
            (#"{"experimentName": "a/b"}"#, "experimentName"), (#"{"experimentName": 5}"#, "experimentName"),
            (#"{"experimentName": "a", "description": "\#(String(repeating: "x", count: 256))"}"#, "description"),
            (
                #"{"experimentName": "a", "tagList": [\#((0..<11).map { #"{"tagKey": "\#($0)", "tagValue": ""}"# }.joined(separator: ","))]}"#,
                "tagList"
            ),
            (#"{"experimentName": "a", "tagList": [{"tagKey": "k"}, {"tagKey": "k"}]}"#, "tagList[1].tagKey"),
        ])
    func refusesBadInputWithItsField(body: String, field: String) async throws {
        try await test { client async throws in
            let refused = try await client.send(.post, "experiments", body)
            #expect(refused.status == 400)
            #expect(!refused.answer.header.isSuccessful)
            #expect(refused.answer.errors?.first?.field == field)
            #expect(try await client.send(.get, "experiments").answer.experimentList?.isEmpty == true)
        }
    }

    @Test func explainsBrokenJSON() async throws {
        try await test { client async throws in
            let refused = try await client.send(.post, "experiments", #"{"experimentName": "#)
            #expect(refused.status == 400)
            #expect(refused.answer.header.resultMessage.contains("not valid JSON"))
        }
    }

    @Test func refusesABodyThatIsTooLarge() async throws {
        try await test { client async throws in
            let body = #"{"experimentName": "a", "description": "\#(String(repeating: "x", count: 2 << 20))"}"#
            #expect(try await client.send(.post, "experiments", body).status == 413)
        }
    }

    @Test func namesAreUniqueInAProject() async throws {
        try await test { client async throws in
            try await client.send(.post, "experiments", #"{"experimentName": "one"}"#)
            let refused = try await client.send(.post, "experiments", #"{"experimentName": "one"}"#)
            #expect(refused.status == 409)
            #expect(refused.answer.errors?.first?.field == "experimentName")
        }
    }

    @Test func listsWithFiltersAndPages() async throws {
        try await test { client async throws in
            for name in ["a b", "b", "c"] {
                try await client.send(.post, "experiments", #"{"experimentName": "\#(name)"}"#)
            }
            let all = try await client.send(.get, "experiments").answer
            #expect(all.experimentList?.map(\.experimentName) == ["c", "b", "a b"])
            let page = try await client.send(.get, "experiments?limit=1&offset=1").answer
            #expect(page.experimentList?.map(\.experimentName) == ["b"])
            #expect(page.totalCount == 3)
            // As Python's requests writes a list with a space in it.
            let named = try await client.send(.get, "experiments?experimentNameList=a+b&experimentNameList=c").answer
            #expect(named.experimentList?.map(\.experimentName) == ["c", "a b"])
            #expect(try await client.send(.get, "experiments?limit=x").status == 400)
            // The second list comes from the cache of encoded answers and must know of changes.
            let id = try #require(all.experimentList?.first?.experimentId)
            try await client.send(.put, "experiments/\(id)", #"{"experimentName": "renamed"}"#)
            #expect(
                try await client.send(.get, "experiments").answer.experimentList?.first?.experimentName == "renamed")
        }
    }

    @Test func onlyNameDescriptionAndTagsCanChange() async throws {
        try await test { client async throws in
            let id = try #require(
                try await client.send(.post, "experiments", #"{"experimentName": "one"}"#).answer.experiment?
                    .experimentId)
            let refused = try await client.send(.put, "experiments/\(id)", #"{"experimentStatusCode": "ACTIVE"}"#)
            #expect(refused.status == 400)
            #expect(refused.answer.errors?.first?.field == "experimentStatusCode")
        }
    }

    @Test func aForeignProjectLooksAsIfItWereNotThere() async throws {
        try await directory.createProject(appKey: "other")
        try await test { client async throws in
            #expect(try await client.send(.get, "experiments", project: "other").status == 404)
            #expect(try await client.send(.get, "experiments", project: "nowhere").status == 404)
        }
    }

    @Test func aViewerMayLookAndNotChange() async throws {
        try await test(role: .viewer) { client async throws in
            #expect(try await client.send(.get, "experiments").status == 200)
            #expect(try await client.send(.post, "experiments", #"{"experimentName": "a"}"#).status == 403)
        }
    }

    @Test func aRequestWithoutATokenIsRefused() async throws {
        try await test { client async throws in
            let anonymous = Client(client: client.client, token: "tk_wrong")
            #expect(try await anonymous.send(.get, "experiments").status == 401)
        }
    }
}
