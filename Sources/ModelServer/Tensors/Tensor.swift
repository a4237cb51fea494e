import CTensors
import NIOCore

/// What a tensor is called and looks like.
package struct TensorHead: Sendable, Equatable {
    package var name: String
    package var datatype: Datatype
    package var shape: [Int]
    /// Bytes of all its elements.
    package var size: Int

    package init(name: String, datatype: Datatype, shape: [Int], size: Int) {
        self.name = name
        self.datatype = datatype
        self.shape = shape
        self.size = size
    }

    /// True where the two can be joined along axis 0.
    func joins(_ other: TensorHead) -> Bool {
        guard datatype == other.datatype, shape.count == other.shape.count, !shape.isEmpty, name == other.name else {
            return false
        }
        for axis in 1..<max(1, shape.count) where shape[axis] != other.shape[axis] { return false }
        return true
    }
}

/// Tensors with their elements one after the other: little-endian, row-major, `BYTES` elements with a length of four bytes each.
package struct TensorSet: Sendable {
    package var heads: [TensorHead]
    package var bytes: ByteBuffer

    package init(heads: [TensorHead], bytes: ByteBuffer) {
        self.heads = heads
        self.bytes = bytes
    }

    /// The size along axis 0 that all have; nil where they differ or one has no axis.
    var rows: Int? {
        guard let first = heads.first?.shape.first else { return nil }
        return heads.allSatisfy { $0.shape.first == first } ? first : nil
    }
}

/// One tensor of an answer.
package struct OutputTensor: Sendable {
    package var name: String
    package var datatype: Datatype
    package var shape: [Int]
    package var bytes: ByteBuffer
}

extension OutputTensor {
    /// Bytes of the first elements; more than there are where the tensor ends before.
    func size(ofElements count: Int, in bytes: ByteBuffer) -> Int {
        guard datatype == .bytes else { return count * datatype.size }
        let extent = bytes.withUnsafeReadableBytes { takumi_bytes_extent($0.baseAddress, $0.count, Int64(count)) }
        return extent < 0 ? .max : Int(extent)
    }
}
