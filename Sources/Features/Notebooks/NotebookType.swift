import Catalog
import Engine
import FeatureKit
import Foundation
import JobKit
import Resource
import Store
import Web

/// Notebooks as a kind: how a request becomes a spec, and a resource its wire form.
struct NotebookType: ResourceType {
    let names = WireNames(kind: .notebook, singular: "notebook", collection: "notebooks")
    let hasUniqueNames = true
    let store: Store
    let checks: JobChecks
    let sources: ClockAndIDs
    let home: String
    let directory: @Sendable (_ uri: String, _ project: String) async throws -> String
    /// Of the origin of users' programs.
    let appsURL: @Sendable () -> String
    let platform: PlatformVersion
    var catalog: Catalog { checks.catalog }

    func draft(_ body: NotebookCreate, project: String) async throws -> Draft<NotebookSpec, NotebookStatus> {
        var validator = Validator()
        body.validate(&validator)
        try validator.check()
        let image = try checks.image(body.imageId, for: .notebook)
        let flavor = try checks.flavor(body.flavorId, fitting: image)
        try await checks.engine.check([NotebookType.resources(of: flavor)])
        let (boot, data) = (
            body.bootStorageSize?.value ?? NotebookCreate.usualBootSize, body.dataStorageSize?.value ?? 0
        )
        try checkRoom(boot, field: "bootStorageSize")
        try checkRoom(data, field: "dataStorageSize")
        for (index, nas) in (body.nasList ?? []).enumerated() {
            let field = "nasList[\(index)].nasPath"
            try await checks.storage.checkReadable(nas.nasPath ?? "", project: project, field: field)
            do { _ = try await directory(nas.nasPath ?? "", project) } catch let error as TakumiError {
                throw TakumiError.invalid(field, error.message)
            }
        }
        let spec = NotebookSpec(
            imageID: image.id, flavorID: flavor.id, bootStorageSize: boot, dataStorageSize: data,
            nas: (body.nasList ?? []).map { .init(directory: $0.mountDirName ?? "", uri: $0.nasPath ?? "") },
            idleStop: body.idleStop.rule)
        return Draft(
            name: body.notebookName ?? "", description: body.description, tags: body.tags, spec: spec,
            status: NotebookStatus())
    }

    func note(creator userID: String?, in status: inout NotebookStatus) { status.owner = userID }

    static func resources(of flavor: Flavor) -> Resources {
        Resources(cpus: Double(flavor.vcpus), memoryMiB: flavor.memoryMiB, gpus: flavor.gpus)
    }

    /// A size is a limit and takes nothing by itself, but what no disk of this machine can ever hold is a mistake.
    private func checkRoom(_ size: Int, field: String) throws {
        var status = statvfs()
        guard statvfs(home, &status) == 0 else { return }
        let whole = Int((UInt64(status.f_blocks) * UInt64(status.f_frsize)) >> 30)
        guard size <= whole else {
            throw TakumiError.invalid(field, "\(size) GB is more than the server's disk has (\(whole) GB)")
        }
    }

    func wire(_ notebooks: [Notebook], project: String) async throws -> [NotebookWire] {
        var wires: [NotebookWire] = []
        for notebook in notebooks {
            let observation = notebook.status.phase.isActive ? await checks.engine.observe(notebook.workloadID) : nil
            wires.append(
                NotebookWire(
                    notebook, task: observation?.tasks.first ?? nil, catalog: catalog, appsURL: appsURL(),
                    platform: platform))
        }
        return wires
    }

    /// How full its storage is changes by itself.
    func isVolatile(phase: String) -> Bool { NotebookPhase(rawValue: phase)?.isActive ?? false }

    func startDeletion(_ notebook: Notebook) async throws -> Bool {
        _ = try await store.move(notebook, to: .deleteInProgress, event: "deletion requested")
        return true
    }
}

/// A notebook as clients read it.
struct NotebookWire: Encodable, Sendable {
    struct Image: Encodable, Sendable {
        var imageId: String
        var imageName: String
        var coreTypeCode: String
        var frameworkCode: String
        var frameworkVersion: String
        var pythonVersion: String
    }

    struct NAS: Encodable, Sendable {
        var mountDirName: String
        var nasPath: String
    }

    struct Storage: Encodable, Sendable {
        var name: String
        var usedMiB: Int
        var limitMiB: Int
    }

    var notebookId: String
    var notebookName: String
    var notebookStatusCode: String
    var statusReason: String?
    var description: String
    var appKey: String
    var createdDatetime: String
    /// When JupyterLab last began to answer.
    var activeDatetime: String?
    var image: Image?
    var flavor: JobWire.Flavor?
    var bootStorageSize: Int
    var dataStorageSize: Int
    /// How full they are, as long as it runs.
    var storageUseList: [Storage]
    var nasList: [NAS]
    var idleStopMinutes: Int?
    var idleStopIgnoresConnections: Bool?
    /// When it stops unless somebody uses it.
    var idleStopDatetime: String?
    /// What keeps it from stopping.
    var inUseReason: String?
    /// Where JupyterLab is, for who may see the project.
    var notebookUrl: String?
    var isolation: String?
    /// False where it was started by an older version of the platform: until `expireDatetime` it should be rebooted (12.7).
    var isClusterLatest: Bool
    var expireDatetime: String?
    var tagList: [WireTag]

    init(_ notebook: Notebook, task: TaskState?, catalog: Catalog, appsURL: String, platform: PlatformVersion) {
        let (metadata, spec, status) = (notebook.metadata, notebook.spec, notebook.status)
        notebookId = notebook.id
        notebookName = metadata.name
        notebookStatusCode = status.phase.rawValue
        statusReason = status.cause
        description = metadata.description
        appKey = metadata.project
        createdDatetime = WireJSON.time(metadata.createdAt)
        activeDatetime = status.phase.isActive ? status.activeAt.map(WireJSON.time) : nil
        image = catalog.image(id: spec.imageID).map {
            Image(
                imageId: $0.id, imageName: $0.name, coreTypeCode: $0.core.rawValue,
                frameworkCode: $0.framework.rawValue, frameworkVersion: $0.frameworkVersion,
                pythonVersion: $0.pythonVersion)
        }
        flavor = catalog.flavor(id: spec.flavorID).map(JobWire.Flavor.init)
        bootStorageSize = spec.bootStorageSize
        dataStorageSize = spec.dataStorageSize
        storageUseList = (task?.volumes ?? []).map {
            Storage(name: $0.name, usedMiB: $0.usedMiB, limitMiB: $0.limitMiB)
        }
        nasList = spec.nas.map { NAS(mountDirName: $0.directory, nasPath: $0.uri) }
        idleStopMinutes = spec.idleStop?.minutes
        idleStopIgnoresConnections = spec.idleStop?.ignoresConnections
        idleStopDatetime = status.stopsAt.map(WireJSON.time)
        inUseReason = status.inUse
        notebookUrl = status.phase.isActive ? appsURL + notebook.path : nil
        isolation = status.isolation
        let expiry = platform.expiry(of: status.platform, isRunning: status.phase.isActive)
        isClusterLatest = expiry == nil
        expireDatetime = expiry.map(WireJSON.time)
        tagList = metadata.tags.map(WireTag.init)
    }
}
