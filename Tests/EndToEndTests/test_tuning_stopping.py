"""Early stopping: which trials are ended, when, and what becomes of them (H-8)."""

import time

import pytest

from client import API, Tuning, integer

# Each trial reports the same value again and again, `number of reports` times with a pause between.
SCRIPT = """
import sys, time
value, count, pause = {plan}[int(sys.argv[2])]
for _ in range(count):
    print("loss =", value, flush=True)
    time.sleep(pause)
"""


def tune(api: API, plan: dict, rule: str, **fields) -> Tuning:
    script = SCRIPT.replace("{plan}", repr(plan))
    return api.tune(script, integer("x", 1, len(plan)), earlyStoppingAlgorithm=rule, **fields)


GOOD, MINUTES = (4, 0), (600, 0.1)


@pytest.mark.parametrize("rule", ["MEDIAN", "MEDIAN_KATIB", "ASHA"])
@pytest.mark.parametrize("direction, good, bad", [("MINIMIZE", 0.5, 9), ("MAXIMIZE", 9, 0.5)])
def test_a_bad_trial_is_stopped_and_counts(api: API, rule, direction, good, bad):
    plan = {1: (good, *GOOD), 2: (good, *GOOD), 3: (good, *GOOD), 4: (bad, *MINUTES), 5: (good, 8, 0.05)}
    tuning = tune(api, plan, rule, objectiveTypeCode=direction)
    done = tuning.wait(timeout=20)
    assert tuning.codes() == ["SUCCEEDED"] * 3 + ["EARLY_STOPPED", "SUCCEEDED"]
    assert done["hyperparameterTuningStatusReason"] == "SuggestionEndReached"
    assert (done["successfulTrialCount"], done["earlyStoppedTrialCount"], done["failedTrialCount"]) == (4, 1, 0)
    stopped = tuning.trials()[3]
    assert stopped["objectiveValue"] == bad and done["optimalTrial"]["objectiveValue"] == good
    # At once after the start step, not at the end of the minute.
    assert 4 <= len(tuning.trial(4).reports()) < 40, len(tuning.trial(4).reports())
    assert stopped["startedDatetime"] and stopped["endedDatetime"]
    for name, value in (("RuleCode", rule), ("MinTrialCount", 3), ("StartStep", 4)):
        assert done[f"earlyStopping{name}"] == value


@pytest.mark.parametrize("rule", ["MEDIAN", "MEDIAN_KATIB", "ASHA"])
def test_a_bad_trial_that_reports_fast_is_stopped_too(api: API, rule):
    """Nobody looks between its reports: it is past the start step, and three times past it, before the first look."""
    script = """
import sys, time
bad = sys.argv[2] == "4"
for step in range(700 if bad else 4):
    print("loss =", 9 if bad else 0.5, flush=True)
    time.sleep(0.1 * (step > 100))
"""
    tuning = api.tune(script, integer("x", 1, 4), earlyStoppingAlgorithm=rule)
    tuning.wait(timeout=12)
    assert tuning.codes() == ["SUCCEEDED"] * 3 + ["EARLY_STOPPED"]


def test_median_is_none_of_a_mean(api: API):
    """One trial that went astray says nothing about the others: Katib's mean lets worse than most go on."""
    plan = {1: (1, *GOOD), 2: (1, *GOOD), 3: (100, *GOOD), 4: (5, 25, 0.1)}
    tunings = [tune(api, plan, rule) for rule in ("MEDIAN", "MEDIAN_KATIB")]
    for tuning in tunings:
        tuning.wait()
    assert [tuning.codes()[3] for tuning in tunings] == ["EARLY_STOPPED", "SUCCEEDED"]


def test_too_few_have_succeeded(api: API):
    plan = {1: (1, *GOOD), 2: (1, *GOOD), 3: (9, 12, 0.1)}
    tunings = [
        tune(api, plan, "MEDIAN", earlyStoppingMinTrialCount=3),
        tune(api, plan, "MEDIAN", earlyStoppingMinTrialCount=2),
        tune(api, plan, "MEDIAN", earlyStoppingMinTrialCount=1, earlyStoppingStartStep=13),
    ]
    for tuning in tunings:
        tuning.wait()
    assert [tuning.codes()[2] for tuning in tunings] == ["SUCCEEDED", "EARLY_STOPPED", "SUCCEEDED"]


def test_a_trial_that_was_good_once_goes_on(api: API):
    """The best report so far counts, not the latest."""
    script = """
import sys, time
for step in range(10):
    print("loss =", 0.1 if sys.argv[2] == "4" and step == 0 else 1 + int(sys.argv[2]), flush=True)
    time.sleep(0.08 * (sys.argv[2] == "4"))
"""
    tuning = api.tune(script, integer("x", 1, 4), earlyStoppingAlgorithm="MEDIAN")
    tuning.wait()
    assert tuning.codes() == ["SUCCEEDED"] * 4


def test_stopped_trials_keep_what_they_left_and_count_towards_the_maximum(api: API):
    script = """
import os, sys, time
open(os.environ["EM_CHECKPOINT_DIR"] + "/last", "w").write(sys.argv[2])
for _ in range(600 if int(sys.argv[2]) > 3 else 4):
    print("loss =", 1.0 * (int(sys.argv[2]) > 3), flush=True)
    time.sleep(0.1 * (int(sys.argv[2]) > 3))
"""
    tuning = api.tune(
        script,
        integer("x", 1, 9),
        earlyStoppingAlgorithm="MEDIAN",
        maxTrialCount=6,
        parallelTrialCount=3,
        maxFailedTrialCount=1,
    )
    start = time.monotonic()
    done = tuning.wait(timeout=30)
    assert time.monotonic() - start < 20
    assert done["hyperparameterTuningStatusReason"] == "MaxTrialsReached"
    assert tuning.codes() == ["SUCCEEDED"] * 3 + ["EARLY_STOPPED"] * 3
    for number in range(1, 7):
        assert api.download(f"{tuning.folder}/checkpoint/trial-{number:04d}/last").decode() == f"{number}"
