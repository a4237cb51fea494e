"""Notebooks over the API, with real JupyterLab (SPEC 2): what is refused, their lives, and what becomes of them when
something dies or is full."""

import os
import time

import pytest

import notebooks
from client import API, unique
from harness import Server, eventually
from notebooks import DATA, Lab, Notebook

NO_ID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def nas(tmp_path_factory):
    """`team` is for all, `foreign` for another project only."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("team", "foreign")}
    (folders["team"] / "shared").mkdir()
    (folders["team"] / "shared" / "there").write_text("from the NAS")
    (folders["team"] / "trap").symlink_to(folders["foreign"])
    return folders


@pytest.fixture(scope="module")
def api(tmp_path_factory, nas):
    """A server of this module's own, which its tests kill."""
    config = f"""
warmMemoryMiB: 0
storage:
  nas:
    team: {{path: {nas["team"]}}}
    foreign: {{path: {nas["foreign"]}, projects: [other]}}
"""
    server = Server(tmp_path_factory.mktemp("notebooks") / "home", config)
    try:
        yield API(server.start())
    finally:
        server.close()


@pytest.fixture(scope="module")
def shared(api: API) -> Notebook:
    """One that runs, which several tests use and leave as it was."""
    notebook = notebooks.create(api)
    notebook.wait()
    return notebook


@pytest.fixture(scope="module")
def neighbour(api: API) -> Notebook:
    """One that runs and that nothing happens to."""
    notebook = notebooks.create(api)
    notebook.wait()
    return notebook


# MARK: - What is refused


def mount(directory="share", path="nas://team:/shared"):
    return {"mountDirName": directory, "nasPath": path}


REFUSALS = [
    ({"notebookName": None}, "notebookName", "is required"),
    ({"notebookName": "n" * 51}, "notebookName", "50"),
    ({"description": "d" * 256}, "description", "255"),
    ({"imageId": None}, "imageId", "GET /images lists them"),
    ({"imageId": NO_ID}, "imageId", "GET /images lists them"),
    ({"image": "python"}, "imageId", "is a training image; choose a notebook image"),
    ({"flavorId": None}, "flavorId", "GET /flavors lists them"),
    ({"flavorId": NO_ID}, "flavorId", "GET /flavors lists them"),
    ({"flavor": "g2.c4m16"}, "flavorId", "GPU"),
    ({"image": "python-notebook-gpu"}, "flavorId", "GPU"),
    ({"dataStorageSize": None}, "dataStorageSize", "is required: GB of what stays"),
    ({"dataStorageSize": 0}, "dataStorageSize", "1 to 10000"),
    ({"dataStorageSize": 10_001}, "dataStorageSize", "1 to 10000"),
    ({"dataStorageSize": "many"}, "dataStorageSize", "number"),
    ({"bootStorageSize": 0}, "bootStorageSize", "1 to 10000"),
    ({"bootStorageSize": 10_001}, "bootStorageSize", "1 to 10000"),
    ({"tagList": [{"tagKey": f"k{i}", "tagValue": "v"} for i in range(11)]}, "tagList", "at most 10"),
    ({"idleStopMinutes": 4}, "idleStopMinutes", "5 to 10080"),
    ({"idleStopMinutes": 10_081}, "idleStopMinutes", "5 to 10080"),
    ({"nasList": [mount("")]}, "nasList[0].mountDirName", "is required"),
    ({"nasList": [mount("a/b")]}, "nasList[0].mountDirName", "letters, digits"),
    ({"nasList": [mount("..")]}, "nasList[0].mountDirName", "letters, digits"),
    ({"nasList": [mount(".hidden")]}, "nasList[0].mountDirName", "letters, digits"),
    ({"nasList": [mount("n" * 51)]}, "nasList[0].mountDirName", "50"),
    ({"nasList": [mount(), mount()]}, "nasList[1].mountDirName", "twice"),
    ({"nasList": [mount("cont-init.d")]}, "nasList[0].mountDirName", "every notebook has"),
    ({"nasList": [mount("custom-conda-envs")]}, "nasList[0].mountDirName", "every notebook has"),
    ({"nasList": [{"mountDirName": "x"}]}, "nasList[0].nasPath", "nas://"),
    ({"nasList": [mount(path="obs://host/v1/AUTH_x/c")]}, "nasList[0].nasPath", "nas://"),
    ({"nasList": [mount(path="nas://team/shared")]}, "nasList[0].nasPath", "nas://"),
    ({"nasList": [mount(path="nas://unknown:/x")]}, "nasList[0].nasPath", "unknown"),
    ({"nasList": [mount(path="nas://foreign:/")]}, "nasList[0].nasPath", "foreign"),
    ({"nasList": [mount(path="nas://team:/absent")]}, "nasList[0].nasPath", "absent"),
    ({"nasList": [mount(path="nas://team:/shared/there")]}, "nasList[0].nasPath", "director"),
    ({"nasList": [mount(path="nas://team:/../foreign")]}, "nasList[0].nasPath", ""),
    ({"nasList": [mount(path="nas://team:/trap")]}, "nasList[0].nasPath", ""),
    ({"nasList": [mount(f"d{i}") for i in range(11)]}, "nasList", "at most 10"),
]


