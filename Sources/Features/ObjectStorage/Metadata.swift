import HTTPTypes
import Resource
import Storage

/// Swift's limits for `X-…-Meta-…` headers, of which the name counts without the prefix.
enum MetadataLimits {
    static let name = 128
    static let value = 256
    static let count = 90
    static let overall = 4096
}

extension HTTPFields {
    /// The headers that begin with `prefix`, by their names in lower case. With `removing` (`x-remove-container-meta-`) also
    /// those to remove, as empty values.
    ///
    /// - Throws: `.invalid` where they exceed Swift's limits.
    func metadata(_ prefix: String, removing removal: String? = nil) throws -> [String: String] {
        var found: [String: String] = [:]
        var overall = 0
        for field in self {
            let name = field.name.canonicalName
            if let removal, name.hasPrefix(removal) {
                found[prefix + name.dropFirst(removal.count)] = ""
                continue
            }
            guard name.hasPrefix(prefix) else { continue }
            let key = name.dropFirst(prefix.count)
            if key.isEmpty { throw TakumiError.invalid(name, "the metadata has no name") }
            if key.utf8.count > MetadataLimits.name {
                throw TakumiError.invalid(
                    name.excerpt, "the metadata's name has more than \(MetadataLimits.name) bytes")
            }
            if field.value.utf8.count > MetadataLimits.value {
                throw TakumiError.invalid(name, "the metadata's value has more than \(MetadataLimits.value) bytes")
            }
            overall += key.utf8.count + field.value.utf8.count
            found[name] = field.value
        }
        if found.count > MetadataLimits.count || overall > MetadataLimits.overall {
            throw TakumiError.invalid(
                prefix + "*",
                "there are more than \(MetadataLimits.count) metadata, or more than \(MetadataLimits.overall) bytes")
        }
        return found
    }

    /// What an object keeps of a request's headers, besides its content type.
    func objectHeaders() throws -> [String: String] {
        for name in ["X-Delete-At", "X-Delete-After"] where self[name] != nil {
            throw TakumiError.invalid(name, "objects that expire are not supported; leave the header out")
        }
        var headers = try metadata("x-object-meta-").filter { !$0.value.isEmpty }
        for name in ["content-encoding", "content-disposition", "content-language", "cache-control", "expires"] {
            headers[name] = self[name]
        }
        return headers
    }
}
