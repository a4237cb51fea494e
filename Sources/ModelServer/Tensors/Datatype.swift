import CTensors

/// Datatypes of the Open Inference Protocol, numbered as CTensors numbers them.
package enum Datatype: Int32, Sendable, CaseIterable {
    case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, fp16, bf16, fp32, fp64, bytes

    /// - Returns: nil for a name that is none. Case does not matter.
    package init?(name: String) {
        var name = name
        let number = name.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { takumi_datatype($0.baseAddress, $0.count) }
        }
        self.init(rawValue: number)
    }

    /// As the protocol writes it: `FP32`.
    package var name: String { Datatype.names[Int(rawValue)] }

    /// Bytes of an element, 0 for `BYTES`, whose elements each tell their own length.
    package var size: Int { takumi_datatype_size(rawValue) }

    private static let names = allCases.map { String(cString: takumi_datatype_name($0.rawValue)) }
}
