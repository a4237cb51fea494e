"""What a program can reach: its own folders, and nothing of the host or the server (docs/threat-model.md)."""

import json
import shutil
import subprocess

import pytest

from client import API, unique
from harness import environment


def bubblewrap_works() -> bool:
    probe = ["--ro-bind", "/", "/", "--unshare-pid", "--dev", "/dev", "--proc", "/proc", "true"]
    return shutil.which("bwrap") is not None and subprocess.run(["bwrap", *probe], capture_output=True).returncode == 0


PROBE = """
import json, os, sys
home, host_file = sys.argv[2], sys.argv[4]
def attempt(action):
    try:
        return action()
    except OSError as error:
        return type(error).__name__
def below(folder):
    return sorted(os.path.join(path, name) for path, _, names in os.walk(folder) for name in names)
print(json.dumps({
    "write": {path: attempt(lambda: open(path, "w").write("x")) for path in
        ("/etc/takumi-was-here", "/root/takumi-was-here", "/usr/takumi-was-here", host_file)},
    "read": {name: attempt(lambda: open(f"{home}/{name}").read()) for name in
        ("cli-token", "takumi.db", "agent.json", "instance.json", "config.yaml")},
    "home": below(home),
    "tmp": os.listdir("/tmp"),
    "tmp write": attempt(lambda: open("/tmp/mine", "w").write("x")),
    "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
    "own": {name: attempt(lambda: open(os.environ[name] + "/f", "w").write("x")) for name in
        ("EM_SOURCE_DIR", "EM_MODEL_DIR", "EM_CHECKPOINT_DIR", "EM_TENSORBOARD_LOG_DIR", "HOME")},
    "capabilities": [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")],
}))
"""


@pytest.fixture(scope="module")
def seen(api: API, tmp_path_factory):
    host_file = tmp_path_factory.mktemp("host") / "file"
    parameters = {"home": str(api.server.home), "host": str(host_file)}
    training = api.train(
        PROBE,
        hyperparameterList=[{"parameterName": name, "parameterValue": value} for name, value in parameters.items()],
    )
    isolation = training.wait()["isolation"]
    if not bubblewrap_works():
        # Then it must say so, and there is nothing more to check.
        assert "no sandbox" in isolation
        pytest.fail(
            "bubblewrap does not work here, so isolation cannot be tested; install it, or allow user namespaces"
        )
    assert isolation.startswith("bubblewrap"), isolation
    return json.loads(training.printed()[0]) | {"training": training, "host file": host_file}


def test_host_cannot_be_written(seen):
    assert all(
        result == "OSError" or result == "PermissionError" or result == "FileNotFoundError"
        for result in seen["write"].values()
    ), seen["write"]
    assert not seen["host file"].exists()


def test_home_of_the_server_is_hidden(seen):
    assert set(seen["read"].values()) == {"FileNotFoundError"}, seen["read"]
    own = f"/workloads/{seen['training'].id}/"
    foreign = [path for path in seen["home"] if own not in path and "/tensorboard/" not in path]
    assert not foreign, foreign


def test_tmp_is_its_own(seen):
    assert seen["tmp write"] == 1
    # The ways to the server's home and to the image, where these lie below /tmp, are all that is there of the host's.
    ways = [str(seen["training"].api.server.home), environment()["TAKUMI_ENVIRONMENTS"]]
    assert set(seen["tmp"]) <= {way.split("/")[2] for way in ways if way.startswith("/tmp/")}, seen["tmp"]


def test_other_processes_are_hidden(seen):
    assert len(seen["processes"]) < 5 and max(seen["processes"]) < 20, seen["processes"]


def test_its_own_folders_can_be_written(seen):
    assert set(seen["own"].values()) == {1}, seen["own"]


def test_it_has_no_capabilities(seen):
    assert [int(value, 16) for value in seen["capabilities"]] == [0]


def test_processes_of_two_trainings_do_not_meet(api: API):
    """Neither sees the other's files nor its process."""
    marker = unique("neighbour")
    first = api.train(
        "import time; open('/tmp/secret', 'w').write('x'); print('ready', flush=True); time.sleep(60)",
        hyperparameterList=[{"parameterName": "marker", "parameterValue": marker}],
    )
    first.wait_line("ready")
    script = """
import os
found = [pid for pid in os.listdir("/proc") if pid.isdigit() and MARKER in open(f"/proc/{pid}/cmdline").read()]
print(found, os.path.exists("/tmp/secret"))
"""
    second = api.train(script.replace("MARKER", repr(marker)))
    second.wait()
    assert second.printed() == ["[] False"]
    first.stop()
    first.wait("STOPPED")
