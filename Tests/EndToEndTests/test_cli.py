"""The command line, as people and scripts use it."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

from client import API, Training, unique
from harness import BINARY, Server, environment, eventually


def commands() -> list[tuple[str, ...]]:
    """Every command, from the binary itself."""
    dump = subprocess.run([BINARY, "--experimental-dump-help"], capture_output=True, text=True, timeout=60, check=True)
    found: list[tuple[str, ...]] = []

    def walk(command: dict, path: tuple[str, ...]):
        found.append(path)
        for child in command.get("subcommands", []):
            if child["commandName"] != "help":
                walk(child, (*path, child["commandName"]))

    walk(json.loads(dump.stdout)["command"], ())
    return found


def test_every_command_has_help():
    known = commands()
    some = {("serve",), ("token", "create"), ("run",), ("training", "logs"), ("storage", "cp"), ("tuning", "trials")}
    some |= {("template", "update"), ("model", "create"), ("endpoint", "stage", "create"), ("endpoint", "predict")}
    assert some <= set(known)
    for path in known:
        result = subprocess.run([BINARY, *path, "--help"], capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, (path, result.stderr)
        assert "OVERVIEW: " in result.stdout and "USAGE: takumi " + " ".join(path) in result.stdout, result.stdout
        # Every option is explained.
        options = re.findall(r"^  (-\S.*)$", result.stdout, re.MULTILINE)
        assert options, path


def test_version():
    assert re.fullmatch(
        r"\d+\.\d+\.\d+\S*\n", subprocess.run([BINARY, "--version"], capture_output=True, text=True).stdout
    )


@pytest.mark.parametrize(
    "words", [["nonsense"], ["training", "nonsense"], ["run"], ["serve", "--port", "x"], ["serve", "--port", "70000"]]
)
def test_what_cannot_be_understood(words):
    result = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60, env=environment())
    assert result.returncode == 64 and result.stderr and not result.stdout, result


def test_without_a_server(tmp_path):
    result = subprocess.run(
        [BINARY, "training", "list", "--home", tmp_path], capture_output=True, text=True, timeout=60, env=environment()
    )
    assert result.returncode == 69 and "takumi serve" in result.stderr, result


def test_second_server_of_one_home(server: Server):
    result = server.command("serve", "--port", "0", "--tls-port", "0", check=False)
    assert result.returncode == 1 and str(server.home) in result.stderr, result


def test_port_that_is_taken(server: Server, tmp_path):
    result = subprocess.run(
        [BINARY, "serve", "--home", tmp_path, "--port", server.ports[0], "--tls-port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
    )
    assert result.returncode == 1 and "taken" in result.stderr and server.ports[0] in result.stderr, result


@pytest.mark.parametrize("config", ["nonsense: 1", "region: [", "cpuOvercommit: -1", "storage: {nas: 5}", "port: x"])
def test_configuration_that_is_wrong(tmp_path, config):
    (tmp_path / "config.yaml").write_text(config)
    result = subprocess.run(
        [BINARY, "serve", "--home", tmp_path, "--port", "0", "--tls-port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
    )
    assert result.returncode == 1 and "config.yaml" in result.stderr, result
    assert len(result.stderr) < 1000, "a sentence was expected"


# MARK: - Output


@pytest.mark.parametrize(
    "words, name",
    [
        (["experiment", "list"], "experimentName"),
        (["training", "list"], "trainingName"),
        (["image", "list"], "alias"),
        (["flavor", "list"], "name"),
        (["algorithm", "list"], None),
        (["tuning", "list"], None),
        (["template", "list"], None),
        (["model", "list"], None),
        (["endpoint", "list"], None),
    ],
)
def test_lists_as_json(api: API, words, name):
    api.train("print('x')").wait()
    items = json.loads(api.server.command(*words, "--output", "json").stdout)
    assert isinstance(items, list)
    if name:
        assert items and all(item[name] for item in items)
        table = api.server.command(*words).stdout
        assert items[0][name] in table and not table.lstrip().startswith("["), table


def test_one_training_every_way(api: API):
    """get, logs, metrics, events, wait, open, update, delete of one training."""
    command = api.server.command
    name = unique("every-way")
    training = api.train("import time; print('first'); time.sleep(2.5); print('last')", trainingName=name)
    training.wait()
    assert json.loads(command("training", "get", name, "--output", "json").stdout)["trainingId"] == training.id
    assert "COMPLETE" in command("training", "get", training.id).stdout
    assert command("training", "logs", name).stdout == "first\nlast\n"
    lines = command("training", "logs", name, "--output", "json").stdout.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["first", "last"]
    assert command("training", "logs", name, "--tail", "1").stdout == "last\n"
    [node] = json.loads(command("training", "metrics", name, "--output", "json").stdout)
    assert node["node"] == 0 and node["samples"][0]["memoryBytes"] > 0
    assert re.search(r"MiB", command("training", "metrics", name).stdout)
    events = json.loads(command("training", "events", name, "--output", "json").stdout)
    assert events[-1]["statusCode"] == "COMPLETE"
    command("training", "wait", name)
    assert command("training", "open", name).stdout.startswith(api.server.apps_url)
    command("training", "update", name, "--description", "changed")
    assert training.read()["description"] == "changed"
    command("training", "delete", name, "--yes")
    api.refused("GET", training.path, 404)
    gone = command("training", "get", name, check=False)
    assert gone.returncode == 1 and name in gone.stderr


def test_experiments_and_storage(api: API, tmp_path):
    command = api.server.command
    name = unique("commands")
    made = json.loads(command("experiment", "create", name, "--tag", "team=red", "--output", "json").stdout)
    assert made["tagList"] == [{"tagKey": "team", "tagValue": "red"}]
    eventually(lambda: "ACTIVE" in command("experiment", "get", name).stdout, "the experiment is active")
    command("experiment", "delete", name, "--yes")

    (tmp_path / "up/sub").mkdir(parents=True)
    (tmp_path / "up/sub/f ü.txt").write_text("content")
    command("storage", "mkdir", name, "--allow-service")
    command("storage", "cp", str(tmp_path / "up"), f"{name}/folder")
    assert "sub" in command("storage", "ls", f"{name}/folder").stdout
    command("storage", "cp", f"{name}/folder", str(tmp_path / "down"))
    assert (tmp_path / "down/sub/f ü.txt").read_text() == "content"
    assert api.storage["serviceAccount"]["accessPolicy"] in command("storage", "policy", "show", name).stdout
    assert json.loads(command("storage", "info", "--output", "json").stdout)["tenantId"] == api.storage["tenantId"]


# MARK: - run


@pytest.fixture
def project(tmp_path):
    """A folder as a user has it: a script, a module, data, and things that must not be uploaded."""
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git/config").write_text("secret")
    (folder / "data/x.csv").write_text("1,2\n3,4\n")
    (folder / "helper.py").write_text("WORD = 'help'\n")
    (folder / "train.py").write_text(
        "import os, sys, helper\n"
        "print(helper.WORD, sys.argv[1:], open(os.environ['EM_DATASET_TRAIN'] + '/x.csv').read().split())\n"
        "print(sorted(set(os.listdir()) - {'__pycache__'}))\n"
        "print('to stderr', file=sys.stderr)\n"
        "open(os.environ['EM_MODEL_DIR'] + '/model.bin', 'w').write('model')\n"
    )
    return folder


RUN = ["--image", "python", "--instance", "t2.c1m1"]


def test_run(api: API, project):
    result = api.server.command(
        "run", "train.py", *RUN, "--data", "train=./data", "--hp", "epochs=10", "--download", "out", cwd=project
    )
    assert result.stdout.splitlines() == ["help ['--epochs', '10'] ['1,2', '3,4']", "['helper.py', 'train.py']"]
    assert "to stderr" in result.stderr and "COMPLETE" in result.stderr, result.stderr
    assert (project / "out/model.bin").read_text() == "model"
    [training] = [item for item in api.get("trainings")["trainingList"] if item["trainingId"] in result.stderr]
    assert training["experiment"]["experimentName"] == "default" and training["hyperparameterList"]


def test_run_as_json(api: API, project):
    result = api.server.command("run", "train.py", *RUN, "--data", "train=./data", "--output", "json", cwd=project)
    assert json.loads(result.stdout)["trainingStatusCode"] == "COMPLETE"


@pytest.mark.parametrize(
    "script, status",
    [
        ("import sys; sys.exit(3)", 3),
        ("raise ValueError('x')", 1),
        ("import os; os.kill(os.getpid(), 9)", 137),
    ],
)
def test_run_ends_as_the_script_does(api: API, tmp_path, script, status):
    (tmp_path / "train.py").write_text(script)
    result = api.server.command("run", "train.py", *RUN, cwd=tmp_path, check=False)
    assert result.returncode == status, result
    assert "FAIL TRAIN" in result.stderr, result.stderr


@pytest.mark.parametrize(
    "words, hint",
    [
        (["absent.py", *RUN], "absent.py"),
        (["train.py", "--image", "pytoch", "--instance", "t2.c1m1"], "pytorch"),
        (["train.py", "--image", "python", "--instance", "t2.c1m2"], "t2.c1m1"),
        (["train.py", *RUN, "--data", "train=./absent"], "absent"),
        (["train.py", *RUN, "--nodes", "11"], "1 to 10"),
        (["train.py", *RUN, "--hp", "novalue"], "novalue"),
        (["train.py", *RUN, "--torchrun"], "orch"),
    ],
)
def test_run_that_cannot_start(api: API, project, words, hint):
    before = api.get("trainings", limit=0)["totalCount"]
    result = api.server.command("run", *words, cwd=project, check=False)
    assert result.returncode in (1, 64) and hint in result.stderr, result
    assert api.get("trainings", limit=0)["totalCount"] == before


@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
def test_interrupted(api: API, tmp_path, again):
    """Ctrl-C stops the training; a second one leaves it to itself."""
    name = unique("interrupted")
    (tmp_path / "train.py").write_text(
        "import signal, time\n"
        "signal.signal(15, lambda *_: (time.sleep(3), print('bye'), exit(0)))\n"
        "print('ready')\ntime.sleep(60)"
    )
    process = subprocess.Popen(
        [BINARY, "run", "train.py", *RUN, "--name", name, "--home", api.server.home],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    assert process.stdout.readline() == "ready\n"
    os.kill(process.pid, signal.SIGINT)
    if again:
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    [item] = api.get("trainings", trainingNameList=name)["trainingList"]
    if again:
        assert item["trainingStatusCode"] == "STOP_IN_PROGRESS" and item["trainingId"] in err
    else:
        assert item["trainingStatusCode"] == "STOPPED" and "bye" in out
    Training(api, item["trainingId"]).wait("STOPPED")
