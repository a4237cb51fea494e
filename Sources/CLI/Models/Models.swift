enum Models: Noun {
    typealias Filters = ModelFilter

    static let singular = "model"
    static let plural = "models"
    static let path = "/models"

    static var columns: [Column] {
        [
            nameColumn, stateColumn,
            Column("FORMAT") { Format.state($0["modelFormatCode"].string) },
            Column("FROM", isFlexible: true) { origin($0) },
            createdColumn, idColumn,
        ]
    }

    static func details(_ item: JSONValue) -> [(String, String)] {
        let parameters = (item["parameterList"].array ?? []).map {
            "\($0["parameterName"].text) = \($0["parameterValue"].text)"
        }
        return head(item) + [
            ("format", "\(Format.state(item["modelFormatCode"].string)) \(item["frameworkVersion"].text)".trimmed),
            ("training", made(item["training"], "training")),
            ("tuning", made(item["hyperparameterTuning"], "hyperparameterTuning")),
            ("path", item["modelUploadUri"].text),
        ] + parameters.enumerated().map { ($0 == 0 ? "parameters" : "", $1) } + foot(item)
    }

    private static func made(_ origin: JSONValue, _ kind: String) -> String {
        origin.isNull ? "" : "\(origin[kind + "Name"].text) (\(origin[kind + "Id"].text))"
    }

    /// What it was made from: `training iris`, or where its files are, in short.
    static func origin(_ item: JSONValue) -> String {
        if let name = item["training"]["trainingName"].string { return "training \(name)" }
        if let name = item["hyperparameterTuning"]["hyperparameterTuningName"].string { return "tuning \(name)" }
        guard let uri = item["modelUploadUri"].string else { return hubID(item) }
        // obs://HOST/v1/AUTH_tenant/container/path: what comes before the container is the same for all.
        let parts = uri.split(separator: "/", maxSplits: 4)
        return uri.hasPrefix("obs://") && parts.count == 5 && parts[3].hasPrefix("AUTH_") ? String(parts[4]) : uri
    }

    /// A model's id on the Hugging Face hub.
    private static func hubID(_ item: JSONValue) -> String {
        let named = (item["parameterList"].array ?? []).first {
            let name = $0["parameterName"].text.lowercased().replacing("-", with: "_")
            return name == "model_id" || name == "hf_model_id"
        }
        return named?["parameterValue"].text ?? ""
    }
}