@pytest.mark.parametrize(
    "fields, field, remedy", REFUSALS, ids=[f"{index}-{case[1]}" for index, case in enumerate(REFUSALS)]
)
def test_a_bad_field_is_named_with_its_remedy(api: API, fields, field, remedy):
    before = api.get("notebooks", limit=0)["totalCount"]
    errors = api.refused("POST", "notebooks", 400, json=notebooks.body(api, **fields))
    assert [error["field"] for error in errors] == [field], errors
    assert remedy in errors[0]["message"], errors
    assert api.get("notebooks", limit=0)["totalCount"] == before, "something was half-created"


def test_all_that_is_missing_is_named_at_once(api: API):
    errors = api.refused("POST", "notebooks", 400, json={})
    assert {error["field"] for error in errors} == {"notebookName", "imageId", "flavorId", "dataStorageSize"}


def test_sizes_that_the_disk_cannot_have(api: API):
    disk = os.statvfs(api.server.home)
    whole = disk.f_blocks * disk.f_frsize >> 30
    assert whole < 10_000, "this machine's disk is larger than any size; the check cannot be seen here"
    for field in ("dataStorageSize", "bootStorageSize"):
        errors = api.refused("POST", "notebooks", 400, json=notebooks.body(api, **{field: whole + 1}))
        assert errors[0]["field"] == field and f"({whole} GB)" in errors[0]["message"], errors


def test_a_name_is_given_once(api: API, shared: Notebook, neighbour: Notebook):
    name = shared.read()["notebookName"]
    errors = api.refused("POST", "notebooks", 409, json=notebooks.body(api, notebookName=name))
    assert errors[0]["field"] == "notebookName" and name in errors[0]["message"], errors
    errors = api.refused("PUT", neighbour.path, 409, json={"notebookName": name})
    assert errors[0]["field"] == "notebookName", errors


# MARK: - Who may


def test_a_foreign_project_does_not_see_it(api: API, shared: Notebook):
    api.server.command("project", "create", "other")
    other = API(api.server, project="other")
    assert other.get("notebooks")["totalCount"] == 0
    for method, path in [
        ("GET", ""), ("GET", "/events"), ("GET", "/logs"), ("PUT", "/stop"), ("PUT", "/start"), ("PUT", "/reboot"),
        ("DELETE", ""),
    ]:
        other.refused(method, f"{shared.path}{path}", 404)
    other.refused("PUT", f"{shared.path}/flavor", 404, json={"flavorId": NO_ID})
    # Its token is worth nothing below this project, here and at JupyterLab's door.
    intruder = API(api.server, other.token)
    intruder.refused("GET", shared.path, 404)
    assert Lab(shared, other.token).request("GET", "api/status").status_code == 404
    assert shared.lab.request("GET", "api/status").status_code == 200
    assert notebooks.unanswered(api.server, f"{shared.lab.base}api/status").status_code == 401
    assert shared.code() == "ACTIVE_HEALTHY"


