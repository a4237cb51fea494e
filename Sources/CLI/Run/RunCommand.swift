import ArgumentParser
import Resource

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `takumi run train.py …`: from a script in a folder to a training that is watched to its end.
package struct RunCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Train with a local script: upload it, run it, follow its log.",
        discussion: """
            takumi run train.py --image pytorch --instance m2.c2m4 --data train=./iris --hp epochs=10

            The folder of the script is uploaded, without what a .takumiignore in it names (written as a .gitignore) and \
            without .git, __pycache__ and virtual environments. A --data folder in it goes up once, as data. What the \
            script leaves in EM_MODEL_DIR is kept as the model.

            The command ends with the script's exit status. Ctrl-C stops the training; a second one leaves it to itself.
            """)

    @Argument(help: "The script to start.")
    var script: String

    @Option(help: "The training's name. (default: the script's, and the time)")
    var name: String?

    @Option(help: ArgumentHelp("Upload this folder instead of the script's.", valueName: "folder"))
    var source: String?

    @Option(help: ArgumentHelp("Afterwards, copy the model's files to this folder.", valueName: "folder"))
    var download: String?

    @Flag(help: "Do not wait for it: print its id and end.")
    var detach = false

    @Option(help: "Begin with the settings of this template, by name or id.")
    var template: String?

    @OptionGroup(title: "Settings") var parameters: Hyperparameters

    @OptionGroup(title: "Settings") var settings: JobSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    package init() {}

    package func validate() throws {
        var problems = Validator()
        if let name { problems.name(name, "--name") }
        if let problem = problems.problems.first { throw ValidationError(problem.line) }
        if template == nil { try validateSettings() }
        if detach, download != nil {
            throw ValidationError("--download waits for the end and --detach does not; leave one of them out")
        }
        try checkDownload(of: settings.modelOutput)
    }

    private func checkDownload(of output: String?) throws {
        if download != nil, let output, output.contains("://"), !output.hasPrefix("obs://") {
            throw ValidationError("--download reads object storage; '\(output)' is elsewhere")
        }
    }

    private func validateSettings() throws {
        if settings.image == nil { throw ValidationError("which --image? takumi image list shows them") }
        if settings.instance == nil { throw ValidationError("which --instance? takumi flavor list shows them") }
        if settings.nproc != nil, settings.torchrun != true {
            throw ValidationError("--nproc is for torchrun; add --torchrun, or leave it out")
        }
    }
}

extension RunCommand: ClientCommand {
    func run(_ session: Session) async throws {
        let data = try settings.data.map { try RunData($0) }
        let folders = data.compactMap { if case .local(let path, _) = $0.place { path } else { nil } }
        let source = try RunSource(
            script: script, source: source, data: folders, home: ProcessInfo.processInfo.environment["HOME"])
        // Every name is looked up before the first byte goes up.
        var body = try await JobRequest(training: template, session)
        let missing = body.missing([
            ("--image", "imageId", settings.image), ("--instance", "flavorId", settings.instance),
        ])
        try body.checkComplete("a run", missing, template)
        let (model, checkpoint) = (body.fields["modelUploadUri"]?.string, body.fields["checkPointUploadUri"]?.string)
        try checkDownload(of: settings.modelOutput ?? model)
        var settings = body.inExperiment(settings)
        try await body.resolve(settings, session)
        let store = try await StoreClient(session)

        let name = name ?? RunNames.training(script: script, at: Date())
        let folder = try await RunUpload.folder(name, store)
        let upload = RunUpload(session: session, store: store, folder: folder)
        settings.data = try await upload.data(data)
        try await upload.source(source)

        settings.modelOutput = settings.modelOutput ?? model ?? store.info.uri(of: folder.appending("model"))
        settings.checkpointOutput =
            settings.checkpointOutput ?? checkpoint ?? store.info.uri(of: folder.appending("checkpoint"))
        _ = try settings.place(with: nil, store)
        body.apply(settings)
        body.apply(parameters)
        body.set("sourceDirUri", store.info.uri(of: folder.appending("source")))
        body.set("entryPoint", source.entryPoint)
        try await create(name, body, store, session)
    }

    private func create(_ name: String, _ body: JobRequest, _ store: StoreClient, _ session: Session) async throws {
        // Before the request: a Ctrl-C while it is under way must not leave a training that nobody knows of.
        let interrupts = detach ? nil : Interrupts.stream()
        let training = TrainingView(try await Trainings.create(name, body, session))
        guard let interrupts else {
            session.console.note("started \(Trainings.label(training.json)); \(RunText.reattach(training.id))")
            return session.format == .json ? session.printJSON(training.json) : session.console.out(training.id)
        }
        session.console.note("started \(Trainings.label(training.json))")
        let result = try await RunFollow(session: session, interrupts: interrupts).follow(training)
        guard result.hasEnded else { throw ExitCode(result.status) }
        try await close(result, store, session)
        if result.status != 0 { throw ExitCode(result.status) }
    }

    /// The block at the end, and the files where they were asked for.
    private func close(_ result: RunFollow.Result, _ store: StoreClient, _ session: Session) async throws {
        let view = result.view
        var downloaded: String?
        if let download, view.state != .createFailed, let uri = view.modelURI {
            let place = try store.parse(uri)
            let entries = try await store.files(place, prefix: place.folderPrefix)
            let plan = try DownloadPlan(folder: entries, prefix: place.folderPrefix, into: download)
            if plan.items.isEmpty {
                session.console.note("takumi: the script left nothing in EM_MODEL_DIR, so there is nothing to download")
            } else {
                try await store.download(plan, from: place, title: "downloading", console: session.console)
                downloaded = "\(download) (\(Format.count(plan.items.count, "file")))"
            }
        }
        session.console.note("")
        RunText.summary(view, download: downloaded).forEach(session.console.note)
        if session.format == .json { session.printJSON(view.json) }
    }
}
