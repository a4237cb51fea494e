"""What of a trial's log counts as its result (H-6)."""

import pytest

from client import API, Tuning, categorical

# One trial for each: what it prints, then its objective, or its state and a part of its cause.
CASES = {
    "best": ("loss = 3; loss = 1; loss = 2", 1),
    "one-line": ("epoch = 1 loss=0.5 accuracy = 0.9 loss =0.25", 0.25),
    "exponent": ("loss = 1e-3", 0.001),
    "sign": ("loss = +.5; loss = -2.5E1", -25),
    "stderr": ("!loss = 4", 4),
    "prefixed": ("[epoch 3] train: loss = 7 (done)", 7),
    "others": ("xloss = 1; loss2 = 2; Loss = 3; loss = 6", 6),
    "fraction": ("loss = .98", 0.98),
    "later-nan": ("loss = 5; loss = nan", 5),
    "exact": ("loss = 0.1234567890123456", 0.1234567890123456),
    "no-newline": ("#loss = 8", 8),
    "nothing": ("accuracy = 1", "METRICS_UNAVAILABLE", "no line of its log"),
    "silent": ("", "METRICS_UNAVAILABLE", "no line of its log"),
    "nan": ("loss = nan", "METRICS_UNAVAILABLE", "no number"),
    "colon": ("loss: 5", "METRICS_UNAVAILABLE", "metricRegex"),
    "exit": ("loss = 9; exit", "FAILED", "exit code 3"),
}

SCRIPT = f"""
import sys
CASES = { {name: case[0] for name, case in CASES.items()}!r}
for line in filter(None, CASES[sys.argv[2]].split("; ")):
    if line == "exit":
        sys.exit(3)
    stream = sys.stderr if line[0] == "!" else sys.stdout
    print(line.lstrip("!#"), file=stream, end="" if line[0] == "#" else "\\n")
"""


@pytest.fixture(scope="module")
def tuning(api: API) -> Tuning:
    tuning = api.tune(
        SCRIPT,
        categorical("case", ",".join(CASES)),
        metricList=[{"name": "accuracy"}, {"name": "loss"}],
        parallelTrialCount=4,
        maxFailedTrialCount=10,
    )
    tuning.wait()
    return tuning


def trial(tuning: Tuning, case: str) -> dict:
    return next(t for t in tuning.trials() if t["hyperparameterList"][0]["parameterValue"] == case)


@pytest.mark.parametrize("case", CASES)
def test_objective(tuning: Tuning, case):
    _, wanted, *cause = CASES[case]
    seen = trial(tuning, case)
    if cause:
        assert seen["trialStatusCode"] == wanted and cause[0] in seen["statusReason"], seen
        assert "objectiveValue" not in seen
    else:
        assert (seen["trialStatusCode"], seen["objectiveValue"]) == ("SUCCEEDED", wanted), seen
        assert "statusReason" not in seen


def metrics(seen: dict) -> dict[str, tuple]:
    return {
        metric["trialMetricName"]: tuple(metric[f"trialMetric{which}Value"] for which in ("Min", "Max", "Latest"))
        for metric in seen["trialMetricList"]
    }


def test_all_metrics_are_kept(tuning: Tuning):
    """As texts of the log, the least, the greatest and the latest, in the order of the request."""
    assert metrics(trial(tuning, "best")) == {"loss": ("1", "3", "2")}
    assert list(metrics(trial(tuning, "one-line"))) == ["accuracy", "loss"]
    assert metrics(trial(tuning, "one-line")) == {"accuracy": ("0.9",) * 3, "loss": ("0.25", "0.5", "0.25")}
    assert metrics(trial(tuning, "sign")) == {"loss": ("-2.5E1", "+.5", "-2.5E1")}
    assert metrics(trial(tuning, "exit")) == {"loss": ("9",) * 3}, "what a failed one reported is shown"
    assert metrics(trial(tuning, "nothing")) == {"accuracy": ("1",) * 3}
    assert metrics(trial(tuning, "silent")) == {}


def test_counts_and_the_best(tuning: Tuning):
    seen = tuning.read()
    ends = [case[1] for case in CASES.values() if len(case) == 3]
    assert seen["metricsUnavailableTrialCount"] == ends.count("METRICS_UNAVAILABLE")
    assert seen["failedTrialCount"] == ends.count("FAILED")
    assert seen["successfulTrialCount"] == len(CASES) - len(ends) and seen["trialCount"] == len(CASES)
    assert seen["optimalTrial"]["hyperparameterList"][0]["parameterValue"] == "sign"


