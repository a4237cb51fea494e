extension StageSettings {
    /// The request's fields, names looked up.
    /// - Throws: one `CommandFailure` with every name that means nothing.
    func body(_ session: Session) async throws -> [String: JSONValue] {
        var problems: [String] = []
        var flavor = JSONValue.null
        let flavors = try await session.api.get("/flavors")["flavorList"].array ?? []
        do throws(CommandFailure) {
            flavor = try Catalog.flavor(instance, in: flavors)
            problems += [Catalog.refusal(flavor, option: "--instance", name: flavor["name"].text)].compactMap { $0 }
        } catch {
            problems += error.lines
        }
        var resources: [JSONValue] = []
        for option in model {
            do {
                resources.append(option.wire(model: try await session.servable(option.model)))
            } catch let failure as CommandFailure where failure.status == ExitStatus.failure {
                problems += failure.lines.map { "--model: \($0)" }
            }
        }
        if !problems.isEmpty { throw CommandFailure(problems) }
        return body(flavor: flavor["id"], resources)
    }

    func body(flavor: JSONValue, _ resources: [JSONValue]) -> [String: JSONValue] {
        let nodes = nodes ?? CountRange(1)
        var fields: [String: JSONValue?] = [
            "flavorId": flavor, "nodeCount": .int(nodes.least), "endpointModelResourceList": .array(resources),
            "useLog": .bool(log), "description": .string(description), "tagList": TagChange.wire(tag),
        ]
        if !nodes.isFixed {
            fields["caEnable"] = .bool(true)
            fields["caMinNodeCount"] = .int(nodes.least)
            fields["caMaxNodeCount"] = .int(nodes.most)
            fields["caScaleDownEnable"] = .bool(scaleDown)
            fields["caScaleDownUtilThresh"] = .int(scaleDownThreshold)
            fields["caScaleDownUnneededTime"] = .int(scaleDownUnneeded)
            fields["caScaleDownDelayAfterAdd"] = .int(scaleDownDelay)
        }
        return fields.compactMapValues { $0 }
    }

    /// What the API calls each of them.
    var names: OptionNames {
        OptionNames(
            [
                "flavorId": "--instance", "nodeCount": "--nodes", "caMinNodeCount": "--nodes",
                "caMaxNodeCount": "--nodes", "caScaleDownUtilThresh": "--scale-down-threshold",
                "caScaleDownUnneededTime": "--scale-down-unneeded", "caScaleDownDelayAfterAdd": "--scale-down-delay",
                "endpointModelResourceList": "--model", "description": "--description", "tagList": "--tag",
                "endpointName": "NAME", "stageName": "--stage", "apigwStageName": "NAME", "endpointId": "ENDPOINT",
            ].merging(OptionNames.ofModel) { $1 }, entries: model.map(\.model))
    }
}

extension OptionNames {
    /// Of an entry of `endpointModelResourceList`, and of a resource by itself.
    static let ofModel = [
        "resourceOptionDetail.cpu": "cpu", "resourceOptionDetail.memory": "memory", "resourceOptionDetail.gpu": "gpu",
        "resourceOptionDetail": "cpu and memory", "podCount": "pods", "maxPodCount": "pods",
        "scaleMetricCode": "scale", "scaleMetricTarget": "scale", "idleMinutes": "idle",
    ]
}
