import Foundation
import GRDB
import Resource

/// A resource as it lies in the table, its spec and status still encoded.
///
/// Generic routes and pages work on this; only the feature that owns the kind decodes the documents.
package struct Record: Sendable {
    package var metadata: Metadata
    package var phase: String
    package var settled: Bool
    package var spec: Data
    package var status: Data

    package var key: ResourceKey { metadata.key }

    static let columns =
        "kind, id, project, name, description, tags, created_at, updated_at, generation, version, phase, settled, spec, status"

    init(row: Row) throws {
        // By position: by name costs a dictionary look-up per column, which long lists feel.
        let tags: String = row[5]
        metadata = Metadata(
            key: ResourceKey(ResourceKind(row[0]), row[1]), project: row[2], name: row[3], description: row[4],
            tags: tags == "[]" ? [] : try JSON.decoder.decode([Tag].self, from: Data(tags.utf8)),
            createdAt: Date(timeIntervalSince1970: row[6]), updatedAt: Date(timeIntervalSince1970: row[7]),
            generation: row[8], version: row[9])
        phase = row[10]
        settled = row[11]
        spec = row[12]
        status = row[13]
    }

    init<Spec, Status>(_ resource: Resource<Spec, Status>) throws {
        metadata = resource.metadata
        phase = resource.status.phase.rawValue
        settled = resource.status.phase.isSettled
        spec = try JSON.encoder.encode(resource.spec)
        status = try JSON.encoder.encode(resource.status)
    }

    package func decoded<Spec: ResourceSpec, Status: ResourceStatus>(
        as type: Resource<Spec, Status>.Type = Resource<Spec, Status>.self
    ) throws -> Resource<Spec, Status> {
        Resource(
            metadata: metadata, spec: try JSON.decoder.decode(Spec.self, from: spec),
            status: try JSON.decoder.decode(Status.self, from: status))
    }

    func tagsJSON() throws -> String {
        metadata.tags.isEmpty ? "[]" : String(decoding: try JSON.encoder.encode(metadata.tags), as: UTF8.self)
    }
}

/// How documents are kept: sorted keys, so that equal values have equal bytes.
enum JSON {
    static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .secondsSince1970
        return encoder
    }()

    static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return decoder
    }()
}
