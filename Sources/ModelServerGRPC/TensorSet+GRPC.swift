import Foundation
import ModelServer
import NIOCore

extension TensorSet {
    /// The tensors of a request: as raw bytes for all inputs, or as contents of each.
    /// - Throws: 400, naming the input.
    init(_ request: Inference_ModelInferRequest) throws(ServingError) {
        guard !request.inputs.isEmpty else { throw .bad("The request has no inputs.") }
        let raw = request.rawInputContents
        guard raw.isEmpty || raw.count == request.inputs.count else {
            throw .bad("There are \(raw.count) raw_input_contents for \(request.inputs.count) inputs.")
        }
        self.init(heads: [], bytes: ByteBuffer())
        for (index, input) in request.inputs.enumerated() {
            guard let datatype = Datatype(name: input.datatype) else {
                throw .bad("The datatype '\(input.datatype)' of input '\(input.name)' is not known.")
            }
            let start = bytes.writerIndex
            if raw.isEmpty {
                try bytes.write(input.contents, as: datatype, of: input.name)
            } else {
                guard input.contents == Inference_InferTensorContents() else {
                    throw .bad("The input '\(input.name)' has contents beside raw_input_contents.")
                }
                bytes.writeBytes(raw[index])
            }
            let head = TensorHead(
                name: input.name, datatype: datatype, shape: input.shape.map(Int.init),
                size: bytes.writerIndex - start)
            try head.check(bytes.getSlice(at: start, length: head.size) ?? ByteBuffer())
            heads.append(head)
        }
    }
}

extension TensorHead {
    /// That the bytes are as many elements as the shape says.
    fileprivate func check(_ bytes: ByteBuffer) throws(ServingError) {
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow else { throw .bad("The shape \(shape) of input '\(name)' is not one.") }
            count = product
        }
        let elements = datatype == .bytes ? texts(in: bytes) : bytes.readableBytes / datatype.size
        let isWhole = datatype == .bytes ? elements != nil : bytes.readableBytes % datatype.size == 0
        guard isWhole, elements == count else {
            throw .bad(
                "The input '\(name)' has \(elements.map { "\($0)" } ?? "broken") elements; its shape \(shape) asks for \(count)."
            )
        }
    }

    /// How many elements of BYTES there are; nil where the last is cut short.
    private func texts(in bytes: ByteBuffer) -> Int? {
        var bytes = bytes
        var count = 0
        while bytes.readableBytes > 0 {
            guard let length = bytes.readInteger(endianness: .little, as: UInt32.self),
                bytes.readSlice(length: Int(length)) != nil
            else { return nil }
            count += 1
        }
        return count
    }
}

extension ByteBuffer {
    fileprivate mutating func write(
        _ contents: Inference_InferTensorContents, as datatype: Datatype, of name: String
    ) throws(ServingError) {
        switch datatype {
        case .bool: for value in contents.boolContents { writeInteger(value ? 1 : 0, as: UInt8.self) }
        case .int8: try write(contents.intContents, as: Int8.self, of: name)
        case .int16: try write(contents.intContents, as: Int16.self, of: name)
        case .int32: try write(contents.intContents, as: Int32.self, of: name)
        case .int64: try write(contents.int64Contents, as: Int64.self, of: name)
        case .uint8: try write(contents.uintContents, as: UInt8.self, of: name)
        case .uint16: try write(contents.uintContents, as: UInt16.self, of: name)
        case .uint32: try write(contents.uintContents, as: UInt32.self, of: name)
        case .uint64: try write(contents.uint64Contents, as: UInt64.self, of: name)
        case .fp32: for value in contents.fp32Contents { writeInteger(value.bitPattern, endianness: .little) }
        case .fp64: for value in contents.fp64Contents { writeInteger(value.bitPattern, endianness: .little) }
        case .bytes:
            for value in contents.bytesContents {
                writeInteger(UInt32(value.count), endianness: .little)
                writeBytes(value)
            }
        case .fp16, .bf16:
            throw .bad("Sending \(datatype.name) data is only supported in raw_input_contents (input '\(name)').")
        }
    }

    private mutating func write<From: FixedWidthInteger, To: FixedWidthInteger>(
        _ values: [From], as type: To.Type, of name: String
    ) throws(ServingError) {
        for value in values {
            guard let exact = To(exactly: value) else {
                throw .bad("\(value) of input '\(name)' is out of the datatype's range.")
            }
            writeInteger(exact, endianness: .little)
        }
    }
}
