/// What a run takes along: its code and its local data, into a folder of its own in the project's container.
struct RunUpload {
    let session: Session
    let store: StoreClient
    let folder: RemotePath

    /// `runs/{name}`
    static func folder(_ name: String, _ store: StoreClient) async throws -> RemotePath {
        try await store.newFolder(name, in: "runs")
    }

    func source(_ source: RunSource) async throws {
        let scan = source.scan
        scan.skipped.forEach { session.console.note("left out '\($0)': it is neither a file nor a folder") }
        try await store.upload(
            scan.files, to: folder.appending("source"), title: "uploading code", console: session.console)
        say("code", scan.files.count, scan.bytes, source.folder)
        if scan.files.count > 1000 || scan.bytes > 500 << 20 {
            session.console.note("takumi: what of this is no code can be named in a .takumiignore")
        }
    }

    /// - Returns: the datasets, every one as a URI.
    func data(_ data: [RunData]) async throws -> [KeyValue] {
        var pairs: [KeyValue] = []
        var taken: Set<String> = []
        for item in data {
            switch item.place {
            case .uri(let uri): pairs.append(KeyValue(key: item.name, value: uri))
            case .local(let path, let files):
                // Two names that differ only in what a URI cannot hold still get a folder each.
                var name = RunNames.folder(item.name)
                while !taken.insert(name).inserted { name += "_" }
                let target = folder.appending("data/\(name)")
                try await store.upload(files, to: target, title: "uploading \(item.name)", console: session.console)
                say("data '\(item.name)'", files.count, files.reduce(0) { $0 + $1.size }, path)
                pairs.append(KeyValue(key: item.name, value: store.info.uri(of: target)))
            }
        }
        return pairs
    }

    private func say(_ what: String, _ files: Int, _ bytes: Int, _ path: String) {
        session.console.note("uploaded \(what): \(Format.count(files, "file")), \(Format.bytes(bytes)), from \(path)")
    }
}
