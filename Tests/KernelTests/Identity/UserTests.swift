import Foundation
import Identity
import Resource
import Store
import Testing

@Suite struct UserTests {
    private let directory: Directory
    private let store: Store

    init() async throws {
        store = try Store(path: nil)
        directory = Directory(store: store)
        try await directory.createProject(appKey: "default")
        try await directory.createProject(appKey: "vision")
    }

    @Test func aPasswordLetsItsUserInAndNobodyElse() async throws {
        try await directory.createUser(name: "ann", password: "correct horse", memberships: ["default": .member])
        let session = try #require(try await directory.logIn(name: "ann", password: "correct horse"))
        let principal = try #require(try await directory.principal(of: session, purposes: [.session]))
        #expect(principal.user == "ann" && !principal.isAdministrator)
        #expect(principal.mayWrite(project: "default") && !principal.mayRead(project: "vision"))
        #expect(try await directory.logIn(name: "ann", password: "correct horsE") == nil)
        #expect(try await directory.logIn(name: "bob", password: "correct horse") == nil)
    }

    @Test func whoHasNoPasswordNeedsALink() async throws {
        try await directory.createUser(name: "ann")
        #expect(try await directory.logIn(name: "ann", password: "") == nil)
    }

    @Test func thePasswordIsNotKept() async throws {
        let user = try await directory.createUser(name: "ann", password: "correct horse")
        let record = try #require(try await store.record(user.key))
        #expect(!String(decoding: record.spec, as: UTF8.self).contains("correct horse"))
        let other = try await directory.createUser(name: "bob", password: "correct horse")
        #expect(user.spec.password != other.spec.password, "two users with one password must not look alike")
    }

    @Test(arguments: [
        ("", "password12"), ("-ann", "password12"), ("a b", "password12"), ("ann", "short"),
        ("annannanna", "ANNANNANNA"),
    ])
    func badNamesAndPasswordsAreRefused(name: String, password: String) async throws {
        await #expect(throws: ValidationErrors.self) {
            try await directory.createUser(name: name, password: password)
        }
    }

    @Test func namesAreUnique() async throws {
        try await directory.createUser(name: "ann")
        await #expect(throws: TakumiError.self) { try await directory.createUser(name: "ann") }
    }

    @Test func aNewPasswordEndsTheOtherSessions() async throws {
        let user = try await directory.createUser(name: "ann", password: "correct horse")
        let here = try #require(try await directory.logIn(name: "ann", password: "correct horse"))
        let elsewhere = try #require(try await directory.logIn(name: "ann", password: "correct horse"))
        try await directory.change(user, password: "battery staple", keeping: here)
        #expect(try await directory.principal(of: here, purposes: [.session]) != nil)
        #expect(try await directory.principal(of: elsewhere, purposes: [.session]) == nil)
        #expect(try await directory.logIn(name: "ann", password: "correct horse") == nil)
        #expect(try await directory.logIn(name: "ann", password: "battery staple") != nil)
    }

    @Test func aTokenCanDoNoMoreThanItsOwner() async throws {
        let user = try await directory.createUser(name: "ann", memberships: ["default": .member])
        let token = try await directory.createToken(
            .api, user: "ann", project: "default", role: .administrator, owner: user.id
        ).secret
        func role() async throws -> Role? { try await directory.principal(of: token, purposes: [.api])?.role }
        #expect(try await role() == .member)
        try await directory.change(user, roles: ["default": .viewer])
        #expect(try await role() == .viewer)
        try await directory.change(user, roles: ["default": nil])
        #expect(try await role() == nil)
        try await directory.change(user, isAdministrator: true)
        #expect(try await role() == .administrator)
    }

    @Test func aUserGoesWithSessionsAndTokens() async throws {
        try await directory.ensureAdministrator()
        let user = try await directory.createUser(
            name: "ann", password: "correct horse", memberships: ["default": .member])
        let session = try #require(try await directory.logIn(name: "ann", password: "correct horse"))
        let token = try await directory.createToken(
            .api, user: "ann", project: "default", role: .member, owner: user.id
        ).secret
        try await directory.deleteUser(user.id)
        #expect(try await directory.principal(of: session, purposes: [.session]) == nil)
        #expect(try await directory.principal(of: token, purposes: [.api]) == nil)
    }

    @Test func somebodyAlwaysAdministersTheServer() async throws {
        let admin = try await directory.ensureAdministrator()
        #expect(try await directory.ensureAdministrator().id == admin.id)
        await #expect(throws: TakumiError.self) { try await directory.deleteUser(admin.id) }
        await #expect(throws: TakumiError.self) { try await directory.change(admin, isAdministrator: false) }
        let second = try await directory.createUser(name: "ann", isAdministrator: true)
        try await directory.deleteUser(admin.id)
        #expect(try await directory.ensureAdministrator().id == second.id)
    }

    @Test func aChangeIsMadeWholeOrNotAtAll() async throws {
        let admin = try await directory.ensureAdministrator()
        await #expect(throws: TakumiError.self) {
            try await directory.change(admin, password: "correct horse", isAdministrator: false)
        }
        await #expect(throws: TakumiError.self) {
            try await directory.change(admin, password: "correct horse", roles: ["nothing": .member])
        }
        #expect(try await directory.user(id: admin.id)?.spec.password == nil)
    }

    @Test func sessionsThatBelongToNobodyAreNone() async throws {
        let old = try await directory.createToken(.session, user: "admin", project: nil, role: .administrator).secret
        #expect(try await directory.principal(of: old, purposes: [.session]) == nil)
    }

    @Test func theOtherOriginsCookieEndsWithItsSession() async throws {
        try await directory.createUser(name: "ann", password: "correct horse", memberships: ["default": .viewer])
        let session = try #require(try await directory.logIn(name: "ann", password: "correct horse"))
        let ticket = try #require(try await directory.createTicket(session: session))
        #expect(try await directory.principal(of: ticket, purposes: [.session, .apps]) == nil, "a ticket is no cookie")
        let cookie = try #require(try await directory.redeem(ticket: ticket))
        #expect(try await directory.redeem(ticket: ticket) == nil, "a ticket works twice")
        #expect(try await directory.createTicket(session: cookie) == nil, "the other origin makes tickets")
        #expect(try await directory.principal(of: cookie, purposes: [.session]) == nil, "it is worth something here")
        #expect(try await directory.principal(of: cookie, purposes: [.apps])?.mayRead(project: "default") == true)
        try await directory.logOut(session: session)
        #expect(try await directory.principal(of: cookie, purposes: [.apps]) == nil)
    }
}

