import Resource

/// A container of an account. The account's tenant id comes without `AUTH_`.
package struct ContainerPath: Sendable, Codable, CustomStringConvertible {
    package let tenant: String
    package let container: String

    package init(tenant: String, container: String) {
        self.tenant = tenant
        self.container = container
    }

    package func object(_ name: String) -> ObjectPath { ObjectPath(container: self, name: name) }

    package var description: String { container }

    /// - Throws: `.invalid` for a tenant or container that cannot exist.
    func check() throws {
        try Names.checkTenant(tenant)
        try Names.checkContainer(container)
    }
}

/// An object in a container. The name is any text of 1 to 1024 bytes; slashes and dots in it mean nothing.
///
/// Not `Hashable`: Swift strings that differ in bytes may be equal (é has two spellings), object names never are.
package struct ObjectPath: Sendable, Codable, CustomStringConvertible {
    package let container: ContainerPath
    package let name: String

    package init(container: ContainerPath, name: String) {
        self.container = container
        self.name = name
    }

    package var description: String { "\(container.container)/\(name)" }

    func check() throws {
        try container.check()
        try Names.checkObject(name)
    }
}

/// The rules and the byte order of names.
package enum Names {
    package static let longestObject = 1024
    /// One byte of a file name is taken by the kind of entry, so 254 and not Swift's 256.
    package static let longestContainer = 254
    static let longestFileName = 254

    static func checkTenant(_ tenant: String) throws {
        let isSafe = tenant.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        if !isSafe || tenant.isEmpty || tenant.utf8.count > 128 || tenant.utf8.first == UInt8(ascii: ".") {
            throw TakumiError.invalid("tenant", "'\(tenant.excerpt)' is not a tenant id")
        }
    }

    package static func checkContainer(_ name: String) throws {
        if name.isEmpty || name.utf8.count > longestContainer || name.utf8.contains(where: { $0 == 0 || $0 == 0x2F }) {
            throw TakumiError.invalid(
                "container",
                "'\(name.excerpt)' is not a container name; use 1 to \(longestContainer) bytes without a slash")
        }
    }

    package static func checkObject(_ name: String) throws {
        if name.isEmpty || name.utf8.count > longestObject || name.utf8.contains(0) {
            throw TakumiError.invalid(
                "object", "'\(name.excerpt)' is not an object name; use 1 to \(longestObject) bytes without NUL")
        }
    }

    /// The order of listings.
    package static func precedes(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        left.lexicographicallyPrecedes(right)
    }

    /// Byte equality, where `==` on strings would also hold for two spellings of one character.
    package static func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}
