import ArgumentParser
import Testing

@testable import CLI

@Suite struct CLISearchTests {
    private typealias Taken = (text: String, kind: SearchSpec.Kind, space: SearchSpec.Space)

    private static let taken: [Taken] = [
        ("lr=double:0.001..0.1", .double, .range(low: "0.001", high: "0.1", step: nil, isLog: false)),
        ("lr=double:1e-5..1e-1:log", .double, .range(low: "1e-5", high: "1e-1", step: nil, isLog: true)),
        ("lr=double:0..1:0.25", .double, .range(low: "0", high: "1", step: "0.25", isLog: false)),
        ("lr=double:0.1..0.3:0.2", .double, .range(low: "0.1", high: "0.3", step: "0.2", isLog: false)),
        ("n=int:1..9:2", .int, .range(low: "1", high: "9", step: "2", isLog: false)),
        ("n=int:-5..5", .int, .range(low: "-5", high: "5", step: nil, isLog: false)),
        ("n=int:7..7", .int, .range(low: "7", high: "7", step: nil, isLog: false)),
        ("opt=categorical:sgd, adam", .categorical, .values(["sgd", "adam"])),
        ("url=categorical:http://a:80,b=c", .categorical, .values(["http://a:80", "b=c"])),
        ("bs=discrete:16,32,64", .discrete, .values(["16", "32", "64"])),
    ]

    @Test func whatTheManualShowsIsTaken() throws {
        for (text, kind, space) in Self.taken {
            let spec = try SearchSpec(text)
            #expect(text.hasPrefix("\(spec.name)="))
            #expect(spec.kind == kind)
            #expect(spec.space == space)
        }
    }

    @Test(arguments: [
        ("lr", "there is no NAME= before it"), ("=int:1..9", "there is no NAME= before it"),
        ("a b=int:1..9", "a name has no spaces"),
        ("lr=", "'' is none of double, int, categorical and discrete"),
        ("lr=float:0..1", "'float' is none of double, int, categorical and discrete"),
        ("lr=double", "there is no range; write lr=double:0.001..0.1"), ("lr=double:log", "'log' is no range"),
        ("lr=double:0.1", "'0.1' is no range"), ("lr=double:0..1:0.1:0.2", "'0..1:0.1:0.2' is no range"),
        ("lr=double:a..1", "'a' is not a number"), ("lr=double:0..inf", "'inf' is not a number"),
        ("n=int:1..2.5", "'2.5' is not a whole number"), ("n=int:1...9", "'.9' is not a whole number"),
        ("n=int:9..1", "9 is above 1"), ("lr=double:0..1:log", "0 must be above 0 for a log scale"),
        ("lr=double:1..2:0.1:log", "a log scale has no steps"), ("lr=double:0..1:0", "the step 0 must be above 0"),
        ("n=int:1..9:10", "the step 10 is larger than the range"), ("n=int:1..9:x", "'x' is not a number"),
        ("opt=categorical", "there are no values; write opt=categorical:sgd,adam"),
        ("opt=categorical:a,,b", "there is an empty value between two commas"),
        ("opt=categorical:a,b,a", "'a' is given twice"), ("bs=discrete:16,x", "'x' is not a number"),
    ])
    func aMistakeIsNamedAndHowItIsWritten(text: String, words: String) throws {
        let error = #expect(throws: ValidationError.self) { try SearchSpec(text) }
        #expect(try #require(error).message.hasPrefix(words), "\(error?.message ?? "")")
    }

    @Test func itGoesOverTheWireAsTextAndIsShownAsItWasTyped() throws {
        for text in ["lr=double:1e-5..0.1:log", "n=int:1..9:2", "opt=categorical:sgd,adam", "bs=discrete:16,32.0"] {
            let wire = try SearchSpec(text).wire
            #expect(SearchSpec.text(wire) == text)
        }
        let wire = try SearchSpec("lr=double:1e-5..0.10:log").wire
        #expect(wire["hyperparameterMinValue"] == .string("1e-5"))
        #expect(wire["hyperparameterMaxValue"] == .string("0.10"))
        #expect(wire["hyperparameterScale"] == .string("log"))
        #expect(wire["hyperparameterStep"].isNull)
        // As the server has it, which may write numbers.
        let answer = JSONValue.object([
            "hyperparameterName": .string("n"), "hyperparameterTypeCode": .string("int"),
            "hyperparameterMinValue": .int(1), "hyperparameterMaxValue": .int(9),
            "hyperparameterScale": .string("linear"),
        ])
        #expect(SearchSpec.text(answer) == "n=int:1..9")
    }

