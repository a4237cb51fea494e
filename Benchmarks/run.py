#!/usr/bin/env python3
"""Measures the figures that the README quotes, each beside a peer in the same run. Usage: run.py BIN [NAME …]

Absolute numbers of a small shared machine mean little: quote the ratios.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "Benchmarks" / "out"
MLFLOW = ROOT / ".cache" / "mlflow"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_http(url, limit=60.0):
    """Seconds until the URL answers 200."""
    start = time.perf_counter()
    while time.perf_counter() - start < limit:
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return time.perf_counter() - start
        time.sleep(0.002)
    raise SystemExit(f"{url} did not answer within {limit} s")


def resident_mib(pid):
    """Resident memory of a process and its children."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    own = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024
    return own + sum(resident_mib(int(child)) for child in children)


class Takumi:
    def __init__(self, binary, home):
        self.home = pathlib.Path(home)
        self.binary = binary
        self.port = free_port()
        command = [binary, "serve", "--home", home, "--port", str(self.port), "--tls-port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{self.port}"
        self.ready = wait_http(f"{self.url}/healthz")
        while not (self.home / "server.json").exists():
            time.sleep(0.01)
        self.token = (self.home / "cli-token").read_text()

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            f"{self.url}/v1.0/appkeys/default/{path}", method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"X-EasyMaker-Token": self.token, "Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def cli(self, *arguments):
        environment = os.environ | {"TAKUMI_HOME": str(self.home)}
        subprocess.run([self.binary, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def mlflow():
    """MLflow's program, installed in an environment of its own."""
    program = MLFLOW / "bin" / "mlflow"
    if not program.exists():
        print("installing mlflow, the peer", file=sys.stderr)
        subprocess.run(["uv", "venv", "--quiet", str(MLFLOW)], check=True)
        subprocess.run(["uv", "pip", "install", "--quiet", "--python", str(MLFLOW / "bin/python"), "mlflow"], check=True)
    return str(program)


@contextlib.contextmanager
def mlflow_server(home):
    port = free_port()
    command = [mlflow(), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", f"{home}/artifacts"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield f"http://127.0.0.1:{port}", process, wait_http(f"http://127.0.0.1:{port}/health", 180)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wrk(url, header=None, seconds=8, connections=8):
    """Requests per second and the 99th percentile in ms."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url]
    if header:
        command[1:1] = ["-H", header]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise SystemExit(f"{url}: {text}")
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


# --- the figures -----------------------------------------------------------------------------------------------------


def start(binary):
    """Time to /healthz with an existing home, and memory at rest, beside `mlflow server`."""
    with tempfile.TemporaryDirectory() as home:
        Takumi(binary, home).stop()
        times, memory = [], 0
        for _ in range(5):
            server = Takumi(binary, home)
            times.append(server.ready)
            if len(times) == 5:
                time.sleep(5)
                memory = resident_mib(server.process.pid)
            server.stop()
        with mlflow_server(home):
            pass
        with mlflow_server(home) as (_, process, ready):
            time.sleep(5)
            peer = resident_mib(process.pid)
    yield "start to /healthz, ms", statistics.median(times) * 1000, ready * 1000, "mlflow server"
    yield "resident memory at rest, MiB", memory, peer, "mlflow server"


def experiments(binary, count=10_000):
    """Creating, reading and listing 10,000 experiments, beside MLflow's experiments."""
    with tempfile.TemporaryDirectory() as home:
        server = Takumi(binary, home)
        try:
            begin = time.perf_counter()
            for index in range(count):
                identifier = server.call("POST", "experiments", {"experimentName": f"e{index}"})["experiment"]["experimentId"]
            created = count / (time.perf_counter() - begin)
            header = f"X-EasyMaker-Token: {server.token}"
            base = f"{server.url}/v1.0/appkeys/default/experiments"
            rate, p99 = wrk(f"{base}/{identifier}", header)
            page_rate, page_p99 = wrk(f"{base}?limit=50", header)
        finally:
            server.stop()
        with mlflow_server(home) as (url, _, _):
            begin = time.perf_counter()
            for index in range(500):
                request = urllib.request.Request(
                    f"{url}/api/2.0/mlflow/experiments/create", data=json.dumps({"name": f"e{index}"}).encode(),
                    headers={"Content-Type": "application/json"})
                last = json.load(urllib.request.urlopen(request))["experiment_id"]
            peer_created = 500 / (time.perf_counter() - begin)
            peer_rate, peer_p99 = wrk(f"{url}/api/2.0/mlflow/experiments/get?experiment_id={last}")
    yield "experiments created one after the other, per s", created, peer_created, "mlflow server"
    yield "reads of one experiment, per s", rate, peer_rate, "mlflow server"
    yield "  99th percentile, ms", p99, peer_p99, "mlflow server"
    yield "lists of the newest 50 of 10,000, per s", page_rate, None, ""
    yield "  99th percentile, ms", page_p99, None, ""


def training_body(server, alias, name, folder):
    images = {image["alias"]: image["imageId"] for image in server.call("GET", "images")["imageList"]}
    flavors = {flavor["name"]: flavor["id"] for flavor in server.call("GET", "flavors")["flavorList"]}
    storage = server.call("GET", "storage")["storage"]
    base = f"{storage['obsUri']}/{storage['defaultContainer']}"
    server.cli("storage", "cp", str(folder), f"{storage['defaultContainer']}/{name}/")
    return {"trainingName": name, "experimentName": "bench", "imageId": images[alias], "flavorId": flavors["m2.c1m2"],
            "sourceDirUri": f"{base}/{name}", "entryPoint": "train.py", "modelUploadUri": f"{base}/{name}-out"}


def first_line(binary):
    """From POST to the first line of a script that imports torch, beside the same script by hand in the same environment."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as source:
        pathlib.Path(source, "train.py").write_text("import time, torch\nprint('first', time.time(), flush=True)\n")
        server = Takumi(binary, home)
        try:
            body = training_body(server, "pytorch", "first", source)
            times = []
            for index in range(6):
                begin = time.time()
                training = server.call("POST", "trainings", body | {"trainingName": f"first{index}"})["training"]
                while (state := server.call("GET", f"trainings/{training['trainingId']}")["training"])["trainingStatusCode"] not in ("COMPLETE", "FAIL_TRAIN", "CREATE_FAILED"):
                    time.sleep(0.05)
                if state["trainingStatusCode"] != "COMPLETE":
                    raise SystemExit(state["statusReason"])
                log = urllib.request.urlopen(urllib.request.Request(
                    f"{server.url}/v1.0/appkeys/default/trainings/{training['trainingId']}/logs",
                    headers={"X-EasyMaker-Token": server.token})).read().decode()
                times.append(float(re.search(r"first ([\d.]+)", log)[1]) - begin)
            environments = pathlib.Path(os.environ.get("TAKUMI_ENVIRONMENTS") or f"{home}/environments")
            python = next(path.parents[3] / "bin/python" for path in environments.glob("*/lib/python*/site-packages/torch"))
            by_hand = []
            for _ in range(6):
                begin = time.time()
                out = subprocess.run([str(python), f"{source}/train.py"], capture_output=True, text=True, check=True).stdout
                by_hand.append(float(out.split()[1]) - begin)
        finally:
            server.stop()
    # The first of each warms the page cache.
    yield "POST to first line of a torch script, s", statistics.median(times[1:]), statistics.median(by_hand[1:]), "python by hand"


def queue(binary, count=1000):
    """1,000 queued trainings of print("hi") in the plain Python image, and the list meanwhile."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as source:
        pathlib.Path(source, "train.py").write_text('print("hi")\n')
        server = Takumi(binary, home)
        try:
            body = training_body(server, "python", "hi", source)
            begin = time.perf_counter()
            for index in range(count):
                server.call("POST", "trainings", body | {"trainingName": f"hi{index}"})
            posted = time.perf_counter() - begin
            lists, done = [], threading.Event()

            def watch():
                while not done.is_set():
                    start = time.perf_counter()
                    request = urllib.request.Request(
                        f"{server.url}/v1.0/appkeys/default/trainings", headers={"X-EasyMaker-Token": server.token})
                    urllib.request.urlopen(request).read()
                    lists.append((time.perf_counter() - start) * 1000)
                    done.wait(0.25)

            watcher = threading.Thread(target=watch)
            watcher.start()
            while True:
                trainings = server.call("GET", "trainings")["trainingList"]
                states = [training["trainingStatusCode"] for training in trainings]
                if all(state in ("COMPLETE", "FAIL_TRAIN", "CREATE_FAILED", "STOPPED") for state in states):
                    break
                time.sleep(0.5)
            total = time.perf_counter() - begin
            done.set()
            watcher.join()
            if states.count("COMPLETE") != count:
                raise SystemExit(f"{count - states.count('COMPLETE')} trainings did not complete")
        finally:
            server.stop()
        begin = time.perf_counter()
        for _ in range(100):
            subprocess.run(["python3", f"{source}/train.py"], stdout=subprocess.DEVNULL, check=True)
        by_hand = 100 / (time.perf_counter() - begin)
    yield "trainings of print(\"hi\") through, per s", count / total, by_hand, "python3 train.py, one after the other"
    yield "  POST of one, ms", posted / count * 1000, None, ""
    yield "  list of 1,000 meanwhile, median ms", statistics.median(lists), None, ""
    yield "  list of 1,000 meanwhile, 99th percentile ms", percentile(lists, 0.99), None, ""


def main():
    binary = os.path.abspath(sys.argv[1])
    for tool in ("wrk", "uv"):
        if not shutil.which(tool):
            raise SystemExit(f"{tool} is missing (apt-get install wrk; pip install uv)")
    names = sys.argv[2:] or ["start", "experiments", "first_line", "queue"]
    rows = []
    for name in names:
        for figure, value, peer, what in globals()[name](binary):
            ratio = f"{value / peer:.3g}" if peer else ""
            rows.append((figure, f"{value:.4g}", f"{peer:.4g}" if peer else "", ratio, what))
            print(" | ".join(rows[-1]), flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    table = ["| figure | Takumi | peer | ratio | peer is |", "| --- | --- | --- | --- | --- |"]
    table += [f"| {' | '.join(row)} |" for row in rows]
    (OUT / "table.md").write_text("\n".join(table) + "\n")


if __name__ == "__main__":
    main()
