"""The model server over the wire: a real scikit-learn worker, and small workers that break the protocol."""

import concurrent.futures
import functools
import http.client
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

import harness
import serving_models

BINARY = [str(harness.BINARY), "model-server"]
SERVING = str(harness.REPOSITORY / "Python/takumi_runtime/serving")


@functools.cache
def python() -> str:
    return str(serving_models.python(serving_models.SKLEARN))


# A model whose first number says what is to happen.
TROUBLED = """
import os, signal, time
import numpy as np
class Troubled:
    n_features_in_ = 2
    def predict(self, rows):
        rows = np.asarray(rows)
        for what, value in rows[:100]:
            if what == 666: os.kill(os.getpid(), signal.SIGKILL)
            if what == 667: os._exit(3)
            if what == 777: time.sleep(value)
            if what == 888: raise ValueError("bad value")
            if what == 999:
                with open(os.environ["NOTES"], "a") as notes: notes.write(f"{value:g}\\n")
        return rows.sum(axis=1)
"""

# Speaks the protocol as its model's name says, badly.
ODD_WORKER = """
import json, os, socket, struct, sys, threading, time
s = socket.socket(socket.AF_UNIX); s.connect(os.environ["TAKUMI_WORKER_SOCKET"])
lock = threading.Lock()
def send(header, body=b""):
    h = json.dumps(header).encode()
    with lock: s.sendall(struct.pack("<II", 4 + len(h) + len(body), len(h)) + h + body)
def read(n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part: os._exit(0)
        data += part
    return data
def frames():
    while True:
        rest, size = struct.unpack("<II", read(8))
        yield json.loads(read(size)), read(rest - 4 - size)
kind = os.environ["KIND"]
if kind == "fails": send({"op": "failed", "cause": "the model is no model"}); sys.exit(1)
if kind == "dies": sys.exit(3)
if kind == "mute": time.sleep(60)
send({"op": "ready", "platform": "odd", "batch": True, "generative": True, "headers": False})
cancelled = set()
def generate(call, stream, body):
    wanted = json.loads(body)
    if wanted.get("prompt") == "refuse":
        return send({"call": call, "items": [{"error": "max_tokens is too large", "status": 400, "type": "invalid_request_error", "param": "max_tokens", "code": None}]})
    if not stream:
        text = json.dumps({"choices": [{"text": "whole"}]}).encode()
        return send({"call": call, "items": [{"json": len(text)}]}, text)
    size = wanted.get("size", 0)
    for i in range(wanted.get("n", 3)):
        if call in cancelled:
            open(os.environ["NOTES"], "a").write(f"cancelled {call} after {i}\\n")
            break
        send({"call": call, "chunk": True}, json.dumps({"i": i, "x": "x" * size}).encode())
        time.sleep(wanted.get("pause", 0))
        if wanted.get("prompt") == "break" and i == 1:
            return send({"call": call, "items": [{"error": "out of memory", "status": 500}]})
    send({"call": call, "end": True})
for header, body in frames():
    if header["op"] == "openai":
        threading.Thread(target=generate, args=(header["call"], header["stream"], body), daemon=True).start()
    elif header["op"] == "cancel":
        cancelled.add(header["call"])
    elif kind == "garbage":
        s.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
    elif kind == "too-few":
        send({"call": header["call"], "items": []})
    elif kind == "wrong-size":
        send({"call": header["call"], "outputs": [{"name": "y", "datatype": "FP64", "shape": [99], "size": 8}]}, bytes(8))
    elif kind == "twice":
        for _ in range(2):
            send({"call": header["call"], "items": [{"json": 2}] * len(header.get("rows") or header["sizes"])}, b"{}" * len(header.get("rows") or header["sizes"]))
    elif kind == "half":
        s.sendall(struct.pack("<II", 1000, 100) + b"{"); os._exit(0)
    elif kind == "closes":
        s.close(); time.sleep(60)
    else:
        text = json.dumps({"predictions": [header.get("rows") or header["sizes"]]}).encode()
        n = len(header.get("rows") or header["sizes"])
        send({"call": header["call"], "items": [{"json": len(text)}] * n}, text * n)
"""


