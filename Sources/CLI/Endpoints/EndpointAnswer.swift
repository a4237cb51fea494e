import ArgumentParser

/// What a command ends with that has made an endpoint or a part of one, or changed it.
struct EndpointAnswer {
    let session: Session

    /// An endpoint, or one stage of it, and where it answers.
    /// - Parameter stage: whose addresses are shown; of the endpoint as a whole where nil.
    func show(_ endpoint: EndpointView, stage: StageView? = nil) throws {
        if let stage {
            try session.print(stage.json) { Stages.details($0) { endpoint.stageName($0) } }
        } else {
            try session.print(endpoint.json, details: Endpoints.details)
        }
        try StageTables.print(stage.map { [$0] } ?? endpoint.stages, session)
    }

    /// As `show`, and what to ask it with.
    /// - Throws: an `ExitCode` where it has failed, after a word on where to look.
    func end(_ endpoint: EndpointView, stage: StageView? = nil) async throws {
        try show(endpoint, stage: stage)
        guard stage?.hasFailed ?? endpoint.hasFailed else {
            if let stage = stage ?? endpoint.stages.first { await sayHowToAsk(stage) }
            return
        }
        let failed = (stage.map { [$0] } ?? endpoint.stages).first { stage in
            stage.resources.contains { $0.hasFailed }
        }
        if let failed, let resource = failed.resources.first(where: \.hasFailed) {
            session.console.note(
                "see its log: takumi endpoint logs \(RunText.quoted(endpoint.name)) \(RunText.quoted(resource.model))"
                    + (failed.isDefault ? "" : " --stage \(RunText.quoted(failed.name))"))
        }
        throw ExitCode(ExitStatus.failure)
    }

    /// A line for each model of a stage that asks it, to be copied.
    private func sayHowToAsk(_ stage: StageView) async {
        // One without a pod would be woken only to be asked what it takes.
        let ready = stage.resources.filter { ($0.json["runningPodCount"].int ?? 0) > 0 }
        guard session.format == .table, !ready.isEmpty else { return }
        session.console.out("")
        var known: Set<String> = []
        for resource in ready where known.insert(resource.model).inserted {
            guard let url = resource.url else { continue }
            let body = Example.body(await GatewayClient(session).metadata(at: url))
            session.console.out(
                Example.curl(url, body, caFile: session.api.connection.caFile, needsKey: stage.hasKeys))
            if body == nil {
                session.console.note("request.json is yours to write, with instances, inputs, prompt or messages")
            }
        }
    }
}
