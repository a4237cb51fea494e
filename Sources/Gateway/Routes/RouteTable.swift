/// All that the gateway knows: what it is handed replaces what it had, at once and whole. Requests on their way keep the
/// table that they came in by.
package struct RouteTable: Sendable, Equatable {
    package var stages: [StageRoute]

    package init(stages: [StageRoute] = []) { self.stages = stages }
}

/// One stage of an endpoint.
package struct StageRoute: Sendable, Equatable {
    /// What its statistics are kept under, also when its prefixes change.
    package var id: String
    /// Paths, decoded and without a slash at the end, that lead here: `/default/iris/stages/blue`. The longest wins.
    package var prefixes: [String]
    package var resources: [ResourceRoute]
    /// Stages that take a part of this one's requests.
    package var canaries: [Share]
    /// Stages that get a copy of a part of this one's requests; what they answer is thrown away.
    package var shadows: [Share]
    /// SHA-256, in lower-case hex, of the API keys that are let in; empty lets everybody in.
    package var keys: [String]
    package var rate: RateLimit?
    /// Where log management is on: what each request's record says besides itself.
    package var log: InferenceLogFields?

    package init(
        id: String, prefixes: [String], resources: [ResourceRoute], canaries: [Share] = [], shadows: [Share] = [],
        keys: [String] = [], rate: RateLimit? = nil, log: InferenceLogFields? = nil
    ) {
        self.id = id
        self.prefixes = prefixes
        self.resources = resources
        self.canaries = canaries
        self.shadows = shadows
        self.keys = keys
        self.rate = rate
        self.log = log
    }

    package struct Share: Sendable, Equatable {
        /// A stage of the same table.
        package var stage: String
        /// 0 to 100.
        package var percent: Int

        package init(stage: String, percent: Int) {
            self.stage = stage
            self.percent = percent
        }
    }

    package struct RateLimit: Sendable, Equatable {
        package var perSecond: Int
        /// Requests that may come at once after a pause.
        package var burst: Int

        package init(perSecond: Int, burst: Int) {
            self.perSecond = perSecond
            self.burst = burst
        }
    }
}

/// One model below a stage, with the pods that serve it. Several stage resources of the same model are one of these.
package struct ResourceRoute: Sendable, Equatable {
    /// The path's part after the stage, decoded: the model's name.
    package var name: String
    package var backends: [Backend]
    /// Seconds that a request waits for a first backend where there is none; 0 answers 503 at once.
    package var hold: Int

    package init(name: String, backends: [Backend], hold: Int = 0) {
        self.name = name
        self.backends = backends
        self.hold = hold
    }
}

/// A pod's model server on this machine.
package struct Backend: Sendable, Equatable, Hashable {
    /// The pod's id: its requests in progress are counted under it.
    package var id: String
    package var port: Int

    package init(id: String, port: Int) {
        self.id = id
        self.port = port
    }
}

/// The fields of an inference log (SPEC 12.2) that a request does not carry itself.
package struct InferenceLogFields: Sendable, Equatable {
    package var appKey: String
    package var endpointID: String
    package var stageID: String
    /// The file that records are appended to, one JSON object a line.
    package var file: String

    package init(appKey: String, endpointID: String, stageID: String, file: String) {
        self.appKey = appKey
        self.endpointID = endpointID
        self.stageID = stageID
        self.file = file
    }
}
