"""How a tuning comes to its end, and what a user can do with it before and after (H-1, H-7, H-9 to H-12)."""

import time

import pytest

from client import API, Tuning, categorical, discrete, double, integer, unique
from harness import eventually, find_processes

# Of one hyperparameter: reports it as the loss.
ECHO = "import sys; print('loss =', sys.argv[2])"

# The same, but from x = 3 on it takes long.
SLOW = """
import sys, time
x, marker = sys.argv[2], sys.argv[4]
if int(x) > 2:
    print("sleeping", flush=True)
    time.sleep(120)
print("loss =", x)
"""


def slow(api: API, last: int, **fields) -> tuple[Tuning, str]:
    """A tuning over x from 1 to `last` whose processes have a marker."""
    marker = unique("marker")
    return api.tune(SLOW, integer("x", 1, last), categorical("marker", marker), **fields), marker


def marked(marker: str):
    return find_processes(lambda words: marker in words)


def assert_nothing_runs(tuning: Tuning, marker: str):
    assert not [trial for trial in tuning.trials() if trial["trialStatusCode"] in ("CREATED", "RUNNING")]
    left = marked(marker)
    assert not left, f"it has ended, and its programs run on: {left}"
    ids = [trial["trialId"] for trial in tuning.trials()]
    assert not [agent for agent in tuning.api.server.agents() if any(id in agent.cmdline()[2] for id in ids)]


def counts(read: dict) -> dict[str, int]:
    """What is not 0 of the numbers of trials."""
    names = ("trial", "successfulTrial", "runningTrial", "failedTrial", "earlyStoppedTrial", "killedTrial")
    found = {name: read[f"{name}Count"] for name in (*names, "metricsUnavailableTrial")}
    return {name.removesuffix("Trial"): count for name, count in found.items() if count}


# MARK: - Reasons of an end


@pytest.fixture(scope="module")
def grid(api: API) -> Tuning:
    """Twelve trials, three at a time."""
    tuning = api.tune(
        "import sys; print('loss =', abs(int(sys.argv[2]) - 3) + float(sys.argv[4]))",
        integer("x", 1, 4),
        double("y", 0, 0.5, 0.25),
        parallelTrialCount=3,
        hyperparameterTuningName=unique("grid"),
        experimentId=api.create_experiment(),
    )
    tuning.wait()
    return tuning


def test_grid_ends_when_all_has_been_tried(grid: Tuning):
    done = grid.read()
    assert done["hyperparameterTuningStatusReason"] == "SuggestionEndReached", done
    assert counts(done) == {"trial": 12, "successful": 12}
    assert set(grid.values()) == {(f"{x}", f"{y}") for x in range(1, 5) for y in (0.0, 0.25, 0.5)}
    assert [trial["trialNumber"] for trial in grid.trials()] == list(range(1, 13))
    assert [trial["trialName"] for trial in grid.trials()] == [f"trial-{number:04d}" for number in range(1, 13)]


def test_best_trial(grid: Tuning):
    done = grid.read()
    best = done["optimalTrial"]
    assert best["trialId"] == done["optimalTrialId"] and best in grid.trials()
    assert best["objectiveValue"] == 0 and best["trialStatusCode"] == "SUCCEEDED"
    assert [p["parameterValue"] for p in best["hyperparameterList"]] == ["3", "0.0"]
    values = {f"trialMetric{which}Value": "0.0" for which in ("Min", "Max", "Latest")}
    assert best["trialMetricList"] == [{"trialMetricName": "loss"} | values]


def test_events_tell_the_story(grid: Tuning):
    events = grid.events()
    codes = [event["statusCode"] for event in events]
    assert codes[0] == "CREATE_REQUESTED" and codes[-1] == "COMPLETE" and "RUNNING" in codes, events
    assert events[0]["message"] == "requested"
    assert "SuggestionEndReached" in events[-1]["message"] and "12 trials" in events[-1]["message"], events


def test_importance(grid: Tuning):
    shares = eventually(lambda: grid.api.get(f"{grid.path}/importance")["importance"].get("importances"), "importance")
    assert set(shares) == {"x", "y"} and shares["x"] > shares["y"] >= 0, shares
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("direction, goal", [("MINIMIZE", 1), ("MINIMIZE", 1.5), ("MAXIMIZE", "1"), ("MAXIMIZE", 0.5)])
def test_goal_is_reached_by_the_first_trial(api: API, direction, goal):
    """Inclusive; the trials beside it are ended and not forgotten."""
    script = "import sys, time; time.sleep(120 * (sys.argv[2] != '1')); print('loss =', sys.argv[2])"
    tuning = api.tune(script, integer("x", 1, 5), objectiveTypeCode=direction, objectiveGoal=goal, parallelTrialCount=2)
    done = tuning.wait(timeout=30)
    assert done["hyperparameterTuningStatusReason"] == "GoalReached", done
    codes = tuning.codes()
    assert codes[0] == "SUCCEEDED" and set(codes[1:]) <= {"KILLED"} and len(codes) <= 3, codes
    assert done["optimalTrial"]["trialNumber"] == 1 and done["objectiveGoal"] == float(goal)


