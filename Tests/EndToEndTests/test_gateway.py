"""The gateway from outside: real sockets, backends that do what they are told.

By `Tests/GatewayHost`, which serves a table of routes from a file.
"""

import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway_host import Backend, Client, Echo, Reader, certificate, ok, serve, trust


def stage(*backends, id="blue", prefixes=("/k/e/stages/blue", "/k/e"), name="iris", hold=0, **more):
    pods = [{"id": f"p{index}" if not isinstance(backend, tuple) else backend[0],
             "port": backend.port if isinstance(backend, Backend) else backend if isinstance(backend, int) else backend[1]}
            for index, backend in enumerate(backends)]
    return {"id": id, "prefixes": list(prefixes), "resources": [{"name": name, "backends": pods, "hold": hold}], **more}


# --- routing


@pytest.mark.parametrize("target, seen", [
    ("/k/e/stages/blue/iris/v1/models/iris:predict", "/v1/models/iris:predict"),
    ("/k/e/iris/v1/models/iris:predict?a=%20b&c", "/v1/models/iris:predict?a=%20b&c"),
    ("/k/e/iris", "/"),
    ("/k/e/iris/", "/"),
    ("/k/e/iris?x=1", "/?x=1"),
    ("/%6b/e/%69ris/v2/a%20b", "/v2/a%20b"),
    ("/k/e/v1/models/iris:predict", "/v1/models/iris:predict"),
    ("/k/e/v1/models/iris/predict", "/v1/models/iris/predict"),
    ("/k/e/v1/models/iris", "/v1/models/iris"),
    ("/k/e/v2/models/iris/infer", "/v2/models/iris/infer"),
    ("/k/e/v2/health/ready", "/v2/health/ready"),
    ("/k/e/openai/v1/completions", "/openai/v1/completions"),
    ("/k/e/v1/models/other:predict", "/v1/models/other:predict"),
    ("http://host:1/k/e/iris/v2", "/v2"),
    ("/k/e/iris/v1/models/é", "/v1/models/%c3%a9"),
])
def test_routes(serve, target, seen):
    backend = Backend()
    gateway = serve([stage(backend)])
    answer = Client(gateway.port).ask(target)
    assert (answer.status, answer.body.decode()) == (200, seen)


def test_two_resources_need_a_name(serve):
    iris, wine = Backend(lambda r, s: ok(b"iris " + r.target.encode())), Backend(lambda r, s: ok(b"wine"))
    one = stage(iris)
    one["resources"].append({"name": "wine:red", "backends": [{"id": "w", "port": wine.port}]})
    client = Client(serve([one]).port)
    assert client.ask("/k/e/v1/models/wine:red:predict").body == b"wine"
    assert client.ask("/k/e/v1/models/wine:red").body == b"wine"
    assert client.ask("/k/e/wine%3Ared/v1").body == b"wine"
    assert client.ask("/k/e/v1/models/iris:predict").body == b"iris /v1/models/iris:predict"
    assert client.ask("/k/e/v2/health/live").status == 404
    assert client.ask("/k/e/v1/models").status == 404


@pytest.mark.parametrize("target, message", [
    ("/", "there is no endpoint at this address"),
    ("/k", "there is no endpoint at this address"),
    ("/x/e/iris/v1", "there is no endpoint at this address"),
    ("/k%2Fe/iris/v1", "there is no endpoint at this address"),
    ("//k/e/iris", "there is no endpoint at this address"),
    ("/k/e/setosa/v1", "Model with name setosa does not exist."),
    ("/k/e/%E3%81%82%22/v1", "Model with name あ\" does not exist."),
    ("/k/e", "the address names no model: add a model's name to the endpoint's address"),
    ("/k/e/stages/green/iris", "the endpoint has no stage 'green'"),
    ("/k/e/stages/blue/setosa/v1", "Model with name setosa does not exist."),
])
def test_not_found(serve, target, message):
    gateway = serve([stage(Backend())])
    client = Client(gateway.port)
    for _ in range(2):  # and the connection goes on
        answer = client.ask(target, b"x" * 100)
        assert (answer.status, answer.json()) == (404, {"error": message})
        assert answer.header("Content-Type") == "application/json"


