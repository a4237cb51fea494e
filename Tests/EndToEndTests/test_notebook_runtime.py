"""What runs inside a notebook (Python/takumi_runtime/notebook): the user's scripts, JupyterLab, kernels, terminals."""

import base64
import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest
import requests
import serving_models
import websocket
from harness import eventually
from notebook_runtime import BASE_URL, IMAGE, TOKEN, Kernel, Notebook, Proxy, Terminal, variables

# What uv, which makes the environments of these tests, is found and told with.
UV = Path(sys.executable).parent / "uv"

LINES = "{ echo out; echo err >&2; echo more; }"
SCRIPTS = {
    # In the order of their names' bytes, which is not the one of any language.
    "10-first.sh": f"#!/bin/bash\n{LINES}",
    "9-second.sh": "#!/bin/sh\nexit 3",
    "91-killed.sh": "#!/bin/sh\nkill -KILL $$",
    "92-no-interpreter.sh": "#!/no/such/interpreter -x\n",
    "93-windows.sh": "#!/bin/sh\r\necho hello\r\n",
    "94-hangs.sh": "#!/bin/sh\nsleep 987 & echo $! > {data}/hanging\nwait",
    "95-stubborn.sh": "#!/bin/bash\ntrap '' TERM\necho $$ > {data}/stubborn; echo stubborn\n"
    "while true; do sleep 1; done",
    "96-background.sh": "#!/bin/bash\n"
    "(while [ ! -e {data}/say ]; do sleep 0.05; done; echo said later; sleep 987) & echo $! > {data}/left",
    "97-environment.py": "#!/usr/bin/env python3\nimport json, os, sys\n"
    "json.dump([dict(os.environ), os.getcwd(), sys.prefix], open('environment.json', 'w'))",
    "98-large.sh": "#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' x",
    "Capital": "#!/bin/sh\necho no line end | tr -d '\\n'",
    "a-small": "#!/bin/sh\n",
    "été": "#!/bin/sh\n",
}
EXIT_CODES = [0, 3, 137, 127, 127, 124, 124, 0, 0, 0, 0, 0, 0]
TIMEOUT = 1.5


@pytest.fixture(scope="module")
def place():
    # Not as deep as pytest's, which are too long for the paths of sockets.
    with tempfile.TemporaryDirectory(prefix="takumi-nb-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def authority(place) -> Path:
    path = place / "ca.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days"]
        + ["2", "-subj", "/CN=The Server's Authority", "-keyout", place / "ca.key", "-out", path],
        check=True,
        capture_output=True,
    )
    return path


@pytest.fixture(scope="module")
def api():
    """Answers for Takumi's API, and remembers what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["X-EasyMaker-Token"]))
            body = json.dumps({"header": {"isSuccessful": True}, "flavorList": [{"name": "m2.c4m8"}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


def executable(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    path.chmod(0o755)


@pytest.fixture(scope="module")
def notebook(place, authority, api):
    """The start that most tests look at, with all the scripts, watched from its first moment."""
    data = place / "data"
    folder = data / "cont-init.d"
    folder.mkdir(parents=True)
    for name, text in SCRIPTS.items():
        executable(folder / name, text.replace("{data}", str(data)))
    # What is none: each of them would leave a mark.
    mark = f"#!/bin/sh\ntouch {data}/mark-"
    (folder / "20-not-executable.sh").write_text(f"{mark}1")
    executable(folder / "21-no-first-line.sh", f"\n{mark}2")
    (folder / "22-folder").mkdir()
    executable(folder / "22-folder" / "inside.sh", f"{mark}3")
    (folder / "23-dangling").symlink_to(place / "nowhere")
    executable(folder / "10-first.sh.output", f"{mark}4")
    executable(folder / "9-second.sh.exitcode", f"{mark}5")
    # A link to a file counts as one.
    executable(place / "linked.sh", f"#!/bin/sh\necho {TIMEOUT} through a link")
    (folder / "99-link.sh").symlink_to(place / "linked.sh")
    # Of a start before this one.
    (folder / "96-background.sh.exitcode").write_text("77\n")
    (data / "cont-init.output").write_text("old\n")

    started = Notebook(
        place / "boot", data, "--authority", authority, "--init-timeout", TIMEOUT, EM_API_URL=api[0], name="nb-0a1b2c"
    )
    started.phases = []
    try:
        while not started.phases or started.phases[-1][0] != "serving":
            assert started.process.poll() is None, started.log
            status = started.status
            phase = (status["phase"], status.get("script"))
            if phase[0] is not None and phase not in started.phases:
                started.phases.append(phase)
                started.answered_early = phase[0] != "serving" and connects(started.port)
            time.sleep(0.005)
        yield started.wait()
    finally:
        if started.process.poll() is None:
            started.close()
        for name in ("left", "hanging", "stubborn"):
            for process in processes(data / name):
                process.kill()


def connects(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}{BASE_URL}api", timeout=0.2).ok
    except requests.RequestException:
        return False


def processes(file: Path) -> list[psutil.Process]:
    """The one whose number stands in a file, where it still runs, and its children."""
    try:
        process = psutil.Process(int(file.read_text()))
        return [process, *process.children()] if process.status() != psutil.STATUS_ZOMBIE else []
    except (psutil.NoSuchProcess, FileNotFoundError, ValueError):
        return []


@pytest.fixture(scope="module")
def proxy(notebook):
    proxy = Proxy(notebook.port)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def kernel(proxy):
    """One of the base environment's that tests share. Whoever breaks theirs makes one of their own."""
    with Kernel(proxy) as kernel:
        yield kernel