def test_goal_that_is_missed_is_not_reached(api: API):
    tuning = api.tune(ECHO, integer("x", 1, 3), objectiveGoal=0.999)
    assert tuning.wait()["hyperparameterTuningStatusReason"] == "SuggestionEndReached"
    tuning = api.tune(ECHO, integer("x", 1, 3), objectiveTypeCode="MAXIMIZE", objectiveGoal=2)
    done = tuning.wait()
    assert done["hyperparameterTuningStatusReason"] == "GoalReached" and len(tuning.codes()) == 2, tuning.codes()


def test_time_limit(api: API):
    tuning, marker = slow(api, 9, maxDurationSeconds=3, parallelTrialCount=2)
    done = tuning.wait(timeout=30)
    assert done["hyperparameterTuningStatusReason"] == "TimeLimitReached", done
    assert tuning.codes()[:2] == ["SUCCEEDED"] * 2 and set(tuning.codes()[2:]) == {"KILLED"}, tuning.codes()
    assert counts(done) == {"trial": 4, "successful": 2, "killed": 2}
    assert 3 <= done["elapsedTimeSeconds"] <= 8
    assert_nothing_runs(tuning, marker)


def test_trials_that_the_time_limit_ends_have_not_failed(api: API):
    """Or the tuning would fail by what it ended itself."""
    tuning, marker = slow(api, 9, maxDurationSeconds=2, parallelTrialCount=4, maxFailedTrialCount=1)
    assert tuning.wait(timeout=30)["hyperparameterTuningStatusReason"] == "TimeLimitReached"
    assert "FAILED" not in tuning.codes(), tuning.codes()
    assert_nothing_runs(tuning, marker)


def test_time_limit_without_any_result(api: API):
    tuning = api.tune("import time; time.sleep(60)", integer("x", 1, 9), maxDurationSeconds=1)
    failed = tuning.wait("FAIL_HYPERPARAMETER_TUNING", timeout=30)
    assert "loss" in failed["statusReason"] and "1 s" in failed["statusReason"], failed["statusReason"]


# MARK: - Failures


def test_failed_trials_end_it(api: API):
    """Failed ones and those without a value count together; the cause names the last one's."""
    script = """
import sys
x = int(sys.argv[2])
if x == 2: sys.exit(42)
if x == 3: sys.exit(0)
print("loss =", x)
"""
    tuning = api.tune(script, integer("x", 1, 9), maxFailedTrialCount=2)
    failed = tuning.wait("FAIL_HYPERPARAMETER_TUNING")
    assert tuning.codes() == ["SUCCEEDED", "FAILED", "METRICS_UNAVAILABLE"]
    assert counts(failed) == {"trial": 3, "successful": 1, "failed": 1, "metricsUnavailable": 1}
    cause = failed["hyperparameterTuningStatusReason"]
    assert "2 trials failed" in cause and "'loss'" in cause and "no line of its log" in cause, cause
    one, two, three = tuning.trials()
    assert one["exitCode"] == 0 and "statusReason" not in one
    assert two["exitCode"] == 42 and "exit code 42" in two["statusReason"] and "objectiveValue" not in two
    assert "metricRegex" in three["statusReason"], three
    assert failed["optimalTrial"]["trialNumber"] == 1, "what was found is not lost"
    assert failed["statusReason"] in tuning.events()[-1]["message"]


def test_all_trials_fail(api: API):
    tuning = api.tune("raise RuntimeError('broken')", integer("x", 1, 9), parallelTrialCount=3)
    failed = tuning.wait("FAIL_HYPERPARAMETER_TUNING")
    assert "exit code 1" in failed["statusReason"] and "3 trials" in failed["statusReason"], failed["statusReason"]
    assert "optimalTrial" not in failed and 3 <= counts(failed)["failed"] + counts(failed).get("killed", 0) <= 6
    assert any("RuntimeError: broken" in line for line in tuning.trial(1).lines())


