import Resource

extension StorageURI {
    /// Reads and checks a URI. A slash at the end of the path is dropped.
    ///
    /// - Parameter field: the request's field, for errors.
    /// - Throws: `TakumiError.invalid(field, …)` with the part that is wrong and the form that is right.
    package init(_ text: String, field: String) throws {
        let parser = URIParser(text: text, field: field)
        try parser.checkCharacters()
        guard let separator = text.range(of: "://") else {
            throw parser.refusal("has no scheme; use obs://, nas://, s3:// or file://")
        }
        let rest = text[separator.upperBound...]
        switch text[..<separator.lowerBound] {
        case "obs": self = try parser.object(rest)
        case "nas": self = try parser.nas(rest)
        case "s3": self = try parser.s3(rest)
        case "file": self = try parser.file(rest)
        case let scheme:
            throw parser.refusal("has the scheme '\(scheme.prefix(20))'; use obs://, nas://, s3:// or file://")
        }
    }
}

/// The four grammars. None of them decodes anything: what a user reads in the URI is the name that is used.
private struct URIParser {
    let text: String
    let field: String

    func refusal(_ problem: String) -> TakumiError { .invalid(field, "'\(text.excerpt)' \(problem)") }

    func checkCharacters() throws {
        if text.count > Limits.uri || text.utf8.count > 1024 {
            throw refusal("has \(text.count) characters; at most \(Limits.uri) are allowed")
        }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) {
            throw refusal("has a control character")
        }
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "%") {
            if bytes[(index + 1)...].prefix(2).filter({ Character(Unicode.Scalar($0)).isHexDigit }).count == 2 {
                throw refusal("has a percent-encoded character; write names plainly")
            }
        }
    }

    func object(_ rest: Substring) throws -> StorageURI {
        let form = "use obs://{host}/v1/AUTH_{tenant}/{container}/{path}"
        let parts = rest.split(separator: "/", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[1] == "v1" else { throw refusal("is not an object storage path; \(form)") }
        guard isHost(parts[0]) else { throw refusal("has no valid host '\(parts[0].prefix(40))'; \(form)") }
        guard parts[2].hasPrefix("AUTH_"), parts[2].count > 5 else {
            throw refusal("has no account AUTH_{tenant}; \(form)")
        }
        let tenant = String(parts[2].dropFirst(5))
        let container = String(parts[3])
        guard (try? Names.checkTenant(tenant)) != nil else {
            throw refusal("has no valid account AUTH_{tenant}; \(form)")
        }
        if container.isEmpty { throw refusal("has an empty container; \(form)") }
        if container == "." || container == ".." { throw refusal("has no valid container; \(form)") }
        if rest.contains(where: { $0 == "?" || $0 == "#" }) {
            throw refusal("has a '?' or '#', at which clients cut a URI; rename the object")
        }
        return .object(
            host: parts[0].lowercased(), tenant: tenant, container: container,
            path: try path(parts.count > 4 ? parts[4] : ""))
    }

    func nas(_ rest: Substring) throws -> StorageURI {
        let form = "use nas://{NAS ID}:/{path}"
        guard let colon = rest.range(of: ":/") else { throw refusal("is not a NAS path; \(form)") }
        let id = rest[..<colon.lowerBound]
        guard isName(id) else { throw refusal("has no valid NAS ID; \(form)") }
        return .nas(id: String(id), path: try path(rest[colon.upperBound...]))
    }

    func s3(_ rest: Substring) throws -> StorageURI {
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let bucket = parts.first, isName(bucket) else {
            throw refusal("has no valid bucket; use s3://{bucket}/{key}")
        }
        return .s3(bucket: String(bucket), key: try path(parts.count > 1 ? parts[1] : ""))
    }

    func file(_ rest: Substring) throws -> StorageURI {
        guard rest.hasPrefix("/") else { throw refusal("has no absolute path; use file:///{path}") }
        return .file(path: "/" + (try path(rest.dropFirst())))
    }

    /// A relative path without tricks and without its last slash.
    private func path(_ text: Substring) throws -> String {
        let path = text.hasSuffix("/") ? text.dropLast() : text
        if path.isEmpty {
            if text == "/" { throw refusal("has an empty part ('//')") }
            return ""
        }
        for part in path.utf8.split(separator: 0x2F, omittingEmptySubsequences: false) {
            if part.isEmpty { throw refusal("has an empty part ('//')") }
            if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) {
                throw refusal("has a '.' or '..' in its path")
            }
        }
        return String(path)
    }

    private func isName(_ text: Substring) -> Bool {
        !text.isEmpty && text.first != "." && text.count <= 63
            && text.utf8.allSatisfy { byte in
                let character = Character(Unicode.Scalar(byte))
                return character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
            }
    }

    /// A DNS name, an IPv4 address or a bracketed IPv6 address, with or without a port.
    private func isHost(_ text: Substring) -> Bool {
        var host = text
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            let address = text[text.index(after: text.startIndex)..<end]
            guard address.contains(":"), address.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                return false
            }
            let rest = text[text.index(after: end)...]
            return rest.isEmpty || (rest.first == ":" && isPort(rest.dropFirst()))
        }
        if let colon = text.firstIndex(of: ":") {
            guard isPort(text[text.index(after: colon)...]) else { return false }
            host = text[..<colon]
        }
        return host.count <= 253
            && host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                isName(label) && !label.hasPrefix("-") && !label.hasSuffix("-")
            }
    }

    private func isPort(_ text: Substring) -> Bool {
        guard let port = UInt16(text), !text.hasPrefix("+") else { return false }
        return port > 0
    }
}

extension StringProtocol {
    /// The first place of `text`, which is ASCII.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text), let end = index(start, offsetBy: text.count, limitedBy: endIndex) {
                return start..<end
            }
            start = index(after: start)
        }
        return nil
    }
}
