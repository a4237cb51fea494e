import Foundation
import NIOCore
import Testing

@testable import ModelServer

/// Bodies of requests, and what is said of bad ones.
struct BodyParserTests {
    private let parser = BodyParser(model: "m")

    private func v1(_ json: String) throws -> InferenceRequest {
        try parser.v1(ByteBuffer(string: json), verb: .predict)
    }

    private func set(_ request: InferenceRequest) throws -> TensorSet {
        guard case .tensors(let set) = request.payload else {
            Issue.record("not tensors")
            throw ServingError(500, "")
        }
        return set
    }

    private func refusal(_ body: () throws -> Void) -> ServingError? {
        do {
            try body()
            return nil
        } catch {
            return error as? ServingError
        }
    }

    private func doubles(_ bytes: ByteBuffer) -> [Double] {
        var bytes = bytes
        var result: [Double] = []
        while let bits = bytes.readInteger(endianness: .little, as: UInt64.self) {
            result.append(Double(bitPattern: bits))
        }
        return result
    }

    // MARK: - v1

    @Test func wholeNumbersAreINT64() throws {
        let set = try set(try v1(#"{"instances": [[1, -2], [3, 9223372036854775807]]}"#))
        #expect(set.heads == [TensorHead(name: "instances", datatype: .int64, shape: [2, 2], size: 32)])
        var bytes = set.bytes
        var numbers: [Int64] = []
        while let number = bytes.readInteger(endianness: .little, as: Int64.self) { numbers.append(number) }
        #expect(numbers == [1, -2, 3, .max])
    }

    @Test func onePointMakesAllFP64() throws {
        let set = try set(try v1(#"{"instances":[1,2,3.5,4e0]}"#))
        #expect(set.heads[0].datatype == .fp64)
        #expect(set.heads[0].shape == [4])
        #expect(doubles(set.bytes) == [1, 2, 3.5, 4])
    }

    @Test func booleansAreBOOL() throws {
        let set = try set(try v1(#"{"instances":[[true,false]]}"#))
        #expect(set.heads[0].datatype == .bool)
        #expect(Array(set.bytes.readableBytesView) == [1, 0])
    }

    @Test(arguments: [
        #"{"instances":[[1,2],[3]]}"#, #"{"instances":["a","b"]}"#, #"{"instances":[{"x":1},{"x":2}]}"#,
        #"{"instances":[1,null]}"#, #"{"instances":[1,true]}"#, #"{"instances":[18446744073709551615, 1]}"#,
        #"{"signature_name":"s","instances":[1,2]}"#, #"{"instances":[1,2],"instances":[3,4]}"#,
        #"{"instances":[1,[2]]}"#, #"{"inputs":[[1],[2]]}"#,
    ])
    func otherJSONIsPassedOnAsItCame(_ json: String) throws {
        guard case .json(let body, let rows) = try v1(json).payload else {
            Issue.record("\(json) became a tensor")
            return
        }
        #expect(String(buffer: body) == json)
        #expect(rows == 2 || json.contains("inputs"))
    }

    @Test(arguments: [
        (#"{"instances":"abc"}"#, #"Expected "instances" to be a list"#),
        (#"{"wrong":1}"#, "'instances' is missing"),
        ("", "the body is empty"), ("  ", "the body is empty"),
        ("{bad json", "unexpected character, expected a string key: line 1 column 2 (char 1)"),
        ("[1]", "expected an object"),
        ("{\"instances\":[1,\n 2", "unexpected end, expected ',' or ']': line 2 column 3 (char 19)"),
        (#"{"instances":[1]} x"#, "unexpected content after the document"),
        (#"{"instances":[01]}"#, "invalid number"), (#"{"instances":[1.]}"#, "invalid number"),
        (#"{"instances":[NaN]}"#, "expected a value"), (#"{"instances":["\x"]}"#, "invalid escape"),
        (#"{"instances":["a]}"#, "unclosed string"),
        (#"{"instances":[1],}"#, "expected a string key"),
    ])
    func malformedBodiesAre400(_ json: String, _ sentence: String) {
        let error = refusal { _ = try v1(json) }
        #expect(error?.status == 400)
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "accepted")")
    }

    @Test func bytesThatAreNotUTF8Are400() {
        let body = ByteBuffer(bytes: Array(#"{"instances":["é"#.utf8) + [0xC3] + Array(#""]}"#.utf8))
        let error = refusal { _ = try parser.v1(body, verb: .predict) }
        #expect(error?.message == "Unrecognized request format: not UTF-8: line 1 column 17 (char 16)")
    }

    @Test func deepNestingIsRefusedAndDoesNotOverflowTheStack() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(refusal { _ = try v1("{\"instances\":\(deep)") }?.status == 400)
        #expect(refusal { _ = try v1("{\"x\":\(deep)") }?.message.contains("nested too deeply") == true)
    }

    // MARK: - v2

    private func v2(_ json: String, binary: [UInt8]? = nil) throws -> (InferenceRequest, V2Wishes) {
        let body = ByteBuffer(bytes: Array(json.utf8) + (binary ?? []))
        return try parser.v2(body, jsonLength: binary == nil ? nil : json.utf8.count)
    }

    private func input(_ datatype: String, _ data: String, shape: String = "[2]") -> String {
        #"{"inputs":[{"name":"x","shape":\#(shape),"datatype":"\#(datatype)","data":\#(data)}]}"#
    }

    @Test(arguments: [
        ("BOOL", "[true,0]", [1, 0]), ("INT8", "[1,-1]", [1, 255]), ("int16", "[1,-2]", [1, 0, 254, 255]),
        ("UINT8", "[255,1.0]", [255, 1]), ("UINT16", "[65535,1e3]", [255, 255, 232, 3]),
        ("INT32", "[-2147483648,7]", [0, 0, 0, 128, 7, 0, 0, 0]),
        ("UINT64", "[18446744073709551615,0]", [255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("fp32", "[[1],[-2.5]]", [0, 0, 128, 63, 0, 0, 32, 192]),
        ("BYTES", #"["ab","é\n"]"#, [2, 0, 0, 0, 97, 98, 3, 0, 0, 0, 195, 169, 10]),
    ])
    func elementsOfEachDatatype(_ datatype: String, _ data: String, _ bytes: [UInt8]) throws {
        let (request, _) = try v2(input(datatype, data))
        let set = try set(request)
        #expect(set.heads[0].datatype.name == datatype.uppercased())
        #expect(set.heads[0].shape == [2])
        #expect(Array(set.bytes.readableBytesView) == bytes)
    }

    /// They go to the worker as they came: it must be able to read them.
    @Test(arguments: [
        (#"{"a":1e400}"#, "'parameters' has the number 1e400, which is out of range; send it as a string"),
        (#"{"a":[-1E+999]}"#, "-1E+999"), (#"{"a":{"b":1\#(String(repeating: "0", count: 400))}}"#, "out of range"),
        (#"{"a":"\ud800"}"#, "lone surrogate"), (#"{"\ude00":1}"#, "lone surrogate"),
    ])
    func parametersThatNobodyCanReadAreRefused(_ parameters: String, _ sentence: String) throws {
        let input = #"{"name":"x","shape":[1],"datatype":"INT8","data":[1]}"#
        let error = try #require(refusal { _ = try v2(#"{"parameters":\#(parameters),"inputs":[\#(input)]}"#) })
        #expect(error.status == 400)
        #expect(error.message.contains(sentence), "\(error.message)")
        let own = #"{"parameters":\#(parameters),"# + input.dropFirst()
        #expect(refusal { _ = try v2(#"{"inputs":[\#(own)]}"#) }?.status == 400)
        let output = #""outputs":[{"name":"y","parameters":\#(parameters)}]"#
        #expect(refusal { _ = try v2(#"{"inputs":[\#(input)],\#(output)}"#) }?.status == 400)
    }

    @Test func parametersArePassedOnAsTheyCame() throws {
        let parameters = #"{ "a" : [1e308, 18446744073709551616, "\ud83d\ude00", null, true], "b": {} }"#
        let (request, _) = try v2(
            #"{"parameters":\#(parameters),"inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[1]}]}"#)
        #expect(request.parameters.map { String(buffer: $0) } == parameters)
    }

    @Test(arguments: [
        ("INT8", "[1,128]", "input 'x': 128 at index 1 is no INT8: send whole numbers within its range"),
        ("UINT8", "[-1,0]", "-1 at index 0 is no UINT8"), ("INT32", "[1.5,0]", "1.5 at index 0 is no INT32"),
        ("UINT64", "[18446744073709551616,0]", "18446744073709551616 at index 0 is no UINT64"),
        ("FP32", "[1,3.5e38]", "3.5e38 at index 1 is no FP32: send numbers within its range"),
        ("FP64", "[1e400,0]", "1e400 at index 0 is no FP64"), ("FP32", #"["1",2]"#, "\"1\" at index 0 is no FP32"),
        ("BYTES", "[1,2]", "1 at index 0 is no BYTES: send strings"), ("BOOL", "[2,1]", "2 at index 0 is no BOOL"),
        ("BYTES", #"["\ud800","a"]"#, "lone surrogate"),
        ("FP32", "[1,2,3]", "input 'x': cannot reshape array of size 3 into shape (2)"),
        ("FP32", "[[1],[2,3]]", "input 'x': 'data' is ragged"), ("FP32", "7", "input 'x': 'data' is 7; send a list"),
        ("FP32", "[1,2", "unexpected character, expected ',' or ']'"), ("FP32", "[1 2]", "expected ',' or ']'"),
        ("FP99", "[1,2]", "invalid datatype FP99 in the input 'x'"),
        ("FP16", "[1,2]", "Sending FP16 data via JSON is not supported. Please use the binary data format for input x"),
        ("BF16", "[1,2]", "Sending BF16 data via JSON is not supported"),
    ])
    func badElementsAreNamed(_ datatype: String, _ data: String, _ sentence: String) {
        let error = refusal { _ = try v2(input(datatype, data)) }
        #expect(error?.status == 400)
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "accepted")")
    }

    @Test(arguments: [
        (#"{}"#, "'inputs' field is missing"), (#"{"inputs":[]}"#, "'inputs' is empty"),
        (#"{"inputs":{}}"#, "'inputs' is {}; send a list"), (#"{"inputs":[1]}"#, "an element of 'inputs' is 1"),
        (
            #"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32"}]}"#,
            "'data' field is missing for input 'x' for model 'm'"
        ),
        (#"{"inputs":[{"shape":[1],"datatype":"FP32","data":[1]}]}"#, "'name' field is missing"),
        (#"{"inputs":[{"name":"x","datatype":"FP32","data":[1]}]}"#, "'shape' field is missing for input 'x'"),
        (#"{"inputs":[{"name":"x","shape":[1],"data":[1]}]}"#, "'datatype' field is missing for input 'x'"),
        (#"{"inputs":[{"name":"x","shape":[-1],"datatype":"FP32","data":[1]}]}"#, "negative axis -1"),
        (#"{"inputs":[{"name":"x","shape":[1.5],"datatype":"FP32","data":[1]}]}"#, "send a whole number"),
        (
            #"{"inputs":[{"name":"x","shape":[4294967296,4294967296,4294967296],"datatype":"FP32","data":[1]}]}"#,
            "too many elements"
        ),
        (#"{"id":7,"inputs":[]}"#, "'id' is 7; send a string"),
        (
            #"{"inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[1]},{"name":"x","shape":[1],"datatype":"INT8","data":[1]}]}"#,
            "input 'x' is there twice"
        ),
        (#"{"inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[1]}],"parameters":3}"#, "send a JSON object"),
    ])
    func schemaErrorsAre400(_ json: String, _ sentence: String) {
        let error = refusal { _ = try v2(json) }
        #expect(error?.status == 400)
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "accepted")")
    }

    @Test func fieldsMayComeInAnyOrder() throws {
        let json =
            #"{"inputs":[{"data":[[1,2]],"parameters":{"a":[1]},"datatype":"FP64","shape":[1,2],"name":"x"}],"id":"7"}"#
        let (request, wishes) = try v2(json)
        #expect(wishes.id == "7")
        #expect(try doubles(set(request).bytes) == [1, 2])
    }

    /// Of a key that is there twice the last counts, as in Python's JSON, also where data have been read as the first said.
    @Test func laterFieldsCountAfterData() throws {
        let fields = #""name":"x","shape":[2],"datatype":"INT32","data":[1,2]"#
        for (later, datatype, bytes) in [
            (#""datatype":"UINT8""#, Datatype.uint8, [3, 4] as [UInt8]),
            (#""name":"x""#, .int32, [3, 0, 0, 0, 4, 0, 0, 0]),
        ] {
            let set = try set(try v2(#"{"inputs":[{\#(fields),"data":[3,4],\#(later)}]}"#).0)
            #expect(set.heads.map(\.datatype) == [datatype])
            #expect(Array(set.bytes.readableBytesView) == bytes)
        }
        #expect(throws: ServingError.self) { try v2(#"{"inputs":[{\#(fields),"shape":[3]}]}"#) }
        #expect(throws: ServingError.self) { try v2(#"{"inputs":[{\#(fields),"data":null}]}"#) }
    }

    @Test func nullAmongFloatsIsNaN() throws {
        let (request, _) = try v2(input("FP64", "[null,1]"))
        let values = try doubles(set(request).bytes)
        #expect(values[0].isNaN)
        #expect(values[1] == 1)
    }

    @Test func scalarShapeTakesOneElement() throws {
        #expect(try set(try v2(input("FP64", "[5]", shape: "[]")).0).heads[0].shape == [])
        #expect(refusal { _ = try v2(input("FP64", "[5,6]", shape: "[]")) }?.status == 400)
    }

    @Test func binaryInputsFollowInOrder() throws {
        let json = #"""
            {"inputs":[{"name":"a","shape":[2],"datatype":"UINT8","parameters":{"binary_data_size":2}},
            {"name":"j","shape":[1],"datatype":"UINT8","data":[9]},
            {"name":"s","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":9}}],
            "outputs":[{"name":"o","parameters":{"binary_data":false}},{"name":"p"}],"parameters":{"binary_data_output":true}}
            """#
        let (request, wishes) = try v2(json, binary: [1, 2, 1, 0, 0, 0, 65, 0, 0, 0, 0])
        let set = try set(request)
        #expect(set.heads.map(\.name) == ["a", "j", "s"])
        #expect(set.heads.map(\.size) == [2, 1, 9])
        #expect(Array(set.bytes.readableBytesView) == [1, 2, 9, 1, 0, 0, 0, 65, 0, 0, 0, 0])
        #expect(wishes.binary)
        #expect(wishes.outputs.map(\.name) == ["o", "p"])
        #expect(wishes.outputs.map(\.binary) == [false, nil])
        #expect(request.parameters.map { String(buffer: $0) } == #"{"binary_data_output":true}"#)
    }

    @Test(arguments: [
        ("FP32", 16, 8, "only 8 bytes follow the JSON: the body is cut off"),
        ("FP32", 8, 8, "cannot reshape array of size 2 into shape (2,2)"),
        ("FP32", 16, 20, "4 bytes of binary data belong to no input"),
        ("BYTES", 16, 16, "are not 4 BYTES elements"),
    ])
    func wrongBinarySizesAre400(_ datatype: String, _ size: Int, _ sent: Int, _ sentence: String) {
        let json =
            #"{"inputs":[{"name":"x","shape":[2,2],"datatype":"\#(datatype)","parameters":{"binary_data_size":\#(size)}}]}"#
        let error = refusal { _ = try v2(json, binary: Array(repeating: 1, count: sent)) }
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "accepted")")
    }

    @Test func jsonLengthBeyondTheBodyIs400() {
        let body = ByteBuffer(string: "{}")
        #expect(refusal { _ = try parser.v2(body, jsonLength: 3) }?.status == 400)
        #expect(refusal { _ = try parser.v2(body, jsonLength: -1) }?.status == 400)
    }

    @Test func quotedInputCutWithinACharacterIsStillText() {
        let long = String(repeating: "é", count: 100)
        let error = refusal { _ = try v2(#"{"id":{"é":"\#(long)"},"inputs":[]}"#) }
        #expect(error?.status == 400)
    }

    // MARK: - Outlines

    @Test func outlineOfAnOpenAIRequest() throws {
        let (outline, failure) = parser.outline(
            ByteBuffer(string: #"{"messages":[{"role":"user"}],"stream":true,"model":"m\u0031"}"#))
        #expect(failure == nil)
        #expect(outline.stream)
        #expect(outline.model == "m1")
        #expect(parser.outline(ByteBuffer(string: #"{"stream":1}"#)).failure?.status == 400)
        #expect(parser.outline(ByteBuffer(string: #"{"model":1}"#)).failure?.status == 400)
    }

    /// At an address that takes any protocol, the body says in which form a refusal comes.
    @Test(arguments: [
        (#"{"model":"nope","prompt":"x"}"#, 404, Metrics.Door.openai), (#"{"model":1,"prompt":"x"}"#, 400, .openai),
        (#"{"messages":[],"stream":7}"#, 400, .openai), (#"{"prompt":"x", nonsense"#, 400, .openai),
        (#"{"instances":7}"#, 400, .v1), (#"{"inputs":7}"#, 400, .v2), (#"{"x":7}"#, 400, .other), ("[1]", 400, .other),
    ])
    func refusalsHaveTheFormOfTheProtocol(_ json: String, _ status: Int, _ door: Metrics.Door) {
        let reading = BodyReading(route: .byBody, model: "m", jsonLength: nil, isOctets: false)
        let refusal = #expect(throws: Router.Refusal.self) {
            _ = try reading.read(ByteBuffer(string: json), with: parser)
        }
        #expect(refusal?.error.status == status)
        #expect(refusal?.door == door)
    }
}