# MARK: - Stopping and going on


@pytest.fixture(scope="module")
def stopped(api: API) -> tuple[Tuning, str]:
    """Stopped while two of four trials ran."""
    tuning, marker = slow(api, 6, parallelTrialCount=2)
    for number in (3, 4):
        wait_sleeping(tuning, number)
    assert tuning.stop()["hyperparameterTuningStatusCode"] == "STOP_IN_PROGRESS"
    # Twice is once.
    assert api.request("PUT", f"{tuning.path}/stop").status_code in (200, 409)
    tuning.wait("STOPPED", timeout=20)
    return tuning, marker


def wait_sleeping(tuning: Tuning, number: int):
    eventually(lambda: len(tuning.trials()) >= number, lambda: f"trial {number} is there: {tuning.tail()}")
    tuning.trial(number).wait_line("sleeping")


def test_while_it_runs(api: API):
    """Counts are right; it can be neither deleted nor resumed, and the refusal says what to do."""
    tuning, marker = slow(api, 6, parallelTrialCount=2)
    for number in (3, 4):
        wait_sleeping(tuning, number)
    running = tuning.read()
    refused = api.refused("DELETE", tuning.path, 409)
    resumed = api.refused("PUT", f"{tuning.path}/resume", 409, json={"maxTrialCount": 99})
    assert marked(marker)
    tuning.stop()
    assert running["hyperparameterTuningStatusCode"] == "RUNNING" and running["optimalTrial"]["trialNumber"] == 1
    assert counts(running) == {"trial": 4, "successful": 2, "running": 2}
    assert "stop it first" in refused[0]["message"] and "RUNNING" in resumed[0]["message"], (refused, resumed)
    tuning.wait("STOPPED", timeout=20)


def test_stop_keeps_finished_trials(stopped):
    tuning, marker = stopped
    seen = tuning.read()
    assert tuning.codes() == ["SUCCEEDED", "SUCCEEDED", "KILLED", "KILLED"]
    assert counts(seen) == {"trial": 4, "successful": 2, "killed": 2}
    assert seen["optimalTrial"]["trialNumber"] == 1 and seen.get("statusReason") is None
    assert_nothing_runs(tuning, marker)
    assert all("objectiveValue" not in trial for trial in tuning.trials()[2:])
    tuning.api.refused("PUT", f"{tuning.path}/stop", 409)
    assert "stopped after 4 trials" in tuning.events()[-1]["message"]


def test_resume_goes_on_with_the_history(api: API):
    search = {"tuningStrategyName": "RANDOM", "tuningStrategyRandomState": 5, "parallelTrialCount": 2}
    tuning = api.tune(ECHO, integer("x", 1, 100), **search, maxTrialCount=3)
    first = tuning.wait()
    assert first["hyperparameterTuningStatusReason"] == "MaxTrialsReached" and counts(first)["successful"] == 3
    before = tuning.trials()
    for body, field in (({}, "maxTrialCount"), ({"maxTrialCount": 3}, "maxTrialCount")):
        errors = api.refused("PUT", f"{tuning.path}/resume", 400, json=body)
        assert errors[0]["field"] == field and "3" in errors[0]["message"], errors
    time.sleep(1)
    again = tuning.resume(maxTrialCount=6)
    assert (again["hyperparameterTuningStatusCode"], again["maxTrialCount"]) == ("RUNNING", 6)
    assert "hyperparameterTuningStatusReason" not in again and "endedDatetime" not in again
    done = tuning.wait()
    assert done["hyperparameterTuningStatusReason"] == "MaxTrialsReached" and counts(done)["successful"] == 6
    assert tuning.trials()[:3] == before, "old trials have changed"
    assert [trial["trialNumber"] for trial in tuning.trials()] == list(range(1, 7))
    assert len(set(tuning.values())) == 6, "something was tried twice"
    assert done["startedDatetime"] > first["startedDatetime"] and done["elapsedTimeSeconds"] <= 30
    assert "up to 6 trials" in " ".join(event["message"] for event in tuning.events())
    # As if it had been asked for at once.
    whole = api.tune(ECHO, integer("x", 1, 100), **search, maxTrialCount=6)
    whole.wait()
    assert whole.values() == tuning.values()