@pytest.fixture
def start(tmp_path):
    """Starts further notebooks, which end with the test."""
    started = []

    def start(*words, data: Path | None = None, boot: str = "boot", **more) -> Notebook:
        started.append(Notebook(tmp_path / boot, data or tmp_path / "data", *words, **more))
        return started[-1]

    yield start
    for notebook in started:
        if notebook.process.poll() is None:
            notebook.close()


# MARK: Scripts


def in_order() -> list[str]:
    names = [*SCRIPTS, "99-link.sh"]
    return sorted(names, key=os.fsencode)


def beside(notebook, name: str, what: str) -> str:
    return (notebook.data / "cont-init.d" / f"{name}.{what}").read_text()


def test_scripts_run_in_order(notebook):
    """Of the bytes of their names; each is named while it runs; JupyterLab answers only after the last."""
    scripts = [("scripts", name) for name in in_order()]
    seen = [phase for phase in notebook.phases if phase[0] == "scripts"]
    # A short one may come and go between two looks.
    assert seen == [phase for phase in scripts if phase in seen]
    assert ("scripts", "94-hangs.sh") in seen and ("scripts", "95-stubborn.sh") in seen
    assert notebook.phases[-1] == ("serving", None)
    assert not notebook.answered_early
    assert [entry["name"] for entry in notebook.status["scripts"]] == in_order()
    assert in_order()[:2] == ["10-first.sh", "9-second.sh"] and in_order()[-3:] == ["Capital", "a-small", "été"]


def test_exit_codes(notebook):
    """As shells give them, and a failure keeps nothing from running."""
    expected = dict(zip(SCRIPTS, EXIT_CODES, strict=True)) | {"99-link.sh": 0}
    codes = {name: beside(notebook, name, "exitcode") for name in expected}
    assert codes == {name: f"{code}\n" for name, code in expected.items()}
    assert {entry["name"]: entry["exitCode"] for entry in notebook.status["scripts"]} == expected


def test_outputs(notebook):
    assert beside(notebook, "10-first.sh", "output") == "out\nerr\nmore\n"
    assert beside(notebook, "9-second.sh", "output") == ""
    assert beside(notebook, "99-link.sh", "output") == f"{TIMEOUT} through a link\n"
    assert beside(notebook, "98-large.sh", "output") == "x" * 3_000_000
    assert beside(notebook, "92-no-interpreter.sh", "output") == (
        "takumi: its interpreter /no/such/interpreter is not there\n"
    )
    assert "carriage return" in beside(notebook, "93-windows.sh", "output")


def test_log_of_all_scripts(notebook):
    log = (notebook.data / "cont-init.output").read_text()
    assert not log.startswith("old")
    at = 0
    for name in in_order():
        started = log.index(f"Z] {name}: started\n", at)
        at = log.index(f"Z] {name}: exit code {beside(notebook, name, 'exitcode').strip()} after ", started)
        # Of the one that leaves a process running, what there was at its end.
        if name != "96-background.sh":
            assert beside(notebook, name, "output") in log[started:at]
    assert "\nout\nerr\nmore\n[20" in log
    assert "\nno line end\n[20" in log
    assert log.count(": started") == len(in_order())


def test_what_is_no_script_is_not_run(notebook):
    assert list(notebook.data.glob("mark-*")) == []
    for name in ("20-not-executable.sh", "21-no-first-line.sh", "22-folder", "23-dangling", "10-first.sh.output"):
        assert not list((notebook.data / "cont-init.d").glob(f"{name}.exitcode")), name
    for path in (notebook.data / "cont-init.d").glob("*.*"):
        if path.suffix in (".output", ".exitcode"):
            assert path.stat().st_mode & 0o777 == 0o644


