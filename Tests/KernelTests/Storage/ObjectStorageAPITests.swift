import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Resource
import Testing

@testable import ObjectStorageFeature
@testable import Storage

@Suite struct ObjectStorageAPITests {
    static func withAPI(
        _ setup: TestingSetup = .router, _ work: @escaping @Sendable (StorageClient, DiskStore) async throws -> Void
    ) async throws {
        try await withStorageFolder { folder in
            let store = try DiskStore(root: "\(folder)/store", isDurable: false)
            let router = Router()
            ObjectStorageAPI(store: store, authority: FakeAuthority(), publicURL: { "https://store:8443" }).addRoutes(
                to: router)
            try await Application(router: router).test(setup) { client in
                try await work(StorageClient(client: client), store)
            }
        }
    }

    private let base = "/v1/AUTH_t"

    @Test func containersAndObjects() async throws {
        try await Self.withAPI { api, _ in
            #expect(try await api.send("HEAD", base)["X-Account-Container-Count"] == "0")
            #expect(try await api.send("PUT", "\(base)/c").code == 201)
            #expect(try await api.send("PUT", "\(base)/c").code == 202)
            let put = try await api.send("PUT", "\(base)/c/a/b%20c.txt", ["X-Object-Meta-Color": "blue"], body: "hello")
            #expect(put.code == 201)
            #expect(put["Etag"] == "5d41402abc4b2a76b9719d911017c592")
            #expect(put["X-Trans-Id"]?.hasPrefix("tx") == true)
            let get = try await api.send("GET", "\(base)/c/a/b%20c.txt")
            #expect(get.code == 200)
            #expect(get.text == "hello")
            #expect(get["Content-Type"] == "text/plain")
            #expect(get["X-Object-Meta-Color"] == "blue")
            #expect(get["Accept-Ranges"] == "bytes")
            let head = try await api.send("HEAD", "\(base)/c/a/b%20c.txt")
            #expect(head.code == 200)
            #expect(head["Content-Length"] == "5")
            #expect(head.text.isEmpty)
            let container = try await api.send("HEAD", "\(base)/c")
            #expect(container.code == 204)
            #expect(container["X-Container-Object-Count"] == "1")
            #expect(container["X-Container-Bytes-Used"] == "5")
            #expect(try await api.send("POST", "\(base)/c/a/b%20c.txt", ["X-Object-Meta-Size": "xl"]).code == 202)
            let changed = try await api.send("HEAD", "\(base)/c/a/b%20c.txt")
            #expect(changed["X-Object-Meta-Size"] == "xl")
            #expect(changed["X-Object-Meta-Color"] == nil)
            #expect(try await api.send("DELETE", "\(base)/c").code == 409)
            #expect(try await api.send("DELETE", "\(base)/c/a/b%20c.txt").code == 204)
            #expect(try await api.send("DELETE", "\(base)/c/a/b%20c.txt").code == 404)
            #expect(try await api.send("DELETE", "\(base)/c").code == 204)
            #expect(try await api.send("GET", "\(base)/c").code == 404)
            #expect(try await api.send("PUT", base).code == 405)
        }
    }

    @Test func listings() async throws {
        try await Self.withAPI { api, _ in
            try await api.send("PUT", "\(base)/c")
            let empty = try await api.send("GET", "\(base)/c")
            #expect(empty.code == 204)
            #expect(try await api.send("GET", "\(base)/c?format=json").text == "[]")
            for name in ["a", "d/1", "d/2", "e%0Af", "z"] {
                let put = try await api.send("PUT", "\(base)/c/\(name)", body: "x")
                #expect(put.code == 201, "\(name): \(put.text)")
            }
            #expect(try await api.send("GET", "\(base)/c").text == "a\nd/1\nd/2\ne\nf\nz\n")
            #expect(try await api.send("GET", "\(base)/c?prefix=d/&limit=1").text == "d/1\n")
            #expect(try await api.send("GET", "\(base)/c?prefix=d%2F&marker=d%2F1&limit=1000").text == "d/2\n")
            #expect(try await api.send("GET", "\(base)/c?delimiter=/&end_marker=e").text == "a\nd/\n")
            let json = try await api.send("GET", "\(base)/c?format=json&delimiter=/&marker=a&limit=2")
            #expect(json["Content-Type"] == "application/json; charset=utf-8")
            let items = try #require(try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [[String: Any]])
            #expect(items.count == 2)
            #expect(items[0]["subdir"] as? String == "d/")
            #expect(items[1]["name"] as? String == "e\nf")
            #expect(items[1]["bytes"] as? Int == 1)
            #expect(items[1]["hash"] as? String == "9dd4e461268c8034f5c8564e155c67a6")
            #expect(try await api.send("GET", base).text == "c\n")
            #expect(try await api.send("GET", "\(base)?format=json").text.contains("\"count\":5"))
            #expect(try await api.send("GET", "\(base)/c?limit=10001").code == 412)
            #expect(try await api.send("GET", "\(base)/c?limit=x").code == 412)
            #expect(try await api.send("GET", "\(base)/c?prefix=%ff").code == 412)
        }
    }

