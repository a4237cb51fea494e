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

    func validate(_ validator: inout Validator) {
        validator.name(notebookName, "notebookName")
        validator.length(description, "description", limit: Limits.description)
        validator.require(imageId != nil, "imageId", "is required; GET /images lists them")
        validator.require(flavorId != nil, "flavorId", "is required; GET /flavors lists them")
        validator.range(bootStorageSize?.value, "bootStorageSize", NotebookCreate.sizes)
        validator.require(
            dataStorageSize != nil, "dataStorageSize", "is required: GB of what stays; it cannot be changed later")
        validator.range(dataStorageSize?.value, "dataStorageSize", NotebookCreate.sizes)
        NotebookIdleStop.validate(idleStopMinutes?.value, &validator)
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

/// The body of `PUT /notebooks/{id}/idle-stop`; without minutes there is none any longer.
struct NotebookIdleStop: Decodable, Sendable {
    var idleStopMinutes: WholeNumber?
    var idleStopIgnoresConnections: Bool?

    static let minutes = 5...10_080

    static func validate(_ value: Int?, _ validator: inout Validator) {
        validator.range(value, "idleStopMinutes", minutes)
    }

    static func rule(_ minutes: Int?, _ ignoresConnections: Bool?) -> NotebookSpec.IdleStop? {
        minutes.map { .init(minutes: $0, ignoresConnections: ignoresConnections ?? false) }
    }
}
