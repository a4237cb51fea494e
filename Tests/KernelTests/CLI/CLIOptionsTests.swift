import ArgumentParser
import Testing

@testable import CLI

@Suite struct CLIOptionsTests {
    @Test func aPairIsSplitAtItsFirstEqualsSign() {
        #expect(KeyValue(argument: "epochs=10") == KeyValue(key: "epochs", value: "10"))
        #expect(KeyValue(argument: "expr=a=b") == KeyValue(key: "expr", value: "a=b"))
        #expect(KeyValue(argument: "empty=") == KeyValue(key: "empty", value: ""))
        #expect(KeyValue(argument: "epochs") == nil)
        #expect(KeyValue(argument: "=10") == nil)
    }

    /// What the command line says to these arguments; nil where it takes them.
    private func complaint(_ arguments: [String]) -> (text: String, status: Int32)? {
        do {
            _ = try RunCommand.parse(["train.py", "--image", "pytorch", "--instance", "m2.c2m4"] + arguments)
            return nil
        } catch {
            return (RunCommand.message(for: error), RunCommand.exitCode(for: error).rawValue)
        }
    }

    @Test func whatTheManualShowsIsTaken() {
        #expect(complaint(["--data", "train=./iris", "--hp", "epochs=10", "--hp", "lr=0.1"]) == nil)
        #expect(complaint(["--torchrun", "--nproc", "2", "--nodes", "2", "--timeout", "1"]) == nil)
        #expect(complaint(["--name", "iris", "--model-output", "nas://n:/models", "--detach"]) == nil)
    }

    @Test(arguments: [
        (["--hp", "epochs"], "epochs"),
        (["--hp", "lr=1", "--hp", "LR=2"], "--hp LR is given twice"), (["--hp", "a b=2"], "a name has no spaces"),
        (["--data", "train="], "--data train= has no place"),
        (["--data", "a/b=./x"], "--data 'a/b' may only have letters"),
        (["--data", String(repeating: "n", count: 37) + "=./x"], "37 characters; at most 36"),
        (["--nodes", "11"], "--nodes 11 is out of range; use 1 to 10"),
        (["--timeout", "721"], "--timeout 721 is out of range; use 1 to 720 hours"),
        (["--nproc", "2"], "add --torchrun"),
        (["--data-storage", "10"], "use 300 to 10000 GB"),
        (["--name", String(repeating: "n", count: 51)], "51 characters; at most 50"),
        (["--detach", "--download", "out"], "leave one of them out"),
        (["--download", "out", "--model-output", "nas://n:/m"], "'nas://n:/m' is elsewhere"),
    ])
    func aMistakeIsNamedAndIsAUsageError(arguments: [String], words: String) throws {
        let complaint = complaint(arguments)
        #expect(try #require(complaint).text.contains(words))
        #expect(complaint?.status == 64)
    }

    @Test func aHundredHyperparametersAreEnough() {
        let pairs = (0...100).map { KeyValue(key: "k\($0)", value: "1") }
        #expect(throws: Never.self) { try KeyValue.checkHyperparameters(Array(pairs.dropLast())) }
        #expect(throws: ValidationError.self) { try KeyValue.checkHyperparameters(pairs) }
        let long = KeyValue(key: "k", value: String(repeating: "v", count: 1001))
        #expect(throws: ValidationError.self) { try KeyValue.checkHyperparameters([long]) }
    }

    @Test func aRunNeedsToKnowOnWhat() {
        #expect(throws: (any Error).self) { try RunCommand.parse(["train.py", "--image", "pytorch"]) }
        #expect(throws: (any Error).self) { try RunCommand.parse(["train.py", "--instance", "m2.c2m4"]) }
    }