def test_a_viewer_looks_and_does_not_touch(api: API, shared: Notebook):
    viewer = API(api.server, api.server.token("default", "--role", "viewer"))
    assert viewer.get(shared.path)["notebook"]["notebookId"] == shared.id
    viewer.refused("POST", "notebooks", 403, json=notebooks.body(api))
    for method, path in [("PUT", "/stop"), ("PUT", "/reboot"), ("DELETE", "")]:
        viewer.refused(method, f"{shared.path}{path}", 403)
    viewer.refused("PUT", f"{shared.path}/idle-stop", 403, json={"idleStopMinutes": 5})
    # What is typed into a notebook runs: looking on is not possible.
    assert Lab(shared, viewer.token).request("GET", "api/status").status_code == 403
    assert shared.code() == "ACTIVE_HEALTHY"


# MARK: - A life


def test_a_life(api: API, nas):
    """create, list, change, stop, start, resize, reboot, delete: states, what is kept and what is told."""
    name = unique("life")
    created = api.call(
        "POST",
        "notebooks",
        json=notebooks.body(
            api, notebookName=name, description="a life", nasList=[mount()], tagList=[{"tagKey": "a", "tagValue": "b"}]
        ),
    )["notebook"]
    assert created["notebookStatusCode"] == "CREATE_REQUESTED" and created.get("notebookUrl") is None
    notebook = Notebook(api, created["notebookId"])
    active = notebook.wait()
    assert active["image"]["frameworkCode"] == "PYTHON" and active["image"]["coreTypeCode"] == "CPU"
    assert active["flavor"]["name"] == "t2.c1m1" and active["isClusterLatest"] is True
    assert (active["bootStorageSize"], active["dataStorageSize"]) == (5, 1)
    assert active["nasList"] == [mount()]
    assert active["tagList"] == [{"tagKey": "a", "tagValue": "b"}]
    assert active["notebookUrl"] == f"{api.server.apps_url}{notebook.lab.base}"
    assert active["activeDatetime"] >= active["createdDatetime"]

    listed = api.get("notebooks", notebookNameList=name)["notebookList"]
    assert [item["notebookId"] for item in listed] == [notebook.id]
    changed = api.call(
        "PUT", notebook.path, json={"notebookName": f"{name}-2", "description": "new", "tagList": []}
    )["notebook"]
    assert (changed["notebookName"], changed["description"], changed["tagList"]) == (f"{name}-2", "new", [])
    assert changed["dataStorageSize"] == 1

    lab = notebook.lab
    lab.write("kept.txt", "kept")
    assert lab.names() >= {"custom-conda-envs", "cont-init.d", "share", "kept.txt"}
    assert lab.read("share/there") == "from the NAS"
    lab.write("share/here", "to the NAS")
    assert (nas["team"] / "shared" / "here").read_text() == "to the NAS"
    with lab.kernel() as kernel:
        seen = kernel.run(
            "import os; open('/root/thrown-away', 'w').write('x')\n"
            "print(os.environ['HOME'], os.environ['EM_APPKEY'], 'TAKUMI_NOTEBOOK_TOKEN' in os.environ)"
        )
    assert seen == "/root default False\n"
    folder = api.server.home / "notebooks" / notebook.id
    assert (folder / "data" / "kept.txt").read_text() == "kept"

    # Asked for while it runs, another instance type is refused with what to do first.
    errors = api.refused("PUT", f"{notebook.path}/flavor", 409, json={"flavorId": api.flavors["m2.c1m2"]["id"]})
    assert errors[0]["field"] == "flavorId" and "stop it first" in errors[0]["message"], errors
    api.refused("PUT", f"{notebook.path}/start", 409)

    assert notebook.ask("stop")["notebookStatusCode"] == "STOP_IN_PROGRESS"
    stopped = notebook.wait("STOPPED")
    assert stopped.get("notebookUrl") is None and stopped.get("statusReason") is None
    assert lab.request("GET", "api/status").status_code == 409
    assert not [process for process in api.server.processes() if notebook.id in " ".join(process.cmdline())]
    for verb in ("stop", "reboot"):
        errors = api.refused("PUT", f"{notebook.path}/{verb}", 409)
        assert "is STOPPED and cannot be" in errors[0]["message"], errors

    gpu = next(flavor for name, flavor in api.flavors.items() if flavor["gpuCount"])
    errors = api.refused("PUT", f"{notebook.path}/flavor", 400, json={"flavorId": gpu["id"]})
    assert errors[0]["field"] == "flavorId" and "GPU" in errors[0]["message"], errors
    assert notebook.resize("m2.c1m2")["flavor"]["name"] == "m2.c1m2"

    assert notebook.ask("start")["notebookStatusCode"] == "START_IN_PROGRESS"
    notebook.wait()
    assert lab.read("kept.txt") == "kept" and lab.read("share/here") == "to the NAS"
    with lab.kernel() as kernel:
        assert kernel.run("import os; print(os.path.exists('/root/thrown-away'))") == "False\n"
        kernel.run("open('/root/thrown-away', 'w').write('x')")

    before = notebook.jupyter().pid
    assert notebook.ask("reboot")["notebookStatusCode"] == "REBOOT_IN_PROGRESS"
    notebook.wait()
    assert notebook.jupyter().pid != before
    assert lab.read("kept.txt") == "kept"
    with lab.kernel() as kernel:
        assert kernel.run("import os; print(os.path.exists('/root/thrown-away'))") == "False\n"

    told = notebook.told()
    for text in ["requested", "stop requested", "stopped", "instance type is now m2.c1m2", "start requested",
                 "reboot requested"]:
        assert text in told, (text, told)
    assert sum("JupyterLab answers after" in message for message in told) == 3, told
    codes = [event["statusCode"] for event in notebook.events()]
    order = ["CREATE_REQUESTED", "ACTIVE_HEALTHY", "STOP_IN_PROGRESS", "STOPPED", "START_IN_PROGRESS",
             "ACTIVE_HEALTHY", "REBOOT_IN_PROGRESS", "ACTIVE_HEALTHY"]
    rest = iter(codes)
    assert all(code in rest for code in order), codes

    notebook.delete()
    assert not folder.exists(), "its storage is left on the disk"
    assert not list(api.server.home.glob(f"workloads/**/*{notebook.id}*")), "its workload is left on the disk"
    assert (nas["team"] / "shared" / "here").exists(), "the NAS is not the notebook's"