def test_scripts_that_hang_are_ended(notebook):
    """With all of their processes: asked first, and five seconds later not asked any more."""
    seconds = {entry["name"]: entry["seconds"] for entry in notebook.status["scripts"]}
    assert TIMEOUT <= seconds["94-hangs.sh"] < TIMEOUT + 4
    assert TIMEOUT + 5 <= seconds["95-stubborn.sh"] < TIMEOUT + 9
    assert processes(notebook.data / "hanging") == processes(notebook.data / "stubborn") == []
    line = f"takumi: ended because it took longer than {TIMEOUT} s\n"
    assert beside(notebook, "94-hangs.sh", "output") == line
    assert beside(notebook, "95-stubborn.sh", "output") == f"stubborn\n{line}"
    assert (notebook.data / "cont-init.output").read_text().count(line) == 2


def test_what_a_script_leaves_running_stays(notebook):
    assert {entry["name"]: entry["seconds"] for entry in notebook.status["scripts"]}["96-background.sh"] < TIMEOUT
    assert len(processes(notebook.data / "left")) >= 1
    assert beside(notebook, "96-background.sh", "output") == ""
    (notebook.data / "say").touch()
    eventually(lambda: beside(notebook, "96-background.sh", "output") == "said later\n", "it does not write on")


def test_environment_of_scripts(notebook, kernel):
    """As terminals and kernels have it."""
    script, folder, prefix = json.loads((notebook.data / "environment.json").read_text())
    assert folder == str(notebook.data)
    assert prefix == script["VIRTUAL_ENV"] == str(notebook.boot / ".base")
    names = ("PATH", "VIRTUAL_ENV", "HOME", "SSL_CERT_FILE", "OMP_NUM_THREADS")
    names += tuple(name for name in notebook.variables if name.startswith("EM_"))
    terminal = Terminal(Proxy(notebook.port))
    for name in names:
        assert kernel.run(f"import os; print(os.environ[{name!r}], end='')") == script[name], name
        assert terminal.run(f"echo ${name}") == script[name], name
        if name.startswith("EM_") or name == "HOME":
            assert script[name] == notebook.variables[name]


def test_sigterm_while_a_script_runs(start):
    """Ends the script, and its processes too."""
    data = start().wait().data
    executable(data / "cont-init.d" / "1.sh", f"#!/bin/sh\nsleep 987 & echo $! > {data}/child; wait")
    again = start(boot="again")
    eventually(lambda: processes(data / "child"), "the script does not run")
    assert again.status["script"] == "1.sh"
    assert again.close(within=10) == 0
    eventually(lambda: processes(data / "child") == [], "the script's process has not ended")


def test_results_that_cannot_be_written(start, tmp_path):
    """The script runs, and the notebook starts."""
    folder = tmp_path / "data" / "cont-init.d"
    (folder / "1.sh.output").mkdir(parents=True)
    (folder / "1.sh.exitcode").mkdir()
    (tmp_path / "data" / "cont-init.output").mkdir()
    executable(folder / "1.sh", "#!/bin/sh\necho hello; touch ran; exit 4")
    notebook = start().wait()
    assert (tmp_path / "data" / "ran").exists()
    assert [entry["exitCode"] for entry in notebook.status["scripts"]] == [4]
    assert f"{tmp_path}/data/cont-init.output cannot be written: Is a directory" in notebook.log


# MARK: The server


def test_empty_data_storage(start):
    notebook = start().wait()
    assert sorted(path.name for path in notebook.data.iterdir()) == [
        "cont-init.d",
        "cont-init.output",
        "custom-conda-envs",
    ]
    assert (notebook.data / "cont-init.output").read_text() == ""
    status = eventually(lambda: notebook.status["phase"] == "serving" and notebook.status, "it never serves")
    assert status["script"] is None and status["scripts"] == [] and status["kernelDeaths"] == []
    assert abs(time.time() - status["since"]) < 10


def test_pages(proxy):
    page = proxy.request("GET", "lab")
    assert page.ok and "jupyter-config-data" in page.text
    settings = json.loads(page.text.split('type="application/json">', 1)[1].split("</script>", 1)[0])
    assert settings["baseUrl"] == BASE_URL
    assert settings["news"] == {"disabled": True}
    assert settings["extensionManager"]["can_install"] is False
    assert settings["quitButton"] is False and settings["delete_to_trash"] is False
    # The static files of the page, wherever they are said to be.
    script = page.text.split('src="', 1)[1].split('"', 1)[0]
    assert proxy.request("GET", script.removeprefix(BASE_URL)).ok
    assert "Set-Cookie" not in page.headers
    # The prebuilt extension of ipywidgets.
    assert "@jupyter-widgets/jupyterlab-manager" in page.text
    assert proxy.request("GET", "lab/api/settings").ok


