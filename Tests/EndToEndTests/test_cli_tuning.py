"""Hyperparameter tunings and templates by the command line."""

import json
import re

import pytest

from client import API, unique

# A trial whose value is best at x = 0.5, and better with b than with a.
SCRIPT = """
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float, default=0)
parser.add_argument("--opt", default="a")
parser.add_argument("--pause", type=float, default=0)
args, _ = parser.parse_known_args()
time.sleep(args.pause)
print(f"score = {-abs(args.x - 0.5) - (args.opt == 'a')}")
"""
JOB = ["--image", "python", "--instance", "t2.c1m1", "--entry-point", "train.py"]
# The first tuning of all installs what suggests its parameters.
LONG = 400


@pytest.fixture(scope="module")
def folder(api: API) -> str:
    """A folder with the script, as `CONTAINER/PATH`."""
    path = f"runs/{unique('cli-tuning')}"
    api.upload(f"{api.container}/{path}/source/train.py", SCRIPT)
    return f"{api.storage['defaultContainer']}/{path}"


@pytest.fixture
def command(api: API):
    """Runs a command and gives what it printed as JSON."""

    def run(*words: str, **options):
        return json.loads(api.server.command(*words, "--output", "json", **options).stdout)

    return run


def places(folder: str, name: str) -> list[str]:
    return [*JOB, "--source", f"{folder}/source", "--model-output", f"{folder}/{name}/model"]


def test_one_tuning_every_way(api: API, command, folder):
    """create, list, get, wait, trials, logs, importance, events, open, update, resume, copy, delete of one tuning."""
    plain = api.server.command
    name = unique("every-way")
    made = plain(
        *["tuning", "create", name, *places(folder, name), "--search", "x=double:0..1:0.25"],
        *["--search", "opt=categorical:a,b", "--maximize", "score", "--metric", "loss", "--strategy", "grid"],
        *["--parallel", "2", "--max-duration", "3600", "--tag", "team=red", "--wait", "--output", "json"],
        timeout=LONG,
    )
    tuning = json.loads(made.stdout)
    assert tuning["hyperparameterTuningStatusCode"] == "COMPLETE" and tuning["successfulTrialCount"] == 10
    assert tuning["instanceCount"] == tuning["parallelTrialCount"] == 2 and tuning["maxDurationSeconds"] == 3600
    assert tuning["experiment"]["experimentName"] == "default"
    assert tuning["tagList"] == [{"tagKey": "team", "tagValue": "red"}]
    assert [metric["name"] for metric in tuning["metricList"]] == ["score", "loss"]
    best = {item["parameterName"]: item["parameterValue"] for item in tuning["optimalTrial"]["hyperparameterList"]}
    assert float(best["x"]) == 0.5 and best["opt"] == "b"
    # A line whenever the counts changed, and none twice.
    lines = made.stderr.splitlines()
    assert "10 trials ended: 10 succeeded" in lines[-1] and "best: score = " in lines[-1], made.stderr
    assert len(set(lines)) == len(lines) > 2, made.stderr

    assert command("tuning", "get", name)["hyperparameterTuningId"] == tuning["hyperparameterTuningId"]
    shown = plain("tuning", "get", tuning["hyperparameterTuningId"]).stdout
    for text in ["COMPLETE", "x=double:0.0..1.0:0.25", "opt=categorical:a,b", "maximize score", "GRID", "opt = b"]:
        assert text in shown, (text, shown)
    assert name in [item["hyperparameterTuningName"] for item in command("tuning", "list")]
    assert name in plain("tuning", "list", "--experiment", "default").stdout
    plain("tuning", "wait", name)

    trials = command("tuning", "trials", name)
    assert sorted(trial["trialNumber"] for trial in trials) == list(range(1, 11))
    assert len(command("tuning", "trials", name, "--limit", "3")) == 3
    ranked = command("tuning", "trials", name, "--best", "3")
    values = [trial["objectiveValue"] for trial in ranked]
    assert values == sorted((trial["objectiveValue"] for trial in trials), reverse=True)[:3]
    assert ranked[0]["trialId"] == tuning["optimalTrialId"]
    table = plain("tuning", "trials", name, "--best", "1").stdout
    assert "SUCCEEDED" in table and re.search(r"x=0\.5 opt=b", table), table

    by_number = str(ranked[0]["trialNumber"])
    logs = [plain("tuning", "logs", name, word).stdout for word in ["best", by_number, ranked[0]["trialName"]]]
    assert re.match(r"score = -?0\.0\n$", logs[0]) and len(set(logs)) == 1, logs
    assert plain("tuning", "logs", name, ranked[0]["trialId"], "-f", "-t", "--tail", "1").stdout.endswith(logs[0])
    lost = plain("tuning", "logs", name, "11", check=False)
    assert lost.returncode == 1 and "no trial '11'" in lost.stderr, lost
    lost = plain("tuning", "logs", name, "best", "--node", "1", check=False)
    assert lost.returncode == 1 and "has 1 node" in lost.stderr, lost

    importance = command("tuning", "importance", name)
    assert set(importance.get("importances") or {"x": 0, "opt": 0}) == {"x", "opt"}, importance
    assert command("tuning", "events", name)[-1]["statusCode"] == "COMPLETE"
    assert plain("tuning", "open", name).stdout.startswith(api.server.apps_url)
    plain("tuning", "update", name, "--description", "changed")
    assert command("tuning", "get", name)["description"] == "changed"
    # Every combination has been tried.
    over = plain("tuning", "resume", name, "--max-trials", "20", check=False)
    assert over.returncode == 1 and "grid" in over.stderr, over

    copy = command(
        *["tuning", "copy", name, "--search", "x=double:0..1", "--strategy", "random", "--random-state", "7"],
        *["--max-trials", "1", "--parallel", "1", "--model-output", f"{folder}/{name}-copy/model", "--wait"],
        timeout=LONG,
    )
    assert copy["hyperparameterTuningName"] == f"{name}-copy" and copy["trialCount"] == 1
    assert copy["instanceCount"] == 1 and copy["tuningStrategyRandomState"] == 7
    plain("tuning", "delete", name, f"{name}-copy", "--yes")
    gone = plain("tuning", "get", name, check=False)
    assert gone.returncode == 1 and "no hyperparameter tuning named" in gone.stderr, gone


