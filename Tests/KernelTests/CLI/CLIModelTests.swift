import ArgumentParser
import Resource
import Testing

@testable import CLI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite struct CLIModelTests {
    // MARK: - What is typed

    @Test(
        arguments: [
            ("sklearn", .sklearn), ("SKLEARN", .sklearn), ("scikit-learn", .sklearn), ("PyTorch", .pytorch),
            ("hugging-face", .huggingFace), ("HUGGING_FACE", .huggingFace), ("Hugging Face", .huggingFace),
            ("tensorflow", .tensorflow), ("onnx", nil), ("", nil),
        ] as [(String, ModelFormat?)])
    func aFormatGoesByEverySpellingOfIt(word: String, format: ModelFormat?) {
        #expect(ModelFormat(argument: word) == format)
    }

    /// What the command line says to these arguments; nil where it takes them.
    private func complaint(_ arguments: [String]) -> (text: String, status: Int32)? {
        do {
            _ = try ModelCommand.parseAsRoot(["create"] + arguments)
            return nil
        } catch {
            return (ModelCommand.message(for: error), ModelCommand.exitCode(for: error).rawValue)
        }
    }

    @Test(arguments: [
        ["iris", "--format", "sklearn", "--path", "./iris.joblib"], ["iris", "--training", "iris-1"],
        ["iris", "--tuning", "search", "--format", "PYTORCH", "--parameter", "threads=2", "--no-wait"],
        ["bert", "--format", "hugging-face", "--parameter", "model_id=google/bert"],
    ])
    func whatTheHelpShowsIsTaken(arguments: [String]) {
        #expect(complaint(arguments) == nil)
    }

    @Test(arguments: [
        (["iris"], "give --path, or what has made them with --training or --tuning"),
        (["iris", "--path", "./x"], "which --format are its files of? sklearn, pytorch, tensorflow, hugging-face"),
        (["iris", "--format", "onnx", "--path", "x"], "'onnx' is invalid"),
        (["iris", "--path", "./x", "--training", "t"], "--path and --training exclude each other"),
        (["iris", "--training", "t", "--tuning", "u"], "--training and --tuning exclude each other"),
        (["..", "--training", "t"], "NAME: '..' cannot be a part of an address"),
        (["a/b", "--training", "t"], "NAME: 'a/b' has a slash"),
        ([String(repeating: "n", count: 51), "--training", "t"], "51 characters; at most 50"),
        (["iris", "--training", "t", "--parameter", "a b=1"], "--parameter a b: a name has no spaces"),
        (["iris", "--training", "t", "--parameter", "a=1", "--parameter", "A=2"], "--parameter A: is given twice"),
        (
            ["iris", "--training", "t"] + (0...10).flatMap { ["--parameter", "p\($0)=1"] },
            "--parameter: has 11 entries; at most 10"
        ),
        (["iris", "--training", "t", "--parameter", "p=" + String(repeating: "v", count: 256)], "256 characters"),
    ])
    func aMistakeIsNamedAndIsAUsageError(arguments: [String], words: String) throws {
        let complaint = complaint(arguments)
        #expect(try #require(complaint).text.contains(words))
        #expect(complaint?.status == 64)
    }

    // MARK: - Where the files are

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "takumi-models-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: "\(folder)/model/.git", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("weights".utf8).write(to: URL(filePath: "\(folder)/model/model.pt"))
        try Data("secret".utf8).write(to: URL(filePath: "\(folder)/model/.git/config"))
        try body(folder)
    }

    private func files(_ place: ModelPlace) -> [String]? {
        if case .local(_, let files, _) = place { files.map(\.name) } else { nil }
    }

    @Test func aLocalFileOrFolderIsUploadedWhole() throws {
        try withFolder { folder in
            for path in ["model", "model/model.pt"] {
                let place = try ModelPlace("\(folder)/\(path)")
                #expect(files(place) == ["model.pt"])
            }
        }
    }

    @Test(arguments: ["obs://host/v1/AUTH_t/c/x", "nas://n:/x"])
    func aURIIsLeftAlone(uri: String) throws {
        guard case .uri(uri) = try ModelPlace(uri) else {
            Issue.record("\(uri) is taken for something else")
            return
        }
    }

    @Test func whatIsNotHereMayBeInTheStore() throws {
        guard case .stored("easymaker/models/iris") = try ModelPlace("easymaker/models/iris") else {
            Issue.record("CONTAINER/PATH is not understood")
            return
        }
    }

    @Test(arguments: ["./absent", "/absent/x", "~/absent", "absent.joblib"])
    func whatCanOnlyBeHereAndIsNotIsRefused(path: String) {
        let failure = #expect(throws: CommandFailure.self) { _ = try ModelPlace(path) }
        #expect(failure?.lines.first?.hasPrefix("--path: there is no '\(path)' here; give a file or folder") == true)
    }

    @Test func anEmptyFolderIsNoModel() throws {
        try withFolder { folder in
            let failure = #expect(throws: CommandFailure.self) { _ = try ModelPlace("\(folder)/model/.git/hooks") }
            #expect(failure?.lines.first?.contains("there is no") == true)
            try FileManager.default.createDirectory(atPath: "\(folder)/empty", withIntermediateDirectories: true)
            let empty = #expect(throws: CommandFailure.self) { _ = try ModelPlace("\(folder)/empty") }
            #expect(empty?.lines.first?.contains("there are no files") == true)
        }
    }

    // MARK: - What is shown

    private func model(_ fields: [String: JSONValue]) -> JSONValue {
        .object(
            [
                "modelId": .string("id"), "modelName": .string("iris"), "modelStatusCode": .string("ACTIVE"),
                "modelFormatCode": .string("HUGGING_FACE"), "frameworkVersion": .string("5.24.0"),
            ].merging(fields) { $1 })
    }

    @Test func aModelIsToldByWhatItWasMadeFrom() {
        let training = JSONValue.object(["trainingId": .string("t"), "trainingName": .string("iris-1")])
        let tuning = JSONValue.object(["hyperparameterTuningName": .string("search")])
        let parameter = JSONValue.object(["parameterName": .string("MODEL_ID"), "parameterValue": .string("g/bert")])
        let stored = "obs://127.0.0.1:8443/v1/AUTH_t/easymaker/models/iris"
        #expect(Models.origin(model(["training": training, "modelUploadUri": .string(stored)])) == "training iris-1")
        #expect(Models.origin(model(["hyperparameterTuning": tuning])) == "tuning search")
        #expect(Models.origin(model(["modelUploadUri": .string(stored)])) == "easymaker/models/iris")
        #expect(Models.origin(model(["modelUploadUri": .string("nas://n:/m")])) == "nas://n:/m")
        #expect(Models.origin(model(["parameterList": .array([parameter])])) == "g/bert")
        #expect(Models.origin(model([:])) == "")
    }

    @Test func detailsLeaveOutWhatThereIsNot() {
        let parameters = ["a", "b"].map {
            JSONValue.object(["parameterName": .string($0), "parameterValue": .string("1")])
        }
        let item = model(["modelUploadUri": .string("nas://n:/m"), "parameterList": .array(parameters)])
        let lines = Details(fields: Models.details(item).map { (name: $0, value: $1) }).lines()
        #expect(
            lines == [
                "name        iris", "id          id", "state       ACTIVE", "format      HUGGING FACE 5.24.0",
                "path        nas://n:/m", "parameters  a = 1", "            b = 1",
            ])
    }

    @Test(
        arguments: [
            ("ACTIVE", true, false), ("CREATE_FAILED", true, true), ("DEPLOY_FAILED", true, true),
            ("CREATE_IN_PROGRESS", false, false), ("DELETE_IN_PROGRESS", false, false), ("SOMETHING_NEW", false, false),
        ])
    func aStateSettlesOrNot(code: String, isSettled: Bool, hasFailed: Bool) {
        #expect(ServingState.isSettled(code) == isSettled)
        #expect(ServingState.hasFailed(code) == hasFailed)
    }

    // MARK: - Refusals

    @Test(
        arguments: [
            ("modelUploadUri", "--path"), ("tagList[0].tagKey", "--tag"), ("trainingId", "--training"),
            ("parameterList[3].parameterValue", "--parameter"), ("somethingNew", "somethingNew"), ("x[1", "x[1"),
        ])
    func aRefusalNamesTheOption(field: String, option: String) async throws {
        #expect(OptionNames.model.option(field) == option)
        let refused = await #expect(throws: ValidationErrors.self) {
            try await OptionNames.model.blaming { throw ValidationErrors([.invalid(field, "is wrong")]) }
        }
        #expect(refused?.errors.map(\.line) == ["\(option): is wrong"])
    }
}
