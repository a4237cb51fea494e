"""The gateway's door for users' programs from outside: real sockets over TLS, and a gate that does what a file says."""

import json
import os
import signal
import socket
import ssl
import struct
import threading
import time

import pytest
import websocket

from gateway_host import Backend, Client, Echo, Reader, Request, accept_key, certificate, ok, serve, trust, value


class Door:
    """A gateway with a gate; the file of the gate is read anew at every request."""

    def __init__(self, serve, folder, certificate, **options):
        self.file, self.certificate = folder / "gate.json", certificate
        self.entries = []
        self.write()
        self.gateway = serve([], gate=self.file, **options)
        self.port = int(self.gateway.wait("apps-port ").split()[1])

    def allow(self, prefix, backend=None, **more):
        port = backend.port if isinstance(backend, Backend) else backend
        self.entries.append({"prefix": prefix, **({"port": port} if port is not None else {}), **more})
        self.write()
        return self

    def write(self):
        temporary = self.file.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.entries))
        temporary.rename(self.file)

    def client(self):
        return Client(self.port, trust(self.certificate))

    def ask(self, target, **more):
        return self.client().ask(target, **more)


@pytest.fixture
def door(serve, tmp_path, certificate):
    return lambda **options: Door(serve, tmp_path, certificate, **options)


def head(target, length=None, method="POST", headers=""):
    framing = "" if length is None else f"Content-Length: {length}\r\n"
    return f"{method} {target} HTTP/1.1\r\nHost: apps.example:8444\r\n{headers}{framing}\r\n".encode()


# --- what reaches the program


def test_the_whole_path_and_no_word_of_the_caller(door):
    backend = Backend(lambda request, sock: ok(b"hello", extra="Set-Cookie: takumi_session=evil\r\nX-Own: yes\r\n"))
    way = door().allow("/notebook/p/1/", backend, headers={"Authorization": "token inner", "X-Extra": "new"})
    answer = way.ask(
        "/notebook/p/1/api/contents/a%20b?x=%2F&y", body=b"data", method="PUT",
        headers="Cookie: a=b\r\nAUTHORIZATION: Bearer tk_secret\r\nX-EasyMaker-Token: tk_secret\r\n"
                "x-nhn-authorization: Bearer tk_secret\r\nx-extra: old\r\nX-XSRFToken: kept\r\nX-API-Key: mine\r\n"
                "Accept: */*\r\nX-Forwarded-For: 9.9.9.9\r\n")
    assert (answer.status, answer.body, answer.header("X-Own"), answer.header("Set-Cookie")) == (200, b"hello", "yes", None)
    request = backend.requests[0]
    assert request.line == "PUT /notebook/p/1/api/contents/a%20b?x=%2F&y HTTP/1.1" and request.body == b"data"
    raw = request.raw.decode().lower()
    for gone in ("cookie", "tk_secret", "x-easymaker-token", "x-nhn-authorization", "old"):
        assert gone not in raw, raw
    assert request.header("Authorization") == ["token inner"] and request.header("X-Extra") == ["new"]
    assert request.header("X-XSRFToken") == ["kept"] and request.header("X-API-Key") == ["mine"]
    assert request.header("Host") == ["x"] and request.header("X-Forwarded-Host") == ["x"]
    assert request.header("X-Forwarded-Proto") == ["https"]
    assert request.header("X-Forwarded-For") == ["9.9.9.9, 127.0.0.1"]


def test_another_target(door):
    backend = Backend()
    way = door().allow("/a", backend, target="/b/ü c\r\nX-Evil: 1?d=e")
    assert way.ask("/a?token=secret").body == b"/b/%c3%bc%20c%0d%0aX-Evil:%201?d=e"


