/// An integer of a request. The decoder's own refuses `1.5` as if the whole body were not JSON, and does not say where.
package struct WholeNumber: Codable, Sendable, Equatable {
    package var value: Int

    package init(_ value: Int) { self.value = value }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let number = try? container.decode(Double.self) else {
            throw DecodingError.typeMismatch(Int.self, .init(codingPath: decoder.codingPath, debugDescription: ""))
        }
        guard let value = Int(exactly: number) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(number) is not a whole number")
        }
        self.value = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}