def test_only_what_is_wrong_is_an_error(start):
    notebook = start().wait()
    assert notebook.direct("POST", "api/kernels", token=TOKEN, json={}).ok
    assert notebook.direct("GET", "api/contents/nowhere", token=TOKEN).status_code == 404
    eventually(lambda: "nowhere" in notebook.errors, lambda: notebook.log, 10)
    assert "[I" in notebook.news and "JupyterLab answers at" in notebook.news, notebook.news
    assert "Kernel started" in notebook.news, notebook.log
    assert "[I" not in notebook.errors and "[W" not in notebook.news, notebook.log
    assert "[D" not in notebook.log, "what only its authors want to know"


def test_one_user(proxy):
    """Without cookies, each request would be another user's."""
    assert [proxy.json("GET", "api/me")["identity"]["username"] for _ in range(2)] == ["notebook", "notebook"]


def test_others_are_refused(notebook, kernel):
    for method, path in [
        ("GET", "api/contents"),
        ("GET", "api/status"),
        ("POST", "api/kernels"),
        ("POST", "api/terminals"),
        ("GET", "lab/api/settings"),
        ("GET", f"api/contents?token={TOKEN}x"),
    ]:
        for token in (None, "wrong"):
            answer = notebook.direct(method, path, token, allow_redirects=False)
            assert answer.status_code in (302, 403), f"{method} {path}: {answer.status_code}"
            assert answer.status_code == 403 or "/login" in answer.headers["Location"]
    terminal = Proxy(notebook.port).json("POST", "api/terminals")["name"]
    for path in (f"api/kernels/{kernel.id}/channels", f"terminals/websocket/{terminal}", "lsp/ws/pylsp"):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            websocket.create_connection(f"ws://127.0.0.1:{notebook.port}{BASE_URL}{path}", timeout=10)
        assert refused.value.status_code == 403


def test_kernels_listen_to_nobody_else(notebook, kernel):
    """Ports are everybody's on this machine; what a cell prints goes to whoever connects to one."""
    process = psutil.Process(int(kernel.run("import os; print(os.getpid())")))
    # Its debugger asks for a token of its own.
    ports = [connection.laddr.port for connection in process.net_connections("inet") if connection.status == "LISTEN"]
    channels = json.loads((notebook.boot / ".takumi" / "run" / f"kernel-{kernel.id}.json").read_text())
    assert channels["transport"] == "ipc"
    assert (notebook.boot / ".takumi" / "run").stat().st_mode & 0o077 == 0
    assert not set(ports) & {value for key, value in channels.items() if key.endswith("_port")}


def test_contents(proxy, notebook):
    """Create, rename, delete: also a folder that is not empty, since there is no trash."""
    made = proxy.json("POST", "api/contents", {"type": "directory"})["path"]
    inside = proxy.json("POST", f"api/contents/{made}", {"type": "notebook"})["path"]
    moved = proxy.json("PATCH", f"api/contents/{inside}", {"path": f"{made}/renamed.ipynb"})["path"]
    assert (notebook.data / moved).is_file()
    assert proxy.request("DELETE", f"api/contents/{made}").status_code == 204
    assert not (notebook.data / made).exists()


def test_upload(proxy, notebook):
    """As JupyterLab uploads what is not small: in pieces."""
    content = random.Random(1).randbytes(50_000_000)
    size = 1 << 20
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    for number, piece in enumerate(pieces, 1):
        body = {"type": "file", "format": "base64", "name": "large.bin", "path": "large.bin"}
        body |= {"content": base64.b64encode(piece).decode(), "chunk": -1 if number == len(pieces) else number}
        proxy.json("PUT", "api/contents/large.bin", body)
    assert hashlib.sha256((notebook.data / "large.bin").read_bytes()).digest() == hashlib.sha256(content).digest()
    answer = proxy.request("GET", "files/large.bin")
    assert answer.content == content


def test_largest_request(notebook):
    """2 GiB in one piece, where Jupyter by itself refuses more than 512 MiB."""

    def answer(size: int) -> bytes:
        with socket.create_connection(("127.0.0.1", notebook.port), timeout=1) as connection:
            head = f"PUT {BASE_URL}api/contents/x HTTP/1.1\r\nHost: x\r\nAuthorization: token {TOKEN}\r\n"
            connection.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode())
            try:
                return connection.recv(1000)
            except TimeoutError:
                return b"waits"

    assert answer((2 << 30) - 1) == b"waits"
    assert answer((2 << 30) + 1) != b"waits"


