import Foundation

/// What the worker says of its model once it is ready.
package struct ModelDescription: Codable, Sendable, Equatable {
    package struct Port: Codable, Sendable, Equatable {
        package var name: String
        package var datatype: String
        package var shape: [Int]
    }

    package var platform: String = ""
    /// Calls of several requests may be joined along axis 0.
    package var batch = false
    package var explain = false
    /// It answers OpenAI routes.
    package var generative = false
    /// It wants to see the requests' headers. One that does not saves both sides work.
    package var headers = true
    package var inputs: [Port] = []
    package var outputs: [Port] = []

    package init() {}

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        platform = try values.decodeIfPresent(String.self, forKey: .platform) ?? ""
        batch = try values.decodeIfPresent(Bool.self, forKey: .batch) ?? false
        explain = try values.decodeIfPresent(Bool.self, forKey: .explain) ?? false
        generative = try values.decodeIfPresent(Bool.self, forKey: .generative) ?? false
        headers = try values.decodeIfPresent(Bool.self, forKey: .headers) ?? true
        inputs = try values.decodeIfPresent([Port].self, forKey: .inputs) ?? []
        outputs = try values.decodeIfPresent([Port].self, forKey: .outputs) ?? []
    }
}
