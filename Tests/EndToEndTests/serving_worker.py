"""The model server's side of the worker protocol, spoken to a real worker (Python/takumi_runtime/serving)."""

import atexit
import functools
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import serving_models

PROGRAM = serving_models.REPOSITORY / "Python" / "takumi_runtime" / "serving"
FRAMEWORKS = {
    "sklearn": (serving_models.SKLEARN, "SKLEARN"),
    "tensorflow": (serving_models.TENSORFLOW, "TENSORFLOW"),
    "pytorch": (serving_models.PYTORCH, "PYTORCH"),
    "bert": (serving_models.HUGGING_FACE, "HUGGING_FACE"),
    "gpt2": (serving_models.HUGGING_FACE, "HUGGING_FACE"),
    "t5": (serving_models.HUGGING_FACE, "HUGGING_FACE"),
}
TYPES = {"FP64": "d", "FP32": "f", "INT64": "q", "INT32": "i", "BOOL": "?", "UINT8": "B"}


class Failed(Exception):
    """The worker said that it cannot serve the model."""


class Worker:
    """A worker with its model loaded. `parameters` are the model's."""

    def __init__(self, lock: str, framework: str, folder: Path | None, name: str = "m", timeout: float = 120, **parameters):
        self.scratch = tempfile.TemporaryDirectory(prefix="takumi-worker-")
        self.listener = socket.socket(socket.AF_UNIX)
        path = f"{self.scratch.name}/socket"
        self.listener.bind(path)
        self.listener.listen()
        self.listener.settimeout(timeout)
        (Path(self.scratch.name) / "scratch").mkdir()
        command = [serving_models.python(lock), PROGRAM]
        command += ["--takumi-framework", framework, "--takumi-name", name]
        command += ["--takumi-model-dir", folder] if folder else []
        command += ["--takumi-scratch", f"{self.scratch.name}/scratch"]
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("TAKUMI_", "HF_"))}
        variables |= {"TAKUMI_WORKER_SOCKET": path, "OMP_NUM_THREADS": "1", "EM_REGION": "local", "EM_APPKEY": "key"}
        # Where uv is, which an archive's requirements.txt is installed with.
        variables["PATH"] = f"{Path(sys.executable).parent}:{variables['PATH']}"
        for parameter, value in parameters.items():
            command += [f"--{parameter}", str(value)]
            variables[parameter.upper()] = str(value)
        self.log_path = Path(self.scratch.name) / "log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=variables, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.scratch.name
            )
        try:
            self.socket = self.accept(timeout)
            self.socket.settimeout(timeout)
            self.call = 0
            self.ready, _ = self.receive()
            if self.ready["op"] == "failed":
                assert self.process.wait(timeout) == 1
                raise Failed(self.ready["cause"])
        except BaseException:
            self.close()
            raise

    def accept(self, timeout: float) -> socket.socket:
        self.listener.settimeout(0.2)
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self.listener.accept()[0]
            except TimeoutError:
                assert self.process.poll() is None, f"the worker ended before it connected:\n{self.log}"
                assert time.monotonic() < deadline, f"the worker does not connect:\n{self.log}"

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> int:
        """Closes the socket, whereupon the worker ends. Returns its exit status."""
        if hasattr(self, "socket"):
            self.socket.close()
        self.listener.close()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.last_log = self.log
            self.scratch.cleanup()

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else self.last_log

    # MARK: Frames

    def send(self, header: dict | bytes, body: bytes = b"") -> None:
        head = header if isinstance(header, bytes) else json.dumps(header).encode()
        self.socket.sendall(struct.pack("<II", 4 + len(head) + len(body), len(head)) + head + body)

    def receive(self) -> tuple[dict, bytes]:
        rest, size = struct.unpack("<II", self.exactly(8))
        frame = self.exactly(rest - 4)
        return json.loads(frame[:size]), frame[size:]

    def exactly(self, count: int) -> bytes:
        received = bytearray()
        while len(received) < count:
            part = self.socket.recv(count - len(received))
            if not part:
                raise ConnectionError(f"the worker has gone; its log:\n{self.log}")
            received += part
        return bytes(received)

    # MARK: Calls

    def next_call(self) -> int:
        self.call += 1
        return self.call

    def infer(self, requests: list[dict], protocol: str = "v2", verb: str = "predict", **item) -> list:
        """Several requests of one form, each `{name: (datatype, shape, values)}`, joined. One answer per request:
        `{name: (datatype, shape, values)}`, a JSON value as it is, or `(status, error)`."""
        names = list(requests[0])
        inputs, body = [], b""
        for name in names:
            datatype, shape, _ = requests[0][name]
            raw = b"".join(pack(datatype, request[name][2]) for request in requests)
            rows = sum(request[name][1][0] for request in requests)
            inputs.append({"name": name, "datatype": datatype, "shape": [rows, *shape[1:]], "size": len(raw)})
            body += raw
        rows = [request[names[0]][1][0] for request in requests]
        header = {"op": "infer", "call": self.next_call(), "form": "tensors", "protocol": protocol, "verb": verb}
        items = [{"id": str(index), **item} for index in range(len(requests))]
        self.send(header | {"rows": rows, "inputs": inputs, "items": items}, body)
        return self.answers(rows)

    def json(self, *bodies, verb: str = "predict", **item) -> list:
        texts = [json.dumps(body).encode() if not isinstance(body, bytes) else body for body in bodies]
        header = {"op": "infer", "call": self.next_call(), "form": "json", "protocol": "v1", "verb": verb}
        header |= {"sizes": [len(text) for text in texts], "items": [{"id": "1", **item} for _ in texts]}
        self.send(header, b"".join(texts))
        return self.answers([None] * len(texts))

    def answers(self, rows: list) -> list:
        header, body = self.receive()
        assert header["call"] == self.call
        return parse(header, body, rows)

    def openai(self, route: str, body: dict):
        """Not streamed: the reply, or (status, entry)."""
        self.send(
            {"op": "openai", "call": self.next_call(), "route": route, "stream": False}, json.dumps(body).encode()
        )
        header, body = self.receive()
        assert header["call"] == self.call
        (item,) = header["items"]
        return json.loads(body) if "json" in item else (item["status"], item)

    def stream(self, route: str, body: dict):
        """Streamed: the chunks, one by one."""
        call = self.next_call()
        body = json.dumps(body | {"stream": True}).encode()
        self.send({"op": "openai", "call": call, "route": route, "stream": True}, body)
        while True:
            header, body = self.receive()
            assert header["call"] == call
            if header.get("end"):
                return
            if "items" in header:
                yield header["items"][0]
                return
            yield json.loads(body)


