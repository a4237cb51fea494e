import Foundation
import NIOCore
import Testing

@testable import ModelServer

/// What is written reads back as the same number.
struct NumberTests {
    private let parser = BodyParser(model: "m")

    private func text(_ datatype: Datatype, shape: [Int], _ bytes: ByteBuffer) -> String {
        var buffer = ByteBuffer()
        let isText = buffer.writeNested(datatype: datatype, shape: shape, bytes: bytes)
        #expect(isText)
        return String(buffer: buffer)
    }

    private func fp64(_ values: [Double]) -> ByteBuffer {
        var bytes = ByteBuffer()
        for value in values { bytes.writeInteger(value.bitPattern, endianness: .little) }
        return bytes
    }

    private func fp32(_ values: [Float]) -> ByteBuffer {
        var bytes = ByteBuffer()
        for value in values { bytes.writeInteger(value.bitPattern, endianness: .little) }
        return bytes
    }

    @Test func floatsAreWrittenShortest() {
        #expect(text(.fp64, shape: [4], fp64([3, 0.1, -0.0, 1e300])) == "[3.0,0.1,-0.0,1e+300]")
        #expect(text(.fp32, shape: [2, 1], fp32([0.1, 16_777_216])) == "[[0.1],[16777216.0]]")
        #expect(text(.fp64, shape: [3], fp64([.nan, .infinity, -.infinity])) == "[null,null,null]")
        #expect(text(.fp64, shape: [], fp64([2.5])) == "2.5")
        #expect(text(.fp64, shape: [2, 0], ByteBuffer()) == "[[],[]]")
    }

    @Test func halvesAreWrittenAsFloats() {
        var bytes = ByteBuffer()
        for bits: UInt16 in [0x3E00, 0xC000, 0x0001, 0x7C00] { bytes.writeInteger(bits, endianness: .little) }
        #expect(text(.fp16, shape: [4], bytes) == "[1.5,-2.0,5.9604645e-08,null]")
        var brain = ByteBuffer()
        brain.writeInteger(UInt16(0x3FC0), endianness: .little)
        #expect(text(.bf16, shape: [1], brain) == "[1.5]")
    }

    @Test func wholeNumbersOfAllWidths() {
        var bytes = ByteBuffer()
        bytes.writeInteger(Int64.min, endianness: .little)
        #expect(text(.int64, shape: [1], bytes) == "[-9223372036854775808]")
        #expect(text(.uint64, shape: [1], bytes) == "[9223372036854775808]")
        #expect(text(.int8, shape: [2], ByteBuffer(bytes: [128, 127])) == "[-128,127]")
        #expect(text(.bool, shape: [2], ByteBuffer(bytes: [1, 0])) == "[true,false]")
    }

    @Test func textsAreEscaped() {
        let value = "a\"\\\n\u{1}é"
        var bytes = ByteBuffer()
        bytes.writeInteger(UInt32(value.utf8.count), endianness: .little)
        bytes.writeString(value)
        #expect(text(.bytes, shape: [1], bytes) == #"["a\"\\\n\u0001é"]"#)
        var buffer = ByteBuffer()
        let isText = buffer.writeNested(datatype: .bytes, shape: [1], bytes: ByteBuffer(bytes: [1, 0, 0, 0, 0xFF]))
        #expect(!isText)
    }

    /// Every bit pattern has its own text and comes back, also those that the quick way of reading does not cover.
    @Test func randomFloatsComeBackBitForBit() throws {
        var random = SystemRandomNumberGenerator()
        var values: [Double] = [
            0, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 9_007_199_254_740_992,
        ]
        while values.count < 20_000 {
            let value =
                values.count % 2 == 0
                ? Double(bitPattern: random.next()) : Double.random(in: -1000...1000, using: &random)
            if value.isFinite { values.append(value) }
        }
        let body = "{\"instances\":\(text(.fp64, shape: [values.count], fp64(values)))}"
        guard case .tensors(let set) = try parser.v1(ByteBuffer(string: body), verb: .predict).payload else {
            Issue.record("not a tensor")
            return
        }
        #expect(Array(set.bytes.readableBytesView) == Array(fp64(values).readableBytesView))
    }

