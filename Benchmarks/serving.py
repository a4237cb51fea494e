"""Models behind endpoints: requests per second beside other model servers and nginx, how soon an endpoint answers, and
whether a switch of the default stage loses a request.

Takumi's side is the product: `takumi serve`, models from files, endpoints, and what their addresses answer.
"""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from load import Post, h2load, measured, settle, wrk
from model_servers import (
    PEERS, SKLEARN_LOCK, kserve, make_archive, make_models, mlserver, nginx_proxy, nginx_upstream, torchserve)
from servers import CACHE, ROOT, Takumi, image_python

WORKER = ROOT / "Python" / "takumi_runtime" / "serving"
RATE = 1000

# --- a server's endpoints --------------------------------------------------------------------------------------------


class Deployments:
    """The models and endpoints of a server."""

    def __init__(self, server):
        self.server = server
        self.flavors = {flavor["name"]: flavor["id"] for flavor in self.call("GET", "flavors")["flavorList"]}

    def call(self, method, path, body=None):
        try:
            return self.server.call(method, path, body)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.read().decode()}") from None

    def wait(self, path, singular, limit=600):
        """Until it is ACTIVE: the first one of an image waits for the image's environment."""
        deadline = time.monotonic() + limit
        while True:
            seen = self.call("GET", path)[singular]
            code = seen[f"{singular}StatusCode"]
            if code == "ACTIVE":
                return seen
            if code.endswith("FAILED") or time.monotonic() > deadline:
                raise SystemExit(f"{path} is {code}: {seen.get('statusReason')}")
            time.sleep(0.05)

    def model(self, name, format, folder):
        storage = self.call("GET", "storage")["storage"]
        container = storage["defaultContainer"]
        self.server.cli("storage", "cp", str(folder), f"{container}/models/{name}/")
        body = {"modelName": name, "modelFormatCode": format,
                "modelUploadUri": f"{storage['obsUri']}/{container}/models/{name}"}
        model = self.call("POST", "models", body)["model"]["modelId"]
        self.wait(f"models/{model}", "model")
        return model

    def stage_body(self, model, **option):
        """One pod, on the whole of an instance as large as this machine unless an option says less."""
        resource = {"modelId": model} | ({"resourceOptionDetail": option} if option else {})
        return {"flavorId": self.flavors["m2.c2m4"], "nodeCount": 1, "endpointModelResourceList": [resource]}

    def create(self, name, model, **option):
        body = {"endpointName": name} | self.stage_body(model, **option)
        return self.call("POST", "endpoints", body)["endpoint"]

    def endpoint(self, name, model, **option):
        """One that is ready."""
        return self.wait(f"endpoints/{self.create(name, model, **option)['endpointId']}", "endpoint")

    def gateway(self, endpoint, name):
        """The address of a model through the gateway, without TLS as it may be on this machine."""
        return f"http://{endpoint['apigwStageUrl']}/{name}"

    def pods(self, endpoint):
        """The folders of an endpoint's pods."""
        found = self.call("GET", f"endpoints/{endpoint['endpointId']}")["endpoint"]
        return [self.server.home / "workloads" / pod["podId"] for stage in found["endpointStageList"]
                for resource in stage["endpointModelList"] for pod in resource["podList"]]

    def direct(self, endpoint):
        """The address of an endpoint's only model server itself."""
        (pod,) = self.pods(endpoint)
        (ports,) = json.loads((pod / "grant.json").read_text())["ports"]
        return f"http://127.0.0.1:{ports['http']}"

    def clear(self):
        """Deletes all endpoints, and waits until their pods have gone."""
        for endpoint in self.call("GET", "endpoints")["endpointList"]:
            for stage in endpoint["endpointStageList"]:
                if not stage["isDefaultStage"]:
                    with contextlib.suppress(SystemExit):
                        self.call("DELETE", f"endpoint-stages/{stage['endpointStageId']}")
        self.until_gone(lambda: [stage for endpoint in self.call("GET", "endpoints")["endpointList"]
                                 for stage in endpoint["endpointStageList"] if not stage["isDefaultStage"]])
        for endpoint in self.call("GET", "endpoints")["endpointList"]:
            self.call("DELETE", f"endpoints/{endpoint['endpointId']}")
        self.until_gone(lambda: self.call("GET", "endpoints")["endpointList"])

    def until_gone(self, seen, limit=90):
        deadline = time.monotonic() + limit
        while left := seen():
            if time.monotonic() > deadline:
                raise SystemExit(f"not deleted within {limit} s: {left}")
            time.sleep(0.2)