def test_resume_of_a_stopped_one(api: API):
    tuning, marker = slow(api, 3)
    wait_sleeping(tuning, 3)
    tuning.stop()
    tuning.wait("STOPPED")
    api.upload(f"{tuning.folder}/source/train.py", ECHO)
    # A grid ends by itself, so no maximum needs to be given.
    tuning.resume()
    done = tuning.wait()
    assert done["hyperparameterTuningStatusReason"] == "SuggestionEndReached" and counts(done)["killed"] == 1
    assert tuning.codes()[:3] == ["SUCCEEDED", "SUCCEEDED", "KILLED"]
    assert not [event for event in tuning.events() if "up to 0" in event["message"]], tuning.events()
    assert_nothing_runs(tuning, marker)


def test_resume_that_has_nothing_to_do(api: API, grid: Tuning):
    errors = api.refused("PUT", f"{grid.path}/resume", 400, json={"maxTrialCount": 50})
    assert "combination" in errors[0]["message"], errors
    tuning = api.tune(ECHO, integer("x", 1, 3), objectiveGoal=1)
    tuning.wait()
    errors = api.refused("PUT", f"{tuning.path}/resume", 400, json={"maxTrialCount": 50})
    assert "goal" in errors[0]["message"], errors


def test_resume_needs_its_experiment(api: API):
    experiment = api.create_experiment()
    tuning = api.tune(
        ECHO, double("x", 0, 1), tuningStrategyName="RANDOM", maxTrialCount=1, experimentId=experiment
    )
    tuning.wait()
    api.call("DELETE", f"experiments/{experiment}")
    errors = api.refused("PUT", f"{tuning.path}/resume", 409, json={"maxTrialCount": 2})
    assert "copy the tuning into another experiment" in errors[0]["message"], errors
    assert tuning.read()["hyperparameterTuningStatusCode"] == "COMPLETE"


def test_resume_of_a_failed_one_needs_more_failures(api: API):
    script = "import sys\nif int(sys.argv[2]) < 3: sys.exit(1)\nprint('loss =', sys.argv[2])"
    tuning = api.tune(script, integer("x", 1, 4), maxFailedTrialCount=2)
    tuning.wait("FAIL_HYPERPARAMETER_TUNING")
    errors = api.refused("PUT", f"{tuning.path}/resume", 400, json={})
    assert errors[0]["field"] == "maxFailedTrialCount" and "2" in errors[0]["message"], errors
    tuning.resume(maxFailedTrialCount=3)
    tuning.wait()
    assert tuning.codes() == ["FAILED", "FAILED", "SUCCEEDED", "SUCCEEDED"]


# MARK: - Lists, changes, copies, deletion


def test_deletion_removes_everything(api: API):
    experiment = api.create_experiment()
    script = "import os, sys; open(os.environ['EM_TENSORBOARD_LOG_DIR'] + '/x', 'w').write('x'); print('loss = 1')"
    tuning = api.tune(script, integer("x", 1, 2), experimentId=experiment)
    tuning.wait()
    trials = [tuning.trial(number) for number in (1, 2)]
    logs = api.server.home / "tensorboard" / "default" / experiment
    assert len(list(logs.rglob("x"))) == 2
    assert all((api.server.home / "workloads" / trial.id).exists() for trial in trials)
    api.call("DELETE", tuning.path)
    for path in (tuning.path, *(trial.path for trial in trials), f"{trials[0].path}/logs"):
        api.refused("GET", path, 404)
    assert api.get("trials", hyperparameterTuningId=tuning.id)["trialList"] == []
    assert not [trial.id for trial in trials if (api.server.home / "workloads" / trial.id).exists()]
    assert not list(logs.rglob("x"))
    api.call("DELETE", f"experiments/{experiment}")


def test_experiment_in_use_is_not_deleted(api: API):
    """Neither while the tuning runs nor trial by trial; afterwards it is, and the tuning stays."""
    experiment = api.create_experiment()
    tuning = api.tune(
        "print('x', flush=True); import time; time.sleep(60)", integer("x", 1, 2), experimentId=experiment
    )
    tuning.wait_trials(1, "RUNNING")
    errors = api.refused("DELETE", f"experiments/{experiment}", 409)
    assert tuning.id in errors[0]["message"], errors
    dependents = api.get(f"experiments/{experiment}/dependents")["dependentList"]
    assert [dependent["id"] for dependent in dependents] == [tuning.id]
    api.refused("DELETE", tuning.trial(1).path, 405)
    tuning.stop()
    tuning.wait("STOPPED")
    api.call("DELETE", f"experiments/{experiment}")
    assert tuning.read()["hyperparameterTuningStatusCode"] == "STOPPED"