def pack(datatype: str, values: list) -> bytes:
    if datatype == "BYTES":
        raw = [value.encode() if isinstance(value, str) else value for value in values]
        return b"".join(struct.pack("<I", len(value)) + value for value in raw)
    if isinstance(values, bytes):
        return values
    return struct.pack(f"<{len(values)}{TYPES[datatype]}", *values)


def unpack(datatype: str, raw: bytes) -> list:
    if datatype != "BYTES":
        kind = TYPES[datatype]
        return list(struct.unpack(f"<{len(raw) // struct.calcsize(kind)}{kind}", raw))
    values, offset = [], 0
    while offset < len(raw):
        (size,) = struct.unpack_from("<I", raw, offset)
        values.append(raw[offset + 4 : offset + 4 + size].decode())
        offset += 4 + size
    return values


def parse(header: dict, body: bytes, rows: list) -> list:
    offset = 0

    def take(size: int) -> bytes:
        nonlocal offset
        offset += size
        return body[offset - size : offset]

    def outputs(entries: list) -> dict:
        return {
            entry["name"]: (entry["datatype"], entry["shape"], unpack(entry["datatype"], take(entry["size"])))
            for entry in entries
        }

    found = []
    if "outputs" in header:
        whole = outputs(header["outputs"])
        starts = [sum(rows[:index]) for index in range(len(rows))]
        for start, count in zip(starts, rows):
            answer = {}
            for name, (datatype, shape, values) in whole.items():
                assert shape[0] == sum(rows), "the model server cannot split these outputs"
                width = len(values) // shape[0] if shape[0] else 0
                answer[name] = (datatype, [count, *shape[1:]], values[start * width : (start + count) * width])
            found.append(answer)
    else:
        assert len(header["items"]) == len(rows)
        for item in header["items"]:
            if "error" in item:
                found.append((item["status"], item["error"]))
            elif "json" in item:
                found.append(json.loads(take(item["json"])))
            else:
                found.append(outputs(item["outputs"]))
    assert offset == len(body), "the body is longer than its header says"
    return found


# MARK: Models and workers


@functools.cache
def folders() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="takumi-models-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def made(name: str, *words: str) -> Path:
    """The folder of a model, which is made once and not to be changed: `made("sklearn_iris")`."""
    return getattr(serving_models, name)(folders() / "-".join([name, *words]), *words)


def start(folder: Path | None, name: str, /, **parameters) -> Worker:
    """A worker for the files in a folder, in the environment that the model's name begins with."""
    lock, framework = FRAMEWORKS[name.split("_")[0]]
    return Worker(lock, framework, folder, **parameters)


def failure(folder: Path | None, name: str, /, **parameters) -> str:
    """The cause for which a model cannot be loaded."""
    with pytest.raises(Failed) as failed, start(folder, name, **parameters):
        pass
    assert "\n" not in str(failed.value)
    return str(failed.value)


@pytest.fixture(scope="module")
def worker():
    """A worker that the tests of a module share: `worker("sklearn_iris", method="predict_proba")`."""
    running = {}

    def make(name: str, *words: str, **parameters) -> Worker:
        key = (name, words, tuple(parameters.items()))
        if key not in running:
            running[key] = start(made(name, *words), name, **parameters)
        return running[key]

    yield make
    for started in running.values():
        assert started.close() == 0, started.last_log


# MARK: Requests


def rows(*values, datatype="FP64", name="input-0"):
    return {name: (datatype, [len(values), len(values[0])], [part for row in values for part in row])}


def words(*values, name="text"):
    return {name: ("BYTES", [len(values)], list(values))}
