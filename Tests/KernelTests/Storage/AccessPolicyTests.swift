import Resource
import Testing

@testable import Storage

@Suite struct AccessPolicyTests {
    private let owner = StorageIdentity(tenantID: "own", userID: "u1", userName: "alice")
    private let other = StorageIdentity(tenantID: "foreign", userID: "u2", userName: "bob")
    private let service = StorageIdentity(tenantID: "own", userID: "api", userName: "service", isAccountUser: false)

    @Test func ownersMayDoEverythingAndOthersNothing() {
        for action in [StorageAction.read, .write, .list] {
            #expect(AccessPolicy.none.allows(owner, action, in: "own"))
            #expect(!AccessPolicy.none.allows(other, action, in: "own"))
            #expect(!AccessPolicy.none.allows(nil, action, in: "own"))
            #expect(!AccessPolicy.none.allows(service, action, in: "own"))
        }
    }

    @Test(arguments: ["foreign:u2", "foreign:bob", "foreign:*", "*:u2", "*:*", " x:y , foreign : u2 ,"])
    func grantsReading(_ acl: String) throws {
        let policy = try AccessPolicy(read: acl, write: "")
        #expect(policy.allows(other, .read, in: "own"))
        #expect(policy.allows(other, .list, in: "own"))
        #expect(!policy.allows(other, .write, in: "own"))
    }

    @Test(arguments: ["foreign:u1", "own:u2", "*:alice", "x:*", ""])
    func doesNotGrant(_ acl: String) throws {
        let policy = try AccessPolicy(read: acl, write: acl)
        #expect(!policy.allows(other, .read, in: "own"))
        #expect(!policy.allows(other, .write, in: "own"))
    }

    @Test func theServiceAccountNeedsItsGrant() throws {
        let policy = try AccessPolicy(read: service.grant, write: "")
        #expect(service.grant == "own:api")
        #expect(policy.allows(service, .read, in: "own"))
        #expect(!policy.allows(service, .write, in: "own"))
        #expect(try AccessPolicy(read: "", write: service.grant).allows(service, .write, in: "own"))
    }

    @Test func everyoneMayReadAPublicContainer() throws {
        let policy = try AccessPolicy(read: ".r:*", write: "")
        #expect(policy.allows(nil, .read, in: "own"))
        #expect(!policy.allows(nil, .list, in: "own"))
        let listing = try AccessPolicy(read: ".referrer:*,.rlistings", write: "")
        #expect(listing.allows(nil, .list, in: "own"))
        #expect(listing.readHeader == ".r:*,.rlistings")
        #expect(try !AccessPolicy(read: ".rlistings", write: "").allows(nil, .list, in: "own"))
    }

    @Test(arguments: ["a", "a:b:c", ":b", "a:", ".r:-host", ".r:host.example.com", ".r", ".x:*", "a b:c", "a:b;c:d e"])
    func refusesWhatItDoesNotKnow(_ acl: String) throws {
        let error = try #require(throws: TakumiError.self) { try AccessPolicy(read: acl, write: "") }
        #expect(error.field == "X-Container-Read")
    }

    @Test func thePublicCannotWrite() throws {
        let error = try #require(throws: TakumiError.self) { try AccessPolicy(read: "", write: ".r:*") }
        #expect(error.field == "X-Container-Write")
    }
}