def test_name_description_and_tags_change(api: API, grid: Tuning):
    tags = [{"tagKey": "k", "tagValue": "v"}]
    name = unique("renamed")
    changed = api.call(
        "PUT", grid.path, json={"hyperparameterTuningName": name, "description": "new", "tagList": tags}
    )["hyperparameterTuning"]
    assert (changed["hyperparameterTuningName"], changed["description"], changed["tagList"]) == (name, "new", tags)
    assert grid.read() == changed
    for change in ({"maxTrialCount": 5}, {"hyperparameterTuningName": "a/b"}, {"description": "d" * 256}):
        errors = api.refused("PUT", grid.path, 400, json=change)
        assert errors[0]["field"] == next(iter(change)), errors
    assert grid.read() == changed


def test_lists(api: API, grid: Tuning, stopped):
    def ids(**filters) -> list[str]:
        found = api.get("hyperparameter-tunings", **filters)["hyperparameterTuningList"]
        return [item["hyperparameterTuningId"] for item in found]

    seen = grid.read()
    assert ids(hyperparameterTuningIdList=grid.id) == [grid.id]
    assert set(ids(hyperparameterTuningIdList=[grid.id, stopped[0].id])) == {grid.id, stopped[0].id}
    assert ids(hyperparameterTuningNameList=seen["hyperparameterTuningName"]) == [grid.id]
    assert ids(experimentId=seen["experiment"]["experimentId"]) == [grid.id]
    assert ids(experimentId="00000000-0000-0000-0000-000000000000") == []
    listed = api.get("hyperparameter-tunings", hyperparameterTuningIdList=grid.id)["hyperparameterTuningList"]
    assert listed == [seen], "the list says less than the details"
    page = api.get("trials", hyperparameterTuningId=grid.id, limit=5, offset=2)
    assert page["totalCount"] == 12
    assert [trial["trialNumber"] for trial in page["trialList"]] == [10, 9, 8, 7, 6], "newest first"
    one = page["trialList"][0]
    assert api.get(f"trials/{one['trialId']}")["trial"] == one
    assert api.get("trials", trialIdList=one["trialId"])["trialList"] == [one]


# What is the tuning's own and not its request's.
NOT_COPIED = {
    "hyperparameterTuningId",
    "createdDatetime",
    "startedDatetime",
    "endedDatetime",
    "optimalTrial",
    "optimalTrialId",
    "tensorboardAccessUri",
    "tensorboardAccessPath",
    "elapsedTimeSeconds",
}


def test_copy_by_its_own_wire_form(api: API):
    """Every field of a request comes back, so that it can be sent again."""
    folder = f"{api.container}/{unique('copied')}"
    api.upload(f"{folder}/source/train.py", ECHO)
    body = api.tuning_body(
        folder,
        integer("x", 1, 9, 2),
        double("lr", 0.001, 1, scale="log"),
        categorical("c", "a,b"),
        discrete("d", "0.10,1e-3"),
        tuningStrategyName="RANDOM",
        tuningStrategyRandomState=4_294_967_295,
        maxTrialCount=4,
        maxFailedTrialCount=2,
        maxDurationSeconds=100,
        parallelTrialCount=2,
        instanceCount=2,
        metricList=[{"name": "accuracy"}, {"name": "loss"}],
        metricRegex=r"(\w+)\s*=\s*([0-9.e-]+)",
        objectiveGoal=-1.5,
        objectiveStrategyCode="LATEST",
        earlyStoppingAlgorithm="ASHA",
        earlyStoppingMinTrialCount=2,
        earlyStoppingStartStep=3,
        description="the original",
        tagList=[{"tagKey": "k", "tagValue": "v"}],
        timeoutMinutes=60,
        useLog=True,
    )
    made = [api.call("POST", "hyperparameter-tunings", json=body)["hyperparameterTuning"]]
    wire = made[0]
    made.append(
        api.call(
            "POST",
            "hyperparameter-tunings",
            json=wire
            | {
                "imageId": wire["image"]["imageId"],
                "flavorId": wire["flavor"]["id"],
                "experimentId": wire["experiment"]["experimentId"],
                "objectiveMetric": {"name": wire["objectiveMetricName"]},
            },
        )["hyperparameterTuning"]
    )
    first, second = ({key: value for key, value in one.items() if key not in NOT_COPIED} for one in made)
    assert first == second
    for name in ("maxDurationSeconds", "objectiveStrategyCode", "metricRegex", "earlyStoppingStartStep", "useLog"):
        assert first[name] == body[name], name
    tunings = [Tuning(api, one["hyperparameterTuningId"], folder) for one in made]
    for tuning in tunings:
        tuning.wait()
    assert tunings[0].values() == tunings[1].values()