def test_stopped_and_resumed(api: API, command, folder):
    plain = api.server.command
    name = unique("resumed")
    command(
        *["tuning", "create", name, *places(folder, name), "--search", "x=double:0..1"],
        *["--search", "pause=discrete:5", "--maximize", "score", "--strategy", "random", "--max-trials", "50"],
    )
    plain("tuning", "stop", name, "--yes")
    waited = plain("tuning", "wait", name, check=False)
    assert waited.returncode == 1 and "STOPPED" in waited.stdout, waited
    ended = command("tuning", "get", name)["trialCount"]
    few = plain("tuning", "resume", name, check=False)
    assert few.returncode == 64 and "--max-trials" in few.stderr, few
    raised = command("tuning", "resume", name, "--max-trials", str(ended + 1), "--max-failed", "5")
    assert raised["hyperparameterTuningStatusCode"] == "RUNNING"
    assert raised["maxTrialCount"] == ended + 1 and raised["maxFailedTrialCount"] == 5
    plain("tuning", "wait", name, timeout=LONG)
    assert command("tuning", "get", name)["successfulTrialCount"] == 1


@pytest.mark.parametrize(
    "words, status, hint",
    [
        (["--search", "x=double:1"], 64, "write x=double:"),
        (["--search", "x=double:0..1", "--maximize", "score"], 64, "--max-trials"),
        (["--search", "x=double:0..1", "--max-trials", "2"], 64, "--maximize or --minimize"),
        (["--search", "x=double:0..1", "--minimize", "a", "--maximize", "b", "--max-trials", "2"], 64, "exclude"),
        (["--search", "x=double:0..1", "--maximize", "score", "--strategy", "grid"], 64, "a grid needs a step"),
        (["--search", "n=int:1..3", "--maximize", "s", "--strategy", "grid", "--max-trials", "9"], 1, "combinations"),
        (["--search", "n=int:1..3", "--maximize", "s", "--max-trials", "2", "--metric-regex", "("], 1, "metricRegex"),
    ],
)
def test_tuning_that_cannot_be_created(api: API, folder, words, status, hint):
    before = api.get("hyperparameter-tunings", limit=0)["totalCount"]
    name = unique("refused")
    result = api.server.command("tuning", "create", name, *places(folder, name), *words, check=False)
    assert result.returncode == status and hint in result.stderr, result
    assert api.get("hyperparameter-tunings", limit=0)["totalCount"] == before


