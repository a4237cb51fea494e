import Crypto

/// Where things lie under a store's root:
///
///     tmp/                                   files under construction; never read
///     accounts/TENANT/account.json
///     accounts/TENANT/containers/cNAME/      container.json, lock
///         names/dFOLDER/…/fNAME              one record per object; the folders are the slashes of its name
///         long/SHA256                        records of names with a part too long for a file name
///         data/AB/ABCDEF…                    immutable contents
///
/// The tree of names is the truth: there is no index that could disagree with it, any process may read it at any time, and
/// a listing under a prefix touches only that prefix's folders. The first letter keeps `a` and `a/b` apart and makes `.`,
/// `..` and empty parts ordinary names.
struct Layout: Sendable {
    let root: String

    var temporary: String { "\(root)/tmp" }
    var accounts: String { "\(root)/accounts" }
    func account(_ tenant: String) -> String { "\(accounts)/\(tenant)" }
    func accountRecord(_ tenant: String) -> String { "\(account(tenant))/account.json" }
    func containers(_ tenant: String) -> String { "\(account(tenant))/containers" }
    func container(_ path: ContainerPath) -> ContainerLayout {
        ContainerLayout(folder: "\(containers(path.tenant))/c\(path.container)")
    }
}

/// The part of the layout inside one container.
struct ContainerLayout: Sendable {
    let folder: String

    var record: String { "\(folder)/container.json" }
    var lock: String { "\(folder)/lock" }
    var names: String { "\(folder)/names" }
    var long: String { "\(folder)/long" }
    func data(_ id: String) -> String { "\(dataFolder(id))/\(id)" }
    func dataFolder(_ id: String) -> String { "\(folder)/data/\(id.prefix(2))" }

    /// Where the record of an object lies: the folder, and the file in it.
    func entry(for name: String) -> (folder: String, file: String) {
        // Split as bytes: a combining mark after a slash would make one character of both.
        let parts = name.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ $0.count <= Names.longestFileName }), let last = parts.last else {
            return (long, Self.digest(name))
        }
        let folders = parts.dropLast().map { "/d" + String(decoding: $0, as: UTF8.self) }.joined()
        return (names + folders, "f" + String(decoding: last, as: UTF8.self))
    }

    func recordPath(of name: String) -> String {
        let entry = entry(for: name)
        return "\(entry.folder)/\(entry.file)"
    }

    private static func digest(_ name: String) -> String {
        SHA256.hash(data: Array(name.utf8)).hexadecimal
    }
}

extension Digest {
    var hexadecimal: String { Hexadecimal.encode(self) }
}

enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
