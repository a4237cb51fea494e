"""Nodes, parallel trials, what trials leave behind, TensorBoard, warm starts (H-4, H-5, H-10)."""

import itertools
import json
import os

import pytest

from client import API, Tuning, categorical, integer, unique
from harness import eventually
from test_tensorboard import get, with_token
from test_tuning import ECHO

# MARK: - Outputs


def test_outputs_of_each_trial_have_folders_of_their_own(api: API, folders):
    script = """
import os, sys
assert os.listdir(os.environ["EM_MODEL_DIR"]) == os.listdir(os.environ["EM_CHECKPOINT_DIR"]) == []
print(open(os.environ["EM_CHECKPOINT_INPUT_DIR"] + "/start").read(), open(os.environ["EM_DATASET_D"] + "/x").read())
for kind in ("MODEL", "CHECKPOINT"):
    os.makedirs(os.environ[f"EM_{kind}_DIR"] + "/sub")
    open(os.environ[f"EM_{kind}_DIR"] + "/sub/out.txt", "w").write(kind + sys.argv[2])
if sys.argv[2] == "3": sys.exit(1)
print("loss =", sys.argv[2])
"""
    base = f"{api.container}/{unique('inputs')}"
    api.upload(f"{base}/data/x", "data")
    api.upload(f"{base}/checkpoint/start", "begin")
    tuning = api.tune(
        script,
        integer("x", 1, 3),
        datasetList=[{"datasetName": "d", "dataUri": f"{base}/data"}],
        checkPointInputUri=f"{base}/checkpoint",
        modelUploadUri="nas://shared:/tuned/model/",
    )
    tuning.wait()
    assert tuning.codes() == ["SUCCEEDED", "SUCCEEDED", "FAILED"]
    assert tuning.trial(1).printed()[0] == "begin data"
    for number in (1, 2, 3):
        assert (folders["shared"] / f"tuned/model/trial-{number:04d}/sub/out.txt").read_text() == f"MODEL{number}"
        kept = api.download(f"{tuning.folder}/checkpoint/trial-{number:04d}/sub/out.txt").decode()
        assert kept == f"CHECKPOINT{number}"
    assert sorted(path.name for path in (folders["shared"] / "tuned/model").iterdir()) == [
        f"trial-{number:04d}" for number in (1, 2, 3)
    ]
    # Deleting the tuning leaves what was uploaded.
    api.call("DELETE", tuning.path)
    assert (folders["shared"] / "tuned/model/trial-0001/sub/out.txt").exists()


# MARK: - Parallel trials

SPAN = """
import sys, time
print(time.time(), flush=True)
time.sleep(1)
print(time.time(), flush=True)
print("loss = 1")
"""


def spans(tuning: Tuning) -> list[tuple[float, float]]:
    """When the program of each trial ran."""
    numbers = range(1, len(tuning.trials()) + 1)
    return [tuple(map(float, tuning.trial(number).printed()[:2])) for number in numbers]


def test_parallel_trials_overlap(api: API):
    tuning = api.tune(SPAN, integer("x", 1, 6), parallelTrialCount=3)
    tuning.wait()
    found = spans(tuning)
    peak = max(sum(begin <= moment < end for begin, end in found) for moment, _ in found)
    assert peak == 3, f"{peak} ran at once: {found}"
    assert tuning.read()["instanceCount"] == 3


@pytest.fixture
def narrow(tmp_path, make_server) -> API:
    """A server that hands out a single vCPU."""
    return API(make_server(config=f"cpuOvercommit: {1 / os.cpu_count()}\n"))


def test_trials_wait_for_room(narrow: API):
    """One at a time, the other with a reason; none is lost and none fails."""
    tuning = narrow.tune(SPAN, integer("x", 1, 3), parallelTrialCount=2)
    seen = eventually(
        lambda: next((t for t in tuning.trials() if "waiting" in t.get("statusReason", "")), None),
        lambda: f"a trial waits: {tuning.trials()}",
    )
    assert seen["trialStatusCode"] == "CREATED" and "1 vCPU" in seen["statusReason"], seen
    tuning.wait()
    found = sorted(spans(tuning))
    assert all(left[1] <= right[0] + 0.05 for left, right in itertools.pairwise(found)), found
    assert tuning.codes() == ["SUCCEEDED"] * 3
    assert not [trial for trial in tuning.trials() if trial.get("statusReason")], "a reason for waiting stayed behind"


def test_what_can_never_fit_is_refused(narrow: API):
    folder = f"{narrow.container}/fit"
    narrow.upload(f"{folder}/source/train.py", ECHO)
    body = narrow.tuning_body(folder, integer("x", 1, 3), instanceCount=2, parallelTrialCount=1)
    errors = narrow.refused("POST", "hyperparameter-tunings", 400, json=body)
    assert errors[0]["field"] in ("flavorId", "instanceCount") and "2 vCPU" in errors[0]["message"], errors