def test_reports(api: API, tuning: Tuning):
    number = trial(tuning, "one-line")["trialNumber"]
    assert tuning.trial(number).reports() == [("loss", "0.5"), ("accuracy", "0.9"), ("loss", "0.25")]
    assert tuning.trial(trial(tuning, "silent")["trialNumber"]).reports() == []


def test_log_and_samples_of_a_trial(api: API, tuning: Tuning):
    best = tuning.trial(trial(tuning, "best")["trialNumber"])
    assert best.printed() == ["loss = 3", "loss = 1", "loss = 2"]
    assert best.lines(tail=1) == ["loss = 2"]
    assert [node["node"] for node in api.get(f"{best.path}/metrics")["metrics"]] == [0]


def latest(api: API, script: str, **fields) -> Tuning:
    tuning = api.tune(script, categorical("case", "a"), objectiveStrategyCode="LATEST", **fields)
    tuning.wait()
    return tuning


def test_latest_report_as_the_objective(api: API):
    tuning = latest(api, "for value in (3, 1, 2): print('loss =', value)")
    assert tuning.trials()[0]["objectiveValue"] == 2 and tuning.read()["objectiveStrategyCode"] == "LATEST"


def test_time_stamps_of_the_program_order_its_reports(api: API):
    """A line that begins with an RFC 3339 stamp was reported then, whatever its place."""
    script = """
for line in ("2026-01-02T10:00:00.5Z loss = 1", "2026-01-02T12:00:01+02:00 loss = 2", "2026-01-01T00:00:00Z loss = 3"):
    print(line)
"""
    tuning = latest(api, script)
    assert tuning.trials()[0]["objectiveValue"] == 2, tuning.trials()
    assert metrics(tuning.trials()[0]) == {"loss": ("1", "3", "2")}
    times = [report["time"] for report in api.get(f"{tuning.trial(1).path}/reports")["reportList"]]
    assert times[0] == "2026-01-02T10:00:00.5Z", times


def test_a_regular_expression_of_its_own(api: API):
    script = "print('{\\'val_loss\\': 0.5}'); print('val_loss = 9'); print('- val_loss: 0.25 - lr: 1')"
    tuning = latest(api, script, metricRegex=r"'?([\w|-]+)'?\s*:\s*([0-9.]+)", objectiveMetric={"name": "val_loss"})
    assert metrics(tuning.trials()[0]) == {"val_loss": ("0.25", "0.5", "0.25")}
    # The name may be fixed, and groups may be named.
    script = "print('Score=<12%>')"
    tuning = latest(
        api,
        script,
        metricRegex=r"(?P<name>Score)=<(\d+)%>",
        objectiveMetric={"name": "Score"},
        objectiveTypeCode="MAXIMIZE",
    )
    assert tuning.trials()[0]["objectiveValue"] == 12


def test_metric_names_with_odd_characters(api: API):
    tuning = latest(
        api,
        "print('val/top-1 損失 = 0.5'); print('a|b-c = 2')",
        metricList=[{"name": "val/top-1 損失"}, {"name": "a|b-c"}],
        objectiveMetric={"name": "a|b-c"},
    )
    assert tuning.trials()[0]["objectiveValue"] == 2
    own = r"([^\s=][^=]*?)\s*=\s*(\S+)"
    tuning = latest(api, "print('val/top-1 損失 = 0.5')", metricRegex=own, objectiveMetric={"name": "val/top-1 損失"})
    assert tuning.trials()[0]["objectiveValue"] == 0.5


def test_expression_that_others_take_for_ever(api: API):
    """`(a+)+$` takes a backtracking engine 2^n steps; here it takes as long as the line is."""
    script = "print('loss' + 'a' * 200_000 + '!'); print('loss = 3')"
    tuning = api.tune(script, categorical("case", "x"), metricRegex=r"(loss)(?:(?:a+)+)+$|(loss) = (\d)")
    tuning.wait("FAIL_HYPERPARAMETER_TUNING", timeout=10)
    tuning = api.tune(script, categorical("case", "x"), metricRegex=r"(?:(?:a+)+b)*(loss) = (\d)")
    assert tuning.wait(timeout=10)["optimalTrial"]["objectiveValue"] == 3


def test_ten_thousand_reports(api: API):
    script = "for n in range(10_000): print('loss =', 10_000 - n)"
    tuning = api.tune(script, categorical("case", "x"))
    seen = tuning.wait()["optimalTrial"]
    assert metrics(seen) == {"loss": ("1", "10000", "1")} and len(tuning.trial(1).reports()) == 10_000
