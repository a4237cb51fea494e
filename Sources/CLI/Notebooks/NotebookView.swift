/// The states of a notebook on the wire (N-3). A code of a newer server is none of them, and counts as unsettled.
enum NotebookState: String, CaseIterable {
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

    /// True where nothing is on its way.
    var isSettled: Bool {
        switch self {
        case .healthy, .unhealthy, .stopped, .createFailed, .stopFailed, .startFailed, .rebootFailed, .deleteFailed:
            true
        case .createRequested, .createInProgress, .stopInProgress, .startInProgress, .rebootInProgress,
            .deleteInProgress:
            false
        }
    }
}

/// What a command needs to know of a notebook.
struct NotebookView: Equatable, Sendable {
    var json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    var id: String { Notebooks.id(json) }
    var name: String { Notebooks.name(json) }
    var code: String { json["notebookStatusCode"].text }
    var state: NotebookState? { NotebookState(rawValue: code) }
    /// What it waits for, or why it is as it is.
    var reason: String? { json["statusReason"].string.flatMap { $0.isEmpty ? nil : $0 } }
    /// Where JupyterLab is, as long as it is there.
    var url: String? { json["notebookUrl"].string.flatMap { $0.isEmpty ? nil : $0 } }
    var isSettled: Bool { state?.isSettled ?? false }

    /// `START IN PROGRESS: waiting for 4.0 GiB of memory`
    var told: String { [Format.state(code), reason].compactMap { $0 }.joined(separator: ": ") }
}