    @Test func namesAreDecodedOnce() async throws {
        try await Self.withAPI { api, store in
            try await api.send("PUT", "\(base)/c")
            let names = [
                "a%2Fb": "a/b", "a%252Fb": "a%2Fb", "x//y": "x//y", "../../c2/z": "../../c2/z", "%2e%2e/q": "../q",
                "d/": "d/",
                "plus+sign": "plus+sign", "e%CC%81": "e\u{301}", "%C3%A9": "é", "a%3Fb": "a?b", "/lead": "/lead",
            ]
            for (sent, name) in names {
                #expect(try await api.send("PUT", "\(base)/c/\(sent)", body: sent).code == 201, "\(sent)")
                let path = ContainerPath(tenant: "t", container: "c").object(name)
                #expect(try await store.text(path) == sent, "\(sent)")
                #expect(try await api.send("GET", "\(base)/c/\(sent)").text == sent)
            }
            #expect(try await store.names(ContainerPath(tenant: "t", container: "c")).count == names.count)
            #expect(try await api.send("PUT", "\(base)/c/a%00b", body: "x").code == 412)
            #expect(try await api.send("PUT", "\(base)/c/%ff", body: "x").code == 412)
            #expect(
                try await api.send("PUT", "\(base)/c/\(String(repeating: "x", count: 1025))", body: "x").code == 400)
            #expect(try await api.send("PUT", "\(base)/\(String(repeating: "x", count: 300))").code == 400)
            #expect(try await api.send("PUT", "\(base)//x", body: "x").code == 400)
        }
    }

    @Test func accessIsCheckedEverywhere() async throws {
        try await Self.withAPI { api, _ in
            try await api.send("PUT", "\(base)/c")
            try await api.send("PUT", "\(base)/c/x", body: "x")
            for (method, path) in [
                ("GET", base), ("HEAD", base), ("POST", base), ("GET", "\(base)/c"), ("PUT", "\(base)/c"),
                ("PUT", "\(base)/new"),
                ("DELETE", "\(base)/c"), ("POST", "\(base)/c"), ("GET", "\(base)/c/x"), ("PUT", "\(base)/c/x"),
                ("DELETE", "\(base)/c/x"), ("POST", "\(base)/c/x"), ("COPY", "\(base)/c/x"), ("GET", "\(base)/none"),
            ] {
                let anonymous = try await api.send(method, path, as: nil)
                #expect(anonymous.code == 401, "\(method) \(path)")
                #expect(anonymous["Www-Authenticate"] == "Swift realm=\"AUTH_t\"")
                #expect(try await api.send(method, path, as: "nobody").code == 401, "\(method) \(path)")
                #expect(try await api.send(method, path, as: "bob").code == 403, "\(method) \(path)")
                #expect(try await api.send(method, path, as: "service").code == 403, "\(method) \(path)")
            }
            #expect(try await api.send("POST", "\(base)/c", ["X-Container-Read": "t:api"]).code == 204)
            #expect(try await api.send("GET", "\(base)/c/x", as: "service").text == "x")
            #expect(try await api.send("GET", "\(base)/c", as: "service").text == "x\n")
            #expect(try await api.send("PUT", "\(base)/c/y", as: "service", body: "y").code == 403)
            try await api.send("POST", "\(base)/c", ["X-Container-Write": "t:api, other:bob"])
            #expect(try await api.send("PUT", "\(base)/c/y", as: "service", body: "y").code == 201)
            #expect(try await api.send("PUT", "\(base)/c", as: "service").code == 403)
            #expect(try await api.send("HEAD", "\(base)/c")["X-Container-Read"] == "t:api")
            #expect(try await api.send("HEAD", "\(base)/c", as: "service")["X-Container-Read"] == nil)
            #expect(try await api.send("POST", "\(base)/c", ["X-Container-Read": "nonsense"]).code == 400)
            // Copying needs both ends.
            try await api.send("PUT", "/v1/AUTH_other/mine", as: "bob")
            #expect(
                try await api.send(
                    "PUT", "\(base)/c/z", as: "bob", ["X-Copy-From": "/mine/n", "X-Copy-From-Account": "AUTH_other"]
                ).code == 404)
            #expect(try await api.send("PUT", "\(base)/c/z", as: "bob", ["X-Copy-From": "/c/x"]).code == 403)
            // The public.
            try await api.send("POST", "\(base)/c", ["X-Container-Read": ".r:*"])
            #expect(try await api.send("GET", "\(base)/c/x", as: nil).text == "x")
            #expect(try await api.send("GET", "\(base)/c", as: nil).code == 401)
            #expect(try await api.send("GET", "\(base)/c/x", as: "bob").text == "x")
            try await api.send("POST", "\(base)/c", ["X-Remove-Container-Read": "x"])
            #expect(try await api.send("GET", "\(base)/c/x", as: nil).code == 401)
        }
    }

    @Test func conditionsAndRanges() async throws {
        try await Self.withAPI { api, _ in
            try await api.send("PUT", "\(base)/c")
            let tag = try #require(try await api.send("PUT", "\(base)/c/x", body: "0123456789")["Etag"])
            let path = "\(base)/c/x"
            let part = try await api.send("GET", path, ["Range": "bytes=2-4"])
            #expect(part.code == 206)
            #expect(part.text == "234")
            #expect(part["Content-Range"] == "bytes 2-4/10")
            #expect(try await api.send("GET", path, ["Range": "bytes=-3"]).text == "789")
            #expect(try await api.send("GET", path, ["Range": "bytes=7-"]).text == "789")
            #expect(try await api.send("GET", path, ["Range": "bytes=0-1,3-4"]).code == 200)
            let beyond = try await api.send("GET", path, ["Range": "bytes=10-"])
            #expect(beyond.code == 416)
            #expect(beyond["Content-Range"] == "bytes */10")
            #expect(try await api.send("GET", path, ["Range": "bytes=1-2", "If-Range": "\"other\""]).code == 200)
            let modified = try #require(try await api.send("HEAD", path)["Last-Modified"])
            #expect(try await api.send("GET", path, ["If-None-Match": tag]).code == 304)
            #expect(try await api.send("GET", path, ["If-None-Match": "\"x\", \"\(tag)\""]).code == 304)
            #expect(try await api.send("GET", path, ["If-None-Match": "x"]).code == 200)
            #expect(try await api.send("HEAD", path, ["If-Modified-Since": modified]).code == 304)
            #expect(try await api.send("GET", path, ["If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"]).code == 200)
            #expect(
                try await api.send("GET", path, ["If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"]).code == 412)
            #expect(try await api.send("GET", path, ["If-Match": "nothing"]).code == 412)
            #expect(try await api.send("PUT", path, ["If-None-Match": "*"], body: "y").code == 412)
            #expect(try await api.send("PUT", path, ["Etag": "00"], body: "y").code == 422)
            #expect(Reply.status(of: DiskStore.tooLarge) == .contentTooLarge)
            #expect(try await api.send("PUT", path, ["X-Delete-After": "5"], body: "y").code == 400)
            #expect(try await api.send("PUT", path, ["X-Object-Manifest": "nothing"]).code == 400)
            #expect(
                try await api.send("PUT", path, ["X-Object-Meta-\(String(repeating: "n", count: 129))": "v"], body: "y")
                    .code == 400)
            #expect(try await api.send("PUT", "\(base)/none/x", body: "y").code == 404)
            #expect(try await api.send("GET", path).text == "0123456789")
        }
    }

    @Test func largeObjectsAndCopies() async throws {
        try await Self.withAPI { api, _ in
            try await api.send("PUT", "\(base)/c")
            try await api.send("PUT", "\(base)/c/big/001", body: "one ")
            try await api.send("PUT", "\(base)/c/big/002", body: "two")
            #expect(try await api.send("PUT", "\(base)/c/big", ["X-Object-Manifest": "c/big"]).code == 201)
            let get = try await api.send("GET", "\(base)/c/big")
            #expect(get.text == "one two")
            #expect(get["X-Object-Manifest"] == "c/big")
            #expect(get["Etag"]?.hasPrefix("\"") == true)
            #expect(try await api.send("HEAD", "\(base)/c/big")["Content-Length"] == "7")
            #expect(try await api.send("GET", "\(base)/c/big", ["Range": "bytes=2-5"]).text == "e tw")
            #expect(try await api.send("GET", "\(base)/c/big?multipart-manifest=get").text == "")

            let list = #"[{"path": "/c/big/001", "size_bytes": 4, "etag": null}, {"path": "/c/big/002"}]"#
            #expect(try await api.send("PUT", "\(base)/c/slo?multipart-manifest=put", body: list).code == 201)
            let slo = try await api.send("GET", "\(base)/c/slo")
            #expect(slo.text == "one two")
            #expect(slo["X-Static-Large-Object"] == "True")
            #expect(
                try await api.send("GET", "\(base)/c/slo?multipart-manifest=get").text.contains(
                    "\"name\":\"/c/big/001\""))
            #expect(try await api.send("PUT", "\(base)/c/bad?multipart-manifest=put", body: "{").code == 400)
            #expect(try await api.send("PUT", "\(base)/c/bad?multipart-manifest=put", body: "[]").code == 400)

            let copy = try await api.send("COPY", "\(base)/c/slo", ["Destination": "c/flat%20copy"])
            #expect(copy.code == 201)
            #expect(copy["X-Copied-From"] == "c/slo")
            #expect(try await api.send("GET", "\(base)/c/flat%20copy").text == "one two")
            #expect(try await api.send("PUT", "\(base)/c/again", ["X-Copy-From": "/c/flat%20copy"]).code == 201)
            #expect(try await api.send("GET", "\(base)/c/again").text == "one two")
            #expect(try await api.send("COPY", "\(base)/c/slo").code == 412)
            #expect(try await api.send("COPY", "\(base)/c/none", ["Destination": "c/x"]).code == 404)
            let deleted = try await api.send("DELETE", "\(base)/c/slo?multipart-manifest=delete")
            #expect(deleted.code == 200)
            #expect(deleted.text.contains("Number Deleted: 3"))
        }
    }

    @Test func tokens() async throws {
        try await Self.withAPI { api, _ in
            let login =
                #"{"auth": {"tenantId": "t", "passwordCredentials": {"username": "alice", "password": "secret"}}}"#
            let reply = try await api.send("POST", "/v2.0/tokens", as: nil, body: login)
            #expect(reply.code == 200)
            let json = try #require(
                try JSONSerialization.jsonObject(with: Data(reply.text.utf8)) as? [String: [String: Any]])
            let token = try #require(json["access"]?["token"] as? [String: Any])
            #expect(token["id"] as? String == "alice")
            #expect(token["expires"] as? String == "2100-01-01T00:00:00Z")
            #expect(reply.text.contains("\"publicURL\":\"https://store:8443/v1/AUTH_t\""))
            #expect(
                try await api.send(
                    "POST", "/v2.0/tokens", as: nil, body: login.replacingOccurrences(of: "secret", with: "x")
                ).code == 401)
            #expect(try await api.send("POST", "/v2.0/tokens", as: nil, body: "{}").code == 400)
            #expect(
                try await api.send("POST", "/v2.0/tokens", as: nil, body: String(repeating: "x", count: 70_000)).code
                    == 413)
            let temp = try await api.send(
                "GET", "/auth/v1.0", as: nil, ["X-Auth-User": "t:alice", "X-Auth-Key": "secret"])
            #expect(temp.code == 200)
            #expect(temp["X-Storage-Url"] == "https://store:8443/v1/AUTH_t")
            #expect(temp["X-Auth-Token"] == "alice")
            #expect(
                try await api.send("GET", "/auth/v1.0", as: nil, ["X-Auth-User": "t:alice", "X-Auth-Key": "x"]).code
                    == 401)
            #expect(try await api.send("GET", "/info", as: nil).text.contains("max_manifest_segments"))
        }
    }

    @Test func streamsOverARealConnection() async throws {
        try await Self.withAPI(.live) { api, store in
            try await api.send("PUT", "\(base)/c")
            let body = String(repeating: "0123456789abcdef", count: 1 << 18)
            #expect(try await api.send("PUT", "\(base)/c/x//../y", body: body).code == 201)
            #expect(try await api.send("GET", "\(base)/c/x//../y").text == body)
            #expect(try await api.send("HEAD", "\(base)/c/x//../y")["Content-Length"] == String(body.count))
            #expect(try await store.names(ContainerPath(tenant: "t", container: "c")) == ["x//../y"])
        }
    }
}