    // MARK: - Options

    private static let needed = [
        "create", "x", "--source", "obs://s", "--entry-point", "train.py", "--image", "python", "--instance", "t2.c1m1",
        "--model-output", "obs://m",
    ]
    private static let search = ["--search", "lr=double:0..1", "--maximize", "accuracy", "--max-trials", "5"]

    /// What the command line says to these arguments; nil where it takes them.
    private func complaint(_ arguments: [String]) -> (text: String, status: Int32)? {
        do {
            _ = try TuningCommand.parseAsRoot(arguments)
            return nil
        } catch {
            return (TuningCommand.message(for: error), TuningCommand.exitCode(for: error).rawValue)
        }
    }

    @Test func aTuningIsParsed() throws {
        #expect(complaint(Self.needed + Self.search) == nil)
        let more = [
            "--goal", "-0.5", "--metric", "loss", "--metric-regex", "a(b)c(d)", "--objective-strategy", "latest",
            "--strategy", "cma-es", "--random-state", "7", "--max-failed", "2", "--parallel", "2", "--nodes", "2",
            "--max-duration", "60", "--early-stopping", "median-katib", "--min-trials", "2", "--start-step", "1",
            "--wait", "--output", "json",
        ]
        #expect(complaint(Self.needed + Self.search + more) == nil)
        let grid = ["--search", "n=int:1..3", "--minimize", "loss", "--strategy", "grid"]
        #expect(complaint(Self.needed + grid) == nil)
    }

    @Test(arguments: [
        (["--minimize", "loss"], "--maximize and --minimize exclude each other"),
        (["--search", "lr=double:1"], "'1' is no range; write lr=double:0.001..0.1"),
        (["--search", "LR=int:1..2"], "--search LR is given twice"),
        (["--strategy", "grid"], "--search lr: a grid needs a step here"),
        (["--strategy", "best"], "Please provide one of"),
        (["--goal", "inf"], "--goal inf is out of range"),
        (["--parallel", "11"], "--parallel 11 is out of range; use 1 to 10"),
        (["--parallel", "4", "--nodes", "3"], "--nodes 3 × --parallel 4 are 12 instances; at most 10"),
        (["--max-failed", "6"], "--max-failed 6 is above --max-trials 5"),
        (["--min-trials", "3"], "--min-trials is for early stopping"),
        (["--hp", "a=b"], "Unknown option '--hp'"),
    ])
    func aMistakeIsAUsageError(arguments: [String], words: String) throws {
        let complaint = complaint(Self.needed + Self.search + arguments)
        #expect(try #require(complaint).text.contains(words), "\(complaint?.text ?? "")")
        #expect(complaint?.status == 64)
    }

    @Test func whatIsMissingIsNamedAtOnce() throws {
        let complaint = complaint(["create", "x", "--source", "obs://s", "--strategy", "random"])
        #expect(
            try #require(complaint).text.contains(
                "a tuning needs --entry-point, --image, --instance, --model-output, --search, --maximize or --minimize, "
                    + "--max-trials"))
        #expect(self.complaint(["create", "x", "--template", "t"]) == nil)
    }

    @Test func everySubcommandParses() throws {
        for words in [
            "list --experiment iris", "get x", "wait x", "stop x y --yes", "resume x --max-trials 9",
            "trials x --best 3",
            "logs x 4 -f --tail 2", "logs x best -t", "importance x --output json", "copy x --name y --parallel 2",
            "update x --name y", "delete x --yes", "events x", "open x",
        ] {
            #expect(complaint(words.split(separator: " ").map { String($0) }) == nil, "\(words)")
        }
        #expect(complaint(["resume", "x"])?.text.contains("nothing to raise") == true)
        #expect(complaint(["trials", "x", "--best", "0"])?.status == 64)
        for words in [
            "list", "create t", "create t --hp a=b --search n=int:1..2 --maximize m --nodes 2 --entry-point train.py",
            "get t", "update t --name u --untag k --image pytorch --tag a=b", "copy t", "delete t --yes",
        ] {
            #expect(throws: Never.self, "\(words)") {
                try TemplateCommand.parseAsRoot(words.split(separator: " ").map { String($0) })
            }
        }
    }

    @Test func aRunWithATemplateNeedsNothingElse() throws {
        #expect(throws: Never.self) { try RunCommand.parse(["train.py", "--template", "t", "--nproc", "2"]) }
    }
}
