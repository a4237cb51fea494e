import Catalog
import Crypto
import Engine
import Foundation
import JobKit
import Resource

/// Turns a notebook into the workload of one of its runs.
struct NotebookMaker: Sendable {
    let catalog: Catalog
    let home: String
    let region: String
    let apiURL: @Sendable () -> String
    /// Makes the token that the notebook's programs use for the API; the one before is worth nothing from then on.
    let issueToken: @Sendable (_ notebook: Notebook) async throws -> String

    /// - Throws: `TakumiError` where the catalog has lost the image or the instance type.
    func workload(_ notebook: Notebook) async throws -> Workload {
        let spec = notebook.spec
        guard let image = catalog.image(id: spec.imageID), let flavor = catalog.flavor(id: spec.flavorID) else {
            throw TakumiError(.failed, "the image or the instance type of this notebook is no longer offered")
        }
        let program = try catalog.notebookProgram.place(home: home)
        let authority = "\(home)/ca.pem"
        let (boot, data) = (Placeholder.volume(NotebookVolume.boot), Placeholder.volume(NotebookVolume.data))
        let task = TaskSpec(
            command: [
                Placeholder.python, program, "--port", Placeholder.port(task: 0, NotebookVolume.port), "--base-url",
                notebook.path, "--boot", boot, "--data", data, "--name", notebook.hostName, "--authority",
                authority,
            ],
            environment: [
                "HOME": boot,
                "TAKUMI_NOTEBOOK_TOKEN": try NotebookSecret.token(of: notebook.workloadID, home: home),
                "EM_APPKEY": notebook.metadata.project, "EM_REGION": region, "EM_API_URL": apiURL(),
                "EM_TOKEN": try await issueToken(notebook),
                // The vendor's notion of a work group: one per project here.
                "EM_GROUP_ID": notebook.metadata.project,
                // Frameworks count the machine's cores, not the share that the instance type stands for.
                "OMP_NUM_THREADS": "\(flavor.vcpus)",
            ],
            image: ImageReference(
                name: image.name, pythonVersion: image.pythonVersion,
                lock: try LockFile.place(image.lock, digest: image.digest, home: home), digest: image.digest,
                address: image.address),
            resources: Resources(cpus: Double(flavor.vcpus), memoryMiB: flavor.memoryMiB, gpus: flavor.gpus),
            ports: [NotebookVolume.port], grace: 15, readable: [program, authority],
            session: Session(volumes: volumes(notebook)))
        // Somebody sits and waits for it.
        return Workload(
            id: notebook.workloadID, owner: notebook.key, project: notebook.metadata.project,
            title: notebook.metadata.name, priority: 20, tasks: [task])
    }

    private func volumes(_ notebook: Notebook) -> [Volume] {
        let spec = notebook.spec
        return [
            Volume(
                name: NotebookVolume.boot, place: NotebookVolume.bootPlace, source: .fresh,
                limitMiB: spec.bootStorageSize << 10),
            Volume(
                name: NotebookVolume.data, place: NotebookVolume.dataPlace,
                source: .folder("\(Notebook.folder(notebook.id))/data"), limitMiB: spec.dataStorageSize << 10),
        ]
            + spec.nas.map {
                Volume(
                    name: "nas-\($0.directory)", place: "\(NotebookVolume.dataPlace)/\($0.directory)",
                    source: .uri($0.uri))
            }
    }

    /// What the program that starts JupyterLab says of itself.
    func report(of workload: String) -> StartReport? {
        let boot = "\(WorkloadFolder(home: home, id: workload).task(0).work)/volume/\(NotebookVolume.boot)"
        guard let data = NotebookMaker.small("\(boot)/.takumi/status.json") else { return nil }
        return try? JSONDecoder().decode(StartReport.self, from: data)
    }

    /// A file where a user's programs may put anything, such as a link or a pipe that keeps whoever opens it waiting.
    private static func small(_ path: String) -> Data? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size < 1 << 20 else {
            return nil
        }
        return try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).readToEnd()
    }
}

/// What lets the server, and only it, talk to a run's JupyterLab: made from a key of the home, so that it is kept nowhere.
enum NotebookSecret {
    static func token(of workload: String, home: String) throws -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Data(workload.utf8), using: try key(home: home))
        return code.map { String(format: "%02x", $0) }.joined()
    }

    private static func key(home: String) throws -> SymmetricKey {
        let path = "\(home)/notebooks/key"
        if let data = FileManager.default.contents(atPath: path), data.count == 32 { return SymmetricKey(data: data) }
        try FileManager.default.createDirectory(
            atPath: "\(home)/notebooks", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let temporary = "\(path).\(UUID().uuidString)"
        let data = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        guard FileManager.default.createFile(atPath: temporary, contents: data, attributes: [.posixPermissions: 0o600])
        else { throw TakumiError(.failed, "the key of notebooks cannot be written to \(path)") }
        defer { unlink(temporary) }
        // Of two that make it at once, the first counts.
        link(temporary, path)
        return SymmetricKey(data: FileManager.default.contents(atPath: path) ?? data)
    }
}