@contextlib.contextmanager
def platform(binary, home):
    """A server, whose pods go with it."""
    os.environ.setdefault("TAKUMI_ENVIRONMENTS", str(CACHE / "environments"))
    server = Takumi(binary, home)
    deployments = Deployments(server)
    try:
        yield deployments
        deployments.clear()
    finally:
        deployments.server.stop()
        # Pods outlive their server, and would be measured with the next one after a failure.
        for pid in subprocess.run(["pgrep", "-f", f"{home}/"], capture_output=True, text=True).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def beside(value, peer, least):
    """For requests per second: the goal that a figure has beside a peer."""
    return f"≥ {least} × peer", value >= least * peer


# --- one row of iris -------------------------------------------------------------------------------------------------


def iris(binary):
    """One row, 16 connections: the model server itself, through the gateway, and the peers after them."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_models(folder)
        make_archive(folder)
        v1, v2 = Post(folder / "iris-v1.json"), Post(folder / "iris-v2.json")
        with platform(binary, home) as takumi:
            path, path2 = "/v1/models/iris:predict", "/v2/models/iris/infer"
            endpoint = takumi.endpoint("iris", takumi.model("iris", "SKLEARN", folder / "iris"))
            direct, gateway = takumi.direct(endpoint), takumi.gateway(endpoint, "iris")
            settle("iris, takumi")
            own = measured("model server, v1", direct + path, v1)
            own2 = measured("model server, v2", direct + path2, v2)
            through = measured("through the gateway, v1", gateway + path, v1)
            through2 = measured("through the gateway, v2", gateway + path2, v2)
            takumi.clear()
            endpoint = takumi.endpoint("torch", takumi.model("iris", "PYTORCH", folder / "torch"))
            settle("iris, takumi with PyTorch")
            torch = measured("model server, PyTorch", takumi.direct(endpoint) + path, v1)
        peers = {}
        with mlserver(folder / "iris" / "model.joblib") as (url, _):
            settle("iris, MLServer")
            peers["MLServer, v2"] = measured("MLServer, v2", url, v2)
        with kserve(folder / "iris" / "model.joblib") as url:
            settle("iris, KServe")
            peers["KServe's server"] = measured("KServe's server, v1", url, v1)
        with torchserve(folder / "torch") as url:
            settle("iris, TorchServe")
            peers["TorchServe, PyTorch"] = measured("TorchServe, PyTorch", url, v1)
    best = max(peers, key=peers.get)
    for name, load in (("model server", own), ("through the gateway", through)):
        yield (f"one row of iris, 16 connections, {name}, per s", load.rate, peers[best].rate, best,
               beside(load.rate, peers[best].rate, 10))
        yield "  median, ms", load.p50, peers[best].p50, best
        yield "  99th percentile, ms", load.p99, peers[best].p99, best, ("≤ 0.5 × peer", load.p99 <= peers[best].p99 / 2)
    for name, load, other in (
            ("v2, model server", own2, "MLServer, v2"), ("v2, through the gateway", through2, "MLServer, v2"),
            ("v1, model server", own, "KServe's server"), ("PyTorch, model server", torch, "TorchServe, PyTorch")):
        yield f"  {name}, per s", load.rate, peers[other].rate, other, beside(load.rate, peers[other].rate, 10)
        yield f"  &nbsp; 99th percentile, ms", load.p99, peers[other].p99, other


# --- an image --------------------------------------------------------------------------------------------------------


def image(binary):
    """A 3×224×224 FP32 image as JSON and as binary. MLServer takes binary tensors only by gRPC."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_models(folder)
        text = Post(folder / "image.json")
        binary_post = Post(folder / "image.bin", {
            "Content-Type": "application/octet-stream",
            "Inference-Header-Content-Length": (folder / "image.header").read_text()})
        grpc = {"content-type": "application/grpc", "te": "trailers"}
        with platform(binary, home) as takumi:
            path = "/v2/models/image/infer"
            endpoint = takumi.endpoint("image", takumi.model("image", "SKLEARN", folder / "image"))
            direct, gateway = takumi.direct(endpoint), takumi.gateway(endpoint, "image")
            settle("image, takumi")
            own = measured("model server, JSON", direct + path, text)
            own_binary = measured("model server, binary", direct + path, binary_post)
            through = measured("through the gateway, JSON", gateway + path, text)
            through_binary = measured("through the gateway, binary", gateway + path, binary_post)
        with mlserver(folder / "image" / "model.pkl") as (url, grpc_url):
            settle("image, MLServer")
            peer = measured("MLServer, JSON", url, text)
            peer_grpc = h2load(grpc_url, folder / "image.grpc", grpc)
            print(f"  MLServer, gRPC: {peer_grpc.rate:.0f}/s ({peer_grpc.p50:.1f} and {peer_grpc.p99:.1f} ms)", flush=True)
    grpc_name = "MLServer, raw tensors by gRPC: its only binary"
    for name, load, other, what in (
            ("JSON, model server", own, peer, "MLServer, JSON"), ("JSON, through the gateway", through, peer, "MLServer, JSON"),
            ("binary, model server", own_binary, peer_grpc, grpc_name),
            ("binary, through the gateway", through_binary, peer_grpc, grpc_name)):
        yield (f"image of 3×224×224 FP32, {name}, per s", load.rate, other.rate, what, beside(load.rate, other.rate, 5))
        yield "  99th percentile, ms", load.p99, other.p99, what


