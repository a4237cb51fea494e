/// What `takumi run` says, apart from when it says it.
enum RunText {
    /// `CREATE IN PROGRESS · 12s · installing image pytorch`
    static func progress(_ view: TrainingView, waited: Int) -> String {
        // The longer of the two: one begins before the script does, the other may have begun before us.
        let elapsed = Format.duration(max(view.elapsed ?? 0, waited))
        return [Format.state(view.code), elapsed, view.reason].compactMap { $0 }.joined(separator: " · ")
    }

    /// The block at the end.
    static func summary(_ view: TrainingView, download: String?) -> [String] {
        var fields: [(name: String, value: String)] = [
            ("training", "\(view.name) (\(view.id))"),
            ("status", [Format.state(view.code), view.reason].compactMap { $0 }.joined(separator: ": ")),
            ("exit code", view.exitCode.map(String.init) ?? ""),
            ("elapsed", view.elapsed.map(Format.duration) ?? ""),
            ("model", view.modelURI ?? ""),
        ]
        if let download {
            fields.append(("downloaded to", download))
        } else if let uri = view.modelURI, uri.hasPrefix("obs://") {
            fields.append(("fetch it", "takumi storage cp \(quoted(uri)) ./model"))
        }
        if let address = view.tensorboard { fields.append(("tensorboard", address)) }
        fields.append(("log", "takumi training logs \(view.id)"))
        return Details(fields: fields).lines()
    }

    static func reattach(_ id: String) -> String {
        "follow it again with: takumi training logs -f \(id)"
    }

    /// As a shell takes it for one word.
    static func quoted(_ word: String) -> String {
        let plain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./:=@%+,".contains($0)) }
        return plain && !word.isEmpty
            ? word : "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
    }
}
