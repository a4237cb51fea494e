"""Notebooks: how soon JupyterLab answers, beside itself started by hand and beside JupyterHub, and what the proxy adds to the
round trip of a cell."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import ssl
import statistics
import subprocess
import tempfile
import time
import urllib.request
import uuid

from load import settle
from servers import LOCKS, Takumi, free_port, image_python, peer, wait_http

IMAGE, LOCK, FLAVOR = "python-notebook", "python-notebook-3.11-r2.txt", "m2.c1m2"
HUB_TOKEN = "bench-0123456789"


class Notebooks:
    """The notebooks of a server."""

    def __init__(self, server):
        self.server = server
        ids = {image["alias"]: image["imageId"] for image in server.call("GET", "images")["imageList"]}
        flavors = {flavor["name"]: flavor["id"] for flavor in server.call("GET", "flavors")["flavorList"]}
        self.image, self.flavor = ids[IMAGE], flavors[FLAVOR]

    def start(self, name, limit=600):
        """Gives its id, once it is ACTIVE (HEALTHY)."""
        body = {"notebookName": name, "imageId": self.image, "flavorId": self.flavor, "dataStorageSize": 1, "bootStorageSize": 1}
        identifier = self.server.call("POST", "notebooks", body)["notebook"]["notebookId"]
        deadline = time.monotonic() + limit
        while True:
            seen = self.server.call("GET", f"notebooks/{identifier}")["notebook"]
            if seen["notebookStatusCode"] == "ACTIVE_HEALTHY":
                return identifier
            if "FAIL" in seen["notebookStatusCode"] or time.monotonic() > deadline:
                raise SystemExit(f"{name} is {seen['notebookStatusCode']}: {seen.get('statusReason')}")
            time.sleep(0.01)

    def delete(self, identifier):
        self.server.call("DELETE", f"notebooks/{identifier}")
        deadline = time.monotonic() + 60
        while self.server.call("GET", "notebooks")["notebookList"]:
            if time.monotonic() > deadline:
                raise SystemExit(f"notebook {identifier} does not go")
            time.sleep(0.02)


@contextlib.contextmanager
def platform(binary, home):
    server = Takumi(binary, home)
    try:
        yield server, Notebooks(server)
    finally:
        server.stop()


def end(process):
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(30)


def by_hand():
    """Seconds until `jupyter lab` in the image's environment answers."""
    with tempfile.TemporaryDirectory() as root:
        port = free_port()
        command = [image_python(LOCK), "-m", "jupyterlab", "--ip=127.0.0.1", f"--port={port}", "--no-browser", "--allow-root",
                   f"--ServerApp.root_dir={root}", "--IdentityProvider.token=t"]
        environment = os.environ | {"HOME": root}
        process = subprocess.Popen(
            [str(word) for word in command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        try:
            return wait_http(f"http://127.0.0.1:{port}/api/status?token=t")
        finally:
            end(process)


def pinned(package):
    for line in (LOCKS / LOCK).read_text().splitlines():
        if line.startswith(f"{package}=="):
            return line.split()[0]
    raise SystemExit(f"{package} is not in {LOCK}")


@contextlib.contextmanager
def hub(folder):
    """JupyterHub with its simple local spawner and its usual proxy, and JupyterLab of the same version for its users."""
    place = peer("jupyterhub", "jupyterhub", pinned("jupyterlab"), pinned("ipykernel"))
    port, inside, proxy = free_port(), free_port(), free_port()
    (folder / "hub.py").write_text(f"""
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {inside}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.Spawner.args = ["--allow-root"]
c.JupyterHub.services = [{{"name": "bench", "api_token": "{HUB_TOKEN}", "admin": True}}]
c.JupyterHub.load_roles = [{{"name": "bench", "scopes": ["admin:users", "admin:servers", "access:servers"], "services": ["bench"]}}]
""")
    environment = os.environ | {
        "PATH": f"{place}:{os.environ['PATH']}", "CONFIGPROXY_AUTH_TOKEN": HUB_TOKEN,
        # Where Debian's packages for Node.js lie, which another build of Node.js does not look for.
        "NODE_PATH": "/usr/share/nodejs"}
    with open(folder / "hub.log", "wb") as log:
        process = subprocess.Popen(
            [f"{place}/jupyterhub", "-f", "hub.py"], cwd=folder, env=environment, stdout=log, stderr=log,
            start_new_session=True)
    try:
        wait_http(f"http://127.0.0.1:{port}/hub/api/", 120)
        yield f"http://127.0.0.1:{port}"
    finally:
        end(process)


def ask(url, method="GET"):
    request = urllib.request.Request(url, method=method, headers={"Authorization": f"token {HUB_TOKEN}"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def by_hub(url, user):
    """Seconds from the request for a user's server until its JupyterLab answers through the hub's proxy."""
    ask(f"{url}/hub/api/users/{user}", "POST")
    begin = time.perf_counter()
    ask(f"{url}/hub/api/users/{user}/server", "POST")
    while time.perf_counter() - begin < 120:
        try:
            # Until it is there the hub's own page answers.
            json.loads(ask(f"{url}/user/{user}/api/status"))
            break
        except (OSError, ValueError):
            time.sleep(0.01)
    else:
        raise SystemExit("JupyterHub does not start a server")
    seconds = time.perf_counter() - begin
    ask(f"{url}/hub/api/users/{user}/server", "DELETE")
    time.sleep(1)
    return seconds


def notebook_start(binary, count=6):
    """From POST to ACTIVE (HEALTHY)."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        own, alone, hubs = [], [], []
        with platform(binary, home) as (_, notebooks), hub(pathlib.Path(folder)) as url:
            # Installs the environment where it is not there yet.
            notebooks.delete(notebooks.start("first"))
            settle("notebook_start")
            for number in range(count):
                begin = time.perf_counter()
                identifier = notebooks.start(f"n{number}")
                own.append(time.perf_counter() - begin)
                notebooks.delete(identifier)
                alone.append(by_hand())
                hubs.append(by_hub(url, f"user{number}"))
    for what, values in (("notebook", own), ("by hand", alone), ("JupyterHub", hubs)):
        print(f"  {what}, s: " + " ".join(f"{value:.2f}" for value in values), flush=True)
    # The first of each warms the page cache.
    mine, hand, other = (statistics.median(values[1:]) for values in (own, alone, hubs))
    yield ("POST notebook to ACTIVE (HEALTHY), s", mine, hand, "jupyter lab by hand, until it answers",
           ("≤ 1.3 × peer", mine <= 1.3 * hand))
    yield "  the same", mine, other, "JupyterHub with its simple local spawner"


class Kernel:
    """A kernel's WebSocket, and cells over it."""

    def __init__(self, base, token, kernel, context=None):
        import websocket

        self.session = uuid.uuid4().hex
        address = f"{base.replace('http', 'ws', 1)}api/kernels/{kernel}/channels?session_id={self.session}"
        self.socket = websocket.create_connection(
            address, header=[f"Authorization: {token}"], timeout=60, sslopt={"context": context} if context else None,
            # Else the client waits for acknowledgements that the kernel delays by 40 ms, on both ways alike.
            sockopt=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)])

    def run(self, code="1"):
        """Seconds until a cell's reply and its idle have come."""
        identifier = uuid.uuid4().hex
        message = {
            "channel": "shell", "parent_header": {}, "metadata": {}, "buffers": [],
            "header": {"msg_id": identifier, "msg_type": "execute_request", "session": self.session, "username": "",
                       "version": "5.3", "date": "2026-01-01T00:00:00Z"},
            "content": {"code": code, "silent": False, "store_history": False, "user_expressions": {},
                        "allow_stdin": False, "stop_on_error": True}}
        begin = time.perf_counter()
        self.socket.send(json.dumps(message))
        replied = idle = False
        while not (replied and idle):
            heard = json.loads(self.socket.recv())
            if heard["parent_header"].get("msg_id") != identifier:
                continue
            replied |= heard["msg_type"] == "execute_reply"
            idle |= heard["msg_type"] == "status" and heard["content"]["execution_state"] == "idle"
        return time.perf_counter() - begin


def post(base, token, path, context=None):
    request = urllib.request.Request(
        f"{base}{path}", data=b"{}", method="POST", headers={"Authorization": token, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, context=context) as answer:
        return json.load(answer)


def cell_round_trip(binary, count=400):
    """A cell of one constant over the WebSocket of its kernel: through TLS and the proxy, and at JupyterLab's own port."""
    with tempfile.TemporaryDirectory() as home, platform(binary, home) as (server, notebooks):
        identifier = notebooks.start("cells")
        context = ssl.create_default_context(cafile=f"{home}/ca.pem")
        seen = server.call("GET", f"notebooks/{identifier}")["notebook"]
        workload = pathlib.Path(home) / "workloads" / f"notebook-{identifier}-1"
        port = json.loads((workload / "grant.json").read_text())["ports"][0]["jupyter"]
        task = json.loads((workload / "workload.json").read_text())["tasks"][0]
        secret = "token " + task["environment"]["TAKUMI_NOTEBOOK_TOKEN"]
        direct = f"http://127.0.0.1:{port}/notebook/default/{identifier}/"
        kernel = post(direct, secret, "api/kernels")["id"]
        settle("cell_round_trip")
        through = Kernel(seen["notebookUrl"], f"Bearer {server.token}", kernel, context)
        bare = Kernel(direct, secret, kernel)
        for each in (through, bare):
            for _ in range(30):
                each.run()
        times = {through: [], bare: []}
        # By turns, in both orders: what the machine does meanwhile hits both.
        for number in range(count):
            for each in (through, bare) if number % 2 else (bare, through):
                times[each].append(each.run() * 1000)
    mine, other = statistics.median(times[through]), statistics.median(times[bare])
    yield "round trip of a cell, ms", mine, other, "JupyterLab without the proxy", ("≤ 1.1 × peer", mine <= 1.1 * other)


def notebooks(binary):
    yield from notebook_start(binary)
    yield from cell_round_trip(binary)
