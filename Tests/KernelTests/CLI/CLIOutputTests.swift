import Testing

@testable import CLI

@Suite struct CLIOutputTests {
    private func table(_ rows: [[String]]) -> Table {
        Table(
            columns: [
                .init(title: "NAME", isFlexible: true), .init(title: "SIZE", isNumber: true), .init(title: "ID"),
            ], rows: rows)
    }

    @Test func columnsAreAlignedBySpacesAlone() {
        let lines = table([["iris", "7", "a1"], ["a longer name", "1024", "b2"]]).lines(width: nil)
        #expect(
            lines == [
                "NAME           SIZE  ID",
                "iris              7  a1",
                "a longer name  1024  b2",
            ])
    }

    @Test func aJapaneseNameTakesTwoColumnsACharacter() {
        let lines = table([["分類", "7", "a1"], ["iris", "7", "b2"]]).lines(width: nil)
        #expect(lines == ["NAME  SIZE  ID", "分類     7  a1", "iris     7  b2"])
    }

    @Test func aNarrowTerminalCutsNamesAndNeverIds() {
        let id = "0a6f2d3c-6f53-4d2e-9d39-7f2b8f1f9f10"
        let lines = table([["a name that does not fit", "7", id]]).lines(width: 54)
        #expect(lines[1] == "a nam… fit     7  \(id)")
        #expect(lines.allSatisfy { TextWidth.of($0) <= 54 })
        // Below what the ids need it overflows rather than lie.
        #expect(table([["a name that does not fit", "7", id]]).lines(width: 20)[1].hasSuffix(id))
    }

    @Test func whatIsLeastNeededIsLeftOutFirst() {
        let table = Table(
            columns: [
                .init(title: "NAME", isFlexible: true), .init(title: "CREATED", isOptional: true), .init(title: "ID"),
                .init(title: "NOTE", isOptional: true),
            ], rows: [["train-20260131-140509", "yesterday", "a1", "fine"]])
        #expect(table.lines(width: 80)[1] == "train-20260131-140509  yesterday  a1  fine")
        #expect(table.lines(width: 41)[1] == "train-2026…31-140509  yesterday  a1  fine")
        #expect(table.lines(width: 37)[1] == "train-2026…31-140509  yesterday  a1")
        #expect(table.lines(width: 26)[1] == "train-2026…31-140509  a1")
        #expect(table.lines(width: 16)[1] == "train-…40509  a1")
    }

    @Test func controlCharactersCannotMoveTheCursor() {
        let lines = table([["\u{1B}[31mred", "7", "a1"]]).lines(width: nil)
        #expect(lines[1] == " [31mred     7  a1")
    }

    @Test func detailsLeaveOutWhatIsEmpty() {
        let lines = Details(fields: [("name", "x"), ("reason", ""), ("time limit", "1h")]).lines()
        #expect(lines == ["name        x", "time limit  1h"])
    }

    @Test(arguments: [
        (0, "0 B"), (999, "999 B"), (1000, "1 KiB"), (1536, "1.5 KiB"), (10_240, "10 KiB"), (1 << 20, "1 MiB"),
        (4 << 30, "4 GiB"), (37_748_736, "36 MiB"), (1_048_000, "1 MiB"),
    ])
    func sizes(bytes: Int, text: String) {
        #expect(Format.bytes(bytes) == text)
    }

    @Test(arguments: [
        (-3, "0s"), (0, "0s"), (59, "59s"), (65, "1m 05s"), (3600, "1h 00m 00s"), (93_784, "1d 02h 03m"),
    ])
    func durations(seconds: Int, text: String) {
        #expect(Format.duration(seconds) == text)
    }

    @Test(arguments: [(1.005, 1, "1.0"), (99.96, 1, "100.0"), (-0.04, 1, "0.0"), (-1.25, 2, "-1.25"), (12.4, 0, "12")])
    func decimals(value: Double, digits: Int, text: String) {
        #expect(Format.fixed(value, digits) == text)
    }

    @Test func statesAreShownAsTheSpecificationHasThem() {
        #expect(Format.state("FAIL_TRAIN_IN_PROGRESS") == "FAIL TRAIN IN PROGRESS")
        #expect(Format.state(nil) == "")
    }

    @Test(arguments: [
        "2026-01-31T14:05:09Z", "2026-01-31T14:05:09.123456Z", "2026-01-31T23:05:09+09:00",
        "2026-01-31T23:05:09.000000+0900", "2026-01-31T09:05:09-0500",
    ])
    func timesOfAnyZoneAreTheSameMoment(text: String) {
        #expect(Timestamp.seconds(text) == 1_769_868_309)
    }

    @Test func aTextThatIsNoTimeIsShownAsItIs() {
        #expect(Timestamp.seconds("yesterday") == nil)
        #expect(Timestamp.seconds("2026-13-01T00:00:00Z") == nil)
        #expect(Timestamp.local("yesterday") == "yesterday")
    }

    @Test func theProgressLineIsErasedBeforeItIsDrawnAgain() {
        var line = ProgressLine(width: 20)
        #expect(line.clear() == "")
        #expect(line.draw("RUNNING · 1s") == "\r\u{1B}[2KRUNNING · 1s")
        #expect(line.draw("RUNNING · 1s") == "")
        #expect(line.draw("installing image pytorch: 22 of 29") == "\r\u{1B}[2Kinstallin… 22 of 29")
        #expect(line.clear() == "\r\u{1B}[2K")
        #expect(line.clear() == "")
    }

    @Test func withoutATerminalNothingIsDrawn() {
        var line = ProgressLine(width: nil)
        #expect(line.draw("RUNNING") == "")
        #expect(line.clear() == "")
    }

    @Test func theNearestWordsComeFirst() {
        let images = ["pytorch", "tensorflow", "python", "pytorch-gpu"]
        #expect(Nearest.options(to: "pytroch", among: images, limit: 2) == ["pytorch", "python"])
        #expect(Nearest.options(to: "torch", among: images, limit: 2) == ["pytorch", "pytorch-gpu"])
        #expect(Nearest.options(to: "zzz", among: ["a"]) == ["a"])
    }

    @Test func jsonIsReadable() {
        let value = JSONValue.object([
            "b": .array([.int(1), .double(0.5), .null]), "a": .string("x\"\n\u{1}é/"), "c": .array([]),
            "d": .object([:]),
        ])
        #expect(
            JSONText.pretty(value) == """
                {
                  "a": "x\\"\\n\\u0001é/",
                  "b": [
                    1,
                    0.5,
                    null
                  ],
                  "c": [],
                  "d": {}
                }
                """)
    }
}