def test_terminal(proxy, notebook):
    terminal = Terminal(proxy)
    user, sign = ("root", "#") if os.geteuid() == 0 else (os.environ["USER"], "$")
    assert terminal.run("cd; pwd") == str(notebook.boot)
    assert terminal.prompt == f"(base) {user}@nb-0a1b2c:~{sign} "
    base = notebook.boot / ".base"
    image = serving_models.environment(IMAGE)
    assert terminal.run("type -P python pip jupyter tensorboard").split() == [
        f"{base}/bin/{name}" for name in ("python", "pip", "jupyter", "tensorboard")
    ]
    assert terminal.run("type -P uv") == f"{image}/bin/uv"
    (notebook.data / "データ").mkdir()
    assert "データ" in terminal.run(f"ls {notebook.data}")
    # Also in a login shell, for which /etc/profile sets a PATH.
    assert terminal.run("bash -l -c 'type -P pip'") == f"{base}/bin/pip"
    assert terminal.run("python -c 'import sys, pandas; print(sys.prefix)'") == str(base)
    # What Jupyter's commands need is in the image.
    terminal.run("echo '# Title' > page.md; jupyter nbconvert --version > version 2>&1; cat version")
    notebook_file = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (notebook.data / "page.ipynb").write_text(json.dumps(notebook_file))
    assert "Writing" in terminal.run(f"jupyter nbconvert --to html {notebook.data}/page.ipynb 2>&1 | tail -1")


# MARK: Kernels


def test_base_kernel(kernel, notebook):
    assert kernel.run("1 + 1") == "2"
    assert kernel.run("import sys; print(sys.prefix, sys.executable)").split() == [
        str(notebook.boot / ".base"),
        str(notebook.boot / ".base" / "bin" / "python"),
    ]
    assert kernel.run("import matplotlib; matplotlib.get_backend()") in (
        "'inline'",
        "'module://matplotlib_inline.backend_inline'",
    )
    assert "<Figure size" in kernel.run("import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()")
    assert "IntSlider" in kernel.run("import ipywidgets; ipywidgets.IntSlider()")
    assert kernel.run("import threadpoolctl, numpy; threadpoolctl.threadpool_info()[0]['num_threads']") == "2"


def test_large_message_to_a_kernel(kernel):
    """As widgets upload files, and beyond what Tornado takes by default (10 MiB)."""
    assert kernel.run(f"len('{'x' * 30_000_000}')") == "30000000"


def test_answers_do_not_wait_for_one_another(kernel):
    """A cell has five: with Nagle's algorithm, as Tornado has it, the others wait 40 ms for the first one's acknowledgement."""
    kernel.run("1")
    times = []
    for _ in range(21):
        begin = time.monotonic()
        kernel.run("1")
        times.append(time.monotonic() - begin)
    assert sorted(times)[10] < 0.03, sorted(times)


def test_sdk_in_a_kernel(kernel, api):
    _, asked = api
    printed = kernel.run(
        "import easymaker\nprint(easymaker.__version__, easymaker.easymaker_config.api_sender.get_instance_type_list())"
    )
    assert printed == "2.1.5 [{'name': 'm2.c4m8'}]\n"
    assert ("/v1.0/appkeys/default/flavors", "token-of-the-notebook") in asked


def kernel_specs(proxy: Proxy) -> dict[str, str]:
    found = proxy.json("GET", "api/kernelspecs")
    assert found["default"] == "python3"
    return {name: entry["spec"]["display_name"] for name, entry in found["kernelspecs"].items()}


def make_environment(folder: Path, *packages: str) -> Path:
    image = serving_models.environment(IMAGE)
    subprocess.run([UV, "venv", "--quiet", "--python", image / "bin" / "python", folder], check=True)
    if packages:
        python = folder / "bin" / "python"
        subprocess.run([UV, "pip", "install", "--quiet", "--python", python, *packages], check=True)
    return folder


def test_environments_are_kernels(proxy, notebook):
    """As soon as they are there, with ipykernel or without."""
    environments = notebook.data / "custom-conda-envs"
    assert kernel_specs(proxy) == {"python3": "Python 3 (base)"}
    folder = make_environment(environments / "my_env", "ipykernel")
    assert kernel_specs(proxy) == {"python3": "Python 3 (base)", "env-my_env": "my_env"}
    with Kernel(proxy, "env-my_env") as kernel:
        assert kernel.run("import sys; print(sys.prefix)").strip() == str(folder)
        printed = kernel.run(
            "import os\nfor name in ('VIRTUAL_ENV', 'CONDA_PREFIX', 'CONDA_DEFAULT_ENV', 'EM_TOKEN'):"
            "\n    print(os.environ[name])\nprint(os.environ['PATH'].split(':')[0])"
        )
        assert printed.split() == [str(folder), str(folder), "my_env", "token-of-the-notebook", f"{folder}/bin"]
        # There is no pip in it; what is called so still installs into it.
        kernel.run("!pip install --quiet iniconfig==2.0.0")
        assert kernel.run("import iniconfig; print(iniconfig.__file__)").startswith(str(folder))
    shutil.rmtree(folder)
    assert "env-my_env" not in kernel_specs(proxy)