    @Test(arguments: [
        "123456789012345678901234567890.5", "0.000000000000000000000000000000123456789012345678901", "1e-400",
        "4.9e-324",
        "179769313486231570814527423731704356798070e267", "8.5e22", "9007199254740993.0", "1234567890123456789.0",
    ])
    func longNumbersAreReadAsTheCLibraryDoes(_ number: String) throws {
        let body = ByteBuffer(string: #"{"inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":[\#(number)]}]}"#)
        guard case .tensors(let set) = try parser.v2(body, jsonLength: nil).0.payload else { return }
        var bytes = set.bytes
        let bits = bytes.readInteger(endianness: .little, as: UInt64.self)
        #expect(bits == strtod(number, nil).bitPattern)
    }

    /// Numbers side by side are read in another way than single ones.
    @Test func decimalsOfAnyLengthAreReadAsTheCLibraryDoes() throws {
        var random = SystemRandomNumberGenerator()
        func digits(_ count: Int) -> String {
            String((0..<count).map { _ in Character(String(Int.random(in: 0...9, using: &random))) })
        }
        let numbers = (0..<50_000).map { index in
            var front = digits(Int.random(in: 1...(index % 3 == 0 ? 12 : 3), using: &random))
            while front.count > 1, front.hasPrefix("0") { front.removeFirst() }
            let behind = digits(Int.random(in: 0...18, using: &random))
            return (Bool.random() ? "-" : "") + front + (behind.isEmpty ? "" : "." + behind)
        }
        for separator in [",", ", ", " , ", ",\n\t"] {
            let data = numbers.joined(separator: separator)
            for datatype in ["FP64", "FP32"] {
                let input = #"{"name":"x","shape":[50000],"datatype":"\#(datatype)","data":[\#(data)]}"#
                let body = ByteBuffer(string: #"{"inputs":[\#(input)]}"#)
                guard case .tensors(let set) = try parser.v2(body, jsonLength: nil).0.payload else {
                    Issue.record("not a tensor")
                    return
                }
                let expected = numbers.map { strtod($0 == "-0" ? "0" : $0, nil) }
                let bytes = datatype == "FP64" ? fp64(expected) : fp32(expected.map { Float($0) })
                #expect(Array(set.bytes.readableBytesView) == Array(bytes.readableBytesView))
            }
        }
    }

    @Test(arguments: [
        "01", "-01", "00.5", "1.", "-.5", ".5", "-", "1.2.3", "1-2", "--1", "+1", "1 2", "0x1", "1/2", "1.5/", "1.2e",
        "1e+", "1.-2", "0.12345678x", "0.1234567:", "12345678:5", "1.5 6", "\"1\"", "true", "NaN", "Infinity", "1_000",
        "\u{0661}",
    ])
    func whatIsNoNumberIsRefusedAmongNumbers(_ number: String) {
        let many = Array(repeating: "0.25,1,-3.5", count: 20).joined(separator: ",")
        for datatype in ["FP32", "FP64", "INT32"] {
            let list = datatype == "INT32" ? many.replacing("0.25", with: "7").replacing("-3.5", with: "-3") : many
            let input = #"{"name":"x","shape":[121],"datatype":"\#(datatype)","data":[\#(list),\#(number),\#(list)]}"#
            #expect(throws: ServingError.self, "\(number) as \(datatype)") {
                try parser.v2(ByteBuffer(string: #"{"inputs":[\#(input)]}"#), jsonLength: nil)
            }
        }
        let instances = ByteBuffer(string: #"{"instances":[\#(many),\#(number),\#(many)]}"#)
        let plain = try? parser.v1(instances, verb: .predict).payload
        if case .tensors = plain { Issue.record("\(number) is among the numbers") }
    }

    @Test(arguments: [
        ("INT8", 128), ("INT8", -129), ("UINT8", 256), ("UINT8", -1), ("INT16", 32768), ("INT16", -32769),
        ("UINT16", 65536), ("UINT16", -1), ("INT32", 2_147_483_648), ("UINT32", -1), ("UINT32", 4_294_967_296),
        ("UINT64", -1),
    ])
    func wholeNumbersBeyondTheirDatatypeAreNamedAmongOthers(_ datatype: String, _ number: Int) throws {
        let few = Array(repeating: "1", count: 30).joined(separator: ",")
        let input = #"{"name":"x","shape":[61],"datatype":"\#(datatype)","data":[\#(few),\#(number),\#(few)]}"#
        let error = #expect(throws: ServingError.self) {
            try parser.v2(ByteBuffer(string: #"{"inputs":[\#(input)]}"#), jsonLength: nil)
        }
        #expect(error?.message.hasPrefix("input 'x': \(number) at index 30 is no \(datatype)") == true)
    }

    @Test func datatypesAreNumberedAlike() {
        for datatype in Datatype.allCases {
            #expect(datatype.name == "\(datatype)".uppercased())
            #expect(Datatype(name: "\(datatype)") == datatype)
        }
        #expect(Datatype(name: "FP8") == nil)
        #expect(Datatype.allCases.map(\.size) == [1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 0])
    }
}
