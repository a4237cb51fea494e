import Console
import FeatureKit
import Foundation
import Gateway
import Identity
import Logging
import Resource
import Store
import Testing

@Suite struct AppsGateTests {
    private let directory: Directory
    private let program = Program()

    init() throws { directory = Directory(store: try Store(path: nil)) }

    /// Lets everybody in who may read the project, and remembers what it was asked.
    private final class Program: ProxiedApp {
        let name = "thing"

        func open(_ request: AppRequest, path: [String], by principal: Principal) async throws -> AppOpening {
            guard let project = path.first, principal.mayRead(project: project) else {
                throw TakumiError(.notFound, "there is no <thing>")
            }
            switch path.dropFirst().first {
            case "starting": throw TakumiError(.unavailable, "the thing is starting")
            case "moved": return .redirect("/thing/p/1/")
            case "ended": return .pass(AppPass(port: 7, mayStay: { false }))
            default:
                return .pass(
                    AppPass(port: 7, headers: [("X-Target", request.target), ("X-Path", path.joined(separator: "|"))]))
            }
        }
    }

    private var gate: AppsGate {
        AppsGate(
            directory: directory, apps: [program], logger: Logger(label: "test"),
            consoleURL: { "https://console:8443" }, isReady: { false })
    }

    private func ask(
        _ target: String, method: String = "GET", _ headers: [String: String] = [:],
        isUpgrade: Bool = false
    ) async -> AppAnswer {
        let headers = headers.merging(["Host": "apps:8444"]) { first, _ in first }
        return await gate.open(
            AppRequest(
                method: method, target: target, headers: headers.map { ($0.key, $0.value) }, isUpgrade: isUpgrade))
    }

    private func ask(method: String = "GET", _ headers: [String: String], isUpgrade: Bool = false) async -> AppAnswer {
        await ask("/thing/p/1/", method: method, headers, isUpgrade: isUpgrade)
    }

    private func token(_ role: Role = .viewer) async throws -> String {
        try await directory.createToken(.api, user: "ann", project: "p", role: role).secret
    }

    /// A user of the project with a session, and the cookie that a ticket gives.
    private func visitor(_ role: Role = .member) async throws -> (user: User, session: String, cookie: String) {
        try await directory.createProject(appKey: "p")
        let user = try await directory.createUser(name: "ann", password: "long enough 1", memberships: ["p": role])
        let session = try #require(try await directory.logIn(name: "ann", password: "long enough 1"))
        let ticket = try #require(try await directory.createTicket(session: session))
        let answer = Answer(await ask("/thing/p/1/lab?file=a%20b&takumi_ticket=\(ticket)&x"))
        #expect(answer.status == 303 && answer.headers["Location"] == "/thing/p/1/lab?file=a%20b&x")
        let cookie = try #require(answer.headers["Set-Cookie"])
        #expect(cookie.hasSuffix("; Path=/; Secure; HttpOnly; SameSite=Lax"))
        #expect(Answer(await ask("/thing/p/1/?takumi_ticket=\(ticket)")).status == 401, "a ticket works twice")
        return (user, session, String(cookie.prefix { $0 != ";" }))
    }

    private struct Answer {
        var status = 0
        var headers: [String: String] = [:]
        var body = ""
        var pass: AppPass?

        init(_ answer: AppAnswer) {
            switch answer {
            case .pass(let pass): self.pass = pass
            case .answer(let status, let headers, let body):
                self.status = status
                self.headers = Dictionary(headers) { $0 + ", " + $1 }
                self.body = String(decoding: body, as: UTF8.self)
            }
        }
    }

    // MARK: - Who it is

    @Test func aTokenOfTheAPIInAnyOfItsPlaces() async throws {
        let token = try await token()
        for headers in [
            ["X-EasyMaker-Token": token], ["authorization": "Bearer \(token)"], ["Authorization": "token \(token)"],
            ["x-nhn-authorization": "Bearer \(token)"],
        ] {
            let pass = try #require(Answer(await ask("/thing/p/1%2F2//a?b=c", headers)).pass, "\(headers)")
            #expect(pass.port == 7 && pass.target == nil)
            #expect(pass.headers.contains { $0 == ("X-Path", "p|1/2|a") })
        }
    }

