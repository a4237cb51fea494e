/// What a feature tells `/openapi.json` about its routes.
package struct APIDescription: Sendable {
    package struct Operation: Sendable {
        package var method: String
        /// Below `/v1.0/appkeys/{appKey}`, or absolute with a leading `//`.
        package var path: String
        package var summary: String
        /// The body's fields, where there is a body.
        package var body: [Field]
        /// The key of the payload in the envelope; nil where there is only the header.
        package var payload: String?
        package var query: [Field]
        /// Below `/v1.0` and not below a project.
        package var isOfServer: Bool

        package init(
            _ method: String, _ path: String, _ summary: String, body: [Field] = [], query: [Field] = [],
            payload: String? = nil, isOfServer: Bool = false
        ) {
            self.method = method
            self.path = path
            self.summary = summary
            self.body = body
            self.query = query
            self.payload = payload
            self.isOfServer = isOfServer
        }
    }

    package struct Field: Sendable {
        package var name: String
        /// JSON Schema's type, with `[]` for a list of objects.
        package var type: String
        package var isRequired: Bool
        package var note: String?

        package init(_ name: String, _ type: String = "string", required: Bool = false, note: String? = nil) {
            self.name = name
            self.type = type
            isRequired = required
            self.note = note
        }
    }

    package var operations: [Operation]

    package init(_ operations: [Operation] = []) { self.operations = operations }

    /// The routes of `ResourceRoutes`.
    package static func resource(_ names: WireNames, create: [Field], filters: [Field] = []) -> APIDescription {
        let path = "/\(names.collection)"
        return APIDescription([
            Operation("POST", path, "Create a \(names.singular)", body: create, payload: names.singular),
            Operation(
                "GET", path, "List the \(names.collection), newest first",
                query: [
                    Field("\(names.singular)IdList", "string[]"), Field("\(names.singular)NameList", "string[]"),
                    Field("limit", "integer"), Field("offset", "integer"),
                ] + filters, payload: names.list),
            Operation("GET", "\(path)/{id}", "Read one", payload: names.singular),
            Operation(
                "PUT", "\(path)/{id}", "Change name, description or tags",
                body: [Field(names.nameField), Field("description"), Field("tagList", "object[]")],
                payload: names.singular),
            Operation("DELETE", "\(path)/{id}", "Delete it"),
            Operation(
                "GET", "\(path)/{id}/events", "Its history", query: [Field("after", "integer")], payload: "eventList"),
            Operation("GET", "\(path)/{id}/dependents", "What refers to it", payload: "dependentList"),
        ])
    }

    package static func + (left: APIDescription, right: APIDescription) -> APIDescription {
        APIDescription(left.operations + right.operations)
    }
}