# --- the gateway as a plain proxy ------------------------------------------------------------------------------------


def proxy(binary):
    """The gateway and nginx before the same nginx, which answers at once; at full speed, and added time at half of it."""
    threads = max(1, (os.cpu_count() or 1) // 2)
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_models(folder)
        post = Post(folder / "iris-v1.json")
        with platform(binary, home) as takumi:
            endpoint = takumi.endpoint("iris", takumi.model("iris", "SKLEARN", folder / "iris"))
            path = "/v1/models/iris:predict"
            with nginx_upstream() as upstream:
                (pod,) = takumi.pods(endpoint)
                with behind(takumi, binary, pod, upstream):
                    # The gateway's port is another one after a start.
                    endpoint = takumi.wait(f"endpoints/{endpoint['endpointId']}", "endpoint")
                    gateway = takumi.gateway(endpoint, "iris") + path
                    with nginx_proxy(upstream, path, threads) as port:
                        other, bare = f"http://127.0.0.1:{port}{path}", f"http://127.0.0.1:{upstream}{path}"
                        settle("proxy")
                        measured("the upstream itself", bare, post)
                        own, peer = compared("gateway", gateway, "nginx", other, post)
                        own_get, peer_get = compared("gateway, GET", gateway, "nginx, GET", other, None)
                        half = own.rate / 2
                        settle("proxy at half load")
                        added = {}
                        for name, url in (("gateway", gateway), ("nginx", other), ("upstream", bare)):
                            runs = [h2load(url, post.body, post.headers, rate=half) for _ in range(3)]
                            added[name] = statistics.median(load.p99 for load in runs)
                            print(f"  {name} at {half:.0f}/s: " + ", ".join(
                                f"{load.rate:.0f}/s ({load.p50:.3f} and {load.p99:.3f} ms)" for load in runs), flush=True)
    name = f"nginx, {threads} worker{'s' if threads > 1 else ''}"
    yield ("gateway as a plain proxy, POST, 16 connections, per s", own.rate, peer.rate, name, beside(own.rate, peer.rate, 0.8))
    yield "  99th percentile, ms", own.p99, peer.p99, name
    yield "  GET, per s", own_get.rate, peer_get.rate, name, beside(own_get.rate, peer_get.rate, 0.8)
    mine, theirs = added["gateway"] - added["upstream"], added["nginx"] - added["upstream"]
    yield "  added to the 99th percentile at half load, ms", mine, theirs, name, ("< 0.5 ms", mine < 0.5)


def compared(name, url, other, other_url, post):
    """Two that alternate, so that both have the same noise; the medians."""
    for address in (url, other_url):
        wrk(address, post, 2)
    pairs = [(wrk(url, post), wrk(other_url, post)) for _ in range(3)]
    for index, what in enumerate((name, other)):
        print(f"  {what}: " + ", ".join(f"{pair[index].rate:.0f}/s ({pair[index].p99:.2f} ms)" for pair in pairs), flush=True)
    return tuple(statistics.median_low(pair[index] for pair in pairs) for index in range(2))


@contextlib.contextmanager
def behind(takumi, binary, pod, port):
    """A server that takes an upstream for a pod: what it has granted the pod says another port while it is stopped."""
    path = pod / "grant.json"
    granted = path.read_text()
    grant = json.loads(granted)

    def restart(text):
        takumi.server.stop()
        path.write_text(text)
        takumi.server = Takumi(binary, str(takumi.server.home))

    grant["ports"] = [{name: port for name in ports} for ports in grant["ports"]]
    restart(json.dumps(grant))
    try:
        yield
    finally:
        restart(granted)


# --- how soon an endpoint answers ------------------------------------------------------------------------------------


def ready(binary, count=6):
    """From POST endpoint to the first 200, beside the worker alone, until it says that it is ready."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_models(folder)
        with platform(binary, home) as takumi:
            model = takumi.model("iris", "SKLEARN", folder / "iris")
            # Installs the environment where it is not there yet.
            takumi.endpoint("first", model)
            takumi.clear()
            settle("ready")
            times, alone = [], []
            for number in range(count):
                times.append(first_answer(takumi, f"iris{number}", model))
                takumi.clear()
                alone.append(by_hand(folder / "iris", folder))
    for what, values in (("endpoint", times), ("by hand", alone)):
        print(f"  {what}, s: " + " ".join(f"{value:.3f}" for value in values), flush=True)
    # The first of each warms the page cache.
    own, peer = statistics.median(times[1:]), statistics.median(alone[1:])
    yield "POST endpoint to first 200, s", own, peer, "the worker by hand, until it is ready", ("≤ 1.3 × peer", own <= 1.3 * peer)


def first_answer(takumi, name, model):
    body = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]]})
    begin = time.perf_counter()
    address = urllib.parse.urlparse(takumi.gateway(takumi.create(name, model), "iris"))
    connection = http.client.HTTPConnection(address.hostname, address.port)
    while time.perf_counter() - begin < 120:
        connection.request("POST", f"{address.path}/v1/models/iris:predict", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            return time.perf_counter() - begin
        time.sleep(0.01)
    raise SystemExit(f"{name} does not answer: {answer.status}")


def by_hand(model, folder):
    """Seconds from the start of the worker to its first frame, which says that it is ready."""
    with tempfile.TemporaryDirectory() as scratch, socket.socket(socket.AF_UNIX) as listener:
        path = f"{scratch}/socket"
        listener.bind(path)
        listener.listen()
        listener.settimeout(60)
        command = [image_python(SKLEARN_LOCK), WORKER, "--takumi-framework", "SKLEARN", "--takumi-name", "iris",
                   "--takumi-model-dir", model, "--takumi-scratch", scratch]
        begin = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command], env=os.environ | {"TAKUMI_WORKER_SOCKET": path, "OMP_NUM_THREADS": "2"})
        with listener.accept()[0] as worker:
            frame = worker.recv(8, socket.MSG_WAITALL)
            size, head = struct.unpack("<II", frame)
            said = json.loads(worker.recv(size - 4, socket.MSG_WAITALL)[:head])
            seconds = time.perf_counter() - begin
        process.wait(20)
        if said["op"] != "ready":
            raise SystemExit(f"the worker said {said}")
        return seconds


# --- the switch of a default stage -----------------------------------------------------------------------------------


def switch(binary, minutes=1, every=10):
    """1,000 numbers a second to a model that gives them back, while one stage after the other becomes the default."""
    small = {"cpu": "0.5", "memory": "512Mi"}
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_models(folder)
        with platform(binary, home) as takumi:
            model = takumi.model("echo", "SKLEARN", folder / "echo")
            endpoint = takumi.endpoint("echo", model, **small)
            address = urllib.parse.urlparse(takumi.gateway(endpoint, "echo"))
            command = [sys.executable, str(PEERS / "steady.py"), address.hostname, str(address.port),
                       f"{address.path}/v1/models/echo:predict", str(RATE), str(60 * minutes)]
            settle("switch")
            begin = time.monotonic()
            load = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            try:
                switches, next_one = 0, every
                while next_one < 60 * minutes:
                    body = takumi.stage_body(model, **small) | {
                        "endpointId": endpoint["endpointId"], "apigwStageName": f"stage{switches + 1}"}
                    stage = takumi.call("POST", "endpoint-stages", body)["endpointStage"]["endpointStageId"]
                    takumi.wait(f"endpoint-stages/{stage}", "endpointStage")
                    time.sleep(max(0, begin + next_one - time.monotonic()))
                    if load.poll() is not None:
                        break
                    takumi.call("PUT", f"endpoints/{endpoint['endpointId']}/default-stage", {"endpointStageId": stage})
                    switches += 1
                    next_one = max(next_one + every, time.monotonic() - begin)
                out, _ = load.communicate(timeout=60 * minutes + 120)
            finally:
                load.kill()
    result = json.loads(out)
    print(f"  {switches} switches, {json.dumps(result)}", flush=True)
    bad = result["failed"] + result["lost"] + result["wrong"] + result["twice"] + result["uncalled"]
    rate = result["sent"] / result["seconds"]
    yield (f"{result['sent']:,} requests at {rate:,.0f} per s through {switches} switches of the default stage: failed",
           result["failed"] + result["lost"], None, "", ("0", bad == 0))
    yield "  answered wrongly, twice or unasked", result["wrong"] + result["twice"] + result["uncalled"], None, "", ("0", bad == 0)
    yield "  99th percentile, ms", result["p99"], None, ""
    yield "  slowest, ms", result["max"], None, ""


def switch_for_ten_minutes(binary):
    yield from switch(binary, minutes=10, every=60)


def serving(binary):
    for part in (iris, image, proxy, ready, switch):
        yield from part(binary)