    @Test func aTokenInTheQueryIsTakenOut() async throws {
        let token = try await token()
        let pass = try #require(
            Answer(
                await ask(
                    "/thing/p/1/?a=1&token=\(token)&b=%20", method: "POST",
                    ["Referer": "https://apps:8444/thing/p/1/?token=\(token)"])
            ).pass)
        #expect(pass.target == "/thing/p/1/?a=1&b=%20")
        #expect(
            pass.headers.contains { $0 == ("X-Target", "/thing/p/1/?a=1&b=%20") }, "the program's side sees the token")
        #expect(pass.headers.contains { $0 == ("Referer", "https://apps:8444/thing/p/1/") })
        #expect(Answer(await ask("/thing/p/1/?token=\(token)")).pass?.target == "/thing/p/1/")
        // What is none of ours is the program's own.
        #expect(Answer(await ask("/thing/p/1/?token=other", ["X-EasyMaker-Token": token])).pass?.target == nil)
        #expect(
            Answer(await ask("/thing/p/1/?token=tk_wrong", ["X-EasyMaker-Token": token])).pass?.target == "/thing/p/1/")
        let page = Answer(await ask("/thing/p/1/?token=tk_wrong", ["Accept": "text/html"]))
        #expect(page.headers["Location"] == "https://console:8443/apps?to=%2Fthing%2Fp%2F1%2F")
    }

    @Test func aCookieOfThisOriginOnly() async throws {
        let visitor = try await visitor()
        #expect(Answer(await ask(["Cookie": "a=b; \(visitor.cookie); c=d"])).pass != nil)
        for cookie in ["__Host-takumi_apps=\(visitor.session)", "__Host-takumi_session=\(visitor.session)"] {
            #expect(Answer(await ask(["Cookie": cookie])).status == 401)
        }
    }

    @Test func withoutAnybody() async throws {
        let page = Answer(await ask("/thing/p/1/lab?file=a%20b", ["Accept": "text/html,*/*"]))
        #expect(page.status == 303)
        #expect(page.headers["Location"] == "https://console:8443/apps?to=%2Fthing%2Fp%2F1%2Flab%3Ffile%3Da%2520b")
        let refused = [
            await ask([:]), await ask(["X-EasyMaker-Token": "tk_wrong"]), await ask(method: "POST", ["Accept": "*/*"]),
            await ask(["Accept": "text/html"], isUpgrade: true), await ask("/other"),
        ]
        for answer in refused.map(Answer.init) {
            #expect(answer.status == 401 && answer.headers["Content-Type"] == "application/json; charset=utf-8")
            #expect(answer.body.contains(#""isSuccessful":false"#) && answer.body.contains("log in"))
        }
    }

    @Test func otherSitesAreRefused() async throws {
        let cookie = try await visitor().cookie
        let own = "https://apps:8444"
        for origin in ["https://apps:8443", "http://apps:8444", "https://elsewhere.example", "null", ""] {
            for (method, isUpgrade) in [("POST", false), ("DELETE", false), ("GET", true)] {
                let headers = ["Cookie": cookie, "Origin": origin]
                #expect(Answer(await ask(method: method, headers, isUpgrade: isUpgrade)).status == 403, "\(origin)")
            }
            #expect(Answer(await ask(["Cookie": cookie, "Origin": origin])).pass != nil)
        }
        for (method, isUpgrade) in [("POST", false), ("GET", true)] {
            let answer = await ask(method: method, ["Cookie": cookie, "Origin": own], isUpgrade: isUpgrade)
            #expect(Answer(answer).pass != nil)
        }
        // No site has the token.
        let headers = ["X-EasyMaker-Token": try await token(), "Origin": "https://elsewhere.example"]
        #expect(Answer(await ask(method: "POST", headers)).pass != nil)
    }

    /// Somebody's own ticket, in a link for somebody else.
    @Test func anotherSitesTicketTakesNobodysPlace() async throws {
        let cookie = try await visitor().cookie
        try await directory.createUser(name: "eve", password: "long enough 2", memberships: ["p": .member])
        let session = try #require(try await directory.logIn(name: "eve", password: "long enough 2"))
        func follow(from site: String, cookie: String) async throws -> Answer {
            let ticket = try #require(try await directory.createTicket(session: session))
            let headers = ["Sec-Fetch-Site": site, "Cookie": cookie]
            return Answer(await ask("/thing/p/1/lab?a=b&takumi_ticket=\(ticket)", headers))
        }
        let refused = try await follow(from: "cross-site", cookie: cookie)
        #expect(refused.status == 303 && refused.headers["Location"] == "/thing/p/1/lab?a=b")
        #expect(refused.headers["Set-Cookie"] == nil)
        // The console is the same site; whose session is over has none to lose.
        #expect(try await follow(from: "same-site", cookie: cookie).headers["Set-Cookie"] != nil)
        #expect(try await follow(from: "cross-site", cookie: "\(cookie)x").headers["Set-Cookie"] != nil)
    }

    @Test func theTokenOfANotebookOpensNothing() async throws {
        let token = try await directory.createToken(.notebook, user: "notebook", project: "p", role: .member).secret
        for answer in [await ask(["X-EasyMaker-Token": token]), await ask("/thing/p/1/?token=\(token)")] {
            let answer = Answer(answer)
            #expect(answer.status == 403 && answer.body.contains("use a token of your own"))
        }
    }

    // MARK: - What is answered

    @Test func whatIsNotThere() async throws {
        let headers = ["X-EasyMaker-Token": try await token()]
        for target in ["/other/p/1/", "/", "/thing", "/thing/foreign/1/", "/projects/p"] {
            let answer = Answer(await ask(target, headers))
            #expect(answer.status == 404 && answer.body.contains(#""resultCode":40400"#), "\(target)")
        }
        let page = Answer(await ask("/thing/foreign/1/", headers.merging(["Accept": "text/html"]) { $1 }))
        #expect(page.status == 404 && page.headers["Content-Type"] == "text/html; charset=utf-8")
        #expect(page.body.contains("there is no &lt;thing&gt;") && !page.body.contains("refresh"))
    }

    @Test func whatIsNotThereYet() async throws {
        let headers = ["X-EasyMaker-Token": try await token()]
        let accepting = headers.merging(["Accept": "text/html"]) { $1 }
        let page = Answer(await ask("/thing/p/starting/", accepting))
        #expect(page.status == 503 && page.body.contains(#"http-equiv="refresh" content="2""#))
        #expect(!Answer(await ask("/thing/p/starting/", method: "POST", accepting)).body.contains("refresh"))
        #expect(Answer(await ask("/thing/p/starting/", headers)).body.contains("the thing is starting"))
        #expect(Answer(await ask("/thing/p/moved", headers)).headers["Location"] == "/thing/p/1/")
    }

    @Test func health() async throws {
        #expect(Answer(await ask("/healthz")).status == 503)
        let ready = AppsGate(
            directory: directory, apps: [], logger: Logger(label: "test"), consoleURL: { "" }, isReady: { true })
        #expect(Answer(await ready.open(AppRequest(target: "/healthz"))).body == "ok\n")
    }

    // MARK: - How long it lasts

    @Test func untilTheTokenIsRevoked() async throws {
        let visitor = try await visitor()
        let own = try await directory.createToken(
            .api, user: "ann", project: "p", role: .member, owner: visitor.user.id, label: "mine")
        let pass = try #require(Answer(await ask(["X-EasyMaker-Token": own.secret])).pass)
        #expect(await pass.mayStay())
        for token in try await directory.tokens(of: visitor.user.id) { try await directory.revoke(token) }
        #expect(await !pass.mayStay())
    }

    @Test func untilTheLogOut() async throws {
        let visitor = try await visitor()
        let pass = try #require(Answer(await ask(["Cookie": visitor.cookie])).pass)
        #expect(await pass.mayStay())
        try await directory.logOut(session: visitor.session)
        #expect(await !pass.mayStay())
    }

    @Test(arguments: [Role?.none, .viewer]) func untilTheRoleIsLess(role: Role?) async throws {
        let visitor = try await visitor()
        let pass = try #require(Answer(await ask(["Cookie": visitor.cookie])).pass)
        #expect(await pass.mayStay())
        try await directory.change(visitor.user, roles: ["p": role])
        #expect(await !pass.mayStay())
    }

    @Test func untilTheProgramSaysSo() async throws {
        let pass = try #require(
            Answer(await ask("/thing/p/ended/", ["X-EasyMaker-Token": try await token()])).pass)
        #expect(await !pass.mayStay())
    }
}
