import Crypto
import Resource
import Testing

@testable import Storage

@Suite struct LargeObjectTests {
    private func md5(_ text: String) -> String { Insecure.MD5.hash(data: Array(text.utf8)).hexadecimal }

    @Test func manifestsJoinTheirSegments() async throws {
        try await withStore { store, container in
            for (index, text) in ["one ", "two ", "three"].enumerated() {
                try await store.put(container.object("big/00\(index + 1)"), text: text)
            }
            // As the vendor's SDK does it: the prefix is the manifest's own name, and `big.txt` is none of its segments.
            try await store.put(container.object("big.txt"), text: "not a segment")
            let manifest = container.object("big")
            try await store.put(manifest, text: "", ObjectAttributes(manifest: "c/big"))
            let info = try #require(try await store.object(manifest))
            #expect(info.size == 13)
            #expect(info.kind == .dynamic(container: "c", prefix: "big"))
            #expect(info.etag == md5(["one ", "two ", "three"].map(md5).joined()))
            #expect(try await store.text(manifest) == "one two three")
            #expect(try await store.text(manifest, 2..<9) == "e two t")
            #expect(try await store.object(manifest, asStored: true)?.size == 0)
            // A listing shows a manifest without a size.
            guard case .object(let listed) = try await store.list(container, ListQuery(prefix: "big", limit: 1))[0]
            else { return }
            #expect(listed.size == 0)
            // Made plain by copying.
            let copied = try await store.copy(manifest, to: container.object("plain"))
            #expect(copied.etag == md5("one two three"))
            #expect(copied.kind == .plain)
            #expect(try await store.copy(manifest, to: container.object("again"), asStored: true).size == 26)
        }
    }

    @Test func prefixesMayEndAnywhere() async throws {
        try await withStore { store, container in
            let segments = ContainerPath(tenant: "t", container: "c_segments")
            try await store.createContainer(segments)
            try await store.put(segments.object("x_2"), text: "b")
            try await store.put(segments.object("x_1"), text: "a")
            try await store.put(container.object("x"), text: "", ObjectAttributes(manifest: "c_segments/x_"))
            #expect(try await store.text(container.object("x")) == "ab")
            try await store.put(container.object("none"), text: "", ObjectAttributes(manifest: "nowhere/x"))
            #expect(try await store.text(container.object("none")) == "")
        }
    }

    @Test func staticObjectsCheckTheirSegments() async throws {
        try await withStore { store, container in
            try await store.put(container.object("s/1"), text: "hello ")
            try await store.put(container.object("s/2"), text: "big world")
            let path = container.object("whole")
            let info = try await store.putStatic(
                path,
                [
                    SegmentRequest(path: "/c/s/1", etag: md5("hello "), sizeBytes: 6),
                    SegmentRequest(path: "c/s/2", range: "4-8"),
                ])
            #expect(info.size == 11)
            #expect(info.kind == .static)
            #expect(info.etag == md5(md5("hello ") + md5("big world") + ":4-8;"))
            #expect(try await store.text(path) == "hello world")
            #expect(try await store.text(path, 5..<8) == " wo")
            #expect(try await store.segments(of: path)?.map(\.name) == ["/c/s/1", "/c/s/2"])
            #expect(try await store.segments(of: path)?.last?.range == "4-8")

            let refused = try await refusal {
                try await store.putStatic(
                    container.object("bad"),
                    [
                        SegmentRequest(path: "/c/none"), SegmentRequest(path: "/c/s/1", sizeBytes: 7),
                        SegmentRequest(path: "/c/s/1", etag: "0"), SegmentRequest(path: "/c/whole"),
                        SegmentRequest(path: "/c/s/1", range: "90-99"), SegmentRequest(path: "nothing"),
                    ])
            }
            for problem in [
                "/c/none: 404", "Size Mismatch", "Etag Mismatch", "itself a large", "Unsatisfiable", "nothing: ",
            ] {
                #expect(refused?.message.contains(problem) == true, "\(problem)")
            }
            #expect(try await store.object(container.object("bad")) == nil)

            try await store.put(container.object("s/2"), text: "changed!!")
            let error1 = try await refusal { _ = try await store.open(path) }
            #expect(error1?.code == .conflict)
            #expect(try await store.deleteWithSegments(path) == (3, 0))
            #expect(try await store.names(container).isEmpty)
        }
    }
}
