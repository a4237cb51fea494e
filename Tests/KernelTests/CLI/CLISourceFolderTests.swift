import Testing

@testable import CLI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite struct CLISourceFolderTests {
    @Test(arguments: [
        // line of the file, path, is a folder, ignored
        ("*.pt", "model.pt", false, true),
        ("*.pt", "deep/down/model.pt", false, true),
        ("/model.pt", "deep/model.pt", false, false),
        ("/model.pt", "model.pt", false, true),
        ("data/", "data", true, true),
        ("data/", "data", false, false),
        ("a/*.txt", "a/b.txt", false, true),
        ("a/*.txt", "a/b/c.txt", false, false),
        ("a/**/c.txt", "a/c.txt", false, true),
        ("a/**/c.txt", "a/b/b/c.txt", false, true),
        ("logs/**", "logs", true, false),
        ("logs/**", "logs/a/b", false, true),
        ("**/tmp", "x/y/tmp", true, true),
        ("run-?.log", "run-1.log", false, true),
        ("run-[0-4].log", "run-5.log", false, false),
        ("run-[!0-4].log", "run-5.log", false, true),
        ("[", "[", false, true),
        ("\\#odd", "#odd", false, true),
        ("# a remark", "# a remark", false, false),
        ("", "anything", false, false),
        ("trailing.txt   ", "trailing.txt", false, true),
        ("train.py", "train.pyc", false, false),
    ])
    func linesReadAsThoseOfGit(line: String, path: String, isFolder: Bool, isIgnored: Bool) {
        #expect((IgnoreRules(line).verdict(path, isFolder: isFolder) == .ignored) == isIgnored)
    }

    @Test func theLastLineThatMatchesDecides() {
        let rules = IgnoreRules("*.csv\n!keep.csv\n!.venv/\n")
        #expect(rules.verdict("a.csv", isFolder: false) == .ignored)
        #expect(rules.verdict("keep.csv", isFolder: false) == .kept)
        #expect(rules.verdict(".venv", isFolder: true) == .kept)
        #expect(rules.verdict(".git", isFolder: true) == .ignored)
        #expect(rules.verdict("sub/__pycache__", isFolder: true) == .ignored)
        #expect(rules.verdict("train.py", isFolder: false) == .unmentioned)
    }

    @Test(.timeLimit(.minutes(1))) func manyStarsDoNotTakeForever() {
        let rules = IgnoreRules("*a*a*a*a*a*a*b")
        #expect(rules.verdict(String(repeating: "a", count: 60), isFolder: false) == .unmentioned)
    }

    /// A folder of its own with these files in it.
    private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "takumi-cli-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (name, text) in files {
            let file = root.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try body(try #require(LocalPath.absolute(root.path())))
    }

    @Test func onlyTheCodeGoesUp() throws {
        let files = [
            "train.py": "x", "lib/util.py": "xy", ".git/HEAD": "x", "lib/__pycache__/util.pyc": "x",
            "env/pyvenv.cfg": "x",
            "env/lib/big.so": "x", "out/model.pt": "x", ".takumiignore": "out/\n", "iris/data.csv": "x",
        ]
        try withFolder(files) { root in
            let source = try RunSource(script: root + "/train.py", source: nil, data: [root + "/iris"], home: nil)
            #expect(source.folder == root)
            #expect(source.entryPoint == "train.py")
            #expect(source.scan.files.map(\.name) == ["lib/util.py", "train.py"])
            #expect(source.scan.bytes == 3)
        }
    }

    @Test func theScriptMayLieDeeperInTheSource() throws {
        try withFolder(["src/a/train.py": "x", "src/lib.py": "x"]) { root in
            for script in [root + "/src/a/train.py", "a/train.py"] {
                let source = try RunSource(script: script, source: root + "/src", home: nil)
                #expect(source.entryPoint == "a/train.py")
                #expect(source.scan.files.map(\.name) == ["a/train.py", "lib.py"])
            }
        }
    }

    @Test func whatCannotBeAScriptIsRefused() throws {
        try withFolder(["a/train.py": "x", "b/x.py": "x", "c/train.py": "x", "c/.takumiignore": "*.py", "run.sh": "x"])
        { root in
            func line(_ script: String, _ source: String? = nil, home: String? = nil) -> String? {
                #expect(throws: CommandFailure.self) {
                    try RunSource(script: script, source: source, home: home)
                }?.lines.first
            }
            #expect(line(root + "/a/nope.py")?.hasSuffix("there is no such file here") == true)
            #expect(line(root + "/run.sh")?.contains("is not a Python file") == true)
            #expect(line(root + "/a")?.contains("is a folder; give the script") == true)
            #expect(line(root + "/a/train.py", root + "/b")?.contains("only that folder is uploaded") == true)
            #expect(line(root + "/a/train.py", root + "/nope")?.contains("is no folder here") == true)
            #expect(line(root + "/c/train.py")?.contains("left out by .takumiignore") == true)
            #expect(line(root + "/a/train.py", home: root + "/a")?.contains("as a whole would be uploaded") == true)
        }
    }

    @Test func aLoopOfLinksEnds() throws {
        try withFolder(["d/x.txt": "x"]) { root in
            try FileManager.default.createSymbolicLink(atPath: root + "/d/up", withDestinationPath: root)
            try FileManager.default.createSymbolicLink(atPath: root + "/broken", withDestinationPath: root + "/nope")
            let scan = try FolderScan(root)
            #expect(scan.files.map(\.name) == ["d/x.txt"])
            #expect(scan.skipped == ["broken"])
        }
    }

    @Test func dataIsAFolderAFileOrAURI() throws {
        try withFolder(["iris/a.csv": "x", "one.csv": "xyz"]) { root in
            try FileManager.default.createDirectory(atPath: root + "/empty", withIntermediateDirectories: true)
            guard case .local(_, let files) = try RunData(KeyValue(key: "t", value: root + "/one.csv")).place else {
                Issue.record("a file is local data")
                return
            }
            #expect(files.map(\.name) == ["one.csv"])
            guard case .uri("nas://n:/x") = try RunData(KeyValue(key: "t", value: "nas://n:/x")).place else {
                Issue.record("a URI is left alone")
                return
            }
            for (value, words) in [("/nope", "there is no"), ("/empty", "there are no files in")] {
                let failure = #expect(throws: CommandFailure.self) {
                    try RunData(KeyValue(key: "t", value: root + value))
                }
                #expect(failure?.lines.first?.hasPrefix("--data t: \(words)") == true)
            }
        }
    }

    @Test func namesThatAreMadeUpFitEverywhere() {
        let date = Date(timeIntervalSince1970: 1_769_868_309)
        let name = RunNames.training(script: "src/train.py", at: date)
        #expect(name.hasPrefix("train-2026"))
        #expect(RunNames.training(script: String(repeating: "x", count: 80) + ".py", at: date).count == 50)
        #expect(RunNames.folder("my run #1?") == "my-run--1-")
        #expect(RunNames.folder("..") == "run")
        #expect(RunNames.folder("分類") == "run")
    }
}
