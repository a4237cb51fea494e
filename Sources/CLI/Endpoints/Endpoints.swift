enum Endpoints: Noun {
    static let singular = "endpoint"
    static let plural = "endpoints"
    static let path = "/endpoints"

    static var columns: [Column] {
        [
            nameColumn, stateColumn,
            Column("GATEWAY") { gatewayState($0["apigwStatusCode"].string) },
            Column("PODS", isNumber: true) { pods($0) },
            Column("URL", isOptional: true) { item in item["apigwStageUrl"].string.map { "https://\($0)" } ?? "" },
            createdColumn, idColumn,
        ]
    }

    /// `NOT FOUND: STAGE`, as the vendor's console shows it.
    static func gatewayState(_ code: String?) -> String {
        let text = Format.state(code)
        return text.hasPrefix("NOT FOUND ") ? "NOT FOUND: \(text.dropFirst("NOT FOUND ".count))" : text
    }

    /// Of all its stages.
    private static func pods(_ item: JSONValue) -> String {
        let stages = item["endpointStageList"].array ?? []
        let (ready, all) = stages.reduce((0, 0)) { sum, stage in
            (sum.0 + (stage["runningPodCount"].int ?? 0), sum.1 + (stage["podCount"].int ?? 0))
        }
        return "\(ready)/\(all)"
    }

    static func details(_ item: JSONValue) -> [(String, String)] {
        let view = EndpointView(item)
        let stages = view.stages.enumerated().map { ($0 == 0 ? "stages" : "", Stages.summary($1, of: view)) }
        return head(item) + [
            ("gateway", gatewayState(item["apigwStatusCode"].string)),
            ("url", item["apigwStageUrl"].string.map { "https://\($0)" } ?? ""),
        ] + stages + formers(view, now: Timestamp.now) + foot(item)
    }

    /// What there is to go back to, which `takumi endpoint back` leads to first: `default, kept until 2026-01-31 14:05:09`.
    static func formers(_ view: EndpointView, now: Int) -> [(String, String)] {
        (view.json["formerStageList"].array ?? []).enumerated().map { index, former in
            let end = former["keptUntilDatetime"].text
            let isKept = Timestamp.seconds(end).map { $0 > now } ?? false
            let text = isKept ? "kept until \(Timestamp.local(end))" : "going"
            return (index == 0 ? "former default" : "", "\(view.stageName(former["endpointStageId"].text)), \(text)")
        }
    }

    /// One endpoint by name or id, with its stages and what they serve.
    static func view(_ word: String, _ session: Session) async throws -> EndpointView {
        EndpointView(try await session.find(Endpoints.self, word))
    }

    static func read(_ id: String, _ session: Session) async throws -> EndpointView {
        EndpointView(try await session.api.get("\(path)/\(id)")[singular])
    }
}
