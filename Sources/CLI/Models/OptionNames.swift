import Resource

/// What the fields of a request are called on the command line, so that a refusal names what was typed.
struct OptionNames: Sendable {
    /// By the API's spelling; of a list's entries without the number (`tagList.tagKey`).
    private let options: [String: String]
    /// What the entries of `endpointModelResourceList` were typed as.
    private let entries: [String]

    init(_ options: [String: String], entries: [String] = []) {
        (self.options, self.entries) = (options, entries)
    }

    static let model = OptionNames([
        "modelName": "NAME", "modelFormatCode": "--format", "modelUploadUri": "--path", "trainingId": "--training",
        "hyperparameterTuningId": "--tuning", "parameterList": "--parameter", "description": "--description",
        "tagList": "--tag",
    ])

    /// - Returns: the field itself where there is no option for it.
    func option(_ field: String) -> String {
        guard let bracket = field.firstIndex(of: "["), let end = field[bracket...].firstIndex(of: "]") else {
            return options[field] ?? field
        }
        let list = String(field[..<bracket])
        let number = Int(field[field.index(after: bracket)..<end])
        let rest = field[field.index(after: end)...].drop { $0 == "." }
        guard list == "endpointModelResourceList", let number, entries.indices.contains(number) else {
            return options[list] ?? field
        }
        return ["--model \(entries[number])", options[String(rest)]].compactMap { $0 }.joined(separator: ", ")
    }

    /// - Throws: what `body` throws, with every field that has an option under the option's name.
    func blaming<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let refused as ValidationErrors {
            throw ValidationErrors(
                refused.errors.map { TakumiError($0.code, $0.message, field: $0.field.map(option)) })
        }
    }
}
