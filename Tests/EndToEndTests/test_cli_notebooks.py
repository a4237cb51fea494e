"""Notebooks by the command line."""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

import notebooks
from client import API, unique
from harness import Server, eventually
from notebooks import Notebook

SMALL = ["--image", "python", "--instance", "t2.c1m1", "--storage", "1", "--boot-storage", "5"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the NAS `team` has."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "there").write_text("x")
    return folder


@pytest.fixture(scope="module")
def api(tmp_path_factory, folder):
    """A server with room for two small notebooks."""
    config = notebooks.memory_for(2 * 1024 + 500) + f"warmMemoryMiB: 0\nstorage: {{nas: {{team: {{path: {folder}}}}}}}\n"
    server = Server(tmp_path_factory.mktemp("cli-notebooks") / "home", config)
    try:
        yield API(server.start())
    finally:
        server.close()


@pytest.fixture
def plain(api: API):
    """Runs `takumi notebook …`."""
    return lambda *words, **options: api.server.command("notebook", *words, **options)


@pytest.fixture
def command(plain):
    """As `plain`, and gives what it printed as JSON."""
    return lambda *words: json.loads(plain(*words, "--output", "json").stdout)


@pytest.fixture
def refused(plain):
    """Runs a command that must fail, and gives what it said."""

    def run(*words: str, status: int = 1) -> str:
        result = plain(*words, check=False)
        assert result.returncode == status, result
        return result.stderr

    return run


def test_one_notebook_every_way(api: API, plain, command, refused, folder):
    """create, list, get, wait, update, open, logs, events, idle-stop, stop, resize, start, reboot, delete."""
    name = unique("every way")
    made = plain(
        *["create", name, *SMALL, "--nas", "share=nas://team:/", "--idle-stop", "30", "--ignore-connections"],
        *["--tag", "team=red", "--description", "for all", "--wait", "--output", "json"],
    )
    notebook = json.loads(made.stdout)
    assert f"started notebook '{name}'" in made.stderr and f"{name}: CREATE IN PROGRESS" in made.stderr, made.stderr
    assert notebook["notebookStatusCode"] == "ACTIVE_HEALTHY"
    assert (notebook["dataStorageSize"], notebook["bootStorageSize"]) == (1, 5)
    assert notebook["nasList"] == [{"mountDirName": "share", "nasPath": "nas://team:/"}]
    assert (notebook["idleStopMinutes"], notebook["idleStopIgnoresConnections"]) == (30, True)
    id, running = notebook["notebookId"], Notebook(api, notebook["notebookId"])
    assert running.lab.read("share/there") == "x"

    shown = plain("get", name).stdout
    for text in [
        *("ACTIVE (HEALTHY)", "Ubuntu 22.04 CPU Python Notebook", "t2.c1m1", "for all", "team=red", "1 GB", "5 GB"),
        *("share = nas://team:/", "after 30 minutes without use, open browsers not counted", notebook["notebookUrl"]),
    ]:
        assert text in shown, (text, shown)
    assert plain("show", id).stdout.splitlines()[0] == shown.splitlines()[0]
    assert re.search(rf"{name} +ACTIVE \(HEALTHY\) +PYTHON 3.11 +t2.c1m1 +1 GB ", plain("list").stdout)
    assert [item["notebookId"] for item in command("list")] == [id]
    plain("wait", name)

    url = f"{api.server.apps_url}/notebook/default/{id}/"
    opened = plain("open", name)
    assert opened.stdout == f"{url}\n" and "takumi login" in opened.stderr
    assert command("open", id) == {"notebookUrl": url}

    changed = command("update", name, "--name", "mine", "--untag", "team", "--tag", "a=b")
    assert changed["notebookName"] == "mine" and changed["tagList"] == [{"tagKey": "a", "tagValue": "b"}]
    eventually(lambda: "JupyterLab answers at" in plain("logs", "mine").stdout, "a line of the log")
    line = plain("logs", "mine", "--tail", "1", "--timestamps").stdout
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z .+\n", line), line
    assert json.loads(plain("logs", "mine", "--tail", "1", "--output", "json").stdout)["text"] in line

    assert plain("idle-stop", "mine").stdout.startswith("after 30 minutes without use")
    assert plain("idle-stop", "mine", "never").stdout == "never\n"
    assert "idleStopMinutes" not in command("idle-stop", "mine") or command("idle-stop", "mine")["idleStopMinutes"] is None
    assert command("idle-stop", "mine", "60")["idleStopMinutes"] == 60
    assert plain("idle-stop", "mine").stdout.startswith("after 60 minutes without use")

    assert "stop it first" in refused("resize", "mine", "--instance", "m2.c1m2")
    assert "is ACTIVE (HEALTHY) and cannot be started" in refused("start", "mine")
    stopped = plain("stop", "mine", "--wait")
    assert "asked to stop notebook 'mine'" in stopped.stderr and "STOPPED" in stopped.stdout, stopped
    assert "is STOPPED; takumi notebook start mine" in refused("open", "mine")
    assert "--instance: " in refused("resize", "mine", "--instance", "g2.c4m16")
    assert command("resize", "mine", "--instance", "c2.c2m2")["flavor"]["name"] == "c2.c2m2"
    assert command("resize", "mine", "--instance", "t2.c1m1")["flavor"]["name"] == "t2.c1m1"
    started = plain("start", "mine", "--wait")
    assert "mine: START IN PROGRESS" in started.stderr and "open it: takumi notebook open mine" in started.stderr
    before = running.jupyter().pid
    assert command("reboot", "mine", "--wait")["notebookStatusCode"] == "ACTIVE_HEALTHY"
    assert running.jupyter().pid != before

    told = [(event["statusCode"], event["message"]) for event in command("events", "mine")]
    assert told[0] == ("CREATE_REQUESTED", "requested") and ("STOPPED", "stopped") in told, told
    assert "JupyterLab answers after" in plain("events", "mine").stdout
    plain("delete", "mine", "--yes", "--wait")
    assert "no notebook named 'mine'" in refused("get", "mine")
    assert (folder / "there").exists()
    assert plain("list").stderr == "no notebooks in project 'default'\n"


def test_waiting_says_for_what_and_several_at_once(api: API, plain, command):
    names = [unique("several") for _ in range(3)]
    for name in names[:2]:
        plain("create", name, *SMALL)
    for name in names[:2]:
        plain("wait", name)
    third = command("create", names[2], *SMALL)
    assert third["notebookStatusCode"] == "CREATE_REQUESTED"
    # It has its place while the command waits.
    waiting = Notebook(api, third["notebookId"])
    eventually(lambda: "waiting" in (waiting.read().get("statusReason") or ""), lambda: waiting.read())
    plain("stop", names[0])
    seen = plain("wait", names[2])
    assert "ACTIVE (HEALTHY)" in seen.stdout
    assert "waiting for 1.0 GiB of memory" in seen.stderr or "JupyterLab is starting" in seen.stderr, seen.stderr
    assert any("waiting for 1.0 GiB of memory: 2 running jobs hold" in event["message"] for event in waiting.events())

    both = command("stop", *names[1:], "--wait")
    assert [item["notebookStatusCode"] for item in both] == ["STOPPED", "STOPPED"]
    plain("delete", *names, "--wait")
    assert command("list") == []


def test_waiting_ends_with_the_cause_of_a_failure(api: API, plain, refused, folder):
    (folder / "fleeting").mkdir()
    name = unique("fails")
    plain("create", name, *SMALL, "--nas", "gone=nas://team:/fleeting")
    plain("wait", name)
    plain("stop", name, "--wait")
    (folder / "fleeting").rmdir()
    said = refused("start", name, "--wait")
    assert f"error: notebook '{name}' is START FAILED: nas://team:/fleeting is no directory" in said, said
    assert f"takumi notebook logs {name}" in said, said
    plain("delete", name, "--wait")


def test_a_start_that_somebody_stops_did_not_end_well(api: API, plain, refused):
    name = unique("stopped")
    plain("create", name, *SMALL, "--wait")
    plain("stop", name, "--wait")
    notebook = Notebook(api, api.call("GET", "notebooks", params={"notebookNameList": name})["notebookList"][0]["notebookId"])
    script = api.server.home / "notebooks" / notebook.id / "data/cont-init.d/wait"
    script.write_text("#!/bin/sh\nsleep 60\n")
    script.chmod(0o755)
    with ThreadPoolExecutor() as pool:
        starting = pool.submit(refused, "start", name, "--wait")
        eventually(lambda: "cont-init.d/wait" in (notebook.read().get("statusReason") or ""), lambda: notebook.read())
        plain("stop", name)
        assert f"error: notebook '{name}' is STOPPED" in starting.result()
    # As it was asked to be.
    plain("wait", name)
    plain("delete", name, "--wait")


def test_open_starts_a_browser(api: API, plain, tmp_path):
    name = unique("browser")
    plain("create", name, *SMALL, "--wait")
    url = plain("open", name).stdout
    # One that writes down what it was asked for.
    browser = tmp_path / "xdg-open"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/asked\n')
    browser.chmod(0o755)
    api.server.variables["PATH"] = f"{tmp_path}:{os.environ['PATH']}"
    try:
        assert plain("open", name, "--browser").stdout == url
        assert (tmp_path / "asked").read_text() == url
        browser.write_text("#!/bin/sh\nexit 3\n")
        opened = plain("open", name, "--browser")
        assert opened.stdout == url and "open the address in yours" in opened.stderr, opened
    finally:
        del api.server.variables["PATH"]
    plain("delete", name, "--wait")


@pytest.mark.parametrize(
    "words, status, hint",
    [
        (["--image", "nothing"], 1, "--image: there is no notebook image 'nothing'; the nearest: "),
        (["--image", "python-notebook-gpu"], 1, "--image: 'Ubuntu 22.04 GPU Python Notebook' cannot run here"),
        (["--instance", "t2.c1"], 1, "--instance: there is no instance type 't2.c1'; the nearest: 't2.c1m1'"),
        (["--instance", "g2.c4m16"], 1, "--instance: "),
        (["--nas", "x=nas://unknown:/"], 1, "--nas: "),
        (["--nas", "x=nas://team:/there"], 1, "--nas: nas://team:/there is no directory; make it there first"),
        (["--nas", "cont-init.d=nas://team:/"], 1, "--nas: "),
        (["--storage", "9999"], 1, "--storage: 9999 GB is more than the server's disk has"),
        (["--storage", "0"], 64, "--storage 0 is out of range; use 1 to 10000 GB"),
        (["--boot-storage", "10001"], 64, "--boot-storage 10001 is out of range"),
        (["--nas", "x=/mnt"], 64, "--nas x=nas://NAS:/PATH"),
        (["--idle-stop", "4"], 64, "--idle-stop 4 is out of range; use 5 to 10080 minutes"),
        (["--ignore-connections"], 64, "add --idle-stop 60"),
        ([word for i in range(11) for word in ("--tag", f"k{i}=v")], 64, "--tag"),
    ],
)
def test_what_cannot_be_created(api: API, refused, words, status, hint):
    before = api.get("notebooks", limit=0)["totalCount"]
    assert hint in refused("create", unique("refused"), *SMALL, *words, status=status)
    assert api.get("notebooks", limit=0)["totalCount"] == before


@pytest.mark.parametrize(
    "words, hint",
    [
        (["create", "n" * 51, *SMALL], "NAME"),
        (["create", "n", "--image", "python", "--instance", "t2.c1m1"], "--storage"),
        (["idle-stop", "n", "4"], "MINUTES 4 is out of range; use 5 to 10080, or never"),
        (["idle-stop", "n", "soon"], "soon"),
        (["idle-stop", "n", "never", "--ignore-connections"], "--ignore-connections is for a number of minutes"),
        (["logs", "n", "--tail", "0"], "--tail 0 is out of range; use 1 to 10000 lines"),
        (["resize", "n"], "--instance"),
    ],
)
def test_what_cannot_be_understood(refused, words, hint):
    assert hint in refused(*words, status=64)


def test_a_name_that_is_taken(plain, refused):
    name = unique("taken")
    plain("create", name, *SMALL)
    said = refused("create", name, *SMALL)
    assert said.startswith("error: NAME: ") and name in said, said
    plain("delete", name, "--wait")


@pytest.mark.parametrize("word", ["python", "PYTHON", "python-notebook", "Ubuntu 22.04 CPU Python Notebook"])
def test_an_image_has_several_names(api: API, command, plain, word):
    name = unique("image")
    made = command("create", name, "--image", word, "--instance", "t2.c1m1", "--storage", "1", "--wait")
    plain("delete", name, "--wait")
    assert made["image"]["imageId"] == api.images["python-notebook"]["imageId"]
