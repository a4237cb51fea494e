#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The code of a run: a folder of this machine, and the script in it.
struct RunSource {
    /// Absolute, links resolved.
    var folder: String
    /// The script, as a path in the folder.
    var entryPoint: String
    var scan: FolderScan

    /// - Parameters:
    ///   - script: as typed; looked for here, and then in the folder.
    ///   - source: the folder as typed; nil for the one that the script lies in.
    ///   - data: local folders that go up as datasets anyway, absolute.
    /// - Throws: `CommandFailure` that says which of the two is wrong.
    init(script: String, source: String?, data: [String] = [], home: String?) throws {
        let (folder, entryPoint) = try Self.locate(script: script, source: source)
        self.folder = folder
        self.entryPoint = entryPoint
        if folder == "/" || folder == home.flatMap(LocalPath.absolute) {
            throw CommandFailure(
                "\(folder) as a whole would be uploaded; move the script to a folder of its own, or give --source DIR")
        }
        let rules = IgnoreRules(
            (try? String(contentsOf: URL(filePath: LocalPath.join(folder, ".takumiignore")), encoding: .utf8)) ?? "")
        let without = data.compactMap { LocalPath.relative($0, to: folder) }
        scan = try FolderScan(folder, rules: rules, without: Set(without.filter { !entryPoint.hasPrefix($0 + "/") }))
        guard scan.files.contains(where: { $0.name == entryPoint }) else {
            throw CommandFailure("\(entryPoint) is left out by .takumiignore; the script itself has to be uploaded")
        }
    }

    private static func locate(script: String, source: String?) throws(CommandFailure) -> (String, String) {
        guard let source else {
            let (folder, name) = try split(script)
            return (folder, name)
        }
        guard let root = LocalPath.absolute(source), FileStatus(root)?.kind == .folder else {
            throw CommandFailure("--source '\(source)' is no folder here")
        }
        // `takumi run train.py --source src` means src/train.py as much as `takumi run src/train.py --source src` does.
        let inside = LocalPath.join(root, script)
        let isHere = FileStatus(script)?.kind == .file
        let (folder, name) = try split(!isHere && FileStatus(inside)?.kind == .file ? inside : script)
        guard let relative = LocalPath.relative(LocalPath.join(folder, name), to: root) else {
            throw CommandFailure("\(script) is not in --source \(source); only that folder is uploaded")
        }
        return (root, relative)
    }

    /// The folder that a file is really in, and its name there: a link to a script counts where the link is.
    private static func split(_ script: String) throws(CommandFailure) -> (folder: String, name: String) {
        switch FileStatus(script)?.kind {
        case .file where script.hasSuffix(".py"): break
        case .file: throw CommandFailure("\(script) is not a Python file; its name must end with .py")
        case .folder:
            throw CommandFailure("\(script) is a folder; give the script to start, and the folder with --source")
        case .other, .none: throw CommandFailure("\(script): there is no such file here")
        }
        let parent = script.lastIndex(of: "/").map { $0 == script.startIndex ? "/" : String(script[..<$0]) } ?? "."
        guard let folder = LocalPath.absolute(parent) else {
            throw CommandFailure("\(parent): there is no such folder here")
        }
        return (folder, LocalPath.name(script))
    }
}

/// One `--data NAME=PLACE` of a run.
struct RunData {
    enum Place {
        /// Somewhere else already.
        case uri(String)
        /// Absolute, with the files to upload.
        case local(String, [FolderScan.File])
    }

    var name: String
    var place: Place

    /// - Throws: `CommandFailure` where a local place is missing or empty: a training would only find out later.
    init(_ pair: KeyValue) throws {
        name = pair.key
        if pair.value.contains("://") {
            place = .uri(pair.value)
            return
        }
        let remedy = "give a folder or file here, or a URI such as obs://…"
        guard let path = LocalPath.absolute(pair.value), let status = FileStatus(path) else {
            throw CommandFailure("--data \(name): there is no '\(pair.value)' here; \(remedy)")
        }
        switch status.kind {
        case .file: place = .local(path, [FolderScan.File(path: path, name: LocalPath.name(path), size: status.size)])
        case .folder:
            let scan = try FolderScan(path)
            if scan.files.isEmpty {
                throw CommandFailure("--data \(name): there are no files in '\(pair.value)'; \(remedy)")
            }
            place = .local(path, scan.files)
        case .other: throw CommandFailure("--data \(name): '\(pair.value)' is neither a file nor a folder; \(remedy)")
        }
    }
}
