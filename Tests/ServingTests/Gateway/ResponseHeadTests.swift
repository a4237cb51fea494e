import Testing

@testable import Gateway

struct ResponseHeadTests {
    private func parse(_ text: String, toHead: Bool = false) -> ResponseHead? {
        Array((text + "\r\n\r\n").utf8).withUnsafeBytes { bytes in
            var head = ResponseHead()
            return head.parse(bytes, toHead: toHead) ? head : nil
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3", ResponseHead.Framing.length(3), true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0", .none, true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked", .chunked, true),
        ("HTTP/1.1 200 OK", .untilClose, false), ("HTTP/1.1 200", .untilClose, false),
        ("HTTP/1.1 204 No\r\nContent-Length: 3", .none, true), ("HTTP/1.1 304 Not\r\nContent-Length: 3", .none, true),
        ("HTTP/1.1 100 Continue", .none, true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close", .length(3), false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 3", .length(3), false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive", .length(3), true),
    ])
    func framing(_ text: String, _ framing: ResponseHead.Framing, _ keepsAlive: Bool) throws {
        let head = try #require(parse(text))
        #expect(head.framing == framing)
        #expect(head.keepsAlive == keepsAlive)
    }

    @Test func answersToHeadHaveNoBody() throws {
        let head = try #require(parse("HTTP/1.1 200 OK\r\nContent-Length: 3", toHead: true))
        #expect(head.framing == .none && head.contentLength == 3 && head.keepsAlive)
    }

    @Test func connectionHeadersAndCookiesGo() throws {
        let text =
            "HTTP/1.1 200 Very OK\r\nA: 1\r\nConnection: x-b\r\nX-B: 1\r\nSet-Cookie: a=b\r\nKeep-Alive: 5\r\nX-Request-Id: 1\r\nC: 2"
        let head = try #require(parse(text))
        Array(text.utf8).withUnsafeBytes { bytes in
            #expect(head.kept.runs.count == 2)
            #expect(bytes.text(head.kept.runs[0]) == "A: 1\r\n")
            #expect(bytes.text(head.statusText) == "200 Very OK")
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3", "HTTP/1.1 200 OK\r\nContent-Length: -3",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip",
        "HTTP/1.1 99 No", "HTTP/1.1 2000 No", "HTTP/1.1 20x No", "HTTP/2.0 200 OK", "HTTP/1.2 200 OK",
        "http/1.1 200 OK",
        "HTTP/1.1  200 OK", "HTTP/1.1 200 O\u{0}K", "HTTP/1.1 200 OK\r\n a: b", "HTTP/1.1 200 OK\r\na", "",
    ])
    func nonsense(_ text: String) {
        #expect(parse(text) == nil)
    }
}
