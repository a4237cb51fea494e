"""Notebooks of a real server, and JupyterLab in them through the door that users' browsers take."""

import psutil
import requests
import websocket

from client import API, Actions, unique
from harness import Server, eventually
from notebook_runtime import Kernel, Terminal

DATA = "/root/easymaker"


class Notebook(Actions):
    singular, collection = "notebook", "notebooks"
    success = "ACTIVE_HEALTHY"
    settled = {"STOPPED", "CREATE_FAILED", "START_FAILED", "REBOOT_FAILED", "STOP_FAILED", "DELETE_FAILED"}

    @property
    def lab(self) -> "Lab":
        return Lab(self)

    def tail(self) -> str:
        return self.log()[-3000:] + "\n" + "\n".join(event["message"] for event in self.events())

    def log(self, **params) -> str:
        response = self.api.request("GET", f"{self.path}/logs", params=params)
        assert response.status_code == 200, f"{response.status_code} {response.text}"
        return response.text

    def ask(self, verb: str) -> dict:
        """stop, start or reboot."""
        return self.api.call("PUT", f"{self.path}/{verb}")["notebook"]

    def resize(self, flavor: str) -> dict:
        body = {"flavorId": self.api.flavors[flavor]["id"]}
        return self.api.call("PUT", f"{self.path}/flavor", json=body)["notebook"]

    def told(self) -> list[str]:
        return [event["message"] for event in self.events()]

    def wait_told(self, text: str, timeout: float = 30) -> str:
        """Waits for an event that contains the text."""
        return eventually(
            lambda: next((message for message in self.told() if text in message), None),
            lambda: f"an event '{text}' among {self.told()}",
            timeout,
        )

    def delete(self, timeout: float = 30) -> None:
        self.api.call("DELETE", self.path)
        eventually(
            lambda: self.api.request("GET", self.path).status_code == 404, lambda: f"gone: {self.read()}", timeout
        )

    # MARK: On this machine

    def jupyter(self) -> psutil.Process:
        """The process that is JupyterLab: neither its sandbox nor its agent, and not a kernel."""
        found = [
            process
            for process in self.api.server.processes()
            if (words := process.cmdline())
            and not words[0].endswith("bwrap")
            and f"/notebook/{self.api.project}/{self.id}/" in words
        ]
        assert len(found) == 1, found
        return found[0]

    def agent(self) -> psutil.Process:
        found = [process for process in self.api.server.agents() if self.id in process.cmdline()[2]]
        assert len(found) == 1, found
        return found[0]


class Lab:
    """JupyterLab of a notebook, as a client with an API token reaches it."""

    def __init__(self, notebook: Notebook, token: str | None = None):
        self.api = notebook.api
        self.base = f"/notebook/{self.api.project}/{notebook.id}/"
        self.token = token or self.api.token

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def request(self, method: str, path: str, **options) -> requests.Response:
        url = f"{self.api.server.apps_url}{self.base}{path}"
        options.setdefault("timeout", 60)
        return requests.request(method, url, headers=self.headers, verify=str(self.api.server.ca), **options)

    def json(self, method: str, path: str, body=None):
        answer = self.request(method, path, json=body)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:1000]}"
        return answer.json() if answer.content else None

    def websocket(self, path: str, timeout: float = 60) -> websocket.WebSocket:
        url = self.api.server.apps_url.replace("https", "wss", 1) + self.base + path
        return websocket.create_connection(
            url, header=self.headers, timeout=timeout, sslopt={"ca_certs": str(self.api.server.ca)}
        )

    def kernel(self, name: str = "python3") -> Kernel:
        return Kernel(self, name)

    def terminal(self) -> Terminal:
        return Terminal(self)

    # MARK: Files, below the data storage

    def write(self, path: str, text: str) -> None:
        self.json("PUT", f"api/contents/{path}", {"type": "file", "format": "text", "content": text})

    def read(self, path: str) -> str | None:
        """None where there is no such file."""
        answer = self.request("GET", f"api/contents/{path}", params={"format": "text", "type": "file"})
        assert answer.status_code in (200, 404), f"{path}: {answer.status_code} {answer.text}"
        return answer.json()["content"] if answer.ok else None

    def names(self, path: str = "") -> set[str]:
        return {entry["name"] for entry in self.json("GET", f"api/contents/{path}")["content"]}

    def remove(self, path: str) -> None:
        self.json("DELETE", f"api/contents/{path}")


def body(api: API, **fields) -> dict:
    """The body of a small notebook. `image` and `flavor` take names; a field of None is left out."""
    body = {
        "notebookName": unique("notebook"),
        "imageId": api.images[fields.pop("image", "python-notebook")]["imageId"],
        "flavorId": api.flavors[fields.pop("flavor", "t2.c1m1")]["id"],
        "dataStorageSize": 1,
        "bootStorageSize": 5,
    } | fields
    return {name: value for name, value in body.items() if value is not None}


def create(api: API, **fields) -> Notebook:
    return Notebook(api, api.call("POST", "notebooks", json=body(api, **fields))["notebook"]["notebookId"])


def memory_for(mebibytes: int) -> str:
    """The line of a configuration with which a server hands out this much memory."""
    total = psutil.virtual_memory().total >> 20
    return f"memoryReserveMiB: {total - mebibytes}\n"


def unanswered(server: Server, path: str) -> requests.Response:
    """A request to the door of users' programs by nobody."""
    return requests.get(
        f"{server.apps_url}{path}", verify=str(server.ca), timeout=30, allow_redirects=False,
        headers={"Accept": "application/json"},
    )