def test_environment_without_ipykernel(proxy, notebook):
    """It is installed at the first start, and there at the next."""
    folder = make_environment(notebook.data / "custom-conda-envs" / "Bare $HOME ünï")
    (name,) = (name for name, shown in kernel_specs(proxy).items() if shown == "Bare $HOME ünï")
    assert name.startswith("env-bare-home-n") and name.isascii() and " " not in name
    with Kernel(proxy, name) as kernel:
        assert kernel.run("import sys; print(sys.prefix)").strip() == str(folder)
        assert kernel.run("import os; print(os.environ['VIRTUAL_ENV'])").strip() == str(folder)
        assert Path(kernel.run("%pip --version").split(" from ")[1]).is_relative_to(folder)
    again = proxy.json("GET", f"api/kernelspecs/{name}")
    assert again["spec"]["argv"][1:3] == ["-m", "ipykernel_launcher"]
    shutil.rmtree(folder)


def test_environment_that_ipykernel_cannot_be_installed_into(start):
    """Says in one line what to run."""
    notebook = start(UV_OFFLINE="1", UV_NO_CACHE="1", PIP_NO_INDEX="1").wait()
    folder = make_environment(notebook.data / "custom-conda-envs" / "bare")
    proxy = Proxy(notebook.port)
    proxy.request("POST", "api/kernels", json={"name": "env-bare"})

    def said():
        return [line for line in notebook.log.splitlines() if "ipykernel could not be installed" in line]

    (line, *_) = eventually(said, lambda: notebook.log, 30)
    assert line.startswith(f"The kernel of {folder} cannot start: ")
    assert line.endswith(f"Run: uv pip install --python {folder}/bin/python ipykernel")
    assert kernel_specs(proxy)["env-bare"] == "bare"


def test_odd_environments(proxy, notebook):
    """Broken ones are not offered, and no folder's name does harm."""
    environments = notebook.data / "custom-conda-envs"
    real = serving_models.environment(IMAGE) / "bin" / "python"

    def make(name: str | bytes, target: Path | str = real):
        folder = os.path.join(os.fsencode(environments), os.fsencode(name), b"bin")
        os.makedirs(folder)
        os.symlink(target, os.path.join(folder, b"python"))

    make("dangling", "/no/such/python")
    make("no-program", "/etc/passwd")
    (environments / "empty").mkdir()
    (environments / "file").touch()
    make("{connection_file}")
    offered = ["python3", "Python3", "a..b", "...", "--help", "-0123abcd", "x-0123abcd", "\n", "<b>", "ü", "a b", "a-b"]
    for name in [*offered, b"\xff"]:
        make(name)
    try:
        specs = kernel_specs(proxy)
        shown = [name.replace("\n", "\ufffd") for name in offered] + ["\ufffd"]
        assert sorted(specs.values()) == sorted(["Python 3 (base)", *shown])
        for name in specs:
            assert all(character.isascii() and (character.isalnum() or character in "-_.") for character in name)
            assert ".." not in name and name == name.lower()
        assert specs["python3"] == "Python 3 (base)" and specs["env-python3"] == "python3"
        assert specs == kernel_specs(proxy), "the names stay"
    finally:
        shutil.rmtree(os.fsencode(environments))
        environments.mkdir()
    for name in ("../../etc", "env-..", "no-such"):
        assert proxy.request("POST", "api/kernels", json={"name": name}).status_code in (400, 404, 500)
        assert proxy.request("GET", f"api/kernelspecs/{name}").status_code == 404


def test_packages_in_the_base_environment(start):
    """They hide the image's, from kernels, terminals and uv alike, and are gone at the next start."""
    notebook = start().wait()
    proxy = Proxy(notebook.port)
    image = serving_models.environment(IMAGE)
    before = sorted(path.name for path in (image / "lib" / "python3.11" / "site-packages").iterdir())
    base = notebook.boot / ".base" / "lib" / "python3.11" / "site-packages"
    with Kernel(proxy) as kernel:
        newer = kernel.run("import packaging; print(packaging.__version__)").strip()
        assert newer != "24.0"
        kernel.run("%pip install --quiet packaging==24.0 iniconfig==2.0.0")
        # Also a package whose program the image has.
        kernel.run("!uv pip install --quiet tqdm==4.66.1 sniffio==1.3.0")
    with Kernel(proxy) as kernel:
        code = "import {0}; print({0}.__file__)"
        for name in ("packaging", "iniconfig", "tqdm", "sniffio"):
            assert kernel.run(code.format(name)).startswith(str(base)), name
        assert kernel.run("print(packaging.__version__, tqdm.__version__)").split() == ["24.0", "4.66.1"]
        assert kernel.run(code.format("numpy")).startswith(str(image))
    terminal = Terminal(proxy)
    assert terminal.run("tqdm --version") == "4.66.1"
    assert terminal.run("python -c 'import iniconfig, packaging; print(packaging.__version__)'") == "24.0"
    terminal.run("pip uninstall --quiet --yes packaging")
    assert terminal.run("pip list | grep ^packaging").split() == ["packaging", newer]
    assert sorted(path.name for path in (image / "lib" / "python3.11" / "site-packages").iterdir()) == before
    assert notebook.close() == 0

    with Kernel(Proxy(start(boot="again").wait().port)) as kernel:
        assert kernel.run("import importlib.util as u; print(u.find_spec('iniconfig'))").strip() == "None"
        assert kernel.run("import packaging; print(packaging.__version__)").strip() == newer


