/// A place that was checked at creation, in the form in which a task file hands it to an agent. It holds no secrets.
package enum StageLocation: Sendable, Codable, Equatable {
    /// In the embedded store. The path is an object's name, or the folder part of names; empty for the whole container.
    case embedded(tenant: String, container: String, path: String)
    /// In the OpenStack Swift of that host in the configuration.
    case swift(host: String, tenant: String, container: String, path: String)
    /// In a mounted directory: `nas://` with the share's root, `file://` with `/`.
    case folder(root: String, path: String)

    /// The last part of the path, which names a single file.
    var path: String {
        switch self {
        case .embedded(_, _, let path), .swift(_, _, _, let path), .folder(_, let path): path
        }
    }
}

/// How files are brought in or out.
package enum StageMode: String, Sendable, Codable {
    /// Without copying where the file system can: as a clone, else as a hard link to the store's immutable file. With a
    /// link, a program that writes into its input in place would change the stored object: give it to programs
    /// read-only. Of a mounted directory, a symbolic link.
    case link
    /// A file of its own.
    case copy
}

/// How far a transfer is.
package struct StageProgress: Sendable, Equatable, Codable {
    package var filesDone = 0
    package var filesTotal = 0
    package var bytesDone: Int64 = 0
    package var bytesTotal: Int64 = 0

    package init() {}

    /// `3 of 7 files, 1.2 GiB`
    package var text: String { "\(filesDone) of \(filesTotal) files, \(bytesDone.byteText)" }
}

/// What a transfer did.
package struct StageReport: Sendable, Equatable, Codable {
    package var files = 0
    package var bytes: Int64 = 0
    /// One line for each file that was left out.
    package var warnings: [String] = []
    /// The directory that the folder is a symbolic link to (mounted directories in `.link` mode): a sandbox has to show it
    /// too, read-only.
    package var linkedTo: String?

    package init() {}
}

package typealias StageObserver = @Sendable (StageProgress) -> Void

extension Int64 {
    /// `0 B`, `1.2 GiB`
    package var byteText: String {
        var (value, unit) = (Double(self), 0)
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        while value >= 1024 && unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        if unit == 0 { return "\(self) B" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
