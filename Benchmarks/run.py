#!/usr/bin/env python3
"""Measures the figures that the README quotes, each beside a peer in the same run. Usage: run.py BIN [NAME …]

Absolute numbers of a small shared machine mean little: quote the ratios.
"""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from console import console
from notebooks import cell_round_trip, notebook_start, notebooks
from servers import ROOT, Takumi, mlflow_server, percentile, resident_mib, training_body, wrk
from serving import image, iris, proxy, ready, serving, switch, switch_for_ten_minutes
from tuning import fifty_trials, many_trials, quality, trial_start, tuning

OUT = ROOT / "Benchmarks" / "out"

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
    names = sys.argv[2:] or ["start", "experiments", "first_line", "queue", "console", "tuning", "serving", "notebooks"]
    tools = {"uv": "pip install uv", "wrk": "apt-get install wrk"}
    if any(globals()[name].__module__ == "serving" for name in names):
        tools |= {"nginx": "apt-get install nginx-light", "h2load": "apt-get install nghttp2-client",
                  "java": "apt-get install openjdk-17-jre-headless"}
    if "notebook_start" in names or "notebooks" in names:
        tools |= {"configurable-http-proxy": "apt-get install node-configurable-http-proxy"}
    for tool, remedy in tools.items():
        if not shutil.which(tool):
            raise SystemExit(f"{tool} is missing ({remedy})")
    rows, figures = [], []
    for name in names:
        # A figure that has a goal ends with it, and with whether it was met.
        for figure, value, peer, what, *goal in globals()[name](binary):
            ratio = f"{value / peer:.3g}" if peer else ""
            met = "".join(f"{wanted}: {'met' if is_met else 'missed'}" for wanted, is_met in goal)
            rows.append((figure, f"{value:.4g}", f"{peer:.4g}" if peer else "", ratio, what, met))
            figures.append({"figure": figure, "value": value, "peer": peer, "what": what, "goal": met})
            print(" | ".join(rows[-1]), flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    table = ["| figure | Takumi | peer | ratio | peer is | goal |", "| --- | --- | --- | --- | --- | --- |"]
    table += [f"| {' | '.join(row)} |" for row in rows]
    (OUT / "table.md").write_text("\n".join(table) + "\n")
    (OUT / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