def test_what_names_no_folder_works_in_the_data_storage(shared: Notebook):
    """JupyterLab says where a kernel is to be started; VS Code and other clients do not."""
    with shared.lab.kernel() as kernel:
        assert kernel.run("import os; print(os.getcwd())") == f"{DATA}\n"
    assert shared.lab.terminal().run("pwd") == DATA


def test_deletion_while_it_starts(api: API):
    notebook = notebooks.create(api)
    notebook.delete()
    assert not (api.server.home / "notebooks" / notebook.id).exists()
    assert not [process for process in api.server.processes() if notebook.id in " ".join(process.cmdline())]


def test_scripts_that_fail_are_told(api: API):
    notebook = notebooks.create(api)
    notebook.wait()
    notebook.lab.write("cont-init.d/20-bad", "#!/bin/sh\necho trouble; exit 3\n")
    with notebook.lab.kernel() as kernel:
        kernel.run(f"import os; os.chmod('{DATA}/cont-init.d/20-bad', 0o755)")
    notebook.ask("reboot")
    notebook.wait()
    assert "cont-init.d/20-bad ended with exit code 3; see 20-bad.output" in notebook.told()
    assert notebook.lab.read("cont-init.d/20-bad.output") == "trouble\n"
    assert notebook.lab.read("cont-init.d/20-bad.exitcode") == "3\n"
    assert "script 20-bad: exit code 3" in notebook.log()
    notebook.delete()


