import Foundation
import Testing

@testable import CLI

@Suite struct CLINotebookTests {
    @Test func everySubcommandParses() throws {
        let made = ["--image", "python", "--instance", "m2.c2m4", "--storage", "20"]
        for words in [
            ["list"], ["get", "n"], ["show", "n"], ["wait", "n"], ["update", "n", "--name", "m"], ["events", "n"],
            ["create", "n"] + made,
            [
                "create", "n", "--boot-storage", "30", "--nas", "a=nas://b:/", "--nas", "c=nas://d:/e", "--idle-stop",
                "5",
            ]
                + made + ["--ignore-connections", "--tag", "k=v", "--description", "d", "--wait"],
            ["open", "n"], ["open", "n", "--browser"], ["logs", "n", "--tail", "5", "-t"],
            ["stop", "n", "m", "-y", "--wait"], ["start", "n", "m", "--wait"], ["reboot", "n", "-y", "--wait"],
            ["resize", "n", "--instance", "m2.c4m8"], ["idle-stop", "n"], ["idle-stop", "n", "60"],
            ["idle-stop", "n", "60", "--ignore-connections"], ["idle-stop", "n", "never"],
            ["delete", "n", "m", "-y", "--wait"],
        ] {
            #expect(throws: Never.self, "\(words)") { _ = try NotebookCommand.parseAsRoot(words) }
        }
    }

    @Test(arguments: [
        (["create", "n", "--image", "i", "--instance", "i"], "Missing expected argument '--storage"),
        (["create", "n", "--image", "i", "--instance", "i", "--storage", "0"], "--storage 0 is out of range"),
        (
            ["create", "n", "--image", "i", "--instance", "i", "--storage", "1", "--boot-storage", "10001"],
            "--boot-storage 10001 is out of range; use 1 to 10000 GB"
        ),
        (
            ["create", "n", "--image", "i", "--instance", "i", "--storage", "1", "--nas", "a=/mnt"],
            "a=/mnt has no place; write --nas a=nas://NAS:/PATH"
        ),
        (
            ["create", "n", "--image", "i", "--instance", "i", "--storage", "1", "--idle-stop", "4"],
            "--idle-stop 4 is out of range; use 5 to 10080 minutes"
        ),
        (
            ["create", "n", "--image", "i", "--instance", "i", "--storage", "1", "--ignore-connections"],
            "--ignore-connections is for --idle-stop"
        ),
        (["idle-stop", "n", "4"], "MINUTES 4 is out of range"),
        (["idle-stop", "n", "--ignore-connections"], "is for a number of minutes"),
        (["logs", "n", "--tail", "0"], "--tail 0 is out of range; use 1 to 10000 lines"),
        (["stop"], "Missing expected argument '<names>"),
    ])
    func aMistakeIsNamedAndIsAUsageError(words: [String], hint: String) {
        do {
            _ = try NotebookCommand.parseAsRoot(words)
            Issue.record("\(words) is taken")
        } catch {
            let message = NotebookCommand.message(for: error)
            #expect(message.contains(hint), "\(message)")
            #expect(NotebookCommand.exitCode(for: error).rawValue == 64)
        }
    }

    // MARK: - Images

    private let images: [JSONValue] = [
        ("1", "Ubuntu 22.04 CPU Python Notebook", "python-notebook"),
        ("2", "Ubuntu 22.04 GPU Python Notebook", "python-notebook-gpu"),
        ("3", "Ubuntu 22.04 CPU Python Notebook 3.11", "python-notebook-3.11"),
        ("4", "Ubuntu 22.04 CPU PyTorch Notebook", "pytorch-notebook"),
    ].map { .object(["imageId": .string($0.0), "imageName": .string($0.1), "alias": .string($0.2)]) }

