import Console
import Foundation
import Testing
import Web

/// Every text is there in every language, and every text that something asks for is there at all.
@Suite struct StringsTests {
    private let files = ConsoleFiles()
    private static let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../../Sources")

    private func table(_ language: Language) throws -> [String: String] {
        try Strings(language, files: files).table
    }

    @Test func bothLanguagesHaveTheSameKeys() throws {
        let english = Set(try table(.english).keys)
        let japanese = Set(try table(.japanese).keys)
        #expect(english.subtracting(japanese).sorted() == [], "missing in Japanese")
        #expect(japanese.subtracting(english).sorted() == [], "missing in English")
    }

    @Test func noTextIsEmptyOrLeftInEnglish() throws {
        let english = try table(.english)
        // Names and words that are the same in both.
        let same: Set = [
            "language.en", "language.ja", "menu.nas", "snippet.sdk", "training.torchrun", "chart.gpu",
            "tuning.strategy.CMA_ES", "serving.gateway", "serving.cpu", "serving.gpu", "serving.pod",
            "notebook.jupyter", "notebook.python", "notebook.nas",
        ]
        for (key, text) in try table(.japanese) {
            #expect(!text.isEmpty && !(english[key] ?? "").isEmpty, "\(key)")
            #expect(text != english[key] || same.contains(key), "\(key) is not translated")
        }
    }

    @Test func bothLanguagesFillInTheSameValues() throws {
        let japanese = try table(.japanese)
        for (key, text) in try table(.english) {
            func names(_ text: String) -> Set<Substring> { Set(text.matches(of: /\{(\w+)\}/).map(\.1)) }
            #expect(names(text) == names(japanese[key] ?? ""), "\(key)")
        }
    }

    @Test func everyTemplateFindsItsTexts() throws {
        _ = try Renderer(files: files)
    }

    @Test func everyTextThatCodeAsksForIsThere() throws {
        let keys = Set(try table(.english).keys)
        let walker = try #require(FileManager.default.enumerator(at: Self.sources, includingPropertiesForKeys: nil))
        var found = 0
        for case let url as URL in walker where url.pathExtension == "swift" {
            let text = try String(contentsOf: url, encoding: .utf8)
            for match in text.matches(of: /\bt\(\s*"([A-Za-z]+\.[A-Za-z.]+)"/) {
                found += 1
                #expect(keys.contains(String(match.1)), "\(url.lastPathComponent) asks for \(match.1)")
            }
            for match in text.matches(of: /\bt\.count\(\s*"([A-Za-z.]+)"/) {
                found += 1
                #expect(keys.contains("\(match.1).one") && keys.contains("\(match.1).other"), "\(match.1)")
            }
        }
        #expect(found > 200, "the search itself finds nothing: \(found)")
    }

    @Test func everyTextThatScriptsAskForIsThere() throws {
        let keys = Set(try table(.english).keys)
        var asked: Set<String> = []
        for (name, content) in files.contents where name.hasPrefix("scripts/") && name.hasSuffix(".js") {
            for match in String(decoding: content, as: UTF8.self).matches(of: /\bt\(\s*"([A-Za-z.]+)"/) {
                asked.insert(String(match.1))
                #expect(keys.contains("script.\(match.1)"), "\(name) asks for \(match.1)")
            }
        }
        #expect(asked.count > 20, "the search itself finds nothing: \(asked.count)")
    }

    @Test func whatIsMadeOfAKindsNameIsThere() throws {
        let keys = Set(try table(.english).keys)
        for kind in ["experiment", "training"] {
            for text in ["title", "new", "created", "delete", "deleteText", "deleted", "empty.title", "empty.text"] {
                #expect(keys.contains("\(kind).\(text)"), "\(kind).\(text)")
            }
        }
        for key in ["training.did.stop", "experiment.did.retry", "images.TRAINING", "images.NOTEBOOK", "role.none"] {
            #expect(keys.contains(key), "\(key)")
        }
    }
}

@Suite struct RendererTests {
    @Test func nothingThatUsersTypeBecomesMarkup() throws {
        let renderer = try Renderer(files: ConsoleFiles())
        // The last: a quotation mark with a combining accent is one character to Swift, and two to a browser.
        for text in [
            "<img src=x onerror=alert(1)>", "\"><script>", "' onclick='x", "&lt;", "\"\u{301} onfocus=x", "<\u{301}b>",
        ] {
            let page = try renderer.render(
                "confirm", ["title": text, "text": text, "button": text, "back": text, "csrf": text, "mayDo": true],
                .english)
            #expect(!page.contains(text), "\(text)")
            #expect(page.contains(text.htmlEscaped), "\(text)")
        }
        #expect("a<b>\"c\"'d'&e".htmlEscaped == "a&lt;b&gt;&quot;c&quot;&#39;d&#39;&amp;e")
    }

    @Test func missingTextsStopTheStart() throws {
        let folder = try TemporaryConsole(["templates/x.mustache": "[[no.such.text]]"])
        #expect(throws: (any Error).self) { try Renderer(files: ConsoleFiles(folder: folder.path)) }
    }

    @Test func whatPagesLoadFirstIsSmall() throws {
        let renderer = try Renderer(files: ConsoleFiles())
        let first = ["main", "dom", "dialog", "forms", "live", "morph", "strings-ja", "tabs", "time", "toast"]
        let names = first.map { "scripts/\($0).js" } + ["style.css", "icons.svg"]
        let size = try names.reduce(0) { try $0 + #require(renderer.asset($1)).count }
        #expect(size < 72_000, "\(size) bytes; with 25 rows of a list a page must stay below 100 KB")
    }

    @Test func slimmingTakesCommentsAndNothingElse() throws {
        let folder = try TemporaryConsole([
            "scripts/x.js":
                "/** A\n * comment. */\nconst a = \"// no comment\"; // kept\n    // gone\n    /* gone */\n    go(a);\n",
            "style.css": "/* gone\n   gone */\n.a {\n  color: red; /* gone */\n}\n",
        ])
        let renderer = try Renderer(files: ConsoleFiles(folder: folder.path))
        let script = try #require(renderer.asset("scripts/x.js"))
        #expect(String(decoding: script, as: UTF8.self) == "const a = \"// no comment\"; // kept\ngo(a);\n")
        let style = try #require(renderer.asset("style.css"))
        #expect(String(decoding: style, as: UTF8.self) == ".a {\ncolor: red; \n}\n")
    }

    @Test func assetsChangeTheirAddressWithTheirContent() throws {
        let folder = try TemporaryConsole(["style.css": "body { color: red }"])
        let changed = try Renderer(files: ConsoleFiles(folder: folder.path))
        #expect(changed.version != (try Renderer(files: ConsoleFiles())).version)
        #expect(changed.assetPath(.japanese) == "/assets/\(changed.version)-ja")
    }
}

/// A folder that lies over the binary's own files.
private final class TemporaryConsole {
    let path = FileManager.default.temporaryDirectory.appending(path: "console-\(UUID().uuidString)").path

    init(_ files: [String: String]) throws {
        for (name, text) in files {
            let url = URL(filePath: path).appending(path: name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: url, atomically: true, encoding: .utf8)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
