import AsyncHTTPClient
import Crypto
import NIOCore
import NIOHTTP1
import Resource

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An object on an OpenStack Swift, as a listing or HEAD tells it.
package struct RemoteObject: Sendable, Equatable {
    package var name: String
    package var size: Int64
    package var etag: String
    package var contentType: String
    /// `container/prefix` where HEAD found a dynamic large object.
    package var manifest: String?
    package var isStatic = false
}

extension SwiftClient {
    /// Fails with `.notFound` or `.forbidden` where the container cannot be read.
    package func headContainer(_ container: ContainerPath) async throws {
        let reply = try await send("container '\(container.container.excerpt)'") {
            var request = HTTPClientRequest(url: url(container))
            request.method = .HEAD
            return request
        }
        _ = try await reply.body.collect(upTo: 1 << 20)
    }

    /// - Returns: nil where there is no such object.
    package func head(_ path: ObjectPath) async throws -> RemoteObject? {
        do {
            let reply = try await send("object '\(path.name.excerpt)'") {
                var request = HTTPClientRequest(url: url(path.container, path.name))
                request.method = .HEAD
                return request
            }
            _ = try await reply.body.collect(upTo: 1 << 20)
            return Self.object(path.name, reply.headers)
        } catch let error as TakumiError where error.code == .notFound {
            return nil
        }
    }

    static func object(_ name: String, _ headers: HTTPHeaders) -> RemoteObject {
        RemoteObject(
            name: name, size: headers.first(name: "Content-Length").flatMap(Int64.init) ?? 0,
            etag: headers.first(name: "Etag").map { $0.filter { $0 != "\"" } } ?? "",
            contentType: headers.first(name: "Content-Type") ?? "",
            manifest: headers.first(name: "X-Object-Manifest").flatMap { PercentEncoding.decode($0) },
            isStatic: headers.first(name: "X-Static-Large-Object")?.lowercased() == "true")
    }

    private struct Listed: Decodable {
        var name: String?
        var bytes: Int64?
        var hash: String?
        var contentType: String?

        enum CodingKeys: String, CodingKey {
            case name, bytes, hash
            case contentType = "content_type"
        }
    }

    /// All objects under a prefix, or the first `limit` of them.
    package func list(_ container: ContainerPath, prefix: String, limit: Int = .max) async throws -> [RemoteObject] {
        var objects: [RemoteObject] = []
        while objects.count < limit {
            try Task.checkCancellation()
            var query = [("format", "json"), ("prefix", prefix), ("limit", String(min(limit - objects.count, 10000)))]
            if let last = objects.last { query.append(("marker", last.name)) }
            let reply = try await send("container '\(container.container.excerpt)'") {
                HTTPClientRequest(url: url(container, query: query))
            }
            let content = try await reply.body.collect(upTo: 64 << 20)
            if reply.status == .noContent || content.readableBytes == 0 { break }
            guard let page = try? JSONDecoder().decode([Listed].self, from: Data(content.readableBytesView)) else {
                throw TakumiError(.failed, "'\(server.host)' did not answer with a listing")
            }
            if page.isEmpty { break }
            objects += page.compactMap { item in
                item.name.map {
                    RemoteObject(
                        name: $0, size: item.bytes ?? 0, etag: item.hash ?? "", contentType: item.contentType ?? "")
                }
            }
        }
        return objects
    }

    /// Deletes an object; one that is gone already is no error.
    /// Whether an object of that name may be written, found out by writing an empty one and removing it: Swift tells
    /// nobody but an owner what a container's write policy says.
    package func checkWritable(_ path: ObjectPath) async throws {
        let reply = try await send("storing '\(path.name.excerpt)'") {
            var request = HTTPClientRequest(url: url(path.container, path.name))
            request.method = .PUT
            request.headers.add(name: "Content-Length", value: "0")
            return request
        }
        _ = try await reply.body.collect(upTo: 1 << 20)
        try await delete(path)
    }

    package func delete(_ path: ObjectPath) async throws {
        do {
            let reply = try await send("deleting '\(path.name.excerpt)'") {
                var request = HTTPClientRequest(url: url(path.container, path.name))
                request.method = .DELETE
                return request
            }
            _ = try await reply.body.collect(upTo: 1 << 20)
        } catch let error as TakumiError where error.code == .notFound {}
    }
}
