import Resource

/// A gang of tasks that start together and fail together: one per node of a distributed training.
package struct Workload: Codable, Sendable, Equatable {
    /// Unique for ever; launching the same id twice is one launch.
    package var id: String
    /// Whose work it is, to find the way back from an engine's news.
    package var owner: ResourceKey
    package var project: String
    /// For people, in messages such as "waiting for 2 vCPU: training 'iris' holds them".
    package var title: String
    /// Higher goes first; equal ones go in order of arrival.
    package var priority: Int
    /// Seconds from the moment that the user's processes run; nil for no limit.
    package var timeLimit: Int?
    package var tasks: [TaskSpec]

    package init(
        id: String, owner: ResourceKey, project: String, title: String, priority: Int = 0, timeLimit: Int? = nil,
        tasks: [TaskSpec]
    ) {
        self.id = id
        self.owner = owner
        self.project = project
        self.title = title
        self.priority = priority
        self.timeLimit = timeLimit
        self.tasks = tasks
    }
}

/// One task of a gang.
///
/// `command` and `environment` may hold `Placeholder`s.
package struct TaskSpec: Codable, Sendable, Equatable {
    /// The name of the input that holds the user's program; the task runs there.
    package static let source = "source"

    package var command: [String]
    package var environment: [String: String]
    package var image: ImageReference
    package var resources: Resources
    package var inputs: [Input]
    package var outputs: [Output]
    /// Names of ports that this task listens on.
    package var ports: [String]
    /// A file of the input `TaskSpec.source` that lists Python packages to install first, if it is there.
    package var requirements: String?
    /// A file of the input `TaskSpec.source` without which nothing can run.
    package var entryPoint: String?
    /// Seconds between SIGTERM and SIGKILL.
    package var grace: Int
    /// Files of the server's home that the program reads: ours, not users'.
    package var readable: [String]?
    /// Whether the program may be forked from an interpreter that has its framework imported; nil is cold without a word.
    package var start: StartRule?
    /// Set for a program that a person works in.
    package var session: Session?

    package init(
        command: [String], environment: [String: String] = [:], image: ImageReference, resources: Resources,
        inputs: [Input] = [], outputs: [Output] = [], ports: [String] = [], requirements: String? = nil,
        entryPoint: String? = nil, grace: Int = 10, start: StartRule? = nil, readable: [String]? = nil,
        session: Session? = nil
    ) {
        self.command = command
        self.environment = environment
        self.image = image
        self.resources = resources
        self.inputs = inputs
        self.outputs = outputs
        self.ports = ports
        self.requirements = requirements
        self.entryPoint = entryPoint
        self.grace = grace
        self.start = start
        self.readable = readable
        self.session = session
    }
}

/// What a program that a person works in has besides: folders at fixed paths of its sandbox, which look like a machine's
/// own; where packages are fetched from; and it outlives one of its processes being killed for memory.
package struct Session: Codable, Sendable, Equatable {
    /// In the order in which they are mounted: one inside another comes after it.
    package var volumes: [Volume]

    package init(volumes: [Volume]) { self.volumes = volumes }
}

/// A folder at a fixed path of the sandbox.
package struct Volume: Codable, Sendable, Equatable {
    package enum Source: Codable, Sendable, Equatable {
        /// An empty one, thrown away with the task.
        case fresh
        /// Below the server's home; made where it is missing.
        case folder(String)
        /// A mounted directory that a storage URI names, already checked by the API.
        case uri(String)
    }

    package var name: String
    /// Its path for the program. Without a sandbox the program gets the folder's own path: `Placeholder.volume`.
    package var place: String
    package var source: Source
    /// How much may lie in it; nil for no limit.
    package var limitMiB: Int?

    package init(name: String, place: String, source: Source, limitMiB: Int? = nil) {
        self.name = name
        self.place = place
        self.source = source
        self.limitMiB = limitMiB
    }
}

/// How a program's interpreter comes to be (docs/warm-images.md).
package enum StartRule: Codable, Sendable, Equatable {
    /// A new one, for this reason.
    case cold(reason: String)
    /// A fork of one that has imported these modules. Where none is ready yet, `waits` says whether to wait for it, because
    /// more runs will follow, or to start cold and leave a warm one for the next.
    case warm(imports: [String], waits: Bool)

    package var isWarm: Bool { if case .warm = self { true } else { false } }
}

/// What a task may use, and what admission counts.
package struct Resources: Codable, Sendable, Equatable {
    /// vCPUs; a pod may ask for a part of one.
    package var cpus: Double
    package var memoryMiB: Int
    package var gpus: Int

    package init(cpus: Double, memoryMiB: Int, gpus: Int = 0) {
        self.cpus = cpus
        self.memoryMiB = memoryMiB
        self.gpus = gpus
    }
}

/// The environment that a task runs in.
package struct ImageReference: Codable, Sendable, Equatable {
    package var name: String
    package var pythonVersion: String
    /// A file with the locked packages in pip's requirement format: the process engine's form of the image.
    package var lock: String
    /// SHA-256 of that file in hex: what makes an image version that version.
    package var digest: String
    /// The form that container engines pull.
    package var address: String

    package init(name: String, pythonVersion: String, lock: String, digest: String, address: String) {
        self.name = name
        self.pythonVersion = pythonVersion
        self.lock = lock
        self.digest = digest
        self.address = address
    }
}

/// Something fetched before the task runs.
package struct Input: Codable, Sendable, Equatable {
    package var name: String
    /// The storage URI, already checked by the API.
    package var uri: String
    /// The user's process may write there, so it gets a copy; else it gets links that it can only read.
    package var writable: Bool

    package init(name: String, uri: String, writable: Bool = false) {
        self.name = name
        self.uri = uri
        self.writable = writable
    }
}

/// A folder that the task writes.
package struct Output: Codable, Sendable, Equatable {
    package enum Destination: Codable, Sendable, Equatable {
        /// Uploaded after the run, however it ended.
        case uri(String)
        /// A folder of the server's home that stays there and is shown live (TensorBoard logs).
        case folder(String)
        /// Thrown away.
        case scratch
    }

    package var name: String
    package var destination: Destination

    package init(name: String, destination: Destination) {
        self.name = name
        self.destination = destination
    }
}
