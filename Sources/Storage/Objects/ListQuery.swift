/// Which names of a listing are wanted. All comparisons are of bytes.
package struct ListQuery: Sendable {
    package var prefix: String
    /// Names must come after it.
    package var marker: String
    /// Names must come before it, where it is given.
    package var endMarker: String
    /// Names with it after the prefix are rolled up to one entry that ends with it.
    package var delimiter: String
    package var limit: Int

    /// Swift's page.
    package static let pageSize = 10000

    package init(
        prefix: String = "", marker: String = "", endMarker: String = "", delimiter: String = "",
        limit: Int = ListQuery.pageSize
    ) {
        self.prefix = prefix
        self.marker = marker
        self.endMarker = endMarker
        self.delimiter = delimiter
        self.limit = limit
    }
}

/// One line of a listing.
package enum ListEntry: Sendable, Equatable {
    case object(ObjectInfo)
    /// A rolled-up prefix, with its delimiter.
    case folder(String)

    package var name: String {
        switch self {
        case .object(let info): info.name
        case .folder(let name): name
        }
    }
}
