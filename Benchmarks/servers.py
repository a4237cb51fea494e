"""The servers that are measured, and how."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
LOCKS = ROOT / "Catalog" / "locks"


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


def peer(name, *packages):
    """The bin folder of a peer's own environment, which is made where it is not there yet."""
    folder, ready = CACHE / name, CACHE / name / ".bench-ready"
    if not ready.exists():
        print(f"installing {name}, a peer", file=sys.stderr)
        subprocess.run(["uv", "venv", "--quiet", "--clear", "--python", "3.11", str(folder)], check=True)
        subprocess.run(
            ["uv", "pip", "install", "--quiet", "--python", str(folder / "bin/python"), *packages], check=True)
        ready.touch()
    return folder / "bin"


def lock_version(lock, package):
    """The version of a package that an image has."""
    return re.search(rf"(?m)^{package}==(\S+)", (LOCKS / lock).read_text())[1]


def image_python(lock):
    """The Python of an image's environment: named by its lock, as the agent names it (EnvironmentCache.swift)."""
    environments = pathlib.Path(os.environ.get("TAKUMI_ENVIRONMENTS") or CACHE / "environments")
    return environments / hashlib.sha256((LOCKS / lock).read_bytes()).hexdigest()[:24] / "bin" / "python"


@contextlib.contextmanager
def mlflow_server(home):
    port = free_port()
    command = [str(peer("mlflow", "mlflow") / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
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


def training_body(server, alias, name, folder):
    images = {image["alias"]: image["imageId"] for image in server.call("GET", "images")["imageList"]}
    flavors = {flavor["name"]: flavor["id"] for flavor in server.call("GET", "flavors")["flavorList"]}
    storage = server.call("GET", "storage")["storage"]
    base = f"{storage['obsUri']}/{storage['defaultContainer']}"
    server.cli("storage", "cp", str(folder), f"{storage['defaultContainer']}/{name}/")
    return {"trainingName": name, "experimentName": "bench", "imageId": images[alias], "flavorId": flavors["m2.c1m2"],
            "sourceDirUri": f"{base}/{name}", "entryPoint": "train.py", "modelUploadUri": f"{base}/{name}-out"}