def test_a_start_that_fails_says_why_and_can_be_tried_again(api: API, nas):
    (nas["team"] / "fleeting").mkdir()
    notebook = notebooks.create(api, nasList=[mount("fleeting", "nas://team:/fleeting")])
    notebook.wait()
    notebook.ask("stop")
    notebook.wait("STOPPED")
    (nas["team"] / "fleeting").rmdir()
    notebook.ask("start")
    failed = notebook.wait("START_FAILED")
    assert "nas://team:/fleeting" in failed["statusReason"], failed
    (nas["team"] / "fleeting").mkdir()
    notebook.ask("start")
    assert notebook.wait().get("statusReason") is None
    notebook.delete()


# MARK: - Room


def test_ten_where_there_is_room_for_three(make_server):
    api = API(make_server(config=notebooks.memory_for(3 * 1024 + 500) + "warmMemoryMiB: 0\n"))
    ten = [notebooks.create(api, notebookName=f"nb{number}") for number in range(10)]

    def waiting(notebook: Notebook) -> dict:
        def look():
            seen = notebook.read()
            return seen if "waiting" in (seen.get("statusReason") or "") else None

        return eventually(look, lambda: f"waiting: {notebook.read()}")

    def active() -> list[Notebook]:
        return [notebook for notebook in ten if notebook.code() == "ACTIVE_HEALTHY"]

    def three(but: list[Notebook]) -> list[Notebook]:
        """Those that have a place, once they are not these any longer."""
        return eventually(
            lambda: len(found := active()) == 3 and not set(but) & set(found) and found,
            lambda: f"three are active: {[(notebook.code(), notebook.read().get('statusReason')) for notebook in ten]}",
        )

    # Which of those that come at the same time get in is nobody's promise.
    first = three([])
    queue = [notebook for notebook in ten if notebook not in first]
    for notebook in queue:
        seen = waiting(notebook)
        assert seen["notebookStatusCode"] == "CREATE_IN_PROGRESS", seen
        assert "1.0 GiB of memory" in seen["statusReason"] and "3 running jobs hold" in seen["statusReason"], seen

    first[0].ask("stop")
    now = three([first[0]])
    assert set(first[1:]) < set(now), "nobody else has lost a place"
    entered = next(notebook for notebook in now if notebook not in first)
    assert any("waiting for 1.0 GiB of memory" in message for message in entered.told()), entered.told()
    # One that waits can be stopped and deleted like any other, and the next one has its place.
    queue.remove(entered)
    queue[0].ask("stop")
    queue[0].wait("STOPPED")
    queue[1].delete()
    ten.remove(queue[1])
    first[1].ask("stop")
    assert set(three([first[1]])) & set(queue[2:]), "the next of the queue has its place"
    # What was stopped waits again at its next start.
    first[0].ask("start")
    assert waiting(first[0])["notebookStatusCode"] == "START_IN_PROGRESS"
    for notebook in ten:
        api.call("DELETE", notebook.path)
    eventually(lambda: api.get("notebooks", limit=0)["totalCount"] == 0, "all are gone", 40)


def test_what_never_fits_is_refused(make_server):
    api = API(make_server(config=notebooks.memory_for(3 * 1024)))
    errors = api.refused("POST", "notebooks", 400, json=notebooks.body(api, flavor="m2.c2m4"))
    assert "4.0 GiB of memory" in errors[0]["message"], errors


