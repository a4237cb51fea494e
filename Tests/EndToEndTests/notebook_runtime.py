"""A notebook's program (Python/takumi_runtime/notebook) without its server: started here, reached through a proxy."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import uuid
from pathlib import Path

import requests
import serving_models
import websocket
from harness import eventually

PROGRAM = serving_models.REPOSITORY / "Python" / "takumi_runtime" / "notebook"
IMAGE = "python-notebook-3.11-r2"
TOKEN = "token-that-nobody-but-the-proxy-knows"
BASE_URL = "/notebook/default/0a1b2c/"
# A browser's, on a name that JupyterLab has never heard of.
ORIGIN = "https://notebooks.example:8443"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Notebook:
    """One start of a notebook, with empty boot storage."""

    def __init__(self, boot: Path, data: Path, *words, name: str = "nb-0a1b2c", **variables: str):
        self.boot, self.data, self.port = boot, data, free_port()
        boot.mkdir()
        data.mkdir(exist_ok=True)
        image = serving_models.environment(IMAGE)
        # Nothing of whoever runs the tests, but what a package index and its certificate are found with.
        kept = ("UV_", "PIP_", "SSL_", "REQUESTS_")
        self.variables = {name: value for name, value in os.environ.items() if name.startswith(kept)}
        self.variables |= {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(boot),
            "TAKUMI_NOTEBOOK_TOKEN": TOKEN,
            "EM_APPKEY": "default",
            "EM_REGION": "local",
            "EM_TOKEN": "token-of-the-notebook",
            "EM_GROUP_ID": "default",
            "OMP_NUM_THREADS": "2",
        }
        self.variables |= variables
        command = [image / "bin" / "python", PROGRAM, "--port", self.port, "--base-url", BASE_URL]
        command += ["--boot", boot, "--data", data, "--name", name, *words]
        self.news_path, self.errors_path = boot.with_name(f"{boot.name}.log"), boot.with_name(f"{boot.name}.errors")
        self.started = time.monotonic()
        with self.news_path.open("wb") as news, self.errors_path.open("wb") as errors:
            self.process = subprocess.Popen(
                list(map(str, command)), env=self.variables, stdin=subprocess.DEVNULL, stdout=news, stderr=errors, cwd=boot
            )

    @property
    def news(self) -> str:
        """What it printed on standard output."""
        return self.news_path.read_text(errors="replace")

    @property
    def errors(self) -> str:
        return self.errors_path.read_text(errors="replace")

    @property
    def log(self) -> str:
        return self.news + self.errors

    @property
    def status(self) -> dict:
        try:
            return json.loads((self.boot / ".takumi" / "status.json").read_text())
        except FileNotFoundError:
            return {"phase": None}

    def answers(self) -> bool:
        assert self.process.poll() is None, f"the notebook ended with {self.process.returncode}:\n{self.log}"
        with contextlib.suppress(requests.ConnectionError):
            return self.direct("GET", "api/status", token=TOKEN).ok
        return False

    def wait(self, timeout: float = 60) -> "Notebook":
        eventually(self.answers, lambda: f"the notebook does not answer:\n{self.log}", timeout, 0.01)
        return self

    def direct(self, method: str, path: str, token: str | None = None, **more) -> requests.Response:
        """Past the proxy, as other users of this machine can do."""
        headers = {"Authorization": f"token {token}"} if token else {}
        return requests.request(
            method, f"http://127.0.0.1:{self.port}{BASE_URL}{path}", headers=headers, timeout=30, **more
        )

    def close(self, within: float = 20) -> int:
        """Returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


