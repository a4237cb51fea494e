import Foundation
import Testing

@testable import Gateway

struct RequestHeadTests {
    private func parse(_ text: String) -> Result<RequestHead, Refusal> {
        Array(text.utf8).withUnsafeBytes { bytes in
            var head = RequestHead()
            do throws(Refusal) {
                try head.parse(bytes)
                return .success(head)
            } catch {
                return .failure(error)
            }
        }
    }

    private func kept(_ text: String) throws -> String {
        let head = try parse(text).get()
        return Array(text.utf8).withUnsafeBytes { bytes in head.kept.runs.map { bytes.text($0) }.joined() }
    }

    @Test func takesWhatMatters() throws {
        let text =
            "POST /a%20b/c?d=/e?f HTTP/1.1\r\nHost: h:1\r\nAccept: */*\r\ncontent-LENGTH:  12 \r\nX-Api-Key: k\r\n\r\n"
        let head = try parse(text).get()
        Array(text.utf8).withUnsafeBytes { bytes in
            #expect(bytes.text(head.methodRange) == "POST")
            #expect(bytes.text(head.path) == "/a%20b/c")
            #expect(bytes.text(head.target) == "/a%20b/c?d=/e?f")
            #expect(bytes.text(head.host) == "h:1")
            #expect(bytes.text(head.key) == "k")
        }
        #expect(head.contentLength == 12 && !head.isChunked && head.keepsAlive && head.hasBody)
        #expect(try kept(text) == "Host: h:1\r\nAccept: */*\r\n")
    }