def test_extension_that_a_script_installs(start, tmp_path):
    """JupyterLab finds it; and no package of a script's keeps JupyterLab from starting."""
    folder = tmp_path / "data" / "cont-init.d"
    folder.mkdir(parents=True)
    executable(
        folder / "1.py",
        """#!/usr/bin/env python
import json, pathlib, sys
packages = next(path for path in sys.path if path.startswith(sys.prefix) and path.endswith("site-packages"))
pathlib.Path(packages, "tornado").mkdir()
pathlib.Path(packages, "tornado", "__init__.py").write_text("raise SystemExit('a broken tornado')")
pathlib.Path(packages, "my_extension.py").write_text('''
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

class Hello(APIHandler):
    @web.authenticated
    def get(self):
        self.finish("hello")

class Open(APIHandler):
    def get(self):
        self.finish("open")

def _jupyter_server_extension_points():
    return [{"module": "my_extension"}]

def _load_jupyter_server_extension(app):
    app.web_app.add_handlers(".*", [(url_path_join(app.base_url, "hello"), Hello)])
    app.web_app.add_handlers(".*", [(url_path_join(app.base_url, "open"), Open)])
''')
folder = pathlib.Path(sys.prefix, "etc", "jupyter", "jupyter_server_config.d")
folder.mkdir(parents=True)
(folder / "mine.json").write_text(json.dumps({"ServerApp": {"jpserver_extensions": {"my_extension": True}}}))
""",
    )
    notebook = start().wait()
    assert beside(notebook, "1.py", "exitcode") == "0\n"
    proxy = Proxy(notebook.port)
    assert [proxy.request("GET", path).text for path in ("hello", "open")] == ["hello", "open"]
    # Not even where an extension forgets to ask who it is.
    assert notebook.direct("GET", "open").status_code == 403


def test_settings_of_the_users_do_not_open_it(start, tmp_path):
    """What a script writes into Jupyter's settings counts, but not against what the server needs."""
    folder = tmp_path / "data" / "cont-init.d"
    folder.mkdir(parents=True)
    settings = (
        "c.IdentityProvider.token = ''; c.ServerApp.port = 1; c.ServerApp.base_url = '/'; c.ServerApp.ip = '0.0.0.0'; "
        "c.ServerApp.allow_unauthenticated_access = True; c.ContentsManager.untitled_directory = 'Neu'"
    )
    executable(
        folder / "1.sh",
        f'#!/bin/sh\nmkdir "$HOME/.jupyter"; echo "{settings}" > "$HOME/.jupyter/jupyter_server_config.py"',
    )
    notebook = start().wait()
    assert notebook.direct("GET", "api/contents").status_code == 403
    assert Proxy(notebook.port).json("POST", "api/contents", {"type": "directory"})["path"] == "Neu"


def test_killed_kernel(notebook, proxy):
    """It is started again, and the server can say so."""
    with Kernel(proxy) as kernel:
        before = len(notebook.status["kernelDeaths"])
        kernel.run("x = 1")
        process = int(kernel.run("import os; print(os.getpid())"))
        os.kill(process, signal.SIGKILL)
        death = eventually(lambda: notebook.status["kernelDeaths"][before:], "the death is not written down", 10)[0]
        assert death["kernel"] == kernel.id and death["signal"] == signal.SIGKILL
        assert death["name"] == "Python 3 (base)" and abs(death["time"] - time.time()) < 10
        kernel.socket.close()
        kernel.connect()
        assert kernel.run("'x' in globals()") == "False"
        assert int(kernel.run("import os; print(os.getpid())")) != process
        # Stopped and restarted by its user, it has not died.
        proxy.json("POST", f"api/kernels/{kernel.id}/restart")
        kernel.socket.close()
        kernel.connect()
        assert kernel.run("1 + 1") == "2"
    time.sleep(2.5)
    assert len(notebook.status["kernelDeaths"]) == before + 1


# MARK: Secrets


