import Foundation
import Identity
import Store
import Support
import Testing
import X509

@Suite struct DirectoryTests {
    private let directory: Directory
    private let store: Store

    init() throws {
        store = try Store(path: nil)
        directory = Directory(store: store)
    }

    @Test func aTokenStandsForItsUserAndProject() async throws {
        let token = try await directory.createToken(.api, user: "ann", project: "default", role: .member)
        let principal = try await directory.principal(of: token.secret, purposes: [.api])
        #expect(principal == Principal(user: "ann", project: "default", role: .member))
        #expect(try await directory.principal(of: token.secret, purposes: [.session]) == nil)
        #expect(try await directory.principal(of: "tk_unknown", purposes: [.api]) == nil)
    }

    @Test func theSecretIsNotKept() async throws {
        let token = try await directory.createToken(.api, user: "ann", project: "default", role: .member)
        for record in try await store.records(Query(.token, project: nil)) {
            #expect(record.metadata.name.count == 64)
            #expect(!String(decoding: record.spec, as: UTF8.self).contains(token.secret))
        }
    }

    @Test func anExpiredTokenIsNoToken() async throws {
        let token = try await directory.createToken(.api, user: "ann", project: "default", role: .member, lifetime: -1)
        #expect(try await directory.principal(of: token.secret, purposes: [.api]) == nil)
    }

    @Test func aLoginLinkWorksOnce() async throws {
        let link = try await directory.createToken(
            .login, user: "admin", project: nil, role: .administrator, lifetime: 60)
        let session = try #require(try await directory.redeem(login: link.secret))
        #expect(try await directory.principal(of: session, purposes: [.session])?.role == .administrator)
        #expect(try await directory.redeem(login: link.secret) == nil)
        #expect(try await directory.redeem(login: session) == nil)
    }

    @Test func rolesAndProjectsBoundWhatOneMayDo() {
        let viewer = Principal(user: "v", project: "a", role: .viewer)
        #expect(viewer.mayRead(project: "a") && !viewer.mayWrite(project: "a") && !viewer.mayRead(project: "b"))
        let member = Principal(user: "m", project: "a", role: .administrator)
        #expect(member.mayWrite(project: "a") && !member.mayRead(project: "b"))
        let server = Principal(user: "s", project: nil, role: .administrator)
        #expect(server.mayWrite(project: "a") && server.mayWrite(project: "b"))
        #expect(!Principal(user: "x", project: nil, role: .member).mayRead(project: "a"))
    }

    @Test func theAuthoritySignsForAllHostsAndIsKept() throws {
        let folder = try TemporaryFolder()
        let first = try CertificateAuthority(home: folder.path, hosts: ["127.0.0.1", "localhost"])
        let ca = try String(contentsOfFile: first.caPath, encoding: .utf8)
        let leaf = try Certificate(pemEncoded: String(contentsOfFile: first.certificatePath, encoding: .utf8))
        let again = try CertificateAuthority(home: folder.path, hosts: ["127.0.0.1", "localhost"])
        #expect(try String(contentsOfFile: again.certificatePath, encoding: .utf8) == leaf.serializeAsPEM().pemString)
        // Another host: a new certificate of the same authority.
        _ = try CertificateAuthority(home: folder.path, hosts: ["127.0.0.1", "localhost", "takumi.test"])
        #expect(try String(contentsOfFile: first.caPath, encoding: .utf8) == ca)
        let renewed = try Certificate(pemEncoded: String(contentsOfFile: first.certificatePath, encoding: .utf8))
        #expect(renewed != leaf)
        #expect("\(renewed.extensions)".contains("takumi.test"))
        let mode = try FileManager.default.attributesOfItem(atPath: first.keyPath)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }
}