# MARK: - Nodes

NODE = """
import json, os, sys, time
names = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
print(json.dumps({name: os.environ[name] for name in names} | {"argv": sys.argv[1:]}))
time.sleep(float(sys.argv[4]))
if os.environ["RANK"] == "0": print("loss = 1")
"""


def test_nodes_times_parallel_trials(api: API):
    """Four instances and two trials at a time are two nodes each; node 0 reports."""
    tuning = api.tune(
        NODE, integer("x", 1, 2), categorical("sleep", "1"), image="pytorch", instanceCount=4, parallelTrialCount=2
    )
    done = tuning.wait(timeout=600)
    assert tuning.codes() == ["SUCCEEDED"] * 2 and done["instanceCount"] == 4
    ports = set()
    for number in (1, 2):
        nodes = [json.loads(tuning.trial(number).printed(node)[0]) for node in (0, 1)]
        assert [node["RANK"] for node in nodes] == ["0", "1"]
        assert [node["WORLD_SIZE"] for node in nodes] == ["2", "2"]
        assert nodes[0]["argv"] == nodes[1]["argv"]
        ports |= {(node["MASTER_ADDR"], node["MASTER_PORT"]) for node in nodes}
    assert len(ports) == 2, "two trials share a meeting point"
    assert api.refused("GET", f"{tuning.trial(1).path}/logs?node=2", 400)[0]["field"] == "node"
    first, second = tuning.trials()
    assert first["startedDatetime"] <= second["endedDatetime"] and second["startedDatetime"] <= first["endedDatetime"]


def test_torchrun(api: API):
    script = """
import os, torch, torch.distributed as dist
dist.init_process_group("gloo")
total = torch.tensor([float(os.environ["EM_HP_X"])])
dist.all_reduce(total)
if dist.get_rank() == 0:
    print(f"loss = {total.item():g}\\n", end="", flush=True)
dist.destroy_process_group()
"""
    tuning = api.tune(
        script,
        categorical("x", "3"),
        image="pytorch",
        flavor="m2.c2m4",
        instanceCount=1,
        useTorchrun=True,
        nprocPerNode=2,
    )
    done = tuning.wait(timeout=600)
    assert done["optimalTrial"]["objectiveValue"] == 6 and done["useTorchrun"] and done["nprocPerNode"] == 2


def test_nodes_of_tensorflow(api: API):
    script = "import json, os; print('loss =', len(json.loads(os.environ['TF_CONFIG'])['cluster']['worker']))"
    tuning = api.tune(script, categorical("x", "1"), image="tensorflow", instanceCount=2)
    assert tuning.wait(timeout=600)["optimalTrial"]["objectiveValue"] == 2


# MARK: - TensorBoard and warm starts

BOARD = """
import os, sys, torch
from torch.utils.tensorboard import SummaryWriter
with SummaryWriter(os.environ["EM_TENSORBOARD_LOG_DIR"]) as writer:
    writer.add_scalar("loss", float(sys.argv[2]), 0)
print("loss =", torch.tensor([float(sys.argv[2])]).item())
"""


@pytest.fixture(scope="module")
def pytorch(api: API) -> Tuning:
    tuning = api.tune(BOARD, integer("x", 1, 4), image="pytorch", experimentId=api.create_experiment())
    tuning.wait(timeout=600)
    return tuning


def test_trials_are_forked_from_a_warm_interpreter(pytorch: Tuning):
    """All but the first, for which none need be there yet."""
    reasons = [trial["startReason"] for trial in pytorch.trials()]
    assert all(reason.startswith("forked") for reason in reasons[1:]), reasons
    assert all(trial["isolation"] for trial in pytorch.trials())


def test_tensorboard_of_a_tuning(api: API, pytorch: Tuning):
    """A folder per trial; the experiment's has the same below the tuning's."""
    seen = pytorch.read()
    uri = seen["tensorboardAccessUri"]
    assert uri.startswith(f"{api.server.apps_url}/") and uri.endswith(seen["tensorboardAccessPath"])
    # The first start of all installs TensorBoard.
    assert get(api, uri, timeout=300, **with_token(api)).status_code == 200
    names = [f"trial-{number:04d}" for number in range(1, 5)]
    runs = eventually(lambda: sorted(get(api, f"{uri}data/runs", **with_token(api)).json()), "runs appear")
    assert runs == names, runs
    assert get(api, uri).status_code == 401
    experiment = api.get(f"experiments/{seen['experiment']['experimentId']}")["experiment"]["tensorboardAccessUri"]
    assert get(api, experiment, timeout=60, **with_token(api)).status_code == 200
    runs = eventually(lambda: sorted(get(api, f"{experiment}data/runs", **with_token(api)).json()), "runs appear")
    assert [run.rsplit("/", 1)[1] for run in runs] == names, runs
    assert all(run.startswith(seen["hyperparameterTuningName"]) for run in runs), runs