# MARK: - What dies


def test_jupyterlab_is_killed(shared: Notebook):
    shared.lab.write("before", "the crash")
    before = shared.jupyter()
    before.kill()
    message = shared.wait_told("it is being started again")
    assert message == "killed by signal 9 (Killed); it is being started again"
    eventually(lambda: shared.code() == "ACTIVE_HEALTHY" and shared.jupyter().pid != before.pid, "it is back")
    assert shared.read().get("statusReason") is None
    assert shared.lab.read("before") == "the crash"
    assert any(
        event["statusCode"] == "ACTIVE_UNHEALTHY" and event["message"] == message for event in shared.events()
    )


def test_its_agent_is_killed(shared: Notebook):
    shared.lab.write("before", "the agent")
    before = shared.agent()
    before.kill()
    shared.wait_told("agent")
    eventually(lambda: shared.code() == "ACTIVE_HEALTHY" and shared.agent().pid != before.pid, "it is back")
    assert shared.lab.read("before") == "the agent"
    assert shared.jupyter().is_running()


def test_the_server_is_killed(api: API, shared: Notebook):
    """JupyterLab goes on, and its kernels with it."""
    before, active = shared.jupyter(), shared.read()["activeDatetime"]
    told = len(shared.told())
    kernel = shared.lab.kernel()
    kernel.run("kept = 42")
    starting = notebooks.create(api)
    api.server.kill()
    api.server.start()
    assert shared.jupyter() == before
    seen = eventually(lambda: (now := shared.read())["notebookStatusCode"] == "ACTIVE_HEALTHY" and now, "still there")
    assert seen["activeDatetime"] == active and len(shared.told()) == told, shared.told()
    kernel.connect()
    with kernel:
        assert kernel.run("print(kept)") == "42\n"
    starting.wait()
    starting.delete()


def test_it_dies_while_the_server_is_away(api: API, shared: Notebook):
    """As when the machine was switched off: nobody tells the server, and it looks for itself."""
    shared.lab.write("before", "the night")
    before, agent = shared.jupyter(), shared.agent()
    api.server.kill()
    agent.kill()
    before.kill()
    eventually(lambda: not before.is_running() and not agent.is_running(), "both are gone")
    api.server.start()
    shared.wait_told("the agent of this node was killed")
    eventually(lambda: shared.code() == "ACTIVE_HEALTHY" and shared.jupyter().pid != before.pid, "it is back")
    assert shared.lab.read("before") == "the night"


# MARK: - What is full


def test_data_storage_that_is_full(shared: Notebook, neighbour: Notebook):
    lab = shared.lab
    with lab.kernel() as kernel:
        kernel.run(f"import os; f = open('{DATA}/big', 'wb'); os.posix_fallocate(f.fileno(), 0, 1100 << 20); f.close()")
        seen = shared.wait("ACTIVE_UNHEALTHY", timeout=40)
        assert "data storage is full" in seen["statusReason"] and "1024 MiB" in seen["statusReason"], seen
        use = {item["name"]: item for item in seen["storageUseList"]}
        assert use["data"]["limitMiB"] == 1024 and use["data"]["usedMiB"] >= 1100, use
        assert "OSError" in kernel.run(
            f"""
try:
    with open('{DATA}/more', 'wb') as file:
        file.write(b'x' * 100000)
    print('written')
except OSError as error:
    print('OSError', error)
"""
        )
        refused = lab.request("PUT", "api/contents/note", json={"type": "file", "format": "text", "content": "x" * 9000})
        assert refused.status_code >= 500, f"{refused.status_code} {refused.text}"
        assert kernel.run("print(1 + 1)") == "2\n"

        neighbour.lab.write("note", "not my storage")
        assert neighbour.code() == "ACTIVE_HEALTHY"

        lab.remove("big")
        assert shared.wait(timeout=40).get("statusReason") is None
        kernel.run(f"open('{DATA}/more', 'wb').write(b'x' * 100000)")
    lab.write("note", "x" * 9000)
    assert lab.read("note") == "x" * 9000
    told = shared.told()
    assert any("data storage is full" in message for message in told) and told[-1] == "healthy again", told
    assert not any("storage is full" in message for message in neighbour.told())


