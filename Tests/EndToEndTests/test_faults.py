"""Agents and nodes that are killed, and disks that are full (issue 2, "Bad input and faults")."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from client import API, unique
from harness import eventually, find_processes


def marked(marker: str):
    """The user's processes of a training that has the marker as an argument."""
    return find_processes(lambda words: marker in words)


def sleeper(api: API, marker: str, **fields):
    """A training that prints and then sleeps, with a process beside its own."""
    script = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", sys.argv[2]])
print("ready", flush=True)
time.sleep(300)
"""
    parameters = [{"parameterName": "marker", "parameterValue": marker}]
    training = api.train(script, hyperparameterList=parameters, **fields)
    for node in range(fields.get("instanceCount", 1)):
        training.wait_line("ready", node=node, timeout=600)
    return training


# MARK: - Killed agents and nodes


def test_agent_is_killed(api: API):
    marker = unique("agent")
    training = sleeper(api, marker)
    assert marked(marker)
    [agent] = [agent for agent in api.server.agents() if training.id in agent.cmdline()[2]]
    agent.send_signal(signal.SIGKILL)
    failed = training.wait("FAIL_TRAIN", timeout=15)
    assert "agent" in failed["statusReason"] and "killed" in failed["statusReason"], failed["statusReason"]
    eventually(lambda: not marked(marker), lambda: f"the program is gone: {marked(marker)}", timeout=5)
    assert training.printed() == ["ready"]


def test_agent_is_killed_while_the_server_is_down(make_server):
    api = API(make_server())
    marker = unique("orphan")
    training = sleeper(api, marker)
    api.server.kill()
    [agent] = api.server.agents()
    agent.send_signal(signal.SIGKILL)
    api.server.start()
    failed = training.wait("FAIL_TRAIN", timeout=15)
    assert "agent" in failed["statusReason"], failed["statusReason"]
    eventually(lambda: not marked(marker), lambda: f"the program is gone: {marked(marker)}", timeout=5)
    # Its resources are free again.
    api.train("print('next')").wait()


def test_node_of_a_gang_is_killed(api: API):
    marker = unique("node")
    training = sleeper(api, marker, image="pytorch", instanceCount=2)
    # The program itself: its sandbox has the same argument, and the process that it started has no entry point.
    [node] = [
        p
        for p in marked(marker)
        if "train.py" in p.cmdline()
        and "bwrap" not in p.cmdline()[0]
        and p.environ().get("RANK") == "1"
        and p.name().startswith("python")
    ]
    start = time.monotonic()
    node.send_signal(signal.SIGKILL)
    failed = training.wait("FAIL_TRAIN", timeout=20)
    assert time.monotonic() - start < 5, "the other node was not stopped at once"
    assert failed["statusReason"].startswith("node 1: ") and "signal 9" in failed["statusReason"], failed[
        "statusReason"
    ]
    assert failed["exitCode"] == -9
    assert not marked(marker)


# MARK: - Full disks


@pytest.fixture
def small(tmp_path, make_server):
    """A server whose home lies on a disk of its own of 64 MiB."""
    assert os.geteuid() == 0, "mounting a small disk needs root: run these tests as root, or in a container"
    mount = tmp_path / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0755", "tmpfs", mount], check=True)
    try:
        server = make_server(home=mount / "home")
        yield API(server)
        server.close()
    finally:
        subprocess.run(["umount", "-l", mount], check=True)


def fill(folder: Path) -> Path:
    """Takes the last byte of the disk."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                pass
    return filler


@pytest.fixture
def big(tmp_path) -> Path:
    """Data that the small disk cannot take."""
    folder = tmp_path / "big"
    folder.mkdir()
    with (folder / "data.bin").open("wb") as file:
        file.truncate(100 << 20)
    return folder


NO_SPACE = ("no space left", "disk is full", "disk full")


def says_no_space(text: str | None) -> bool:
    return any(words in (text or "").lower() for words in NO_SPACE)


