import Crypto
import Foundation
import Mustache
import Resource
import Web

/// Templates of every language and the files that pages load, ready to be served.
///
/// `[[key]]` in a template is replaced by the language's text when the template is read: a page costs no look-up, and a
/// text that is missing is found at the start.
package struct Renderer: Sendable {
    struct Asset: Sendable {
        var content: Data
        var type: String
    }

    package let strings: [Language: Strings]
    private let libraries: [Language: MustacheLibrary]
    let assets: [String: Asset]
    /// Changes with the content of any asset, so that browsers may keep them for ever.
    package let version: String

    /// - Throws: where a template cannot be read, or a text is missing.
    package init(files: ConsoleFiles) throws {
        MustacheContentTypes.register(EscapedHTML(), named: EscapedHTML.name)
        var strings: [Language: Strings] = [:]
        var libraries: [Language: MustacheLibrary] = [:]
        var assets: [String: Asset] = [:]
        for (name, content) in files.contents {
            guard let type = Renderer.types[(name as NSString).pathExtension] else { continue }
            let isOwn = name.hasPrefix("scripts/")
            let slim = isOwn ? Slim.script(content) : name.hasSuffix(".css") ? Slim.style(content) : content
            assets[name] = Asset(content: slim, type: type)
        }
        for language in Language.allCases {
            let table = try Strings(language, files: files)
            strings[language] = table
            assets["scripts/strings-\(language.rawValue).js"] = Asset(
                content: try Renderer.script(table), type: "text/javascript; charset=utf-8")
        }
        var hasher = SHA256()
        for name in assets.keys.sorted() { hasher.update(data: assets[name]?.content ?? Data()) }
        version = hasher.finalize().prefix(8).map { String(format: "%02x", $0) }.joined()
        for language in Language.allCases {
            libraries[language] = try Renderer.library(
                files, strings[language], assets: Renderer.path(version, language))
        }
        self.strings = strings
        self.libraries = libraries
        self.assets = assets
    }

    /// A file as it is served, by its name below `Console/`.
    package func asset(_ name: String) -> Data? { assets[name]?.content }

    /// Where a page of a language loads its files from.
    package func assetPath(_ language: Language) -> String { Renderer.path(version, language) }

    private static func path(_ version: String, _ language: Language) -> String {
        "/assets/\(version)-\(language.rawValue)"
    }

    private static let types = [
        "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
    ]

    private static func library(_ files: ConsoleFiles, _ strings: Strings?, assets: String) throws -> MustacheLibrary {
        var library = MustacheLibrary()
        for (name, content) in files.contents where name.hasPrefix("templates/") && name.hasSuffix(".mustache") {
            var missing: [String] = []
            let text = String(decoding: content, as: UTF8.self)
                .replacing("@assets", with: assets)
                .replacing(/\[\[([A-Za-z0-9._-]+)\]\]/) { match in
                    let key = String(match.1)
                    guard let text = strings?.table[key] else {
                        missing.append(key)
                        return ""
                    }
                    return text.htmlEscaped
                }
            let language = strings?.language.rawValue ?? ""
            guard missing.isEmpty else {
                throw TakumiError(
                    .failed, "strings/\(language).yaml has no \(missing.joined(separator: ", ")), which \(name) uses")
            }
            let short = String(name.dropFirst("templates/".count).dropLast(".mustache".count))
            do { try library.register("{{% CONTENT_TYPE:\(EscapedHTML.name)}}\(text)", named: short) } catch {
                throw TakumiError(.failed, "\(name) is no template: \(error)")
            }
        }
        return library
    }

    /// What scripts import as `./strings.js`: the texts whose keys begin with `script.`.
    private static func script(_ strings: Strings) throws -> Data {
        let prefix = "script."
        let texts = strings.table.filter { $0.key.hasPrefix(prefix) }
            .map { (String($0.key.dropFirst(prefix.count)), $0.value) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = String(decoding: try encoder.encode(Dictionary(uniqueKeysWithValues: texts)), as: UTF8.self)
        return Data(
            """
            const texts = \(json);
            export const language = "\(strings.language.rawValue)";
            export const t = (key, values = {}) =>
                (texts[key] ?? key).replace(/\\{(\\w+)\\}/g, (whole, name) => values[name] ?? whole);

            """.utf8)
    }

    /// - Throws: where there is no such template: a mistake of the build.
    package func render(_ template: String, _ model: [String: Any], _ language: Language) throws -> String {
        guard let text = libraries[language]?.render(model, withTemplate: template) else {
            throw TakumiError(.failed, "the console has no template \(template)")
        }
        return text
    }
}

/// Escapes by scalar. The library's own goes by character, and lets a quotation mark through that carries a combining
/// accent, which to a browser is a quotation mark.
private struct EscapedHTML: MustacheContentType {
    static let name = "TAKUMI"

    func escapeText(_ text: String) -> String { text.htmlEscaped }
}

extension String {
    /// For text between tags and in quoted attributes.
    package var htmlEscaped: String {
        var result = ""
        result.reserveCapacity(utf8.count)
        for scalar in unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// One component of a path in a URL.
    package var pathEscaped: String {
        addingPercentEncoding(withAllowedCharacters: .urlPathPart) ?? ""
    }
}

extension CharacterSet {
    fileprivate static let urlPathPart = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}
