import NIOCore
import Testing

@testable import Gateway

struct ChunkedDecoderTests {
    private enum Outcome: Equatable {
        case whole(String, left: String)
        case incomplete(String)
        case malformed
    }

    /// Decodes with the bytes coming in pieces of the given size.
    private func decode(_ text: String, by size: Int) -> Outcome {
        var decoder = ChunkedDecoder()
        var buffer = ByteBuffer()
        var body = ""
        var rest = Array(text.utf8)[...]
        while true {
            switch decoder.next(&buffer) {
            case .data(let data): body += String(buffer: data)
            case .end: return .whole(body, left: String(buffer: buffer) + String(decoding: rest, as: UTF8.self))
            case .malformed: return .malformed
            case .incomplete:
                if rest.isEmpty { return .incomplete(body) }
                buffer.writeBytes(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
        }
    }

    @Test(arguments: 1...12)
    func wholeBodies(_ size: Int) {
        #expect(decode("0\r\n\r\nGET", by: size) == .whole("", left: "GET"))
        #expect(
            decode("3\r\nabc\r\n0a;x=\"y\"\r\n0123456789\r\n000\r\nT: 1\r\nU: 2\r\n\r\n", by: size)
                == .whole("abc0123456789", left: ""))
        #expect(decode("2 ; x\r\n\r\n\r\n0\r\n\r\n", by: size) == .whole("\r\n", left: ""))
        #expect(decode("5\r\nabc", by: size) == .incomplete("abc"))
        #expect(decode("5\r\nabcde", by: size) == .incomplete("abcde"))
    }

    @Test(
        arguments: [
            "\r\n", "x\r\n", "-1\r\n", "+1\r\na\r\n", "0x1\r\na\r\n", "1\na\r\n", "1\r\nab\r\n", "1\r\na\n0\r\n\r\n",
            "1 2\r\na\r\n",
            "1;\rx\r\na\r\n", "1000000000000000\r\n", "0\r\nT\r: 1\r\n\r\n", "0\r\n\n", ";x\r\n",
        ], [1, 3, 100])
    func malformed(_ text: String, _ size: Int) {
        #expect(decode(text, by: size) == .malformed)
    }

    @Test func endlessLinesAndTrailersAreRefused() {
        #expect(decode(String(repeating: "0", count: 20_000), by: 1000) == .malformed)
        #expect(decode("0\r\n" + String(repeating: "T: 1\r\n", count: 5_000) + "\r\n", by: 1000) == .malformed)
    }

    @Test(arguments: [0, 1, 15, 16, 255, 256, 4095, 65536, 0x1234_5678_9abc])
    func chunkLines(_ size: Int) {
        var buffer = ByteBuffer()
        buffer.writeHead(upTo: 18) { $0.write(chunkLine: size) }
        #expect(String(buffer: buffer) == String(size, radix: 16) + "\r\n")
    }
}