def test_unsafe_headers_of_the_gate_are_left_out(door):
    backend = Backend()
    way = door().allow("/a", backend, headers={"X-A": "1\r\nX-B: 2", "": "x", "X-C": "3"})
    way.allow("/own", answer={"status": 303, "headers": {"Location": "/x\r\nSet-Cookie: a=b", "X-C": "3"}})
    way.ask("/a")
    assert backend.requests[0].header("X-B") == [] and backend.requests[0].header("X-C") == ["3"]
    answer = way.ask("/own")
    assert (answer.status, answer.header("Location"), answer.header("Set-Cookie"), answer.header("X-C")) == (303, None, None, "3")


def test_the_gates_own_answers(door):
    way = door().allow("/page", answer={"status": 401, "headers": {"Content-Type": "text/html"}, "body": "<p>no"})
    client = way.client()
    for _ in range(2):
        answer = client.ask("/page", method="GET", body=None)
        assert (answer.status, answer.header("Content-Type"), answer.body) == (401, "text/html", b"<p>no")
    assert client.ask("/page", method="HEAD", body=None).body == b""
    assert client.ask("/page", body=b"x" * 1000).status == 401
    assert client.ask("/other").status == 404
    # What is refused is not read to its end.
    client.send(head("/page", 1 << 30) + b"x" * 100_000)
    assert client.answer().header("Connection") == "close" and client.is_closed()


def test_tls_only(door):
    way = door().allow("/", Backend())
    client = Client(way.port)
    client.send(head("/", 0))
    answer = client.answer()
    assert answer.status == 400 and "https" in answer.json()["error"] and client.is_closed()


def test_endpoints_are_not_here_and_programs_not_there(serve, door):
    backend = Backend()
    way = door().allow("/a", backend)
    assert Client(way.gateway.port).ask("/a").status == 404


# --- connections


def test_keep_alive_and_pipelining(door):
    backend = Backend()
    way = door(threads=1).allow("/a", backend)
    client = way.client()
    for index in range(20):
        assert client.ask(f"/a/{index}").body == f"/a/{index}".encode()
    assert backend.connections == 1
    client.send(b"".join(head(f"/a/{index}", 2) + b"{}" for index in range(20)))
    assert [client.answer().body for _ in range(20)] == [f"/a/{index}".encode() for index in range(20)]
    assert backend.connections == 1
    # Each request is for the gate to decide, also on a connection that was let in.
    way.entries = []
    way.write()
    assert client.ask("/a/1").status == 404


def test_idle_connections_to_programs_end(door):
    closed = threading.Event()

    class Watching(Backend):
        def serve(self, sock):
            super().serve(sock)
            closed.set()

    way = door().allow("/a", Watching())
    assert way.ask("/a").status == 200
    assert closed.wait(17), "the connection is kept although another program may come to have the port"


def test_refused_and_reused_port(door):
    backend = Backend(lambda request, sock: ok(b"old"))
    way = door(threads=1).allow("/a", backend)
    client = way.client()
    assert client.ask("/a").body == b"old"
    backend.stop()
    time.sleep(0.1)
    for _ in range(2):
        answer = client.ask("/a")
        assert answer.status == 502 and "port" in answer.json()["error"], answer.body
    again = Backend(lambda request, sock: ok(b"new"), port=backend.port)
    assert client.ask("/a").body == b"new"
    again.stop()
    assert way.allow("/none", 0).ask("/none").status == 502


def test_program_that_closes_without_an_answer(door):
    way = door().allow("/a", Backend(lambda request, sock: None)).allow("/b", Backend(lambda r, s: b"what?\r\n\r\n"))
    client = way.client()
    for target, word in (("/a", "closed the connection"), ("/b", "not HTTP/1.1")):
        answer = client.ask(target)
        assert answer.status == 502 and answer.json()["error"].startswith("the program"), answer.body
        assert word in answer.json()["error"]


def test_slow_program(door):
    def handler(request, sock):
        time.sleep(2.5)
        return ok(b"late")

    way = door(apps_timeout=1).allow("/a", Backend(handler))
    answer = way.ask("/a")
    assert answer.status == 504 and "the program" in answer.json()["error"]


