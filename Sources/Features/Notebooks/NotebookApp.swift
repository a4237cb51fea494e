import Engine
import FeatureKit
import Gateway
import Identity
import Resource
import Store

/// JupyterLab of a notebook, behind the login (N-4): `/notebook/{project}/{id}/…`.
struct NotebookApp: ProxiedApp {
    let name = "notebook"
    let store: Store
    let engine: any Engine
    let home: String

    func open(_ request: AppRequest, path: [String], by principal: Principal) async throws -> AppOpening {
        guard path.count >= 2, principal.mayRead(project: path[0]) else {
            throw TakumiError(.notFound, "there is no such page")
        }
        let (project, key) = (path[0], ResourceKey(.notebook, path[1].lowercased()))
        guard let notebook: Notebook = try await store.record(key, project: project)?.decoded() else {
            throw Store.missing(key)
        }
        // A notebook runs what is typed into it: looking on is not possible.
        guard principal.mayWrite(project: project) else {
            throw TakumiError(.forbidden, "members of the project can open its notebooks; you may only look at them")
        }
        if path.count == 2, !request.path.hasSuffix("/") { return .redirect(notebook.path) }
        guard notebook.status.phase.isActive else {
            let cause = notebook.status.cause.map { " (\($0))" } ?? ""
            let state = notebook.status.phase.displayName
            // What is on its way is worth waiting for.
            throw TakumiError(
                notebook.status.phase.isStarting ? .unavailable : .conflict,
                "notebook '\(notebook.metadata.name)' is \(state)\(cause)")
        }
        let observation = await engine.observe(notebook.workloadID)
        guard let port = observation?.ports.first?[NotebookVolume.port] ?? nil else {
            throw TakumiError(.unavailable, notebook.status.cause ?? "JupyterLab is being started again")
        }
        let run = notebook.workloadID
        return .pass(
            AppPass(
                port: port, headers: [("Authorization", "token \(try NotebookSecret.token(of: run, home: home))")],
                mayStay: {
                    // The port may be another program's by then.
                    let now: Notebook? = try? await store.resource(key)
                    return now?.workloadID == run && now?.status.phase.isActive == true
                }))
    }
}