    @Test func everySubcommandParses() throws {
        _ = try ExperimentCommand.parseAsRoot(["list", "--limit", "5", "--output", "json"])
        _ = try TrainingCommand.parseAsRoot(["list", "--experiment", "iris"])
        _ = try TrainingCommand.parseAsRoot(["logs", "-f", "--tail", "5", "x"])
        _ = try TrainingCommand.parseAsRoot(["copy", "x", "--name", "y", "--hp", "a=b"])
        _ = try TrainingCommand.parseAsRoot(["update", "x", "--tag", "a=b", "--untag", "c"])
        _ = try TrainingCommand.parseAsRoot(["delete", "x", "y", "--yes"])
        _ = try TrainingCommand.parseAsRoot(["stop", "x", "y", "--yes"])
        _ = try TrainingCommand.parseAsRoot(["create", "x", "--template", "t"])
        _ = try StorageCommand.parseAsRoot(["policy", "set", "c", "--allow-service"])
        _ = try StorageCommand.parseAsRoot(["cp", "./a", "c/a"])
        _ = try ImageCommand.parseAsRoot(["list"])
        _ = try FlavorCommand.parseAsRoot(["list"])
        _ = try AlgorithmCommand.parseAsRoot(["list"])
        #expect(throws: (any Error).self) { try TrainingCommand.parseAsRoot(["create", "x"]) }
        #expect(throws: (any Error).self) { try ExperimentCommand.parseAsRoot(["update", "x"]) }
        #expect(throws: (any Error).self) { try StorageCommand.parseAsRoot(["cp", "./a", "./b"]) }
    }

    @Test func tagsAreSetAndRemovedOneByOne() {
        let old = [KeyValue(key: "a", value: "1"), KeyValue(key: "b", value: "2")]
        let new = TagChange.applied(to: old, setting: [KeyValue(key: "a", value: "3")], removing: ["b"])
        #expect(new == [KeyValue(key: "a", value: "3")])
    }

    @Test func imagesGoByNameAliasOrId() throws {
        let images: [JSONValue] = ["pytorch", "pytorch-gpu", "python"].map { alias in
            .object([
                "imageId": .string("id-\(alias)"), "imageName": .string("Ubuntu 22.04 \(alias) Training"),
                "alias": .string(alias),
            ])
        }
        for word in ["pytorch", "PyTorch", "Ubuntu 22.04 pytorch Training", "id-pytorch"] {
            #expect(try Catalog.image(word, in: images)["alias"].string == "pytorch")
        }
        let failure = #expect(throws: CommandFailure.self) { try Catalog.image("pytroch", in: images) }
        let line = try #require(failure?.lines.first)
        #expect(line.hasPrefix("--image: there is no image 'pytroch'; the nearest: 'pytorch', "))
    }

    @Test func whatDoesNotGoTogetherIsFoundBeforeAnythingGoesUp() throws {
        let image = JSONValue.object([
            "imageName": .string("tf"), "coreTypeCode": .string("CPU"), "frameworkCode": .string("TENSORFLOW"),
        ])
        let gpu = JSONValue.object(["name": .string("g2"), "gpuCount": .int(1), "vcpus": .int(4)])
        let cpu = JSONValue.object(["name": .string("m2"), "gpuCount": .int(0), "vcpus": .int(2)])
        let torchrun = try JobSettings.parse(["--torchrun", "--nproc", "3"])
        #expect(Catalog.misfits(image, cpu, try JobSettings.parse([])) == [])
        #expect(
            Catalog.misfits(image, gpu, try JobSettings.parse([])) == [
                "--instance: 'g2' has 1 GPU and does not fit the CPU image 'tf'"
            ])
        #expect(
            Catalog.misfits(image, cpu, torchrun) == [
                "--torchrun: is for PyTorch images; 'tf' is not one", "--nproc: 3 is out of range; 'm2' allows 1 to 2",
            ])
    }

    @Test func anAmbiguousNameListsTheIds() {
        let items: [JSONValue] = ["1", "2"].map {
            .object(["trainingId": .string($0), "trainingName": .string("iris")])
        }
        let line = Session.ambiguous(Trainings.self, "iris", items).lines[0]
        #expect(line.hasPrefix("2 trainings are named 'iris'; use the id of one:\n  1"))
        #expect(line.contains("\n  2"))
    }
}