# --- large


SIZE = 300 << 20
PIECE = os.urandom(1 << 20)


def grown(gateway, work):
    """By how many bytes the gateway's memory grows at most while something is done."""
    before, most, done = gateway.rss(), [0], threading.Event()

    def watch():
        while not done.wait(0.02):
            most[0] = max(most[0], gateway.rss())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return most[0] - before


class Counting(Backend):
    """Reads bodies piece by piece, as slowly as is wanted."""

    def __init__(self, pause=0):
        self.received, self.pause = 0, pause
        super().__init__()

    def serve(self, sock):
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(1 << 16)
        first, rest = data.split(b"\r\n\r\n", 1)
        length = int(first.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.received = len(rest)
        while self.received < length:
            self.received += len(sock.recv(1 << 18))
            if self.pause:
                time.sleep(self.pause)
        sock.sendall(ok(str(self.received).encode()))
        sock.close()


@pytest.mark.parametrize("size, pause", [(SIZE, 0), (60 << 20, 0.005)], ids=["fast", "slow program"])
def test_upload(door, size, pause):
    way = door().allow("/a", Counting(pause))
    client = way.client()
    client.sock.settimeout(120)

    def work():
        client.send(head("/a", size, method="PUT", headers="Expect: 100-continue\r\n"))
        assert client.reader.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        for _ in range(size >> 20):
            client.send(PIECE)
        assert client.answer().body == str(size).encode()

    assert grown(way.gateway, work) < 40 << 20


def test_upload_in_chunks(door):
    """Without a length, and beyond what an endpoint would take."""
    backend = Backend(lambda request, sock: ok(str(len(request.body)).encode()))
    way = door(body_limit=1000).allow("/a", backend)
    client = way.client()
    client.send(b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        client.send(b"100000\r\n" + PIECE + b"\r\n")
    client.send(b"0\r\n\r\n")
    assert client.answer().body == str(20 << 20).encode()


@pytest.mark.parametrize("size, pause", [(SIZE, 0), (100 << 20, 0.02)], ids=["fast", "slow client"])
def test_download(door, size, pause):
    def handler(request, sock):
        sock.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size >> 20):
            sock.sendall(PIECE)
        return b""

    way = door().allow("/a", Backend(handler))
    client = way.client()
    client.sock.settimeout(120)

    def work():
        client.send(head("/a", method="GET"))
        assert client.reader.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        received = len(client.reader.data)
        while received < size:
            received += len(client.sock.recv(1 << 20))
            if pause and received % (1 << 20) < 1 << 14:
                time.sleep(pause)

    assert grown(way.gateway, work) < 40 << 20


def test_events_come_at_once(door):
    go = threading.Event()

    def handler(request, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        sock.sendall(b"5\r\nfirst\r\n")
        go.wait(10)
        return b"6\r\nsecond\r\n0\r\n\r\n"

    way = door(apps_timeout=1).allow("/a", Backend(handler))
    client = way.client()
    client.send(head("/a", method="GET"))
    client.reader.until(b"first")
    time.sleep(1.5)  # longer than an answer's head may take
    go.set()
    client.reader.until(b"second")


# --- WebSockets


class Sockets(Backend):
    """Speaks WebSocket, as far as echoing goes: frames of text and bytes, unmasked back."""

    def serve(self, sock):
        reader = Reader(sock)
        line, headers, raw = reader.head()
        self.requests.append(Request(line, headers, b"", raw))
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Set-Cookie: a=b\r\nSec-WebSocket-Accept: "
                     + accept_key(value(headers, "Sec-WebSocket-Key")).encode() + b"\r\n\r\n")
        try:
            while True:
                first, second = reader.exactly(2)
                length = second & 127
                if length > 125:
                    length = int.from_bytes(reader.exactly(2 if length == 126 else 8), "big")
                mask = int.from_bytes(reader.exactly(4) * (length // 4 + 1), "big") >> 8 * (4 - length % 4)
                data = (int.from_bytes(reader.exactly(length), "big") ^ mask).to_bytes(length, "big") if length else b""
                size = bytes([length]) if length < 126 else b"\x7e" + struct.pack(">H", length) \
                    if length < 1 << 16 else b"\x7f" + struct.pack(">Q", length)
                sock.sendall(bytes([first]) + size + data)
                if first & 15 == 8:
                    return sock.close()
        except (OSError, EOFError):
            sock.close()


def connect(way, target="/ws", **more):
    return websocket.create_connection(
        f"wss://localhost:{way.port}{target}", sslopt={"ca_certs": f"{way.certificate}.pem"}, timeout=20, **more)


def test_websocket(door):
    backend = Sockets()
    way = door(check=200).allow("/ws", backend, headers={"Authorization": "token inner"})
    tunnel = connect(way, cookie="takumi=secret", header=["Authorization: Bearer tk_secret"])
    assert tunnel.getheaders().get("set-cookie") is None
    raw = backend.requests[0].raw.decode()
    assert "secret" not in raw and backend.requests[0].header("Authorization") == ["token inner"]
    large = os.urandom(8 << 20)
    tunnel.send_binary(large)
    assert tunnel.recv() == large
    for index in range(2000):
        tunnel.send(f"message {index}")
    for index in range(2000):
        assert tunnel.recv() == f"message {index}"
    time.sleep(1)  # asked several times meanwhile whether it may stay
    tunnel.send("still here")
    assert tunnel.recv() == "still here"
    tunnel.close()


def test_websockets_do_not_grow_with_what_is_not_taken(door):
    """A program that floods a client that does not read."""
    class Flood(Echo):
        def serve(self, sock):
            Reader(sock).head()
            sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            sock.settimeout(3)
            try:
                for _ in range(200):
                    sock.sendall(PIECE)
            except OSError:
                pass
            sock.close()

    way = door().allow("/ws", Flood())
    client = way.client()
    client.send(UPGRADE)

    def work():
        client.reader.until(b"\r\n\r\n")
        time.sleep(2)

    assert grown(way.gateway, work) < 40 << 20


UPGRADE = head("/ws", method="GET", headers="Connection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")


def test_a_program_closes_its_side_only(door):
    heard = []

    class HalfOpen(Echo):
        def serve(self, sock):
            Reader(sock).head()
            sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nlast words")
            sock.shutdown(socket.SHUT_WR)
            while data := sock.recv(1 << 16):
                heard.append(data)
            sock.close()

    way = door().allow("/ws", HalfOpen())
    client = way.client()
    client.send(UPGRADE)
    assert client.reader.rest().endswith(b"last words")
    client.send(b"and mine")
    client.close()
    time.sleep(0.3)
    assert b"".join(heard) == b"and mine"


def test_a_client_closes_its_side_only(door):
    """With TLS's own close, which Python's sockets cannot do alone."""
    way = door().allow("/ws", Echo())
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trust(way.certificate).wrap_bio(incoming, outgoing, server_hostname="localhost")
    sock = socket.create_connection(("127.0.0.1", way.port), timeout=10)

    def step(action):
        while True:
            try:
                result = action()
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                data = sock.recv(1 << 16)
                incoming.write(data) if data else incoming.write_eof()
            else:
                sock.sendall(outgoing.read())
                return result

    step(tls.do_handshake)
    step(lambda: tls.write(UPGRADE + b"echo this"))
    data = b""
    while b"echo this" not in data:
        data += step(lambda: tls.read(1 << 16))
    with pytest.raises(ssl.SSLError):
        tls.unwrap()
    sock.sendall(outgoing.read())
    assert step(lambda: tls.read(1 << 16)) == b"bye"


def test_tunnels_and_streams_end_when_they_may_not_stay(door, tmp_path):
    leave = tmp_path / "leave"
    leave.touch()
    closed = threading.Event()

    def endless(request, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                sock.sendall(b"1\r\nx\r\n")
                time.sleep(0.05)
        except OSError:
            closed.set()

    way = door(check=300).allow("/ws", Sockets(), allow=str(leave)).allow("/endless", Backend(endless), allow=str(leave))
    tunnel = connect(way)
    stream = way.client()
    stream.send(head("/endless", method="GET"))
    stream.reader.until(b"\r\n\r\n")
    time.sleep(1)
    tunnel.send("here")
    assert tunnel.recv() == "here"
    leave.unlink()
    start = time.monotonic()
    with pytest.raises((websocket.WebSocketException, OSError)):
        tunnel.recv()
    assert time.monotonic() - start < 2
    assert closed.wait(2), "the stream goes on"
    # Short requests are the gate's own affair, as before.
    assert way.allow("/short", Backend()).ask("/short").status == 200


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_of_a_tunnel_vanishes(door, reset):
    """Without a word of TLS, as a browser does whose window closes."""
    closed = threading.Event()

    class Watching(Sockets):
        def serve(self, sock):
            super().serve(sock)
            closed.set()

    tunnel = connect(door().allow("/ws", Watching()))
    if reset:
        tunnel.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    start = time.monotonic()
    socket.socket(fileno=tunnel.sock.detach()).close()
    assert closed.wait(5) and time.monotonic() - start < 0.5


# --- the gate takes its time


def test_a_slow_gate_holds_nobody_else(door):
    way = door(threads=1).allow("/slow", Backend(), delay=1.5).allow("/fast", Backend())
    slow = [way.client() for _ in range(20)]
    start = time.monotonic()
    for client in slow:
        client.send(head("/slow", 5) + b"hello" + head("/fast", 0))
    fast = way.client()
    for _ in range(20):
        assert fast.ask("/fast").status == 200
    assert time.monotonic() - start < 1.2
    for client in slow:
        assert (client.answer().body, client.answer().body) == (b"/slow", b"/fast")
    assert time.monotonic() - start < 4


def test_a_client_vanishes_while_the_gate_decides(door):
    backend = Backend()
    way = door().allow("/slow", backend, delay=0.7)
    for reset in (False, True):
        client = way.client()
        client.send(head("/slow", 5) + b"hello")
        time.sleep(0.1)
        if reset:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    time.sleep(1.2)
    assert backend.requests == [] and way.ask("/slow").status == 200


def test_little_is_read_while_the_gate_decides(door):
    way = door().allow("/slow", Counting(), delay=1.5)
    client = way.client()
    client.sock.settimeout(60)

    def work():
        client.send(head("/slow", 60 << 20))
        for _ in range(60):
            client.send(PIECE)
        assert client.answer().body == str(60 << 20).encode()

    assert grown(way.gateway, work) < 40 << 20


# --- end


def test_end(door):
    release = threading.Event()
    way = door().allow("/a", Backend(lambda r, s: release.wait(10) and ok(b"done"))).allow("/ws", Sockets())
    way.allow("/slow", Backend(), delay=0.5)
    idle, busy, asking = way.client(), way.client(), way.client()
    assert idle.ask("/other").status == 404
    tunnel = connect(way)
    busy.send(head("/a", 0))
    asking.send(head("/slow", 0))
    time.sleep(0.2)
    start = time.monotonic()
    way.gateway.process.send_signal(signal.SIGTERM)
    assert idle.is_closed()
    with pytest.raises(OSError):
        way.client()
    answer = asking.answer()
    assert (answer.body, answer.header("Connection")) == (b"/slow", "close")
    release.set()
    answer = busy.answer()
    assert (answer.body, answer.header("Connection")) == (b"done", "close")
    with pytest.raises((websocket.WebSocketException, OSError)):
        tunnel.recv()
    assert way.gateway.process.wait(5) == 0 and time.monotonic() - start < 3