def test_openai_errors_have_their_form(serve):
    gateway = serve([stage(name="m"), stage(id="k", prefixes=["/k/keyed"], keys=[hashlib.sha256(b"a").hexdigest()])])
    client = Client(gateway.port)
    error = client.ask("/k/e/m/openai/v1/completions").json()["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["type"] == "server_error"
    error = client.ask("/k/keyed/iris/openai/v1/completions").json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_api_key")
    assert client.ask("/k/keyed/iris/v1/openai").json()["error"].startswith("this endpoint needs an API key")


def test_malformed_percent(serve):
    client = Client(serve([stage(Backend())]).port)
    for target in ["/k/%zz/iris", "/%", "/k/%4", "/%00/e"]:
        assert client.ask(target).status == 400


# --- keys, limits


def test_keys(serve):
    backend = Backend(lambda request, sock: ok(request.raw))
    keys = [hashlib.sha256(key).hexdigest() for key in (b"alpha", b"beta")]
    client = Client(serve([stage(backend, keys=keys)]).port)
    assert client.ask("/k/e/iris/v1").status == 401
    for header in ["Authorization: Bearer gamma", "X-API-Key: gamma", "Authorization: Basic alpha", "X-API-Key:"]:
        answer = client.ask("/k/e/iris/v1", headers=header + "\r\n")
        assert (answer.status, answer.header("WWW-Authenticate")) == (401, "Bearer")
    assert not backend.requests
    # What is there is told only to who may know.
    assert client.ask("/k/e/nothing/v1").status == 401
    for header in ["Authorization: Bearer alpha", "authorization: bearer   beta", "X-API-Key: beta"]:
        answer = client.ask("/k/e/iris/v1", headers=header + "\r\n")
        assert answer.status == 200
        assert b"alpha" not in answer.body and b"beta" not in answer.body


def test_identifying_headers_are_dropped(serve):
    backend = Backend(lambda request, sock: ok(request.raw, "Set-Cookie: a=b\r\n"))
    client = Client(serve([stage(backend)]).port)
    secret = "".join(f"{name}: secret\r\n" for name in ["Authorization", "Cookie", "X-EasyMaker-Token", "X-NHN-Authorization",
                                                        "X-API-Key", "Proxy-Authorization"])
    answer = client.ask("/k/e/iris/v1", headers=secret + "X-Kept: yes\r\n")
    assert b"secret" not in answer.body and b"X-Kept: yes" in answer.body
    assert answer.header("Set-Cookie") is None


def test_rate_limit(serve):
    client = Client(serve([stage(Backend(), rate={"perSecond": 5, "burst": 3})]).port)
    statuses = [client.ask("/k/e/iris/v1").status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert client.ask("/k/e/iris/v1").header("Retry-After") == "1"
    time.sleep(0.45)
    assert [client.ask("/k/e/iris/v1").status for _ in range(3)] == [200, 200, 429]


def test_rate_limit_survives_a_new_table(serve):
    backend = Backend()
    limited = stage(backend, rate={"perSecond": 1, "burst": 2})
    gateway = serve([limited])
    client = Client(gateway.port)
    assert [client.ask("/k/e/iris/v1").status for _ in range(2)] == [200, 200]
    gateway.publish([limited, stage(backend, id="other", prefixes=["/k/o"])])
    assert client.ask("/k/e/iris/v1").status == 429


# --- messages


def test_headers_to_the_backend(serve):
    backend = Backend(lambda request, sock: ok(request.raw))
    client = Client(serve([stage(backend)]).port)
    headers = ("Connection: keep-alive, X-Hop , close-not\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n"
               "Trailer: X\r\nUpgrade: h2c\r\nProxy-Connection: keep-alive\r\nX-Forwarded-For: 9.9.9.9\r\n"
               "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nAccept:  a , b \r\nX-Request-Id: mine\r\n")
    answer = client.ask("/k/e/iris/v1", headers=headers)
    seen = answer.body.decode()
    for gone in ["Connection", "X-Hop", "Keep-Alive", "TE:", "Trailer", "Upgrade", "evil", "Proxy-Connection"]:
        assert gone not in seen
    for kept in ["Accept:  a , b ", "X-Forwarded-For: 9.9.9.9, 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: x",
                 "X-Request-Id: mine", "Host: x"]:
        assert f"\r\n{kept}\r\n" in seen + "\r\n"
    assert answer.header("X-Request-Id") == "mine"
    assert seen.count("X-Forwarded-Proto") == 1


def test_request_id_is_made(serve):
    backend = Backend(lambda request, sock: ok(request.header("X-Request-Id")[0].encode(), "X-Request-Id: theirs\r\n"))
    client = Client(serve([stage(backend)]).port)
    ids = set()
    for extra in ["", "X-Request-Id: " + "a" * 200 + "\r\n", "X-Request-Id: a b\r\n"]:
        answer = client.ask("/k/e/iris/v1", headers=extra)
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", answer.body.decode())
        assert answer.header("X-Request-Id") == answer.body.decode()
        ids.add(answer.body)
    assert len(ids) == 3
    assert re.fullmatch(r"[0-9a-f-]{36}", client.ask("/none").header("X-Request-Id"))


@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385, 70000, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_both_ways(serve, size, chunked):
    def echo(request, sock):
        if request.header("Transfer-Encoding"):
            parts = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece)
                             for piece in (request.body[i:i + 9999] for i in range(0, len(request.body), 9999)))
            return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\nX-Trailer: 1\r\n\r\n"
        return ok(request.body)

    client = Client(serve([stage(Backend(echo))]).port)
    body = os.urandom(size)
    for _ in range(2):
        head = b"POST /k/e/iris/v1 HTTP/1.1\r\nHost: x\r\n"
        if chunked:
            pieces = b"".join(b"%X;e=1\r\n%s\r\n" % (len(piece), piece)
                              for piece in (body[i:i + 7777] for i in range(0, size, 7777)))
            message = head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\nX-T: 1\r\n\r\n"
        else:
            message = head + b"Content-Length: %d\r\n\r\n" % size + body
        threading.Thread(target=client.send, args=(message,)).start()
        answer = client.answer()
        assert answer.status == 200 and answer.body == body


def test_bytes_one_by_one(serve):
    backend = Backend(lambda request, sock: ok(request.body))
    client = Client(serve([stage(backend)]).port)
    message = (b"\r\nPOST /k/e/iris/v1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n3\r\nefg\r\n"
               b"0\r\n\r\nPOST /k/e/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nxyz")
    for byte in message:
        client.send(bytes([byte]))
        time.sleep(0.001)
    assert client.answer().body == b"abcdefg"
    assert client.answer().body == b"xyz"


def test_answer_byte_by_byte(serve):
    def slowly(request, sock):
        for byte in b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n2\r\nhi\r\n0\r\n\r\n":
            sock.sendall(bytes([byte]))
            time.sleep(0.001)
        return b""

    client = Client(serve([stage(Backend(slowly))]).port)
    for _ in range(2):
        answer = client.ask("/k/e/iris/v1")
        assert (answer.line, answer.body, answer.header("A")) == ("HTTP/1.1 200 Fine", b"hi", "b")


