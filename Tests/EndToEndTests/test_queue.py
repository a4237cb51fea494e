"""Admission by capacity: who waits, for what, behind whom, and what becomes of the waiting (SPEC 4, C-4)."""

import os
import time

import pytest

from client import API, Training, unique
from harness import Server, eventually

HOLD = "import time; print('holding', flush=True); time.sleep(120)"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A server that hands out a single vCPU, whatever the machine has."""
    config = f"cpuOvercommit: {1 / os.cpu_count()}\n"
    server = Server(tmp_path_factory.mktemp("queue") / "home", config)
    try:
        yield API(server.start())
    finally:
        server.close()


@pytest.fixture
def holder(api):
    """A training that holds the vCPU."""
    training = api.train(HOLD, trainingName=unique("holder"))
    training.wait_line("holding")
    yield training
    if api.request("PUT", f"{training.path}/stop").status_code == 200:
        training.wait("STOPPED")


def waiting(training: Training) -> dict:
    """The training, once it says what it waits for."""

    def look():
        seen = training.read()
        return seen if "waiting" in (seen.get("statusReason") or "") else None

    seen = eventually(look, lambda: f"waiting: {training.read()}")
    assert seen["trainingStatusCode"] in ("CREATE_REQUESTED", "CREATE_IN_PROGRESS"), seen
    return seen


def test_waits_with_a_reason_and_runs_in_order_of_arrival(api: API, holder):
    name = holder.read()["trainingName"]
    second = api.train("print('second')", trainingName=unique("second"))
    seen = waiting(second)
    assert "1 vCPU" in seen["statusReason"] and name in seen["statusReason"], seen["statusReason"]
    assert seen["elapsedTimeSeconds"] == 0
    third = api.train("print('third')")
    waiting(third)

    holder.stop()
    done = [training.wait() for training in (second, third)]
    assert done[0]["startedDatetime"] <= done[1]["startedDatetime"]
    assert all(training.get("statusReason") is None for training in done), "the reason for waiting stayed behind"
    assert any("waiting" in event["message"] for event in second.events()), second.events()


def test_stop_of_a_waiting_training(api: API, holder, witness):
    word = unique("never")
    training = api.train(witness.says(word))
    waiting(training)
    start = time.monotonic()
    training.stop()
    training.wait("STOPPED", timeout=10)
    assert time.monotonic() - start < 3, "a training that has not started has nothing to wait for"
    holder.stop()
    holder.wait("STOPPED")
    api.train("print('next')").wait()
    assert witness.heard(word) == 0
    assert training.printed() == [] and training.read()["elapsedTimeSeconds"] == 0


def test_deletion_frees_everything(api: API, holder):
    """A training that runs cannot be deleted; one that was stopped can, and leaves nothing behind."""
    errors = api.refused("DELETE", holder.path, 409)
    assert "stop" in errors[0]["message"], errors
    holder.stop()
    holder.wait("STOPPED")
    api.call("DELETE", holder.path)
    api.refused("GET", holder.path, 404)
    api.train("print('next')").wait()
    assert not (api.server.home / "workloads" / holder.id).exists(), "files of a deleted training are left"


def test_entry_point_that_disappears_before_the_start(api: API, holder):
    training = api.train("print('never')", {"other.py": ""})
    waiting(training)
    api.store("DELETE", f"{training.folder}/source/train.py")
    holder.stop()
    cause = training.wait("CREATE_FAILED")["statusReason"]
    assert "train.py" in cause and f"{training.folder}/source" in cause, cause


def test_dataset_that_disappears_before_the_start(api: API, holder):
    uri = f"{api.container}/{unique('vanishing')}"
    api.upload(f"{uri}/x", "x")
    training = api.train("print('never')", datasetList=[{"datasetName": "d", "dataUri": uri}])
    waiting(training)
    api.store("DELETE", f"{uri}/x")
    holder.stop()
    cause = training.wait("CREATE_FAILED")["statusReason"]
    assert uri.rsplit("/", 1)[1] in cause, cause


def test_queue_survives_a_restart(api: API, holder):
    """The one that ran still runs, and those that waited still wait in their order."""
    queued = [api.train(f"print({number})", trainingName=unique(f"queued{number}")) for number in range(3)]
    for training in queued:
        waiting(training)
    api.server.kill()
    api.server.start()
    assert holder.read()["trainingStatusCode"] == "RUNNING"
    for training in queued:
        waiting(training)
    holder.stop()
    starts = [training.wait()["startedDatetime"] for training in queued]
    assert starts == sorted(starts)


@pytest.mark.parametrize("fields", [{"flavor": "m2.c2m4"}, {"flavor": "t2.c1m1", "instanceCount": 2}])
def test_what_can_never_fit_is_refused_at_once(api: API, fields):
    folder = f"{api.container}/fit"
    api.upload(f"{folder}/source/train.py", "")
    errors = api.refused("POST", "trainings", 400, json=api.body(folder, **fields))
    assert errors[0]["field"] in ("flavorId", "instanceCount") and "2 vCPU" in errors[0]["message"], errors