def test_a_kernel_that_takes_too_much_memory(shared: Notebook):
    before = shared.jupyter().pid
    with shared.lab.kernel() as kernel:
        kernel.run("here = True")
        kernel.send("hog = bytearray(3 << 30)")
        message = shared.wait_told("out of memory")
        assert message.startswith("the kernel 'Python 3 (base)' was killed") and "larger" in message, message
        eventually(lambda: f"kernel {kernel.id} restarted" in shared.log(), "the kernel is started again")
        kernel.socket.close()
        kernel.connect()
        assert kernel.run("print('here' in globals())") == "False\n"
    assert shared.code() == "ACTIVE_HEALTHY" and shared.jupyter().pid == before
    assert sum("killed" in message for message in shared.told()[shared.told().index(message) :]) == 1, shared.told()


def test_a_kernel_that_was_started_again_is_idle(shared: Notebook):
    """Else it would count as busy, and its notebook as used, for ever."""
    with shared.lab.kernel() as kernel:
        pid = int(kernel.run("import os; print(os.getpid())"))
        kernel.send("import time; time.sleep(1000)")
        lab = shared.lab

        def state() -> str:
            return lab.json("GET", f"api/kernels/{kernel.id}")["execution_state"]

        eventually(lambda: state() == "busy", "the kernel is busy")
        kernel.socket.close()
        with lab.kernel() as other:
            other.run(f"import os; os.kill({pid}, 9)")
        eventually(lambda: f"{kernel.id} (Python 3 (base)) was killed" in shared.log(), "the kernel has died")
        eventually(lambda: state() == "idle", lambda: f"idle: {state()}")


# MARK: - Idle stop


def test_idle_stop_is_announced_and_taken_back_by_use(api: API, shared: Notebook):
    def idle(**fields) -> dict:
        return api.call("PUT", f"{shared.path}/idle-stop", json=fields)["notebook"]

    errors = api.refused("PUT", f"{shared.path}/idle-stop", 400, json={"idleStopMinutes": 1})
    assert errors[0]["field"] == "idleStopMinutes" and "5 to 10080" in errors[0]["message"], errors
    assert idle(idleStopMinutes=5)["idleStopMinutes"] == 5
    # A mistake is not taken for "never".
    for body, field in [({"idleStopMinute": 30}, "idleStopMinute"), ({}, "idleStopMinutes")]:
        errors = api.refused("PUT", f"{shared.path}/idle-stop", 400, json=body)
        assert errors[0]["field"] == field, errors
        assert shared.read()["idleStopMinutes"] == 5
    seen = eventually(
        lambda: (now := shared.read()).get("idleStopDatetime") and now, lambda: f"an end: {shared.read()}", 30
    )
    assert seen.get("inUseReason") is None
    assert seen["idleStopDatetime"] > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()), seen
    with shared.lab.kernel() as kernel:
        kernel.run("1")
        seen = eventually(
            lambda: (now := shared.read()).get("inUseReason") and now, lambda: f"in use: {shared.read()}", 40
        )
        assert seen.get("idleStopDatetime") is None, seen
        assert seen["inUseReason"] in ("a browser is connected", "a kernel is busy"), seen
    never = idle(idleStopMinutes=None)
    assert never.get("idleStopMinutes") is None
    eventually(lambda: shared.read().get("inUseReason") is None, "forgotten")
    told = shared.told()
    assert "stops after 5 minutes without use" in told and "does not stop by itself any longer" in told, told