def test_template(api: API, command, folder, tmp_path):
    """create, list, get, update, copy, delete of a template, and all that begins with it."""
    plain = api.server.command
    name = unique("template")
    made = command(
        *["template", "create", name, *JOB, "--source", f"{folder}/source", "--hp", "x=0.25", "--timeout", "2"],
        *["--search", "x=double:0..1", "--maximize", "score", "--max-trials", "1", "--description", "kept"],
        *["--early-stopping", "asha"],
    )
    assert made["earlyStoppingRuleCode"] == "ASHA"
    assert made["trainingTemplateName"] == name and made["imageId"] == api.images["python"]["imageId"]
    assert made["timeoutMinutes"] == 120 and made["sourceDirUri"].startswith("obs://")
    table = plain("template", "list").stdout
    assert re.search(rf"{name} +x, x +{re.escape(api.images['python']['imageName'])} +t2\.c1m1 ", table), table
    shown = plain("template", "get", name).stdout
    for text in ["kept", "x = 0.25", "x=double:0", "maximize score", "t2.c1m1", "2h 00m 00s"]:
        assert text in shown, (text, shown)

    changed = command(
        *["template", "update", name, "--name", f"{name}-2", "--hp", "opt=b", "--no-torchrun", "--tag", "team=red"],
        *["--early-stopping", "none"],
    )
    assert changed["trainingTemplateName"] == f"{name}-2" and changed["description"] == "kept"
    assert [item["parameterName"] for item in changed["hyperparameterList"]] == ["x", "opt"]
    assert not changed.get("earlyStoppingRuleCode")
    assert changed["timeoutMinutes"] == 120 and changed["useTorchrun"] is False and changed["tagList"]
    name = f"{name}-2"

    lacking = plain("training", "create", unique("lacking"), "--template", name, check=False)
    assert lacking.returncode == 64 and "--model-output" in lacking.stderr and name in lacking.stderr, lacking
    training = command(
        *["training", "create", unique("of-template"), "--template", name, "--hp", "x=0.5"],
        *["--model-output", f"{folder}/template/model"],
    )
    assert training["description"] == "" and training["timeoutMinutes"] == 120
    values = {item["parameterName"]: item["parameterValue"] for item in training["hyperparameterList"]}
    assert values == {"x": "0.5", "opt": "b"}
    plain("training", "wait", training["trainingId"])
    assert re.match(r"score = -?0\.0\n$", plain("training", "logs", training["trainingId"]).stdout)

    tuning = command(
        *["tuning", "create", unique("of-template"), "--template", name, "--minimize", "score", "--wait"],
        *["--model-output", f"{folder}/template/tuning", "--strategy", "random"],
        timeout=LONG,
    )
    assert tuning["objectiveTypeCode"] == "MINIMIZE" and tuning["trialCount"] == 1
    assert tuning["hyperparameterTuningStatusCode"] == "COMPLETE"

    (tmp_path / "train.py").write_text(SCRIPT)
    ran = plain("run", "train.py", "--template", name, "--hp", "x=0.5", cwd=tmp_path)
    assert re.match(r"score = -?0\.0\n$", ran.stdout), ran

    copy = command("template", "copy", name, "--nodes", "2")
    assert copy["trainingTemplateName"] == f"{name}-copy" and copy["instanceCount"] == 2
    plain("template", "delete", name, f"{name}-copy", "--yes")
    gone = plain("template", "get", name, check=False)
    assert gone.returncode == 1 and "no template named" in gone.stderr, gone
