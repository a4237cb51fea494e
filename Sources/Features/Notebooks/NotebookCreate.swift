import FeatureKit
import Foundation
import Resource

/// The body of `POST /notebooks`.
struct NotebookCreate: Decodable, Sendable {
    struct NAS: Decodable, Sendable {
        var mountDirName: String?
        var nasPath: String?
    }

    var notebookName: String?
    var description: String?
    var imageId: String?
    var flavorId: String?
    var bootStorageSize: WholeNumber?
    var dataStorageSize: WholeNumber?
    var nasList: [NAS]?
    var idleStopMinutes: WholeNumber?
    var idleStopIgnoresConnections: Bool?
    var tagList: [WireTag]?

    static let sizes = 1...10_000
    static let usualBootSize = 20

    var tags: [Tag] { (tagList ?? []).map(\.tag) }
    var idleStop: NotebookIdleStop {
        NotebookIdleStop(minutes: idleStopMinutes?.value, ignoresConnections: idleStopIgnoresConnections)
    }

    func validate(_ validator: inout Validator) {
        validator.name(notebookName, "notebookName")
        validator.length(description, "description", limit: Limits.description)
        validator.require(imageId != nil, "imageId", "is required; GET /images lists them")
        validator.require(flavorId != nil, "flavorId", "is required; GET /flavors lists them")
        validator.range(bootStorageSize?.value, "bootStorageSize", NotebookCreate.sizes)
        validator.require(
            dataStorageSize != nil, "dataStorageSize", "is required: GB of what stays; it cannot be changed later")
        validator.range(dataStorageSize?.value, "dataStorageSize", NotebookCreate.sizes)
        idleStop.validate(&validator)
        validator.tags(tags)
        validateNAS(&validator)
    }

    private func validateNAS(_ validator: inout Validator) {
        let list = nasList ?? []
        validator.count(list.count, "nasList", limit: 10)
        var seen: Set<String> = ["custom-conda-envs", "cont-init.d", "cont-init.output"]
        for (index, nas) in list.enumerated() {
            let field = "nasList[\(index)]"
            let name = nas.mountDirName ?? ""
            validator.require(!name.isEmpty, "\(field).mountDirName", "is required")
            validator.length(name, "\(field).mountDirName", limit: Limits.name)
            // The name becomes a folder.
            validator.require(
                name.isEmpty
                    || (name.allSatisfy { ($0.isASCII && ($0.isLetter || $0.isNumber)) || "_-.".contains($0) }
                        && !name.hasPrefix(".")),
                "\(field).mountDirName",
                "'\(name.excerpt)' may only have letters, digits, '_', '-' and '.', the last not first")
            validator.require(
                seen.insert(name).inserted, "\(field).mountDirName",
                "'\(name.excerpt)' is given twice, or a folder that every notebook has")
            validator.require(
                nas.nasPath?.hasPrefix("nas://") ?? false, "\(field).nasPath",
                "'\((nas.nasPath ?? "").excerpt)' must have the form nas://{NAS ID}:/{path}")
            validator.length(nas.nasPath, "\(field).nasPath", limit: Limits.uri)
        }
    }
}

/// The body of `PUT /notebooks/{id}/idle-stop`. The rule of before is replaced, so nothing is left to a guess.
struct NotebookIdleStop: Decodable, Sendable {
    private struct Field: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }

        static let minutes = Field(stringValue: "idleStopMinutes")
        static let ignoresConnections = Field(stringValue: "idleStopIgnoresConnections")
    }

    private var hasMinutes = true
    private var unknown: [String] = []
    /// nil for never.
    var minutes: Int?
    var ignoresConnections: Bool?

    init(minutes: Int?, ignoresConnections: Bool?) {
        (self.minutes, self.ignoresConnections) = (minutes, ignoresConnections)
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Field.self)
        hasMinutes = fields.contains(.minutes)
        let known = [Field.minutes, .ignoresConnections].map(\.stringValue)
        unknown = fields.allKeys.map(\.stringValue).filter { !known.contains($0) }.sorted()
        minutes = try fields.decodeIfPresent(WholeNumber.self, forKey: .minutes)?.value
        ignoresConnections = try fields.decodeIfPresent(Bool.self, forKey: .ignoresConnections)
    }

    static let range = 5...10_080

    func validate(_ validator: inout Validator) {
        for field in unknown {
            validator.refuse(
                field.excerpt, "is not known; there are idleStopMinutes and idleStopIgnoresConnections")
        }
        validator.require(
            hasMinutes, "idleStopMinutes",
            "is required: \(NotebookIdleStop.range.lowerBound) to \(NotebookIdleStop.range.upperBound), or null for never"
        )
        validator.range(minutes, "idleStopMinutes", NotebookIdleStop.range)
    }

    var rule: NotebookSpec.IdleStop? {
        minutes.map { .init(minutes: $0, ignoresConnections: ignoresConnections ?? false) }
    }
}
