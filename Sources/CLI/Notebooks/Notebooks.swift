enum Notebooks: Noun {
    static let singular = "notebook"
    static let plural = "notebooks"
    static let path = "/notebooks"

    static var columns: [Column] {
        [
            nameColumn, stateColumn,
            Column("IMAGE", isFlexible: true, isOptional: true) { image($0) },
            Column("INSTANCE", isOptional: true) { $0["flavor"]["name"].text },
            Column("STORAGE", isNumber: true) { "\($0["dataStorageSize"].text) GB" },
            createdColumn, idColumn,
        ]
    }

    static func details(_ item: JSONValue) -> [(String, String)] {
        let nas = (item["nasList"].array ?? []).map { "\($0["mountDirName"].text) = \($0["nasPath"].text)" }
        return head(item) + [
            ("image", item["image"]["imageName"].text),
            ("instance", item["flavor"]["name"].text),
            ("boot storage", storage(item, "boot")),
            ("data storage", storage(item, "data")),
        ] + nas.enumerated().map { ($0 == 0 ? "nas" : "", $1) } + [
            ("idle stop", idleStop(item)),
            ("url", item["notebookUrl"].text),
            ("active since", Timestamp.local(item["activeDatetime"].string)),
            ("isolation", item["isolation"].text),
            ("version", version(item)),
        ] + foot(item)
    }

    /// `PYTHON 3.11`
    private static func image(_ item: JSONValue) -> String {
        "\(item["image"]["frameworkCode"].text) \(item["image"]["frameworkVersion"].text)".trimmed
    }

    /// `20 GB, 1.5 GiB used`
    private static func storage(_ item: JSONValue, _ name: String) -> String {
        let size = "\(item["\(name)StorageSize"].text) GB"
        let use = (item["storageUseList"].array ?? []).first { $0["name"].text == name }
        guard let used = use?["usedMiB"].int else { return size }
        return "\(size), \(Format.bytes(used << 20)) used"
    }

    /// `after 60 minutes without use, at 2026-01-31 14:05:09`, or what keeps it from stopping.
    static func idleStop(_ item: JSONValue) -> String {
        guard let minutes = item["idleStopMinutes"].int else { return "never" }
        let rule = "after \(Format.count(minutes, "minute")) without use"
        let connections = item["idleStopIgnoresConnections"].bool == true ? ", open browsers not counted" : ""
        let end = item["idleStopDatetime"].string.map { ": at \(Timestamp.local($0)) unless it is used" }
        let use = item["inUseReason"].string.map { "; now \($0)" }
        return rule + connections + (end ?? use ?? "")
    }

    /// Only what there is to do about it (12.7).
    private static func version(_ item: JSONValue) -> String {
        guard item["isClusterLatest"].bool == false else { return "" }
        let end = item["expireDatetime"].string.map { " before \(Timestamp.local($0))" } ?? ""
        return "old; reboot it\(end)"
    }
}