class Server:
    def __init__(self, folder, model=None, program=SERVING, environment=None, options=(), wait=True):
        self.log = folder / "log"
        scratch = folder / "scratch"
        scratch.mkdir(exist_ok=True)
        self.notes = folder / "notes"
        command = [
            *BINARY, "--name", "m", "--framework", "SKLEARN", "--model-dir", str(model or folder), "--scratch", str(scratch),
            "--python", python(), "--program", str(program), "--port", "0", *map(str, options),
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command,
            stderr=self.log.open("w"),
            stdout=subprocess.DEVNULL,
            env={**os.environ, "NOTES": str(self.notes), **(environment or {})},
        )
        if wait:
            self.port = self.find_port()
            until(self.is_ready, 60)

    def find_port(self):
        def port():
            for line in self.log.read_text().splitlines():
                if "listens on 127.0.0.1:" in line:
                    return int(line.rsplit(":", 1)[1])

        return until(port, 20)

    def call(self, method, path, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body if isinstance(body, (bytes, type(None))) else json.dumps(body), headers or {})
            reply = connection.getresponse()
            return reply.status, dict(reply.headers.items()), reply.read()
        finally:
            connection.close()

    def json(self, method, path, body=None, headers=None, timeout=60):
        status, _, text = self.call(method, path, body, headers, timeout)
        return status, json.loads(text)

    def predict(self, *rows, timeout=60):
        return self.json("POST", "/v1/models/m:predict", {"instances": [list(row) for row in rows]}, timeout=timeout)

    def is_ready(self):
        try:
            return self.call("GET", "/v2/health/ready")[0] == 200
        except OSError:
            return False

    def metric(self, name):
        for line in self.call("GET", "/metrics")[2].decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def worker(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            children += (task / "children").read_text().split()
        return int(children[0])

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def raw(self, data, finish=True):
        """Sends bytes, and reads until the server closes."""
        with self.connect() as connection:
            connection.sendall(data)
            return drain(connection)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def drain(connection):
    data = b""
    while part := connection.recv(1 << 16):
        data += part
    return data


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def dead(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture(scope="session")
def troubled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("troubled")
    (folder / "troubled.py").write_text(TROUBLED)
    subprocess.run(
        [python(), "-c", "import joblib, troubled; joblib.dump(troubled.Troubled(), 'model.joblib')"], cwd=folder, check=True
    )
    return folder


@pytest.fixture(scope="session")
def odd(tmp_path_factory):
    program = tmp_path_factory.mktemp("odd") / "worker.py"
    program.write_text(ODD_WORKER)
    return program


@pytest.fixture(scope="module")
def server(tmp_path_factory, troubled):
    """One server for tests that leave it as it was."""
    with Server(tmp_path_factory.mktemp("server"), troubled, options=["--max-body", 2 << 20]) as server:
        yield server


@pytest.fixture
def odd_server(tmp_path, odd):
    servers = []

    def start(kind="", **more):
        servers.append(Server(tmp_path, program=odd, environment={"KIND": kind}, **more))
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


# MARK: Answers


def test_predicts_by_every_protocol(server):
    assert server.predict([1, 2], [3.5, 4]) == (200, {"predictions": [3.0, 7.5]})
    status, reply = server.json(
        "POST",
        "/v2/models/m/infer",
        {"id": "7", "inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [[1, 2], [3, 4]]}]},
    )
    assert status == 200 and reply["id"] == "7" and reply["outputs"][0]["data"] == [3.0, 7.0]
    head = json.dumps(
        {
            "inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "parameters": {"binary_data_size": 16}}],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    status, headers, body = server.call(
        "POST", "/v2/models/m/infer", head + struct.pack("<2d", 1.5, 2), {"Inference-Header-Content-Length": str(len(head))}
    )
    length = int(headers["Inference-Header-Content-Length"])
    assert json.loads(body[:length])["outputs"][0]["parameters"] == {"binary_data_size": 8}
    assert struct.unpack("<d", body[length:]) == (3.5,)
    assert server.json("POST", "/", {"instances": [[1, 2]]})[1] == {"predictions": [3]}
    assert server.json("GET", "/v2/models/m/ready") == (200, {"name": "m", "ready": True})


def test_a_bad_request_fails_alone(server):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda i: server.predict([888 if i == 7 else i, 0.5]), range(16)))
    assert replies[7] == (500, {"error": "ValueError : bad value"})
    assert [r for i, r in enumerate(replies) if i != 7] == [
        (200, {"predictions": [i + 0.5]}) for i in range(16) if i != 7
    ]


def test_each_gets_its_own_answer(server):
    def many(client):
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        for i in range(200):
            rows = [[client, i + 0.25 * k] for k in range(1 + i % 3)]
            connection.request("POST", "/v1/models/m:predict", json.dumps({"instances": rows}))
            assert json.loads(connection.getresponse().read()) == {"predictions": [sum(row) for row in rows]}
        return 200

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(many, range(16))) == 3200
    assert server.metric("takumi_batch_requests_count") < 3200, "some were joined"


# MARK: HTTP


@pytest.mark.parametrize(
    "data, status",
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/3.7\r\n\r\n", 400),
        (b"POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", 431),
        (b"POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n", 413),
        (
            b"POST /v1/models/m:predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"100000\r\n" + b" " * 0x100000 + b"\r\n" + b"100001\r\n" + b" " * 0x100001 + b"\r\n", 413,
        ),
    ],
)  # fmt: skip
def test_malformed_http_is_answered_and_closed(server, data, status):
    reply = server.raw(data)
    assert reply.startswith(b"HTTP/1.1 %d " % status), reply[:200]
    assert b"Connection: close" in reply and b'{"error":"' in reply
    assert server.predict([1, 2])[0] == 200


