"""The server is killed at ten and more moments of a training: after the restart the state is right, the log is whole,
and the program has run once."""

import contextlib
import json
import sqlite3
import threading
import time
from pathlib import Path

import pytest
import requests

from client import API, Training, unique
from harness import Server, eventually

LINES = 30


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("killed") / "home")
    try:
        yield API(server.start())
    finally:
        server.close()


def program(witness, word: str, pause: float = 0.02) -> str:
    """Reports its start, prints numbered lines, leaves a file."""
    return (
        witness.says(word)
        + f"""
import os, time
for number in range({LINES}):
    print("line", number, flush=True)
    time.sleep({pause})
open(os.environ["EM_MODEL_DIR"] + "/done", "w").write("done")
"""
    )


def task(api: API, training: Training) -> Path:
    return api.server.home / "workloads" / training.id / "0"


def phase(api: API, training: Training) -> str:
    """Where the agent is, asked without the server."""
    try:
        return json.loads((task(api, training) / "state.json").read_text())["phase"]
    except FileNotFoundError:
        return ""


def has_line(api: API, training: Training, number: int) -> bool:
    try:
        return f" line {number}\n" in (task(api, training) / "log").read_text()
    except FileNotFoundError:
        return False


# Each waits for its moment as closely as it can, and the kill follows at once.
MOMENTS = {
    "answered": lambda api, training: True,
    "workload written": lambda api, training: (task(api, training).parent / "workload.json").exists(),
    "resources granted": lambda api, training: (task(api, training).parent / "grant.json").exists(),
    "agent started": lambda api, training: (task(api, training) / "task.json").exists(),
    "inputs fetched": lambda api, training: phase(api, training) != "",
    "running": lambda api, training: phase(api, training) == "running",
    "first line": lambda api, training: has_line(api, training, 0),
    "half of the lines": lambda api, training: has_line(api, training, LINES // 2),
    "last line": lambda api, training: has_line(api, training, LINES - 1),
    "uploading": lambda api, training: phase(api, training) in ("finishing", "ended"),
    "ended": lambda api, training: phase(api, training) == "ended",
    "complete": lambda api, training: training.read()["trainingStatusCode"] == "COMPLETE",
}


# What ends while nobody looks must be found as well.
LATER = ("answered", "agent started", "half of the lines", "uploading")
CASES = [(moment, 0) for moment in MOMENTS] + [(moment, 1.5) for moment in LATER]


@pytest.mark.parametrize(
    "moment, down", CASES, ids=lambda value: {0: "back at once", 1.5: "back later"}.get(value, value)
)
def test_killed(api: API, witness, moment, down):
    word = unique("word")
    training = api.train(program(witness, word))
    eventually(lambda: MOMENTS[moment](api, training), moment, pause=0)
    api.server.kill()
    time.sleep(down)
    api.server.start()

    done = training.wait()
    assert done["exitCode"] == 0 and done.get("statusReason") is None, done
    assert training.printed() == [f"line {number}" for number in range(LINES)]
    assert witness.heard(word) == 1
    assert api.files(f"{training.folder}/model") == ["done"]
    codes = [event["statusCode"] for event in training.events()]
    assert codes[-1] == "COMPLETE" and codes.count("COMPLETE") == 1, codes


def attempt(api: API, body: dict):
    """A request of which nobody knows whether it arrives."""
    try:
        api.call("POST", "trainings", json=body)
    except (requests.RequestException, AssertionError):
        pass


def test_killed_during_the_request(api: API, witness):
    """The training is there, whole, or it is not there; whoever asked can tell by its name."""
    for delay in (0.001, 0.002, 0.004, 0.006, 0.008, 0.012):
        word = unique("request")
        folder = f"{api.container}/{word}"
        api.upload(f"{folder}/source/train.py", program(witness, word, 0))
        body = api.body(folder, trainingName=word)
        thread = threading.Thread(target=attempt, args=(api, body))
        thread.start()
        time.sleep(delay)
        api.server.kill()
        thread.join()
        api.server.start()
        made = api.get("trainings", trainingNameList=word)["trainingList"]
        assert len(made) <= 1
        for item in made:
            Training(api, item["trainingId"], folder).wait()
        assert witness.heard(word) == len(made)


def test_killed_while_it_stops(api: API, witness):
    training = api.train(program(witness, unique("stop"), 1))
    training.wait_line("line 0")
    training.stop()
    api.server.kill()
    api.server.start()
    training.wait("STOPPED")
    assert training.printed()[0] == "line 0"


def test_killed_with_a_gang(api: API, witness):
    words = [unique("gang") for _ in range(3)]
    says = [witness.says(word) for word in words]
    script = f"import os\nexec({says!r}[int(os.environ['RANK'])])\n" + program(witness, unique("any"), 0.05)
    training = api.train(script, image="pytorch", instanceCount=3)
    training.wait_line("line 5", node=1, timeout=600)
    api.server.kill()
    api.server.start()
    training.wait()
    for node in range(3):
        assert training.printed(node) == [f"line {number}" for number in range(LINES)]
    assert [witness.heard(word) for word in words] == [1, 1, 1]


def test_killed_again_and_again(api: API, witness):
    """Five trainings at once through eight deaths of the server."""
    words = [unique("often") for _ in range(5)]
    trainings = [api.train(program(witness, word, 0.1)) for word in words]
    for round in range(8):
        time.sleep(0.15 * (round % 4))
        api.server.kill()
        api.server.start()
    for training, word in zip(trainings, words, strict=True):
        training.wait()
        assert training.printed() == [f"line {number}" for number in range(LINES)]
        assert witness.heard(word) == 1


def test_killed_between_a_deletion_and_its_files(api: API):
    """What is left on the disk of something that is gone is found after a start."""
    kept, gone = (api.train("print('x')") for _ in range(2))
    for training in (kept, gone):
        training.wait()
    api.server.kill()
    with contextlib.closing(sqlite3.connect(api.server.home / "takumi.db")) as database, database:
        database.execute("DELETE FROM resource WHERE id = ?", [gone.id])
    api.server.start()
    assert task(api, gone).exists()
    eventually(lambda: not (api.server.home / "workloads" / gone.id).exists(), "the folder goes", timeout=60)
    assert task(api, kept).exists()


def test_terminated_while_a_training_goes_on(api: API, witness):
    """SIGTERM ends the server cleanly; the training does not notice, and is found again."""
    word = unique("drain")
    training = api.train(program(witness, word, 0.1))
    training.wait_line("line 2")
    agents = [agent.pid for agent in api.server.agents()]
    assert len(agents) == 1
    start = time.monotonic()
    assert api.server.stop() == 0
    assert time.monotonic() - start < 10, "it waits for something that it need not wait for"
    assert [agent.pid for agent in api.server.agents()] == agents
    assert not (api.server.home / "server.json").exists()
    api.server.start()
    assert training.read()["trainingStatusCode"] == "RUNNING"
    training.wait()
    assert training.printed() == [f"line {number}" for number in range(LINES)]
    assert witness.heard(word) == 1


def test_terminated_while_a_log_is_followed(api: API):
    """A client that stays connected does not keep the server from ending."""
    training = api.train("import time; print('x', flush=True); time.sleep(60)")
    training.wait_line("x")
    with api.request("GET", f"{training.path}/logs", params={"follow": "true"}, stream=True):
        start = time.monotonic()
        assert api.server.stop() == 0
        assert time.monotonic() - start < 25
    api.server.start()
    training.stop()
    training.wait("STOPPED")
