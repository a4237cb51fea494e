"""The gateway by itself, for tests: `Tests/GatewayHost`, clients and backends of plain sockets that do what they are told."""

import base64
import hashlib
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from harness import REPOSITORY

BINARY = REPOSITORY / ".build/debug/GatewayHost"


class Request:
    def __init__(self, line, headers, body, raw):
        self.line, self.headers, self.body, self.raw = line, headers, body, raw
        self.method, self.target, _ = line.split(" ", 2)

    def header(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Reader:
    """Buffered reading of HTTP messages from a socket."""

    def __init__(self, sock):
        self.sock, self.data = sock, b""

    def fill(self):
        piece = self.sock.recv(1 << 16)
        self.data += piece
        return bool(piece)

    def until(self, mark):
        while mark not in self.data:
            if not self.fill():
                return None
        head, self.data = self.data.split(mark, 1)
        return head

    def exactly(self, count):
        parts, have = [self.data], len(self.data)
        while have < count:
            piece = self.sock.recv(1 << 20)
            if not piece:
                raise EOFError(f"{have} of {count} bytes")
            parts.append(piece)
            have += len(piece)
        whole = b"".join(parts)
        self.data = whole[count:]
        return whole[:count]

    def rest(self):
        while self.fill():
            pass
        data, self.data = self.data, b""
        return data

    def head(self):
        raw = self.until(b"\r\n\r\n")
        if raw is None:
            return None
        lines = raw.decode("latin-1").split("\r\n")
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        return lines[0], headers, raw

    def chunks(self):
        body = []
        while True:
            size = int(self.until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                while self.until(b"\r\n"):
                    pass
                return b"".join(body)
            body.append(self.exactly(size))
            assert self.exactly(2) == b"\r\n"


def value(headers, name):
    return next((v for k, v in headers if k.lower() == name.lower()), None)


class Answer:
    def __init__(self, line, headers, body):
        self.line, self.headers, self.body = line, headers, body
        self.status = int(line.split(" ")[1])

    def header(self, name):
        return value(self.headers, name)

    def json(self):
        return json.loads(self.body)


class Client:
    def __init__(self, port, context=None, host="127.0.0.1"):
        self.sock = socket.create_connection((host, port), timeout=20)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self.reader = Reader(self.sock)

    def send(self, data):
        self.sock.sendall(data)

    def answer(self, method="POST"):
        while True:
            head = self.reader.head()
            if head is None:
                raise EOFError("closed without an answer")
            line, headers, _ = head
            if line.split(" ")[1] == "100":
                continue
            break
        if method == "HEAD" or line.split(" ")[1] in ("204", "304"):
            body = b""
        elif value(headers, "Transfer-Encoding"):
            body = self.reader.chunks()
        elif value(headers, "Content-Length") is not None:
            body = self.reader.exactly(int(value(headers, "Content-Length")))
        else:
            body = self.reader.rest()
        return Answer(line, headers, body)

    def ask(self, target, body=b"{}", method="POST", headers=""):
        framing = f"Content-Length: {len(body)}\r\n" if body is not None else ""
        self.send(f"{method} {target} HTTP/1.1\r\nHost: x\r\n{headers}{framing}\r\n".encode() + (body or b""))
        return self.answer(method)

    def is_closed(self, within=3):
        self.sock.settimeout(within)
        try:
            return self.reader.data == b"" and self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.sock.close()


def ok(body=b"ok", extra=""):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


class Backend:
    """Answers each request with what `handler(request, sock)` returns: bytes to send, or None to close."""

    def __init__(self, handler=None, port=0):
        self.handler = handler or (lambda request, sock: ok(request.target.encode()))
        self.requests, self.connections, self.open = [], 0, set()
        self.server = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.server.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self.open.add(sock)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        reader = Reader(sock)
        try:
            while head := reader.head():
                line, headers, raw = head
                request = Request(line, headers, None, raw)
                if value(headers, "Transfer-Encoding"):
                    request.body = reader.chunks()
                else:
                    request.body = reader.exactly(int(value(headers, "Content-Length") or 0))
                request.reader = reader
                self.requests.append(request)
                answer = self.handler(request, sock)
                if answer is None:
                    break
                sock.sendall(answer)
        except (OSError, EOFError, TypeError):
            pass
        finally:
            self.open.discard(sock)
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def drop_connections(self):
        for sock in list(self.open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.server.close()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
        except OSError:
            pass
        self.drop_connections()


class Gateway:
    def __init__(self, folder, certificate, **options):
        self.folder, self.lines, self.certificate = folder, [], certificate
        self.table = folder / "table.json"
        self.statistics = folder / "statistics"
        self.options = options
        self.condition = threading.Condition()

    def start(self, stages):
        self.table.write_text(json.dumps({"stages": stages}))
        command = [BINARY, "--table", self.table, "--certificate", f"{self.certificate}.pem", "--key",
                   f"{self.certificate}.key", "--statistics", self.statistics]
        for name, option in self.options.items():
            command += ["--" + name.replace("_", "-"), str(option)]
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()
        self.port = int(self.wait("port ").split()[1])
        return self

    def read(self):
        for line in self.process.stdout:
            with self.condition:
                self.lines.append(line.strip())
                self.condition.notify_all()

    def wait(self, prefix, count=1, timeout=10):
        with self.condition:
            found = lambda: [line for line in self.lines if line.startswith(prefix)]
            assert self.condition.wait_for(lambda: len(found()) >= count, timeout), (prefix, self.lines)
            return found()[-1]

    def count(self, prefix):
        with self.condition:
            return len([line for line in self.lines if line.startswith(prefix)])

    def publish(self, stages):
        before = self.count("published")
        temporary = self.table.with_suffix(".tmp")
        temporary.write_text(json.dumps({"stages": stages}))
        temporary.rename(self.table)
        self.process.send_signal(signal.SIGHUP)
        self.wait("published", before + 1)

    def counts(self):
        """{'stage S': [succeeded, refused, failed], 'inflight B': n, 'requests S R': n}"""
        time.sleep(0.4)
        before = self.count("counted")
        with self.condition:
            mark = len(self.lines)
        self.process.send_signal(signal.SIGUSR1)
        self.wait("counted", before + 1)
        result = {}
        for line in self.lines[mark:]:
            words = line.split()
            if words[0] == "stage":
                result[f"stage {words[1]}"] = [int(word) for word in words[2:]]
            elif words[0] in ("inflight", "requests"):
                result[" ".join(words[:-1])] = int(words[-1])
        return result

    def rss(self):
        status = open(f"/proc/{self.process.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def stop(self, how=signal.SIGTERM, within=20):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(within)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    path = tmp_path_factory.mktemp("certificate") / "server"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{path}.key", "-out",
         f"{path}.pem"], check=True, capture_output=True)
    return path


@pytest.fixture
def serve(tmp_path, certificate):
    started = []

    def start(stages, **options):
        folder = options.pop("folder", tmp_path / f"gateway-{len(started)}")
        folder.mkdir(exist_ok=True)
        gateway = Gateway(folder, certificate, **options).start(stages)
        started.append(gateway)
        return gateway

    yield start
    for gateway in started:
        gateway.stop(signal.SIGKILL)


def trust(certificate):
    context = ssl.create_default_context(cafile=f"{certificate}.pem")
    return context


def accept_key(key):
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


class Echo(Backend):
    """Upgrades, greets at once, then echoes until the other side stops sending, and says good-bye."""

    def serve(self, sock):
        reader = Reader(sock)
        line, headers, raw = reader.head()
        self.requests.append(Request(line, headers, b"", raw))
        if not value(headers, "Upgrade"):
            sock.sendall(ok(b"not upgraded"))
            return sock.close()
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept_key(value(headers, "Sec-WebSocket-Key")).encode()
                     + b"\r\n\r\ngreeting")
        data = reader.data or sock.recv(1 << 16)
        while data:
            sock.sendall(data)
            data = sock.recv(1 << 16)
        sock.sendall(b"bye")
        sock.shutdown(socket.SHUT_WR)
        sock.close()