def test_disk_full_while_inputs_are_staged(tmp_path, small: API, big):
    """The program's folder is copied, since it may write there."""
    (big / "train.py").write_text("print('never')")
    (small.server.home / "config.yaml").write_text(f"storage: {{nas: {{big: {{path: {big}}}}}}}\n")
    assert small.server.stop() == 0
    small.server.start()
    folder = f"{small.container}/x"
    body = small.body(folder, sourceDirUri="nas://big:/")
    id = small.call("POST", "trainings", json=body)["training"]["trainingId"]
    seen = eventually(lambda: settled(small, id), "the training ends")
    assert seen["trainingStatusCode"] == "CREATE_FAILED" and says_no_space(seen["statusReason"]), seen
    assert "data.bin" in seen["statusReason"], seen["statusReason"]
    # What was fetched in part is gone, and the next one runs.
    small.train("print('next')").wait()


def settled(api: API, id: str) -> dict | None:
    training = api.get(f"trainings/{id}")["training"]
    return (
        training if training["trainingStatusCode"] in ("COMPLETE", "FAIL_TRAIN", "CREATE_FAILED", "STOPPED") else None
    )


def test_upload_to_a_full_disk(small: API):
    uri = f"{small.container}/big"
    small.store("PUT", uri, 507, data=b"\0" * (80 << 20))
    small.store("HEAD", uri, 404)
    small.upload(f"{small.container}/small", "x")
    small.train("print('next')").wait()


def test_program_fills_the_disk(small: API):
    script = """
import os
with open(os.environ["EM_MODEL_DIR"] + "/big", "wb") as file:
    for _ in range(200):
        file.write(b"x" * (1 << 20))
"""
    training = small.train(script)
    failed = training.wait("FAIL_TRAIN")
    assert says_no_space(training.log()) or says_no_space(failed["statusReason"]), failed["statusReason"]
    # What it left is kept, as of any failed training; the user makes room, which a full disk must not prevent.
    small.store("DELETE", f"{training.folder}/model/big", (204, 404))
    small.call("DELETE", training.path)
    small.train("print('next')").wait()


def test_disk_full_while_the_database_is_written(small: API):
    """Requests that cannot be stored are refused with the reason; reading goes on; with room again, all works."""
    existing = small.create_experiment()
    filler = fill(small.server.home.parent)
    # What runs may use the reserve of a few MiB first, and the log of the database is reused for a while.
    tags = [{"tagKey": str(number), "tagValue": "v" * 255} for number in range(10)]
    for _ in range(3000):
        response = small.request("POST", "experiments", json={"experimentName": unique("full"), "tagList": tags})
        if response.status_code != 200:
            break
    else:
        pytest.fail("3000 experiments were stored on a full disk")
    assert response.status_code in (503, 507), response.text
    assert says_no_space(response.json()["errors"][0]["message"]), response.text
    assert small.request("GET", "/healthz").status_code == 200
    assert small.get(f"experiments/{existing}")["experiment"]["experimentId"] == existing
    filler.unlink()
    small.create_experiment()
    small.train("print('next')").wait()


def test_disk_fills_up_during_a_training(small: API):
    """The program runs on; once there is room its end is known, with the reason where something was lost."""
    script = "import time\nfor n in range(20):\n    print('line', n, flush=True)\n    time.sleep(0.1)"
    training = small.train(script)
    training.wait_line("line 3")
    filler = fill(small.server.home.parent)
    eventually(lambda: not small.server.agents(), "the agent ends", timeout=30)
    assert small.request("GET", "/healthz").status_code == 200
    assert training.read()["trainingStatusCode"] not in ("CREATE_FAILED", "STOPPED")
    filler.unlink()
    ended = eventually(lambda: settled(small, training.id), "the training ends", timeout=90)
    if ended["trainingStatusCode"] != "COMPLETE":
        assert ended["trainingStatusCode"] == "FAIL_TRAIN" and says_no_space(ended["statusReason"]), ended
    small.train("print('next')").wait()


def test_disk_is_full_at_the_start_of_the_server(small: API):
    """It starts all the same, or says so and ends: with a sentence and a status, not with a crash."""
    server = small.server
    assert server.stop() == 0
    filler = fill(server.home.parent)
    server.log.write_text("")
    try:
        server.start()
    except AssertionError as error:
        assert "the server ended with 1;" in str(error) and says_no_space(str(error)), error
        filler.unlink()
        server.start()
    assert small.request("GET", "/healthz").status_code == 200