class Proxy:
    """What Takumi's proxy does to requests: it adds the token, drops cookies, and sets the host to JupyterLab's."""

    def __init__(self, port: int):
        self.upstream = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.exchange, args=(client,), daemon=True).start()

    def exchange(self, client: socket.socket):
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self.upstream)) as server:
            for side in (client, server):
                # As Takumi's proxy: what comes is passed on at once.
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            head, rest = read_head(client)
            upgrade = any(line.lower().startswith("upgrade:") for line in head)
            dropped = ("cookie:", "host:", "authorization:", "accept-encoding:")
            dropped += () if upgrade else ("connection:",)
            head = [line for line in head if not line.lower().startswith(dropped)]
            head += [f"Host: 127.0.0.1:{self.upstream}", f"Authorization: token {TOKEN}"]
            head += [] if upgrade else ["Connection: close"]
            server.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + rest)
            pump = threading.Thread(target=copy, args=(client, server), daemon=True)
            pump.start()
            head, rest = read_head(server)
            head = [line for line in head if not line.lower().startswith("set-cookie:")]
            client.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + rest)
            copy(server, client)

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{BASE_URL}{path}"

    def request(self, method: str, path: str, **more) -> requests.Response:
        """As a page of JupyterLab's asks: without a token, from its own origin."""
        headers = {"Origin": ORIGIN, "Referer": f"{ORIGIN}{BASE_URL}lab"}
        return requests.request(method, self.url(path), headers=headers, timeout=120, **more)

    def json(self, method: str, path: str, body=None):
        answer = self.request(method, path, json=body)
        assert answer.ok, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def websocket(self, path: str, timeout: float = 90) -> websocket.WebSocket:
        return websocket.create_connection(self.url(path, "ws"), origin=ORIGIN, timeout=timeout)

    def close(self):
        self.listener.close()


def read_head(source: socket.socket) -> tuple[list[str], bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        part = source.recv(65536)
        if not part:
            raise ConnectionError("closed within a head")
        received += part
    head, _, rest = received.partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n"), rest


def copy(source: socket.socket, target: socket.socket):
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)


class Kernel:
    """A kernel, and a page that is connected to it."""

    def __init__(self, proxy: Proxy, name: str = "python3"):
        self.proxy = proxy
        self.id = proxy.json("POST", "api/kernels", {"name": name})["id"]
        self.connect()

    def connect(self):
        self.session = uuid.uuid4().hex
        self.socket = self.proxy.websocket(f"api/kernels/{self.id}/channels?session_id={self.session}")

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.proxy.request("DELETE", f"api/kernels/{self.id}")

    def send(self, code: str) -> str:
        message = uuid.uuid4().hex
        header = {"msg_id": message, "msg_type": "execute_request", "username": "", "session": self.session}
        header |= {"date": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        self.socket.send(
            json.dumps(
                {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
                | {"buffers": []}
            )
        )
        return message

    def run(self, code: str) -> str:
        """Runs a cell. Returns what it printed and its value; a traceback fails the test."""
        message, output, replied, idle = self.send(code), [], None, False
        while replied is None or not idle:
            answer = json.loads(self.socket.recv())
            if answer["parent_header"].get("msg_id") != message:
                continue
            content = answer["content"]
            match answer["msg_type"]:
                case "stream":
                    output.append(content["text"])
                case "execute_result" | "display_data":
                    output.append(content["data"].get("text/plain", ""))
                case "execute_reply":
                    replied = content
                case "status":
                    idle = content["execution_state"] == "idle"
        assert replied["status"] == "ok", "\n".join(replied["traceback"])
        return "".join(output)


class Terminal:
    def __init__(self, proxy: Proxy):
        self.name = proxy.json("POST", "api/terminals")["name"]
        self.socket = proxy.websocket(f"terminals/websocket/{self.name}", timeout=60)
        self.output = ""
        self.read()

    def read(self) -> str:
        """What comes until the next prompt, and with it: what is typed before would be shown twice."""
        while not (prompt := re.search(r"\(base\) [^\r\n]*[#$] ", self.output)):
            kind, *words = json.loads(self.socket.recv())
            if kind == "stdout":
                # Without what tells a terminal how to treat pasted text.
                self.output += re.sub(r"\x1b\[\?2004[lh]\r?", "", words[0])
        found, self.output = self.output[: prompt.end()], self.output[prompt.end() :]
        return found

    def run(self, command: str) -> str:
        """Types a line; returns what it printed. The prompt that follows is in `prompt`."""
        self.socket.send(json.dumps(["stdin", f"{command}\r"]))
        # The line itself, which is shown while it is typed, then the output.
        output, _, prompt = self.read().partition("\n")[2].rpartition("(base) ")
        self.prompt = f"(base) {prompt}"
        return output.strip()


def variables(process: int) -> dict[str, str]:
    """Those that a process was started with, as the kernel shows them to others."""
    entries = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return dict(entry.decode(errors="replace").partition("=")[::2] for entry in entries if entry)