def test_chunked_bodies_and_expectations(server):
    body = b'{"instances":[[1,2]]}'
    chunked = b"".join(b"1\r\n" + body[i : i + 1] + b"\r\n" for i in range(len(body))) + b"0\r\n\r\n"
    head = b"POST /v1/models/m:predict HTTP/1.1\r\nConnection: close\r\n"
    assert server.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked).endswith(b'{"predictions":[3]}')
    with server.connect() as connection:
        connection.sendall(head + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert drain(connection).endswith(b'{"predictions":[3]}')


def test_pipelined_requests_are_answered_in_order(server):
    def request(i, last=False):
        body = json.dumps({"instances": [[i, 0.5]]}).encode()
        return b"POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: %d\r\n%s\r\n%s" % (
            len(body), b"Connection: close\r\n" if last else b"", body,
        )  # fmt: skip

    reply = server.raw(b"".join(request(i, i == 49) for i in range(50)))
    assert [float(part.split(b"]")[0]) for part in reply.split(b'{"predictions":[')[1:]] == [i + 0.5 for i in range(50)]


def test_old_http_and_head_and_upgrades(server):
    assert server.raw(b"GET /v2/health/live HTTP/1.0\r\n\r\n").endswith(b'{"live":true}')
    reply = server.raw(b"HEAD /v2/health/live HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert b"Content-Length: 13" in reply and reply.endswith(b"\r\n\r\n")
    # What Java's client sends first to a plain address.
    upgrade = b"GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
    reply = server.raw(upgrade)
    assert reply.startswith(b"HTTP/1.1 200 OK") and b"Connection: close" in reply


def test_wrong_methods_say_which_are_allowed(server):
    status, headers, body = server.call("GET", "/v2/models/m/infer")
    assert (status, headers["Allow"], json.loads(body)) == (405, "POST", {"error": "Method Not Allowed"})
    status, headers, body = server.call("GET", "/openai/v1/completions")
    assert (status, headers["Allow"]) == (405, "POST") and set(json.loads(body)["error"]) == {"message", "type", "param", "code"}


def test_refused_bodies_do_not_disturb_the_connection(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for path, status in [("/v1/models/nope:predict", 404), ("/nothing", 404), ("/v1/models/m:predict", 400), ("/v2/models/m/infer", 400)]:
        connection.request("POST", path, b"x" * 100_000)
        reply = connection.getresponse()
        assert reply.status == status
        reply.read()
    connection.request("POST", "/v1/models/m:predict", '{"instances":[[1,2]]}')
    assert connection.getresponse().read() == b'{"predictions":[3]}'


def test_a_client_that_sends_half_a_body_harms_nobody(server):
    for _ in range(20):
        with server.connect() as connection:
            connection.sendall(b"POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n{")
    assert server.predict([1, 2])[0] == 200


# MARK: Large bodies


def test_200_megabytes_do_not_stop_the_others(tmp_path, troubled):
    with Server(tmp_path, troubled) as server:
        rows = 25 << 20 >> 1
        head = json.dumps(
            {
                "inputs": [{"name": "x", "shape": [rows, 2], "datatype": "FP64", "parameters": {"binary_data_size": rows * 16}}],
                "outputs": [{"name": "output-0", "parameters": {"binary_data": True}}],
            }
        ).encode()
        slowest, done = [0.0], threading.Event()

        def look():
            while not done.is_set():
                begin = time.monotonic()
                assert server.call("GET", "/v2/health/live")[0] == 200
                slowest[0] = max(slowest[0], time.monotonic() - begin)

        looker = threading.Thread(target=look)
        looker.start()
        body = head + bytes(rows * 16)
        headers = {"Inference-Header-Content-Length": str(len(head))}
        status, _, reply = server.call("POST", "/v2/models/m/infer", body, headers, timeout=120)
        text = b'{"instances":[' + b",".join([b"[1,2]"] * 2_000_000) + b"]}"
        status_json, _, reply_json = server.call("POST", "/v1/models/m:predict", text, timeout=120)
        done.set()
        looker.join()
        assert status == 200 and reply.endswith(bytes(rows * 8)), reply[:200]
        assert status_json == 200 and reply_json == b'{"predictions":[' + b",".join([b"3"] * 2_000_000) + b"]}"
        assert slowest[0] < 1.0


def test_a_body_is_as_large_as_the_memory_allows(tmp_path, troubled):
    with Server(tmp_path, troubled, options=["--memory-mib", 512]) as server:
        status, reply = server.json("POST", "/v1/models/m:predict", b'{"instances":[' + b" " * (20 << 20) + b"[1,2]]}")
        limit, _, rest = reply["error"].removeprefix("The body is larger than ").partition(" bytes, for which ")
        assert status == 413 and rest.startswith("the pod's 512 MiB of memory suffice beside the model: send less"), reply
        # A part of what the model has left.
        assert 4 << 20 < int(limit) < 19 << 20
        body = b'{"instances":[' + b" " * (int(limit) - 21) + b"[1,2]]}"
        assert len(body) == int(limit) and server.json("POST", "/v1/models/m:predict", body)[0] == 200


# MARK: Faults


def test_a_crash_is_told_to_those_it_hit_and_to_nobody_else(tmp_path, troubled):
    with Server(tmp_path, troubled) as server:
        first = server.worker()
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            busy = pool.submit(server.predict, [777, 0.5])
            time.sleep(0.2)
            replies = [pool.submit(server.predict, [666 if i == 5 else i, 0]) for i in range(31)]
            replies = [reply.result() for reply in replies]
        assert busy.result()[0] == 200
        causes = {reply["error"] for status, reply in replies if status == 500}
        assert causes == {"the model's process ended (signal 9: killed) while it worked on this request"}
        assert replies[5][0] == 500
        for i, (status, reply) in enumerate(replies):
            assert status in (200, 500, 503)
            assert status != 200 or reply == {"predictions": [i]}
        until(server.is_ready)
        assert server.predict([1, 2]) == (200, {"predictions": [3]})
        assert server.worker() != first and dead(first)
        assert server.metric("takumi_worker_restarts_total") == 1
        assert server.predict([667, 0]) == (
            500, {"error": "the model's process ended (exit status 3) while it worked on this request"},
        )  # fmt: skip


def test_no_answer_is_lost_or_doubled_when_the_worker_is_killed_under_load(tmp_path, troubled):
    with Server(tmp_path, troubled, options=["--queue", 100]) as server:
        stop = threading.Event()

        def client(number):
            counts = {}
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            i = 0
            while not stop.is_set():
                i += 1
                connection.request("POST", "/v1/models/m:predict", json.dumps({"instances": [[number, i]]}))
                reply = connection.getresponse()
                body = json.loads(reply.read())
                if reply.status == 200:
                    assert body == {"predictions": [number + i]}, "an answer to another request"
                else:
                    assert reply.status in (500, 503) and "error" in body
                counts[reply.status] = counts.get(reply.status, 0) + 1
            return i, counts

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            clients = [pool.submit(client, number) for number in range(16)]
            for _ in range(3):
                until(server.is_ready, 30)
                time.sleep(0.5)
                os.kill(server.worker(), signal.SIGKILL)
                time.sleep(0.3)
                assert server.call("GET", "/v2/models/m/ready")[0] in (200, 503)
            until(server.is_ready, 30)
            time.sleep(0.3)
            stop.set()
            results = [client.result() for client in clients]
        assert all(sent == sum(counts.values()) for sent, counts in results)
        assert sum(counts.get(500, 0) for _, counts in results) >= 1
        assert server.metric("takumi_worker_restarts_total") == 3


def test_not_ready_while_the_worker_starts_again(tmp_path, troubled):
    with Server(tmp_path, troubled) as server:
        os.kill(server.worker(), signal.SIGKILL)
        until(lambda: not server.is_ready())
        status, reply = server.predict([1, 2])
        assert status == 503 and reply["error"].startswith("Model with name m is not ready.")
        assert server.call("GET", "/v2/health/live")[0] == 200
        until(server.is_ready, 30)


def test_a_hanging_model_is_ended(tmp_path, troubled):
    with Server(tmp_path, troubled, options=["--timeout", 1]) as server:
        worker = server.worker()
        begin = time.monotonic()
        status, reply = server.predict([777, 60])
        assert (status, reply["error"]) == (504, "The model did not answer within the time limit of 1 s.")
        assert 0.9 < time.monotonic() - begin < 1.6
        until(lambda: dead(worker), 5)
        until(server.is_ready, 30)
        assert "did not answer for 2 s and was ended" in server.log.read_text()
        assert server.predict([1, 2])[0] == 200


def test_a_full_queue_says_when_to_come_again(tmp_path, troubled):
    with Server(tmp_path, troubled, options=["--queue", 3, "--max-batch", 1]) as server:
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            replies = [
                pool.submit(server.call, "POST", "/v1/models/m:predict", b'{"instances":[[777,0.3]]}') for _ in range(20)
            ]
            replies = [reply.result() for reply in replies]
        refused = [(headers, body) for status, headers, body in replies if status == 503]
        assert 10 <= len(refused) < 20
        assert all(headers["Retry-After"] == "1" for headers, _ in refused)
        assert json.loads(refused[0][1]) == {"error": "The queue is full: 3 requests are waiting."}
        assert sum(status == 200 for status, _, _ in replies) == 20 - len(refused)


def test_requests_of_clients_that_vanished_are_not_worked_on(tmp_path, troubled):
    with Server(tmp_path, troubled) as server:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            busy = pool.submit(server.predict, [777, 1])
            time.sleep(0.3)
            for value in range(5):
                connection = server.connect()
                body = json.dumps({"instances": [[999, value]]}).encode()
                connection.sendall(b"POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                time.sleep(0.05)
                connection.close()
            assert busy.result()[0] == 200
        assert server.predict([999, 77])[0] == 200
        # The first of them may have been handed on at once, behind the one that is worked on.
        notes = server.notes.read_text().split()
        assert notes[-1] == "77" and len(notes) <= 2
        assert server.metric('takumi_requests_total{protocol="v1",code="499"}') == 5


@pytest.mark.parametrize("kind", ["garbage", "too-few", "wrong-size", "twice", "half", "closes"])
def test_a_worker_that_breaks_the_protocol_is_ended(odd_server, kind):
    server = odd_server(kind)
    worker = server.worker()
    status, reply = server.predict([1, 2])
    if kind == "twice":
        assert status in (200, 500)
    else:
        assert status == 500
        assert reply["error"].endswith("while it worked on this request")
        expected = {"half": "exit status 0", "closes": "closed its connection"}.get(kind, "broke the protocol")
        assert expected in reply["error"], reply
    until(lambda: dead(worker))
    until(lambda: server.metric("takumi_worker_restarts_total") == 1)
    until(server.is_ready)
    assert server.worker() != worker


@pytest.mark.parametrize(
    "kind, cause",
    [
        ("fails", "the model is no model"),
        ("dies", "the model's process ended (exit status 3) before the model was loaded"),
    ],
)
def test_a_first_start_that_fails_ends_the_server(odd_server, kind, cause):
    server = odd_server(kind, wait=False)
    assert server.process.wait(20) == 1
    assert server.log.read_text().splitlines()[-1] == cause


def test_a_missing_interpreter_ends_the_server(tmp_path):
    with Server(tmp_path, options=["--python", "/nowhere/python"], wait=False) as server:
        assert server.process.wait(20) == 1
        assert "/nowhere/python" in server.log.read_text().splitlines()[-1]


def test_wrong_arguments_are_named(tmp_path):
    with Server(tmp_path, options=["--max-batch", "many"], wait=False) as server:
        assert server.process.wait(20) == 2
        assert server.log.read_text() == "--max-batch: 'many' is no whole number from 1 to 100000\n"


# MARK: The end


def test_sigterm_answers_what_is_there(tmp_path, troubled):
    with Server(tmp_path, troubled, options=["--max-batch", 1]) as server:
        worker = server.worker()
        idle = http.client.HTTPConnection("127.0.0.1", server.port)
        idle.request("GET", "/")
        idle.getresponse().read()
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            replies = [pool.submit(server.predict, [777, 0.2 + i / 1000]) for i in range(6)]
            time.sleep(0.2)
            assert server.end() == 0
            assert [reply.result()[0] for reply in replies] == [200] * 6
        assert dead(worker)
        assert server.log.read_text().splitlines()[-1].startswith("ending: ")


def test_sigterm_before_the_model_is_ready(odd_server):
    server = odd_server("mute", wait=False)
    server.port = server.find_port()
    assert server.json("GET", "/v2/health/ready")[0] == 503
    assert server.json("GET", "/v2/models/m/ready") == (503, {"error": "Model with name m is not ready."})
    assert server.predict([1, 2])[0] == 503
    assert server.end() == 0


def test_no_worker_outlives_a_killed_server(tmp_path, troubled):
    with Server(tmp_path, troubled) as server:
        worker = server.worker()
        server.process.kill()
        until(lambda: dead(worker))


# MARK: Generation


def events(body):
    return [line.removeprefix("data: ") for line in body.decode().split("\n\n") if line]


def test_streams_are_server_sent_events(odd_server):
    server = odd_server()
    body = {"prompt": "x", "stream": True, "model": "m"}
    status, headers, text = server.call("POST", "/openai/v1/completions", body)
    assert status == 200 and headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert [json.loads(event)["i"] for event in events(text)[:-1]] == [0, 1, 2] and events(text)[-1] == "[DONE]"
    raw = json.dumps(body).encode()
    old = server.raw(b"POST /v1/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(raw), raw))
    assert old.endswith(b"data: [DONE]\n\n") and b"chunked" not in old
    assert server.json("POST", "/v1/chat/completions", {"messages": []}) == (200, {"choices": [{"text": "whole"}]})
    assert server.json("GET", "/openai/v1/models")[1]["data"][0]["id"] == "m"


def test_openai_errors_have_their_form(odd_server):
    server = odd_server()
    status, reply = server.json("POST", "/openai/v1/completions", {"prompt": "refuse", "stream": True})
    assert (status, reply) == (
        400,
        {"error": {"message": "max_tokens is too large", "type": "invalid_request_error", "param": "max_tokens", "code": None}},
    )
    status, reply = server.json("POST", "/openai/v1/completions", {"prompt": "x", "model": "other"})
    assert status == 404 and reply["error"]["code"] == "model_not_found"
    status, reply = server.json("POST", "/openai/v1/completions", b"{")
    assert status == 400 and reply["error"]["type"] == "invalid_request_error"
    # Told apart by the body.
    status, reply = server.json("POST", "/", {"model": "nope", "prompt": "x"})
    assert status == 404 and reply["error"]["code"] == "model_not_found"
    # In the middle of an answer the status has been sent.
    _, _, text = server.call("POST", "/openai/v1/completions", {"prompt": "break", "stream": True})
    assert json.loads(events(text)[-1])["error"]["message"] == "out of memory" and len(events(text)) == 3


def test_openai_routes_need_a_model_that_generates(server):
    status, reply = server.json("POST", "/openai/v1/chat/completions", {"messages": []})
    assert status == 501 and set(reply["error"]) == {"message", "type", "param", "code"}


def test_a_client_that_goes_ends_its_generation(odd_server):
    server = odd_server()
    body = json.dumps({"prompt": "x", "stream": True, "n": 1000, "pause": 0.02}).encode()
    with server.connect() as connection:
        connection.sendall(b"POST /openai/v1/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert b"data: " in connection.recv(1000) + connection.recv(1000)
    until(lambda: server.notes.exists() and "cancelled" in server.notes.read_text())
    assert server.predict([1, 2])[0] == 200


def test_a_client_that_does_not_read_is_not_waited_for(odd_server):
    server = odd_server()
    body = json.dumps({"prompt": "x", "stream": True, "n": 1000, "size": 100_000, "pause": 0.002}).encode()
    with server.connect() as connection:
        connection.sendall(b"POST /openai/v1/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        until(lambda: server.notes.exists() and "cancelled" in server.notes.read_text(), 20)
        begin = time.monotonic()
        assert server.predict([1, 2])[0] == 200
        assert time.monotonic() - begin < 1


def test_a_stream_that_stands_still_is_ended(odd_server):
    server = odd_server(options=["--timeout", 1])
    _, _, text = server.call("POST", "/openai/v1/completions", {"prompt": "x", "stream": True, "n": 3, "pause": 5})
    assert "time limit of 1 s" in json.loads(events(text)[-1])["error"]["message"]


def test_metrics_count_by_protocol_and_status(odd_server):
    server = odd_server()
    server.predict([1, 2])
    server.json("POST", "/v2/models/m/infer", {})
    server.call("POST", "/openai/v1/completions", {"prompt": "x", "stream": True})
    assert server.metric('takumi_requests_total{protocol="v1",code="200"}') == 1
    assert server.metric('takumi_requests_total{protocol="v2",code="400"}') == 1
    assert server.metric('takumi_requests_total{protocol="openai",code="200"}') == 1
    assert server.metric("takumi_ready") == 1
    assert server.metric('takumi_batch_rows_bucket{le="1"}') == 1
