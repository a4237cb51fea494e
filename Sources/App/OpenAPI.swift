import FeatureKit
import Foundation
import Hummingbird

/// `/openapi.json`, put together from what the features say of their routes.
struct OpenAPI: Sendable {
    private let document: Data

    init(features: [APIDescription]) {
        var paths: [String: [String: Any]] = [:]
        for operation in features.flatMap(\.operations) {
            let path = (operation.isOfServer ? "/v1.0" : "/v1.0/appkeys/{appKey}") + operation.path
            paths[path, default: [:]][operation.method.lowercased()] = OpenAPI.object(operation, path: path)
        }
        let document: [String: Any] = [
            "openapi": "3.1.0",
            "info": [
                "title": "Takumi", "version": Takumi.version,
                "description": "The REST API of AI EasyMaker as its Python SDK uses it, and what Takumi adds.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ] as [String: Any],
            "paths": paths,
            "components": [
                "securitySchemes": [
                    "token": ["type": "apiKey", "in": "header", "name": "X-EasyMaker-Token"],
                    "bearer": ["type": "http", "scheme": "bearer"],
                ],
                "schemas": ["Header": OpenAPI.header, "Failure": OpenAPI.failure],
            ] as [String: Any],
            "security": [["token": [String]()], ["bearer": [String]()]],
        ]
        self.document =
            (try? JSONSerialization.data(withJSONObject: document, options: [.sortedKeys, .withoutEscapingSlashes]))
            ?? Data()
    }

    func response() throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: .init(bytes: document)))
    }

    private static var header: [String: Any] {
        [
            "type": "object", "required": ["isSuccessful", "resultCode", "resultMessage"],
            "properties": [
                "isSuccessful": ["type": "boolean"], "resultCode": ["type": "integer"],
                "resultMessage": ["type": "string"],
            ],
        ]
    }

    private static var failure: [String: Any] {
        [
            "type": "object", "required": ["header", "errors"],
            "properties": [
                "header": ["$ref": "#/components/schemas/Header"],
                "errors": [
                    "type": "array",
                    "items": [
                        "type": "object", "properties": ["field": ["type": "string"], "message": ["type": "string"]],
                    ] as [String: Any],
                ] as [String: Any],
            ] as [String: Any],
        ]
    }

    private static func object(_ operation: APIDescription.Operation, path: String) -> [String: Any] {
        var properties: [String: Any] = ["header": ["$ref": "#/components/schemas/Header"]]
        if let payload = operation.payload {
            properties[payload] =
                payload.hasSuffix("List") || payload == "metrics" ? ["type": "array"] : ["type": "object"]
        }
        func json(_ schema: [String: Any]) -> [String: Any] { ["application/json": ["schema": schema]] }
        var object: [String: Any] = [
            "summary": operation.summary,
            "operationId": operation.method.lowercased()
                + operation.path.split(separator: "/").map { part in
                    part.hasPrefix("{") ? "ById" : part.split(separator: "-").map(\.localizedCapitalized).joined()
                }.joined(),
            "responses": [
                "200": [
                    "description": "Done or accepted",
                    "content": json(["type": "object", "required": ["header"], "properties": properties]),
                ] as [String: Any],
                "default": [
                    "description": "Refused, with the field and the reason",
                    "content": json(["$ref": "#/components/schemas/Failure"]),
                ] as [String: Any],
            ],
        ]
        let inPath = path.split(separator: "/").filter { $0.hasPrefix("{") }.map { part -> [String: Any] in
            ["name": String(part.dropFirst().dropLast()), "in": "path", "required": true, "schema": ["type": "string"]]
        }
        object["parameters"] =
            inPath
            + operation.query.map { field -> [String: Any] in
                ["name": field.name, "in": "query", "required": false, "schema": schema(field)]
            }
        if !operation.body.isEmpty {
            let body: [String: Any] = [
                "type": "object", "required": operation.body.filter(\.isRequired).map(\.name),
                "properties": Dictionary(uniqueKeysWithValues: operation.body.map { ($0.name, schema($0)) }),
            ]
            object["requestBody"] = ["required": true, "content": json(body)] as [String: Any]
        }
        return object
    }

    private static func schema(_ field: APIDescription.Field) -> [String: Any] {
        var schema: [String: Any] =
            field.type.hasSuffix("[]")
            ? ["type": "array", "items": ["type": String(field.type.dropLast(2))]] : ["type": field.type]
        schema["description"] = field.note
        return schema
    }
}