def test_pipelining(serve):
    def handler(request, sock):
        time.sleep(0.05 if request.target.endswith("0") else 0)
        return ok(request.target.encode())

    client = Client(serve([stage(Backend(handler))]).port)
    message = b""
    for index in range(40):
        if index % 5 == 4:
            message += b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
        else:
            message += b"POST /k/e/iris/%d HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" % index
    client.send(message)
    for index in range(40):
        answer = client.answer()
        if index % 5 == 4:
            assert answer.status == 404
        else:
            assert answer.body == b"/%d" % index


def test_many_pipelined_refusals(serve):
    client = Client(serve([stage(Backend())]).port)
    count = 20000
    threading.Thread(target=client.send, args=(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n" * count,), daemon=True).start()
    for _ in range(count):
        assert client.answer().status == 404


def test_head_and_bodiless(serve):
    def handler(request, sock):
        if request.method == "HEAD":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        status = request.target.strip("/")
        return f"HTTP/1.1 {status} X\r\n\r\n".encode()

    client = Client(serve([stage(Backend(handler))]).port)
    answer = client.ask("/k/e/iris/x", None, "HEAD")
    assert (answer.status, answer.header("Content-Length"), answer.body) == (200, "1000", b"")
    assert client.ask("/k/e/iris/204", None, "GET").status == 204
    assert client.ask("/k/e/iris/304", None, "GET").status == 304
    answer = client.ask("/none", None, "HEAD")
    assert answer.status == 404 and int(answer.header("Content-Length")) > 0
    assert client.ask("/k/e/iris/204", None, "GET").status == 204


def test_lower_case_method_is_another(serve):
    backend = Backend(lambda request, sock: ok(request.method.encode()))
    client = Client(serve([stage(backend)]).port)
    assert client.ask("/k/e/iris/x", None, "head").body == b"head"
    assert client.ask("/k/e/iris/x", None, "GET").body == b"GET"


def test_http_1_0(serve):
    chunky = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    backend = Backend(lambda request, sock: chunky if "chunky" in request.target else ok(request.raw))
    gateway = serve([stage(backend)])
    client = Client(gateway.port)
    client.send(b"GET /k/e/iris/v1 HTTP/1.0\r\n\r\n")
    answer = client.answer()
    assert answer.header("Connection") == "close" and b"HTTP/1.1\r\nHost: 127.0.0.1" in answer.body and client.is_closed()
    client = Client(gateway.port)
    for _ in range(2):
        client.send(b"GET /k/e/iris/v1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert client.answer().header("Connection") == "keep-alive"
    client.send(b"GET /k/e/iris/chunky HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    answer = client.answer()
    assert answer.body == b"hello" and answer.header("Transfer-Encoding") is None


def test_connection_close(serve):
    client = Client(serve([stage(Backend())]).port)
    answer = client.ask("/k/e/iris/v1", headers="Connection: close\r\n")
    assert (answer.status, answer.header("Connection")) == (200, "close") and client.is_closed()


def test_answer_to_the_end_of_the_connection(serve):
    def handler(request, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 100_000)

    client = Client(serve([stage(Backend(handler))]).port)
    for _ in range(2):
        answer = client.ask("/k/e/iris/v1")
        assert answer.body == b"a" * 100_000 and answer.header("Transfer-Encoding") == "chunked"


def test_expect_continue(serve):
    backend = Backend(lambda request, sock: ok(request.raw + request.body))
    gateway = serve([stage(backend)], body_limit=1000)
    client = Client(gateway.port)
    client.send(b"POST /k/e/iris/v1 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    assert client.reader.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
    client.send(b"hello")
    body = client.answer().body
    assert body.endswith(b"hello") and b"Expect" not in body
    client.send(b"POST /k/e/iris/v1 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n")
    assert client.answer().status == 413 and client.is_closed()


def test_answers_stream(serve):
    gate = threading.Event()

    def handler(request, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n")
        for index in range(3):
            sock.sendall(b"8\r\ndata: %d\n\r\n" % index)
            gate.wait(5)
            gate.clear()
        return b"0\r\n\r\n"

    client = Client(serve([stage(Backend(handler))]).port)
    client.send(b"GET /k/e/iris/v1 HTTP/1.1\r\nHost: x\r\n\r\n")
    client.reader.until(b"\r\n\r\n")
    for index in range(3):
        assert client.reader.until(b"\n\r\n") == b"8\r\ndata: %d" % index
        gate.set()
    assert client.reader.until(b"0\r\n\r\n") == b""


# --- bad requests


HEAD = b"POST /k/e/iris/v1 HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("message, status", [
    (HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    (HEAD + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    (HEAD + b"Content-Length: +3\r\n\r\nabc", 400),
    (HEAD + b"Content-Length: 0x3\r\n\r\nabc", 400),
    (HEAD + b"Content-Length: 99999999999999999999\r\n\r\nabc", 400),
    (HEAD + b"Content-Length: \r\n\r\nabc", 400),
    (HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    (HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    (HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    (HEAD + b"X: a\r\n b\r\n\r\n", 400),
    (HEAD + b"X: a\rb\r\n\r\n", 400),
    (HEAD + b"X: a\r\r\n\r\n", 400),
    (HEAD + b"X: a\0b\r\n\r\n", 400),
    (HEAD + b"X: a\nY: b\r\n\r\n", 400),
    (HEAD + b"X a\r\n\r\n", 400),
    (HEAD + b": a\r\n\r\n", 400),
    (HEAD + b"Host: y\r\n\r\n", 400),
    (b"POST /k/e/iris/v1 HTTP/1.1\r\n\r\n", 400),
    (b"POST /k/e/iris/v1 HTTP/1.1\nHost: x\n\n", 400),
    (b"POST /k/e/iris/v1\r\nHost: x\r\n\r\n", 400),
    (b"POST  /k/e/iris/v1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"POST /k/e/iris/v1 x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"P(ST /k/e/iris/v1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"POST k/e/iris/v1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"POST /k/e/iris/v1 HTTP/1.1 \r\nHost: x\r\n\r\n", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    (b"POST /k/e/iris/v1 HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (HEAD + b"Expect: miracles\r\n\r\n", 417),
    (HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    (HEAD + b"".join(b"X-%d: a\r\n" % i for i in range(9000)) + b"\r\n", 431),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1 1\r\n", 400),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n", 400),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", 400),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 400),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 20_000, 400),
])
def test_bad_requests(serve, message, status):
    backend = Backend()
    client = Client(serve([stage(backend)]).port)
    client.send(message + b"GET /k/e/iris/smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = client.answer()
    assert answer.status == status, answer.body
    assert answer.header("Connection") == "close" and "error" in answer.json()
    assert client.is_closed()
    assert not [request for request in backend.requests if "smuggled" in request.target]


def test_refused_after_a_good_one_names_its_own_id(serve):
    client = Client(serve([stage(Backend())]).port)
    assert client.ask("/k/e/iris/v1", headers="X-Request-Id: first\r\n").header("X-Request-Id") == "first"
    client.send(b"nonsense\r\n\r\n")
    assert client.answer().header("X-Request-Id") != "first"


def test_body_limit(serve):
    backend = Backend(lambda request, sock: ok(b"%d" % len(request.body)))
    gateway = serve([stage(backend)], body_limit=100_000)
    assert Client(gateway.port).ask("/k/e/iris/v1", b"x" * 100_000).body == b"100000"
    client = Client(gateway.port)
    client.send(HEAD + b"Content-Length: 100001\r\n\r\n")
    assert client.answer().status == 413 and client.is_closed()
    # A client that sends all of it before it listens still gets its answer.
    client = Client(gateway.port)
    answer = client.ask("/k/e/iris/v1", b"x" * 20_000_000)
    assert answer.status == 413 and "100000 bytes" in answer.json()["error"]
    client = Client(gateway.port)
    client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
    try:
        for _ in range(400):
            client.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
    except OSError:
        pass
    assert client.answer().status == 413
    assert gateway.counts()["inflight p0"] == 0


# --- backends


def test_no_backend(serve):
    client = Client(serve([stage()]).port)
    answer = client.ask("/k/e/iris/v1", b"x" * 1000)
    assert (answer.status, answer.header("Retry-After")) == (503, "1")
    assert answer.json() == {"error": "no pod of the model is ready"}
    assert client.ask("/k/e/iris/v1").status == 503


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_refused_connections_go_to_others(serve):
    backend = Backend()
    gateway = serve([stage(("dead", free_port()), ("live", backend.port), ("dead2", free_port()))])
    client = Client(gateway.port)
    for size in [10, 100_000] * 10:
        assert client.ask("/k/e/iris/v1", b"x" * size).status == 200
    counts = gateway.counts()
    assert [counts[f"inflight {name}"] for name in ("dead", "live", "dead2")] == [0, 0, 0]


def test_all_refuse(serve):
    gateway = serve([stage(("a", free_port()), ("b", free_port()))])
    answer = Client(gateway.port).ask("/k/e/iris/v1")
    assert (answer.status, answer.header("Retry-After")) == (503, "1")
    assert gateway.counts()["stage blue"] == [0, 0, 1]


def test_pooled_connections_that_closed(serve):
    backend = Backend()
    client = Client(serve([stage(backend)]).port)
    for _ in range(10):
        assert client.ask("/k/e/iris/v1").status == 200
        backend.drop_connections()
        time.sleep(0.02)
    assert backend.connections >= 10


def test_backend_restarted_on_its_port(serve):
    backend = Backend()
    client = Client(serve([stage(backend)]).port)
    assert client.ask("/k/e/iris/v1").status == 200
    backend.stop()
    time.sleep(0.05)
    assert client.ask("/k/e/iris/v1").status == 503
    again = Backend(port=backend.port)
    assert client.ask("/k/e/iris/v1").status == 200
    again.stop()


def test_keep_alive_race(serve):
    """The second request on each connection is read and its connection closed without an answer."""
    def handler(request, sock):
        count[sock] = count.get(sock, 0) + 1
        return ok() if count[sock] == 1 else None

    count = {}
    backend = Backend(handler)
    gateway = serve([stage(backend)], threads=1)
    client = Client(gateway.port)
    assert client.ask("/k/e/iris/v1", None, "GET").status == 200
    assert client.ask("/k/e/iris/v1", None, "GET").status == 200  # on a fresh connection
    answer = client.ask("/k/e/iris/v1")
    assert (answer.status, answer.json()["error"]) == (502, "the model's pod closed the connection without an answer")
    assert client.ask("/k/e/iris/v1").status == 200
    assert len([request for request in backend.requests if request.method == "POST"]) == 2
    assert gateway.counts()["inflight p0"] == 0


def test_get_is_tried_twice_only(serve):
    backend = Backend(lambda request, sock: None)
    client = Client(serve([stage(backend)]).port)
    assert client.ask("/k/e/iris/v1", None, "GET").status == 502
    assert len(backend.requests) == 2


def test_timeout(serve):
    stop = threading.Event()
    backend = Backend(lambda request, sock: stop.wait(10) and None)
    gateway = serve([stage(backend)], timeout=1)
    client = Client(gateway.port)
    start = time.monotonic()
    answer = client.ask("/k/e/iris/v1")
    assert answer.status == 504 and 0.9 < time.monotonic() - start < 2
    counts = gateway.counts()
    assert counts["inflight p0"] == 0 and counts["stage blue"] == [0, 0, 1]
    stop.set()


@pytest.mark.parametrize("answer", [
    b"garbage\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/2 200\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
])
def test_backend_that_speaks_nonsense(serve, answer):
    client = Client(serve([stage(Backend(lambda request, sock: answer))]).port)
    for _ in range(2):
        assert client.ask("/k/e/iris/v1").status == 502


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nonly this",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX",
])
def test_answers_that_break_off(serve, answer):
    def handler(request, sock):
        sock.sendall(answer)

    gateway = serve([stage(Backend(handler))])
    client = Client(gateway.port)
    client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    assert b"200 OK" in client.reader.until(b"\r\n\r\n")
    rest = client.reader.rest()  # and then the end: a client sees that something is missing
    assert not rest.endswith(b"0\r\n\r\n")
    counts = gateway.counts()
    assert counts["stage blue"] == [0, 0, 1] and counts["inflight p0"] == 0


def test_more_than_was_said_is_not_the_next_answer(serve):
    backend = Backend(lambda request, sock: ok(b"one") + ok(b"stray"))
    client = Client(serve([stage(backend)]).port)
    for _ in range(5):
        assert client.ask("/k/e/iris/v1").body == b"one"
        time.sleep(0.02)


def test_early_answer(serve):
    """A backend that refuses in the middle of a body."""
    class Early(Backend):
        def serve(self, sock):
            reader = Reader(sock)
            while reader.head():
                reader.exactly(1000)
                sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
                reader.rest()

    gateway = serve([stage(Early())])
    client = Client(gateway.port)
    client.send(HEAD + b"Content-Length: 5000000\r\n\r\n" + b"x" * 1000)
    answer = client.answer()
    assert (answer.status, answer.body, answer.header("Connection")) == (413, b"big", "close") and client.is_closed()
    assert gateway.counts()["inflight p0"] == 0


def test_least_outstanding(serve):
    gate = threading.Event()
    slow = Backend(lambda request, sock: gate.wait(10) and ok(b"slow"))
    fast = Backend(lambda request, sock: ok(b"fast"))
    gateway = serve([stage(slow, fast)], threads=1)
    stuck = []
    for _ in range(2):  # one of the first two goes to each
        client = Client(gateway.port)
        client.send(HEAD + b"Content-Length: 0\r\n\r\n")
        stuck.append(client)
        time.sleep(0.05)
    assert len(slow.requests) == 1
    client = Client(gateway.port)
    for _ in range(20):
        assert client.ask("/k/e/iris/v1").body == b"fast"
    assert gateway.counts()["inflight p0"] == 1
    gate.set()


def test_ties_take_turns(serve):
    backends = [Backend() for _ in range(3)]
    client = Client(serve([stage(*backends)], threads=1).port)
    for _ in range(30):
        assert client.ask("/k/e/iris/v1").status == 200
    assert [len(backend.requests) for backend in backends] == [10, 10, 10]


def test_connections_are_kept(serve):
    backend = Backend()
    client = Client(serve([stage(backend)], threads=1).port)
    for _ in range(50):
        assert client.ask("/k/e/iris/v1").status == 200
    assert backend.connections == 1


# --- table


def test_table_swap_under_load(serve):
    """What the default stage's switch is: no request fails, and an emptied backend can be ended."""
    backends = {name: Backend(lambda request, sock, name=name: ok(name.encode())) for name in ("g0", "g1")}

    def table(name):
        return [stage((name, backends[name].port), id=name, prefixes=["/k/e"])]

    gateway = serve(table("g0"))
    stop, failures, done = threading.Event(), [], [0]

    def load():
        client = Client(gateway.port)
        while not stop.is_set():
            try:
                answer = client.ask("/k/e/iris/v1", b"x" * 300)
                if answer.status != 200:
                    failures.append((answer.status, answer.body))
            except Exception as error:
                failures.append(error)
                client = Client(gateway.port)
            done[0] += 1

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(load)
        for number in range(1, 30):
            new, old = f"g{number % 2}", f"g{(number - 1) % 2}"
            if number > 1:
                backends[new] = Backend(lambda request, sock, name=new: ok(name.encode()))
            gateway.publish(table(new))
            time.sleep(0.1)
            backends[old].stop()
        stop.set()
    assert not failures, failures[:5]
    assert done[0] > 500


def test_requests_go_on_with_what_they_had(serve):
    gate = threading.Event()
    old = Backend(lambda request, sock: gate.wait(10) and ok(b"old"))
    new = Backend(lambda request, sock: ok(b"new"))
    gateway = serve([stage(("old", old.port))])
    client = Client(gateway.port)
    client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    time.sleep(0.1)
    gateway.publish([stage(("new", new.port))])
    assert Client(gateway.port).ask("/k/e/iris/v1").body == b"new"
    gate.set()
    assert client.answer().body == b"old"
    assert client.ask("/k/e/iris/v1").body == b"new"
    time.sleep(0.3)
    assert not old.open


def test_hold(serve):
    gateway = serve([stage(hold=5), stage(id="other", prefixes=["/k/o"], hold=5)])
    clients = [Client(gateway.port) for _ in range(6)]
    for client in clients:
        client.send(HEAD + b"Content-Length: 300000\r\n\r\n" + b"x" * 100_000)
    time.sleep(0.4)
    assert gateway.count("wanted blue iris") == 1
    assert gateway.counts()["requests blue iris"] == 6
    gateway.publish([stage(hold=5)])  # a table that helps nothing
    clients.pop().close()
    time.sleep(0.2)
    backend = Backend(lambda request, sock: ok(b"%d" % len(request.body)))
    gateway.publish([stage(backend, hold=5)])
    for client in clients:
        client.send(b"x" * 200_000)
        assert client.answer().body == b"300000"
    assert gateway.count("wanted blue iris") == 1
    gateway.publish([stage(hold=1)])
    start = time.monotonic()
    answer = clients[0].ask("/k/e/iris/v1")
    assert answer.status == 503 and 0.9 < time.monotonic() - start < 2
    assert answer.json() == {"error": "no pod of the model became ready within 1 s"}
    assert gateway.count("wanted blue iris") == 2


def test_held_request_whose_stage_goes(serve):
    gateway = serve([stage(hold=20)])
    client = Client(gateway.port)
    client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    time.sleep(0.2)
    gateway.publish([])
    assert client.answer().status == 404


def test_held_request_goes_where_the_new_table_says(serve):
    gateway = serve([stage(id="old", prefixes=["/k"], name="e", hold=20)])
    client = Client(gateway.port)
    client.send(b"POST /k/e/iris/v1?q HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
    time.sleep(0.2)
    gateway.publish([stage(Backend(lambda request, sock: ok(request.target.encode() + request.body)), id="new")])
    assert client.answer().body == b"/v1?qbody"


def test_canary(serve):
    blue, green = Backend(lambda r, s: ok(b"blue")), Backend(lambda r, s: ok(b"green"))
    stages = [stage(("b", blue.port), canaries=[{"stage": "green", "percent": 25}]),
              stage(("g", green.port), id="green", prefixes=["/k/e/stages/green"])]
    gateway = serve(stages)
    client = Client(gateway.port)
    bodies = [client.ask("/k/e/iris/v1").body for _ in range(400)]
    share = bodies.count(b"green")
    assert 60 <= share <= 140
    counts = gateway.counts()
    assert counts["stage green"][0] == share and counts["stage blue"][0] == 400 - share
    # Without that resource it stays.
    stages[1]["resources"][0]["name"] = "other"
    stages[0]["canaries"][0]["percent"] = 100
    gateway.publish(stages)
    assert {client.ask("/k/e/iris/v1").body for _ in range(20)} == {b"blue"}
    stages[1]["resources"][0]["name"] = "iris"
    gateway.publish(stages)
    assert {client.ask("/k/e/iris/v1").body for _ in range(20)} == {b"green"}


@pytest.mark.parametrize("chunked", [False, True])
def test_shadow(serve, chunked):
    blue = Backend(lambda r, s: ok(b"blue"))
    shadow = Backend(lambda r, s: time.sleep(0.2) or b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    gateway = serve([stage(("b", blue.port), shadows=[{"stage": "dark", "percent": 100}]),
                     stage(("d", shadow.port), id="dark", prefixes=["/k/dark"])])
    client = Client(gateway.port)
    for size in [0, 500, 200_000, 1 << 20, 2 << 20]:
        body = os.urandom(size)
        start = time.monotonic()
        if chunked:
            message = b"POST /k/e/iris/v1?q=1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            if size:
                message += b"%x\r\n%s\r\n" % (size, body)
            client.send(message + b"0\r\n\r\n")
            assert client.answer().body == b"blue"
        else:
            assert client.ask("/k/e/iris/v1?q=1", body).body == b"blue"
        assert time.monotonic() - start < 0.2
    time.sleep(1.5)
    assert sorted(len(request.body) for request in shadow.requests) == [0, 500, 200_000, 1 << 20]
    copy = next(request for request in shadow.requests if len(request.body) == 200_000)
    original = next(request for request in blue.requests if len(request.body) == 200_000)
    assert (copy.target, copy.body) == (original.target, original.body)
    assert copy.header("X-Request-Id") == original.header("X-Request-Id")
    counts = gateway.counts()
    assert counts["stage dark"] == [0, 0, 4] and counts["stage blue"] == [5, 0, 0] and counts["inflight d"] == 0


def test_shadows_are_bounded_and_cannot_fail_the_original(serve):
    gate = threading.Event()
    blue, stuck = Backend(), Backend(lambda r, s: gate.wait(20) and None)
    gateway = serve([stage(("b", blue.port), shadows=[{"stage": "dark", "percent": 100}, {"stage": "gone", "percent": 100}]),
                     stage(("d", stuck.port), id="dark", prefixes=["/k/dark"]),
                     stage(("x", free_port()), id="gone", prefixes=["/k/gone"])])
    client = Client(gateway.port)
    for _ in range(200):
        assert client.ask("/k/e/iris/v1").status == 200
    assert gateway.counts()["inflight d"] <= 64
    assert len(stuck.requests) <= 64
    gate.set()


# --- counts


def test_statistics(serve):
    def handler(request, sock):
        status = request.target.strip("/")
        time.sleep(0.03)
        return f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()

    gateway = serve([stage(Backend(handler))])
    client = Client(gateway.port)
    for status in [200, 201, 302, 404, 422, 500, 503]:
        assert client.ask(f"/k/e/iris/{status}").status == status
    assert client.ask("/k/e/nothing").status == 404
    counts = gateway.counts()
    assert counts["stage blue"] == [3, 3, 2] and counts["requests blue iris"] == 7
    time.sleep(10.5)
    gateway.stop(signal.SIGKILL)
    files = list(gateway.statistics.iterdir())
    assert [file.name for file in files] == ["blue.json"]
    minutes = json.loads(files[0].read_text())["minutes"]
    assert sum(sum(minute[1:4]) for minute in minutes) == 8
    assert sum(sum(minute[5::2]) for minute in minutes) == 8
    again = serve([stage(Backend(lambda r, s: ok()))], folder=gateway.folder)
    assert again.counts()["stage blue"] == [3, 3, 2]
    Client(again.port).ask("/k/e/iris/200")
    assert again.counts()["stage blue"] == [4, 3, 2]
    again.stop()  # in good order everything is written at once
    third = serve([stage()], folder=gateway.folder)
    assert third.counts()["stage blue"] == [4, 3, 2]


def test_broken_statistics_do_not_stop_the_start(serve, tmp_path):
    folder = tmp_path / "g"
    (folder / "statistics").mkdir(parents=True)
    (folder / "statistics" / "blue.json").write_text('{"stage":"blue","minutes":[[1,2')
    gateway = serve([stage(Backend())], folder=folder)
    assert Client(gateway.port).ask("/k/e/iris/v1").status == 200
    assert gateway.counts()["stage blue"] == [1, 0, 0]


def test_log(serve, tmp_path):
    file = tmp_path / "inference.log"
    log = {"appKey": "k", "endpointID": "E", "stageID": "S", "file": str(file)}
    backend = Backend(lambda r, s: f"HTTP/1.1 {r.target.split('?')[0].split('/')[-1]} X\r\nContent-Length: 0\r\n\r\n".encode())
    client = Client(serve([stage(backend, log=log)]).port)
    client.ask("/k/e/iris/v1/200?secret=1", headers="X-Request-Id: one\r\n")
    client.ask('/k/e/iris/v1/404?', headers='X-Request-Id: "two\\\r\n')
    client.ask("/k/e/stages/blue/iris/v1/500")
    client.ask("/k/e/%22quoted/v1")
    time.sleep(0.6)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == 4
    first = lines[0]
    assert re.fullmatch(r"POST /iris/v1/200 200 \d+\.\d ms", first.pop("body"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
    assert first == {
        "easymakerAppKey": "k", "category": "easymaker.inference", "logLevel": "INFO", "logType": "NHNCloud-AIEasyMaker",
        "endpointId": "E", "endpointStageId": "S", "inferenceId": "one", "action": "Endpoint.Model", "modelName": "iris"}
    assert (lines[1]["logLevel"], lines[1]["inferenceId"]) == ("WARNING", '"two\\')
    assert (lines[2]["logLevel"], lines[2]["body"][:22]) == ("ERROR", "POST /iris/v1/500 500 "[:22])
    assert (lines[3]["logLevel"], lines[3]["modelName"]) == ("WARNING", "")


# --- tunnels


UPGRADE = (b"GET /k/e/iris/ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


@pytest.mark.parametrize("tls", [False, True])
def test_websocket(serve, certificate, tls):
    backend = Echo()
    gateway = serve([stage(backend)], timeout=1)
    client = Client(gateway.port, trust(certificate) if tls else None)
    client.send(UPGRADE + b"first")
    head = client.reader.until(b"\r\n\r\n").decode()
    assert head.startswith("HTTP/1.1 101") and "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    assert "Upgrade: websocket" in head and "Connection: Upgrade" in head
    assert client.reader.exactly(13) == b"greetingfirst"
    time.sleep(1.5)  # longer than the time limit for answers
    if tls:  # Python's TLS sockets are for one thread at a time
        for _ in range(50):
            data = os.urandom(50_000)
            client.send(data)
            assert client.reader.exactly(len(data)) == data
    else:
        data = os.urandom(5_000_000)
        threading.Thread(target=client.send, args=(data,)).start()
        assert client.reader.exactly(len(data)) == data
    counts = gateway.counts()
    assert counts["inflight p0"] == 1 and counts["stage blue"] == [1, 0, 0]
    if tls:
        # Python's ssl cannot close one side only: unwrap() sends close_notify and waits for the other's.
        client.close()
    else:
        client.sock.shutdown(socket.SHUT_WR)
        assert client.reader.rest() == b"bye"
    assert gateway.counts()["inflight p0"] == 0


def test_websocket_not_accepted(serve):
    gateway = serve([stage(Backend(lambda r, s: ok(b"no")))])
    client = Client(gateway.port)
    client.send(UPGRADE)
    assert client.answer().body == b"no"
    assert client.ask("/k/e/iris/v1").body == b"no"


def test_tunnel_ends_with_the_backend(serve):
    backend = Echo()
    gateway = serve([stage(backend)])
    client = Client(gateway.port)
    client.send(UPGRADE)
    client.reader.until(b"greeting")
    backend.drop_connections()
    assert client.reader.rest() in (b"", b"bye")
    client.close()
    assert gateway.counts()["inflight p0"] == 0


# --- clients


def test_client_vanishes_while_it_waits(serve):
    closed = threading.Event()

    def handler(request, sock):
        sock.settimeout(5)
        if sock.recv(1) == b"":
            closed.set()

    gateway = serve([stage(Backend(handler))])
    client = Client(gateway.port)
    client.send(HEAD + b"Content-Length: 2\r\n\r\n{}")
    time.sleep(0.1)
    assert gateway.counts()["inflight p0"] == 1
    client.close()
    assert closed.wait(2)
    counts = gateway.counts()
    assert counts["inflight p0"] == 0 and counts["stage blue"] == [0, 1, 0]


def test_client_vanishes_in_its_body(serve):
    gateway = serve([stage(Backend())])
    client = Client(gateway.port)
    client.send(HEAD + b"Content-Length: 1000000\r\n\r\n" + b"x" * 100_000)
    time.sleep(0.1)
    assert gateway.counts()["inflight p0"] == 1
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()  # with a reset
    assert gateway.counts()["inflight p0"] == 0


def test_client_vanishes_in_its_answer(serve):
    ended = threading.Event()

    def handler(request, sock):
        try:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            for _ in range(1000):
                sock.sendall(b"x" * 1_000_000)
        except OSError:
            ended.set()

    gateway = serve([stage(Backend(handler))])
    client = Client(gateway.port)
    client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    client.reader.until(b"\r\n\r\n")
    client.reader.exactly(1_000_000)
    client.close()
    assert ended.wait(3)
    counts = gateway.counts()
    assert counts["inflight p0"] == 0 and counts["stage blue"] == [0, 1, 0]


def test_back_pressure_of_answers(serve):
    sent = [0]

    def handler(request, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 300000000\r\n\r\n")
        for _ in range(300):
            sock.sendall(b"x" * 1_000_000)
            sent[0] += 1
        return b""

    gateway = serve([stage(Backend(handler))])
    before = gateway.rss()
    client = Client(gateway.port)
    client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    time.sleep(1.5)
    assert sent[0] < 30 and gateway.rss() - before < 30_000_000
    assert len(client.answer().body) == 300_000_000
    assert gateway.rss() - before < 30_000_000


def test_back_pressure_of_bodies(serve):
    gate = threading.Event()

    class Slow(Backend):
        def serve(self, sock):
            reader = Reader(sock)
            reader.head()
            gate.wait(20)
            sock.sendall(ok(b"%d" % len(reader.exactly(300_000_000))))

    gateway = serve([stage(Slow())])
    before = gateway.rss()
    client = Client(gateway.port)
    sent = [0]

    def upload():
        client.send(HEAD + b"Content-Length: 300000000\r\n\r\n")
        for _ in range(300):
            client.send(b"x" * 1_000_000)
            sent[0] += 1

    thread = threading.Thread(target=upload)
    thread.start()
    time.sleep(1.5)
    assert sent[0] < 30 and gateway.rss() - before < 30_000_000
    gate.set()
    assert client.answer().body == b"300000000"
    thread.join()
    assert gateway.rss() - before < 30_000_000


def test_slow_reader_gets_all_before_the_close(serve):
    body = os.urandom(6_000_000)
    client = Client(serve([stage(Backend(lambda r, s: ok(body)))]).port)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
    client.send(HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
    client.reader.until(b"\r\n\r\n")
    data = client.reader.data
    while piece := client.sock.recv(1 << 17):
        data += piece
        time.sleep(0.02)
    assert data == body


# --- TLS and addresses


def test_tls_and_plain_on_one_port(serve, certificate):
    backend = Backend(lambda request, sock: ok(request.header("X-Forwarded-Proto")[0].encode()))
    gateway = serve([stage(backend)])
    context = trust(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    client = Client(gateway.port, context)
    assert client.sock.selected_alpn_protocol() == "http/1.1"
    for _ in range(3):
        assert client.ask("/k/e/iris/v1").body == b"https"
    assert Client(gateway.port).ask("/k/e/iris/v1").body == b"http"
    answer = client.ask("/k/e/iris/v1", headers="Connection: close\r\n")
    assert answer.status == 200 and client.is_closed()


def test_old_tls_is_refused(serve, certificate):
    gateway = serve([stage(Backend())])
    for version, works in [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)]:
        run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", version, "-cipher",
                              "DEFAULT@SECLEVEL=0"], input=b"", capture_output=True, timeout=10)
        assert (b"BEGIN CERTIFICATE" in run.stdout) == works, version


@pytest.mark.parametrize("tls", [False, True])
def test_big_bodies_over_tls_too(serve, certificate, tls):
    client = Client(serve([stage(Backend(lambda r, s: ok(r.body)))]).port, trust(certificate) if tls else None)
    body = os.urandom(1 << 20) * 60
    if tls:
        # One thread at a time may use Python's TLS sockets: the backend answers after it has read all.
        client.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    else:
        threading.Thread(target=client.send, args=(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body,)).start()
    assert client.answer().body == body


def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return None


def test_plain_only_from_this_machine(serve, certificate):
    address = own_address()
    if address is None:
        subprocess.run(["ip", "address", "add", "192.0.2.7/32", "dev", "lo"], check=True)
        address = "192.0.2.7"
    gateway = serve([stage(Backend())], host="0.0.0.0")
    client = Client(gateway.port, host=address)
    client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    assert client.is_closed()
    assert Client(gateway.port, trust(certificate), host=address).ask("/k/e/iris/v1").status == 200


def test_nonsense_as_tls(serve):
    gateway = serve([stage(Backend())])
    client = Client(gateway.port)
    client.send(b"\x16\x03\x01\x00\x05hello" * 10)
    assert client.reader.rest() is not None
    assert Client(gateway.port).ask("/k/e/iris/v1").status == 200


# --- end


def test_graceful_end(serve):
    gate = threading.Event()
    backend = Backend(lambda request, sock: gate.wait(10) and ok(b"done"))
    gateway = serve([stage(backend)])
    idle, busy = Client(gateway.port), Client(gateway.port)
    gate.set()
    assert idle.ask("/k/e/iris/v1").status == 200
    gate.clear()
    busy.send(HEAD + b"Content-Length: 0\r\n\r\n")
    time.sleep(0.2)
    gateway.process.send_signal(signal.SIGTERM)
    assert idle.is_closed()
    with pytest.raises(OSError):
        Client(gateway.port)
    time.sleep(0.1)  # the other event loop hears of it a moment later
    gate.set()
    answer = busy.answer()
    assert (answer.body, answer.header("Connection")) == (b"done", "close")
    assert gateway.process.wait(5) == 0


def test_tunnels_do_not_hold_the_end(serve):
    gateway = serve([stage(Echo())])
    client = Client(gateway.port)
    client.send(UPGRADE)
    client.reader.until(b"greeting")
    start = time.monotonic()
    assert gateway.stop() == 0 and time.monotonic() - start < 3