@Suite struct LoginThrottleTests {
    private func throttle(failures: Int, user: String = "ann", address: String = "1.2.3.4") -> LoginThrottle {
        var throttle = LoginThrottle()
        for _ in 0..<failures { throttle.failed(user: user, address: address, now: .zero) }
        return throttle
    }

    @Test func theFirstTriesAreFree() {
        #expect(throttle(failures: 4).delay(user: "ann", address: "1.2.3.4", now: .zero) == nil)
    }

    @Test func thenEachWaitIsTwiceTheLast() {
        #expect(throttle(failures: 5).delay(user: "ann", address: "1.2.3.4", now: .zero) == .seconds(1))
        #expect(throttle(failures: 8).delay(user: "ann", address: "1.2.3.4", now: .zero) == .seconds(8))
        #expect(throttle(failures: 29).delay(user: "ann", address: "1.2.3.4", now: .zero) == .seconds(300))
        #expect(throttle(failures: 8).delay(user: "ann", address: "1.2.3.4", now: .seconds(9)) == nil)
    }

    @Test func aStrangerDoesNotLockAUserOut() {
        #expect(throttle(failures: 20).delay(user: "ann", address: "5.6.7.8", now: .zero) == nil)
    }

    @Test func manyNamesFromOneAddressAreOneGuesser() {
        var throttle = LoginThrottle()
        for index in 0..<31 { throttle.failed(user: "user\(index)", address: "1.2.3.4", now: .zero) }
        #expect(throttle.delay(user: "another", address: "1.2.3.4", now: .zero) != nil)
    }

    @Test func whoKnowsThePasswordLeavesNoTrace() {
        var throttle = LoginThrottle()
        for _ in 0..<200 {
            throttle.failed(user: "ann", address: "1.2.3.4", now: .zero)
            throttle.succeeded(user: "ann", address: "1.2.3.4")
        }
        #expect(throttle.delay(user: "ann", address: "1.2.3.4", now: .zero) == nil)
        #expect(throttle.delay(user: "bob", address: "1.2.3.4", now: .zero) == nil)
    }

    @Test func successAndTimeForgive() {
        var throttle = throttle(failures: 10)
        #expect(throttle.delay(user: "ann", address: "1.2.3.4", now: .seconds(16 * 60)) == nil)
        throttle.succeeded(user: "ann", address: "1.2.3.4")
        #expect(throttle.delay(user: "ann", address: "1.2.3.4", now: .zero) == nil)
    }
}
