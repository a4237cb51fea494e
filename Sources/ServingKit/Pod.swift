import Catalog
import Engine
import Resource

/// A model server with its worker, as a workload of one task: what endpoints and batch inference run.
package struct PodSettings: Sendable {
    /// This program, which is also the model server.
    package var program: String
    /// The folder of the Python worker.
    package var worker: String
    package var image: ImageReference
    package var region: String
    package var apiURL: String

    package init(program: String, worker: String, image: ImageReference, region: String, apiURL: String) {
        self.program = program
        self.worker = worker
        self.image = image
        self.region = region
        self.apiURL = apiURL
    }
}

extension ServedModel {
    /// - Parameters:
    ///   - id: a fresh one for every pod: a workload's id is never used again.
    ///   - owner: whom the engine tells of news.
    package func pod(
        id: String, owner: ResourceKey, project: String, title: String, resources: Resources, settings: PodSettings
    ) -> Workload {
        var command = [
            settings.program, "model-server", "--name", name, "--framework", format.rawValue, "--scratch",
            Placeholder.work,
            "--python", Placeholder.python, "--program", settings.worker, "--port",
            Placeholder.port(task: 0, ServedModel.port), "--grpc-port", Placeholder.port(task: 0, ServedModel.grpcPort),
            "--memory-mib", "\(resources.memoryMiB)",
        ]
        if artifact != nil { command += ["--model-dir", Placeholder.input(TaskSpec.source)] }
        for parameter in parameters { command += ["--parameter", "\(parameter.name)=\(parameter.value)"] }
        // A call may take 60 s, and the gateway has not counted one that came by gRPC. A model server without calls ends at once.
        let task = TaskSpec(
            command: command,
            environment: [
                "EM_REGION": settings.region, "EM_APPKEY": project, "EM_API_URL": settings.apiURL,
                // Frameworks count the machine's cores, not the pod's share.
                "OMP_NUM_THREADS": "\(max(1, Int(resources.cpus)))",
            ],
            image: settings.image, resources: resources,
            inputs: artifact.map { [Input(name: TaskSpec.source, uri: $0)] } ?? [],
            ports: [ServedModel.port, ServedModel.grpcPort],
            requirements: "requirements.txt", grace: 65, readable: [settings.program, settings.worker])
        // Somebody waits for each answer; a training can wait.
        return Workload(id: id, owner: owner, project: project, title: title, priority: 10, tasks: [task])
    }

    /// The name of the port that the model server listens on.
    package static let port = "http"
    /// The same for gRPC.
    package static let grpcPort = "grpc"
}