def test_token_stays_with_jupyterlab(notebook, proxy, kernel):
    """It is in nobody's variables, files or pages."""
    child = kernel.run("import os; print({**os.environ})")
    assert "TAKUMI_" not in child and TOKEN not in child
    script, _, _ = json.loads((notebook.data / "environment.json").read_text())
    assert not any(name.startswith("TAKUMI_") for name in script)
    Terminal(proxy)
    process = psutil.Process(notebook.process.pid)
    # Nor where the kernel shows the variables of JupyterLab itself to what runs beside it.
    for one in [process, *process.children(recursive=True)]:
        assert TOKEN not in Path(f"/proc/{one.pid}/environ").read_bytes().decode(errors="replace"), one.cmdline()
        assert TOKEN not in " ".join(one.cmdline())
    assert variables(notebook.process.pid)["EM_TOKEN"] == "token-of-the-notebook"
    found = subprocess.run(["grep", "-rlF", TOKEN, notebook.boot, notebook.data], capture_output=True, text=True)
    assert found.stdout == ""
    assert TOKEN not in proxy.request("GET", "lab").text
    assert TOKEN not in notebook.log


def test_no_token(tmp_path):
    notebook = Notebook(tmp_path / "boot", tmp_path / "data", TAKUMI_NOTEBOOK_TOKEN="")
    assert notebook.process.wait(10) == 1
    assert "TAKUMI_NOTEBOOK_TOKEN is not set" in notebook.log


def test_authorities(notebook, kernel, authority):
    bundle = Path(kernel.run("import os; print(os.environ['REQUESTS_CA_BUNDLE'])").strip())
    assert bundle.is_relative_to(notebook.boot)
    assert kernel.run("print(os.environ['SSL_CERT_FILE'])").strip() == str(bundle)
    subjects = kernel.run(
        "import ssl\nprint([entry['subject'] for entry in ssl.create_default_context().get_ca_certs()])"
    )
    assert "The Server's Authority" in subjects
    assert subjects.count("commonName") > 50


# MARK: The end


def test_sigterm(start):
    """Ends kernels that compute, and terminals, within seconds, and asks nobody."""
    notebook = start().wait()
    proxy = Proxy(notebook.port)
    busy, deaf = Kernel(proxy), Kernel(proxy)
    busy.run("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)")
    busy.send("while True: pass")
    os.kill(int(deaf.run("import os; print(os.getpid())")), signal.SIGSTOP)
    Terminal(proxy).run("echo")
    children = psutil.Process(notebook.process.pid).children(recursive=True)
    assert len(children) >= 3
    # The boot storage's path is too long for sockets here: they are elsewhere, and gone in the end.
    sockets = Path(variables(int(children[0].pid))["JUPYTER_RUNTIME_DIR"])
    assert list(sockets.glob("kernel-*.json")) and sockets.stat().st_mode & 0o077 == 0
    started = time.monotonic()
    assert notebook.close(within=10) == 0
    assert time.monotonic() - started < 6
    _, alive = psutil.wait_procs(children, 2)
    assert alive == []
    assert not sockets.exists()


@pytest.mark.parametrize("body", ["raise RuntimeError('a mistake')", "await asyncio.sleep(987)"])
def test_sigterm_despite_mistakes(start, tmp_path, body):
    """Jupyter by itself runs for ever where a part of it fails to end, such as a kernel that goes meanwhile."""
    folder = tmp_path / "data" / "cont-init.d"
    folder.mkdir(parents=True)
    settings = "import asyncio\nfrom jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager\n"
    settings += f"async def fail(*_, **__): {body}\nAsyncMappingKernelManager.shutdown_all = fail\n"
    (tmp_path / "settings.py").write_text(settings)
    file = "$HOME/.jupyter/jupyter_server_config.py"
    executable(folder / "1.sh", f'#!/bin/sh\nmkdir "$HOME/.jupyter"; cp {tmp_path}/settings.py "{file}"')
    notebook = start().wait()
    kernel = Kernel(Proxy(notebook.port))
    process = int(kernel.run("import os; print(os.getpid())"))
    os.kill(process, signal.SIGSTOP)
    assert notebook.close(within=12) == 0
    eventually(lambda: not psutil.pid_exists(process), "the kernel has not ended")


def test_start_is_no_slower_than_jupyterlab_alone(start, tmp_path):
    """The best of three each, in turns."""
    image = serving_models.environment(IMAGE)
    ours, alone = [], []
    for turn in range(3):
        notebook = start(boot=f"boot-{turn}").wait()
        ours.append(time.monotonic() - notebook.started)
        notebook.close()
        alone.append(bare_start(image, tmp_path))
    assert min(ours) < min(alone) + 0.3, (ours, alone)


def bare_start(image: Path, folder: Path) -> float:
    from notebook_runtime import free_port

    port = free_port()
    command = [image / "bin" / "jupyter-lab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    try:
        while True:
            try:
                if requests.get(f"http://127.0.0.1:{port}/api/status", timeout=5).ok:
                    return time.monotonic() - started
            except requests.ConnectionError:
                time.sleep(0.01)
    finally:
        process.terminate()
        process.wait()