    @Test(arguments: [
        ("python", "1"), ("python-notebook", "1"), ("Python", "1"), ("python-gpu", "2"), ("python-3.11", "3"),
        ("Ubuntu 22.04 CPU Python Notebook 3.11", "3"), ("pytorch", "4"), ("4", "4"),
    ])
    func anImageIsMeantByShortNames(word: String, id: String) throws {
        #expect(try Catalog.notebookImage(word, in: images)["imageId"].text == id)
    }

    @Test func whatIsNoImageOffersTheNearest() {
        do {
            _ = try Catalog.notebookImage("pyhton", in: images)
            Issue.record("is taken")
        } catch {
            #expect(error.lines.count == 1)
            #expect(
                error.lines[0].hasPrefix("--image: there is no notebook image 'pyhton'; the nearest: 'python'"),
                "\(error.lines)")
        }
    }

    @Test func anImageAndAnInstanceMustFit() {
        let cpu = JSONValue.object(["imageName": .string("A"), "coreTypeCode": .string("CPU")])
        let flavor = JSONValue.object(["name": .string("g2"), "gpuCount": .int(1)])
        #expect(Catalog.misfit(cpu, flavor) == "--instance: 'g2' has 1 GPU and does not fit the CPU image 'A'")
        #expect(Catalog.misfit(cpu, flavor.with("gpuCount", .int(0))) == nil)
    }

    // MARK: - What is shown

    @Test(
        arguments: [
            (nil, nil, nil, nil, "never"), (30, false, nil, nil, "after 30 minutes without use"),
            (30, true, nil, nil, "after 30 minutes without use, open browsers not counted"),
            (5, false, nil, "a kernel is busy", "after 5 minutes without use; now a kernel is busy"),
        ] as [(Int64?, Bool?, String?, String?, String)])
    func anIdleRuleInWords(minutes: Int64?, ignores: Bool?, end: String?, use: String?, text: String) {
        let item = JSONValue.fields([
            "idleStopMinutes": minutes.map { .int($0) }, "idleStopIgnoresConnections": ignores.map { .bool($0) },
            "idleStopDatetime": .string(end), "inUseReason": .string(use),
        ])
        #expect(Notebooks.idleStop(item) == text)
    }

    @Test func anEndInSightIsSaid() {
        let end = "2026-01-31T14:05:09Z"
        let item = JSONValue.object(["idleStopMinutes": .int(5), "idleStopDatetime": .string(end)])
        #expect(
            Notebooks.idleStop(item)
                == "after 5 minutes without use: at \(Timestamp.local(end)) unless it is used")
    }

    @Test func detailsSayHowFullItIsAndWhatIsOld() {
        let item = JSONValue.object([
            "notebookName": .string("mine"), "notebookStatusCode": .string("ACTIVE_UNHEALTHY"),
            "bootStorageSize": .int(20), "dataStorageSize": .int(1), "isClusterLatest": .bool(false),
            "storageUseList": .array([
                .object(["name": .string("data"), "usedMiB": .int(512), "limitMiB": .int(1024)])
            ]),
            "nasList": .array([
                .object(["mountDirName": .string("a"), "nasPath": .string("nas://b:/")]),
                .object(["mountDirName": .string("c"), "nasPath": .string("nas://d:/")]),
            ]),
        ])
        let details = Notebooks.details(item)
        func value(_ name: String) -> String? { details.first { $0.0 == name }?.1 }
        #expect(value("state") == "ACTIVE (UNHEALTHY)")
        #expect(value("boot storage") == "20 GB" && value("data storage") == "1 GB, 512 MiB used")
        #expect(value("nas") == "a = nas://b:/" && value("") == "c = nas://d:/")
        #expect(value("version") == "old; reboot it")
    }

    @Test func whatComesToRestIsSettled() {
        let unsettled = NotebookState.allCases.filter { !$0.isSettled }
        #expect(unsettled.allSatisfy { $0.rawValue.hasSuffix("PROGRESS") || $0.rawValue.hasSuffix("REQUESTED") })
        #expect(unsettled.count == 6)
    }
}
