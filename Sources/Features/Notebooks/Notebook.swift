import Engine
import Foundation
import JobKit
import Resource

/// What a user asks of a notebook (N-1). The API has checked it against images, flavors and storage.
package struct NotebookSpec: ResourceSpec {
    package var imageID: String
    package var flavorID: String
    /// GiB of the storage that is new at every start, and of the one that stays.
    package var bootStorageSize: Int
    package var dataStorageSize: Int
    package var nas: [NAS]
    package var idleStop: IdleStop?

    package struct NAS: Codable, Sendable, Equatable {
        /// The folder's name below `/root/easymaker`.
        package var directory: String
        package var uri: String
    }

    /// When a notebook that nobody uses stops by itself.
    package struct IdleStop: Codable, Sendable, Equatable {
        package var minutes: Int
        /// Also while a browser is connected: a forgotten tab keeps nothing running.
        package var ignoresConnections: Bool
    }
}

package enum NotebookPhase: String, Phase {
    case createRequested = "CREATE_REQUESTED"
    case createInProgress = "CREATE_IN_PROGRESS"
    case healthy = "ACTIVE_HEALTHY"
    case unhealthy = "ACTIVE_UNHEALTHY"
    case stopInProgress = "STOP_IN_PROGRESS"
    case stopped = "STOPPED"
    case startInProgress = "START_IN_PROGRESS"
    case rebootInProgress = "REBOOT_IN_PROGRESS"
    case deleteInProgress = "DELETE_IN_PROGRESS"
    case createFailed = "CREATE_FAILED"
    case stopFailed = "STOP_FAILED"
    case startFailed = "START_FAILED"
    case rebootFailed = "REBOOT_FAILED"
    case deleteFailed = "DELETE_FAILED"

    package var next: Set<NotebookPhase> {
        switch self {
        case .createRequested: [.createInProgress, .createFailed, .stopInProgress, .deleteInProgress]
        case .createInProgress: [.healthy, .createFailed, .stopInProgress, .deleteInProgress]
        case .startInProgress: [.healthy, .startFailed, .stopInProgress, .deleteInProgress]
        case .rebootInProgress: [.healthy, .rebootFailed, .stopInProgress, .deleteInProgress]
        case .healthy, .unhealthy: [.healthy, .unhealthy, .stopInProgress, .rebootInProgress, .deleteInProgress]
        case .stopInProgress: [.stopped, .stopFailed, .deleteInProgress]
        case .stopped, .createFailed, .startFailed: [.startInProgress, .deleteInProgress]
        case .rebootFailed: [.startInProgress, .rebootInProgress, .stopInProgress, .deleteInProgress]
        case .stopFailed: [.stopInProgress, .deleteInProgress]
        case .deleteInProgress: [.deleteFailed]
        case .deleteFailed: [.deleteInProgress]
        }
    }

    package var isSettled: Bool {
        switch self {
        case .healthy, .unhealthy, .stopped, .createFailed, .stopFailed, .startFailed, .rebootFailed, .deleteFailed:
            true
        case .createRequested, .createInProgress, .stopInProgress, .startInProgress, .rebootInProgress,
            .deleteInProgress:
            false
        }
    }

    package var isFailure: Bool {
        switch self {
        case .unhealthy, .createFailed, .stopFailed, .startFailed, .rebootFailed, .deleteFailed: true
        case .createRequested, .createInProgress, .healthy, .stopInProgress, .stopped, .startInProgress,
            .rebootInProgress, .deleteInProgress:
            false
        }
    }

    package var isActive: Bool { self == .healthy || self == .unhealthy }
    /// Nothing of it runs, and its next start is a whole one.
    var isResizable: Bool { [.stopped, .createFailed, .startFailed].contains(self) }
    /// On the way to ACTIVE.
    var isStarting: Bool {
        [.createRequested, .createInProgress, .startInProgress, .rebootInProgress].contains(self)
    }

    /// What a start that cannot succeed ends in.
    var failed: NotebookPhase {
        switch self {
        case .startInProgress: .startFailed
        case .rebootInProgress: .rebootFailed
        default: .createFailed
        }
    }
}

package struct NotebookStatus: ResourceStatus {
    package var phase = NotebookPhase.createRequested
    package var cause: String?
    /// Counts its starts: each is a workload of its own.
    package var run = 1
    /// The id of the user who created it or started it last, and whose rights its programs have at the API; nil for nobody's.
    package var owner: String?
    /// That run has yet to end before the next one begins.
    package var isEnding = false
    /// When the present run was handed to the engine.
    package var launchedAt: Date?
    /// When JupyterLab last began to answer.
    package var activeAt: Date?
    /// Times in a row that JupyterLab ended by itself, and when it is started again.
    package var failures = 0
    package var retryAt: Date?
    /// How the workload is isolated.
    package var isolation: String?
    /// Seconds since 1970 of the last death of a kernel that was told of.
    package var toldDeaths = 0.0
    package var toldMemoryKills = 0
    /// When a kill was first seen of which something has yet to be known.
    package var killSeenAt: Date?
    /// Scripts of this run that failed have been told of.
    package var toldScripts = 0
    /// Since when nobody has used it, and when it will be stopped for that; nil while it is in use.
    package var idleSince: Date?
    package var stopsAt: Date?
    /// What keeps it from stopping for want of use.
    package var inUse: String?
    /// The version of the platform that it was started by (12.7).
    package var platform: Int?

    package init() {}
}

package typealias Notebook = Resource<NotebookSpec, NotebookStatus>

extension ResourceKind {
    static let notebook = ResourceKind("notebook")
}

extension Notebook {
    /// The workload of its present run.
    var workloadID: String { workloadID(of: status.run) }
    func workloadID(of run: Int) -> String { "\(workloadPrefix)\(run)" }
    /// What the workloads of all its runs begin with.
    var workloadPrefix: String { "notebook-\(id)-" }

    /// What its instance is called inside and where it is monitored.
    var hostName: String { "nb-\(id.prefix(6))" }

    /// Below the server's home: what stays as long as the notebook does.
    static func folder(_ id: String) -> String { "notebooks/\(id)" }

    /// Where JupyterLab's paths begin, on the origin of users' programs.
    var path: String { "/notebook/\(metadata.project)/\(id)/" }
}

/// The names and places of a notebook's storage (N-2).
enum NotebookVolume {
    static let boot = "boot"
    static let data = "data"
    static let bootPlace = "/root"
    static let dataPlace = "/root/easymaker"
    /// The name of the port that JupyterLab listens on.
    static let port = "jupyter"
}
