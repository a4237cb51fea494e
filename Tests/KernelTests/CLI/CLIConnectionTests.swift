import Resource
import Testing

@testable import CLI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite struct CLIConnectionTests {
    private static let server = #"{"pid":42,"port":8080,"tlsPort":8443,"url":"http://127.0.0.1:8080","tlsURL":"x"}"#

    private func surroundings(
        _ files: [String: String], _ environment: [String: String] = [:], runs: Bool = true
    ) -> ConnectionSurroundings {
        ConnectionSurroundings(
            environment: environment.merging(["HOME": "/home/me"]) { given, _ in given }, read: { files[$0] },
            isRunning: { $0 == 42 && runs })
    }

    private func resolve(
        home: String? = nil, url: String? = nil, token: String? = nil, project: String? = nil, caFile: String? = nil,
        _ surroundings: ConnectionSurroundings
    ) throws(CommandFailure) -> Connection {
        try .resolve(home: home, url: url, token: token, project: project, caFile: caFile, in: surroundings)
    }

    @Test func aLocalServerIsFoundInItsHome() throws {
        let home = surroundings([
            "/home/me/.takumi/server.json": Self.server, "/home/me/.takumi/cli-token": "secret\n",
            "/home/me/.takumi/ca.pem": "pem",
        ])
        #expect(
            try resolve(home)
                == Connection(
                    url: "http://127.0.0.1:8080", token: "secret", project: "default",
                    caFile: "/home/me/.takumi/ca.pem", isLocal: true, homeLabel: "~/.takumi"))
    }

    @Test(arguments: [false, true])
    func aServerThatDoesNotRunIsOneClearLine(fileIsThere: Bool) {
        let files = fileIsThere ? ["/home/me/.takumi/server.json": Self.server] : [:]
        let failure = #expect(throws: CommandFailure.self) { try resolve(surroundings(files, runs: false)) }
        #expect(
            failure?.lines == ["no Takumi server is running for ~/.takumi; start it with: takumi serve"])
        #expect(failure?.status == 69)
    }

    @Test func anotherHomeIsNamedWithTheCommandForIt() {
        let failure = #expect(throws: CommandFailure.self) {
            try resolve(surroundings([:], ["TAKUMI_HOME": "~/lab"]))
        }
        #expect(
            failure?.lines == ["no Takumi server is running for ~/lab; start it with: takumi serve --home ~/lab"])
    }

    @Test func anOptionWinsOverTheEnvironment() throws {
        let environment = [
            "TAKUMI_URL": "https://other:1/", "TAKUMI_TOKEN": "theirs", "TAKUMI_PROJECT": "vision",
        ]
        let connection = try resolve(url: "https://mine:8443/", token: "mine", surroundings([:], environment))
        #expect(connection.url == "https://mine:8443")
        #expect(connection.token == "mine")
        #expect(connection.project == "vision")
        #expect(!connection.isLocal)
    }

    @Test func theLocalTokenIsNotSentToAURL() {
        let files = ["/home/me/.takumi/server.json": Self.server, "/home/me/.takumi/cli-token": "secret"]
        let failure = #expect(throws: CommandFailure.self) { try resolve(url: "http://other", surroundings(files)) }
        #expect(failure?.status == 64)
        #expect(failure?.lines.first?.contains("--token") == true)
    }

    @Test(arguments: ["other:8080", "ftp://other", "http://other?x=1"])
    func aURLThatIsNoneIsRefused(url: String) {
        let failure = #expect(throws: CommandFailure.self) { try resolve(url: url, token: "t", surroundings([:])) }
        #expect(failure?.lines.first?.contains("'\(url)'") == true)
    }

    @Test func aMissingCertificateIsNamed() {
        let failure = #expect(throws: CommandFailure.self) {
            try resolve(url: "https://x", token: "t", caFile: "nope.pem", surroundings([:]))
        }
        #expect(failure?.lines == ["--ca-file 'nope.pem' cannot be read"])
    }

    @Test func everyRefusalOfTheServerIsALine() {
        let body = """
            {"header":{"isSuccessful":false,"resultCode":40000,"resultMessage":"trainingName: is required"},
             "errors":[{"field":"trainingName","message":"is required"},{"field":"","message":"too much"}]}
            """
        let errors = #expect(throws: ValidationErrors.self) {
            try Envelope.open(status: 400, body: Data(body.utf8))
        }
        #expect(
            errors.map { CommandFailure(describing: $0) } == CommandFailure(["trainingName: is required", "too much"]))
    }

    @Test func aRefusalWithoutAListIsItsMessage() {
        let body = #"{"header":{"isSuccessful":false,"resultCode":1,"resultMessage":"no such training"}}"#
        let errors = #expect(throws: ValidationErrors.self) {
            try Envelope.open(status: 404, body: Data(body.utf8))
        }
        #expect(errors?.isNotFound == true)
        #expect(errors?.errors.map(\.line) == ["no such training"])
    }

    @Test func whatIsNoReplyOfTheAPIIsShownInShort() {
        let error = #expect(throws: TakumiError.self) {
            try Envelope.open(status: 502, body: Data("<html>Bad Gateway</html>".utf8))
        }
        #expect(error?.message == "the server answered 502: <html>Bad Gateway</html>")
    }

    @Test func repliesAreKeptAsTheyCame() throws {
        let text = #"{"a":[1,2.5,true,null,"x"],"big":9007199254740993,"n":{"k":"/"}}"#
        #expect(JSONText.line(try JSONValue(parsing: Data(text.utf8))) == text)
    }

    @Test func idsAreToldFromNames() {
        #expect(Session.isID("0a6f2d3c-6f53-4d2e-9d39-7f2b8f1f9f10"))
        #expect(!Session.isID("0a6f2d3c-6f53-4d2e-9d39-7f2b8f1f9f1"))
        #expect(!Session.isID("my-very-nice-long-name"))
    }

    @Test func everythingButTheUnreservedIsEscaped() {
        #expect(Percent.encode("a b/ü?") == "a%20b%2F%C3%BC%3F")
        #expect(Percent.encodePath("a b/ü?") == "a%20b/%C3%BC%3F")
        #expect(Percent.query([("name", "x&y"), ("limit", "5")]) == "name=x%26y&limit=5")
    }
}
