import Resource
import Testing

@testable import Storage

@Suite struct StorageURITests {
    @Test func readsEveryScheme() throws {
        #expect(
            try StorageURI("obs://Store.example.com:8443/v1/AUTH_abc/data/train/iris.csv", field: "f")
                == .object(host: "store.example.com:8443", tenant: "abc", container: "data", path: "train/iris.csv"))
        #expect(
            try StorageURI("obs://127.0.0.1/v1/AUTH_t/日本語 data", field: "f")
                == .object(host: "127.0.0.1", tenant: "t", container: "日本語 data", path: ""))
        #expect(
            try StorageURI("obs://[::1]:8443/v1/AUTH_t/c/", field: "f")
                == .object(host: "[::1]:8443", tenant: "t", container: "c", path: ""))
        #expect(try StorageURI("nas://nas-1:/", field: "f") == .nas(id: "nas-1", path: ""))
        #expect(try StorageURI("nas://nas-1:/a/b/", field: "f") == .nas(id: "nas-1", path: "a/b"))
        #expect(try StorageURI("s3://bucket/key/x", field: "f") == .s3(bucket: "bucket", key: "key/x"))
        #expect(try StorageURI("file:///srv/data", field: "f") == .file(path: "/srv/data"))
        #expect(
            try StorageURI("obs://h/v1/AUTH_t/c/100%/a", field: "f").description == "obs://h/v1/AUTH_t/c/100%/a")
    }

    @Test(arguments: [
        "", "data", "http://h/v1/AUTH_t/c", "obs:/h/v1/AUTH_t/c", "obs://h", "obs://h/v1/AUTH_t", "obs://h/v1/AUTH_/c",
        "obs://h/v2/AUTH_t/c", "obs://h/v1/t/c", "obs:///v1/AUTH_t/c", "obs://h/v1/AUTH_t//p", "obs://h/v1/AUTH_t/",
        "obs://h/v1/AUTH_t/../c", "obs://h/v1/AUTH_t/c/../d", "obs://h/v1/AUTH_t/c/a//b", "obs://h/v1/AUTH_t/c//",
        "obs://h/v1/AUTH_t/c/a/./b", "obs://h/v1/AUTH_t/./x", "obs://h/v1/AUTH_t/c/%2e%2e/x",
        "obs://h/v1/AUTH_t/c/a%00",
        "obs://h/v1/AUTH_t/c/a%2Fb", "obs://h/v1/AUTH_t/c/a\u{0}b", "obs://h/v1/AUTH_t/c/a\nb",
        "obs://h/v1/AUTH_t/c/a\u{7F}",
        "obs://h/v1/AUTH_t/c/a?b", "obs://h/v1/AUTH_t/c/a#b", "obs://user@h/v1/AUTH_t/c", "obs://h:0/v1/AUTH_t/c",
        "obs://h:99999/v1/AUTH_t/c", "obs://h:/v1/AUTH_t/c", "obs://h..x/v1/AUTH_t/c", "obs://-h/v1/AUTH_t/c",
        "obs://[zz]/v1/AUTH_t/c", "obs://h/v1/AUTH_a b/c", "nas://id/path", "nas://:/path", "nas://i d:/p",
        "nas://id:/../x",
        "nas://id:/a//b", "nas://id://", "s3:///key", "s3://b/a/../c", "file://host/x", "file://x", "file:///a/../b",
    ])
    func refuses(_ text: String) throws {
        let error = try #require(throws: TakumiError.self) { try StorageURI(text, field: "dataUri") }
        #expect(error.code == .invalid)
        #expect(error.field == "dataUri")
        #expect(error.message.contains("'"))
    }

    @Test func hasAtMost255Characters() throws {
        let start = "obs://h/v1/AUTH_t/c/"
        #expect(throws: Never.self) {
            try StorageURI(start + String(repeating: "é", count: 255 - start.count), field: "f")
        }
        #expect(throws: TakumiError.self) {
            try StorageURI(start + String(repeating: "a", count: 256 - start.count), field: "f")
        }
    }
}