    @Test func forgetsTheRequestBefore() throws {
        var head = RequestHead()
        try Array("POST / HTTP/1.0\r\nContent-Length: 5\r\nX: y\r\n\r\n".utf8).withUnsafeBytes { try head.parse($0) }
        try Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8).withUnsafeBytes { try head.parse($0) }
        #expect(head.contentLength == nil && !head.isHTTP10 && head.method == .get && head.kept.runs.count == 1)
    }

    @Test(arguments: [
        ("HTTP/1.1\r\nHost: h", true), ("HTTP/1.1\r\nHost: h\r\nConnection: close", false),
        ("HTTP/1.1\r\nHost: h\r\nConnection: x, Close , keep-alive", false), ("HTTP/1.0", false),
        ("HTTP/1.0\r\nConnection: Keep-Alive", true),
        ("HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close", false),
    ])
    func keepsAlive(_ rest: String, _ expected: Bool) throws {
        #expect(try parse("GET / \(rest)\r\n\r\n").get().keepsAlive == expected)
    }

    @Test(arguments: [
        ("GET", "Connection: upgrade\r\nUpgrade: websocket", true),
        ("GET", "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket", true),
        ("GET", "Upgrade: websocket", false), ("GET", "Connection: upgrade\r\nUpgrade: h2c", false),
        ("POST", "Connection: upgrade\r\nUpgrade: websocket", false),
        ("GET", "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1", false),
    ])
    func upgrades(_ method: String, _ headers: String, _ expected: Bool) throws {
        #expect(try parse("\(method) / HTTP/1.1\r\nHost: h\r\n\(headers)\r\n\r\n").get().wantsWebSocket == expected)
    }

    @Test func hopByHopAndIdentifyingHeadersGo() throws {
        let gone = [
            "Keep-Alive: 1", "TE: x", "Trailer: x", "Proxy-Connection: x", "Cookie: x", "Authorization: x",
            "Expect: 100-continue",
            "X-EasyMaker-Token: x", "X-NHN-Authorization: x", "Proxy-Authorization: x", "X-Forwarded-Proto: x",
            "X-Forwarded-Host: x", "Connection: x-one, X-Two", "X-One: 1", "x-two: 2",
        ]
        let headers = gone.joined(separator: "\r\nX-Kept: 1\r\n")
        let text = "GET / HTTP/1.1\r\nHost: h\r\n\(headers)\r\nX-Last: 1\r\n\r\n"
        let expected = "Host: h\r\n" + String(repeating: "X-Kept: 1\r\n", count: gone.count - 1) + "X-Last: 1\r\n"
        #expect(try kept(text) == expected)
    }

    @Test func connectionCannotTakeTheHostAway() throws {
        #expect(try kept("GET / HTTP/1.1\r\nHost: h\r\nConnection: host, content-length\r\n\r\n") == "Host: h\r\n")
    }

    @Test(arguments: [
        ("GET http://h/p?q HTTP/1.1", "/p"), ("GET HTTPS://h:1/p HTTP/1.1", "/p"),
        ("GET /http://h/p HTTP/1.1", "/http://h/p"),
    ])
    func paths(_ line: String, _ path: String) throws {
        let text = "\(line)\r\nHost: h\r\n\r\n"
        let head = try parse(text).get()
        Array(text.utf8).withUnsafeBytes { bytes in #expect(bytes.text(head.path) == path) }
    }

    @Test(arguments: [
        "GET http://h HTTP/1.1", "GET http://h?a/b HTTP/1.1", "GET x HTTP/1.1", "GET  HTTP/1.1", "GET ?a HTTP/1.1",
        " / HTTP/1.1",
        "GET / http/1.1", "GET / HTTP/1.10", "GET /\u{7f} HTTP/1.1", "GET /\t HTTP/1.1", "G:T / HTTP/1.1", "GET /",
    ])
    func wrongFirstLines(_ line: String) {
        #expect(throws: Refusal.self) { try parse("\(line)\r\nHost: h\r\n\r\n").get() }
    }

    @Test(arguments: [
        "Content-Length: 1\r\nContent-Length: 1", "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Content-Length: -1",
        "Content-Length: 1 1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked, chunked", "Host: two", "X : a", "X\u{0b}: a", "X: a\u{0}", "X: a\rb", " X: a", "X",
        "Expect: x",
    ])
    func hazardsCloseTheConnection(_ headers: String) {
        let result = parse("POST / HTTP/1.1\r\nHost: h\r\n\(headers)\r\n\r\n")
        guard case .failure(let refusal) = result else {
            Issue.record("\(headers) is let through")
            return
        }
        #expect(refusal.closes)
    }

    @Test func theEndIsFoundHoweverTheBytesCome() {
        let text = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET".utf8)
        var start = 0
        for count in 0...text.count {
            let found = text[..<count].withUnsafeBytes { HeadEnd.find($0, from: start) }
            switch found {
            case .at(let end):
                #expect(end == text.count - 3 && count >= end)
            case .notBefore(let offset):
                #expect(count < text.count - 3 && offset <= count)
                start = offset
            case .bareLineFeed: Issue.record("there is none")
            }
        }
        #expect(
            Array("GET / HTTP/1.1\nHost: h\n\n".utf8).withUnsafeBytes { HeadEnd.find($0, from: 0) } == .bareLineFeed)
        #expect(Array("\n".utf8).withUnsafeBytes { HeadEnd.find($0, from: 0) } == .bareLineFeed)
    }

    /// Whatever comes, ranges stay within the bytes, and nothing that is passed on holds a line end in its middle.
    @Test func randomBytesAreParsedOrRefused() {
        var random = RandomSource()
        let pieces: [[UInt8]] = [
            "GET ", "POST ", "/", "/a%", " HTTP/1.1", "\r\n", "\r\n", "\r", "\n", ":", " ", "\t", "Host: h",
            "Connection: ", "close,",
            "Content-Length: 5", "Transfer-Encoding: chunked", "X-A: b", "Upgrade: websocket", "\0", "é", "http://",
        ].map { Array($0.utf8) }
        for _ in 0..<20_000 {
            var text = Array("GET / HTTP/1.1\r\nHost: h\r\n".utf8)
            if Bool.random(using: &random) { text = [] }
            for _ in 0..<Int.random(in: 0..<12, using: &random) {
                text += pieces[Int.random(in: 0..<pieces.count, using: &random)]
            }
            text += Array("\r\n\r\n".utf8)
            text.withUnsafeBytes { bytes in
                guard case .at(let end) = HeadEnd.find(bytes, from: 0) else { return }
                let bytes = UnsafeRawBufferPointer(rebasing: bytes[..<end])
                var head = RequestHead()
                guard (try? head.parse(bytes)) != nil else { return }
                for run in head.kept.runs {
                    let lines = bytes.text(run).components(separatedBy: "\r\n").dropLast()
                    #expect(lines.allSatisfy { !$0.contains("\r") && !$0.contains("\n") && $0.contains(":") })
                }
                #expect(!(head.isChunked && head.contentLength != nil))
            }
        }
    }
}
