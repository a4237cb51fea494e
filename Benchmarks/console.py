"""The console beside MLflow's UI, both with 10,000 runs: server time, first paint, bytes, idle cost, a long log."""

import contextlib
import http.cookiejar
import json
import pathlib
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
import uuid

from servers import Takumi, mlflow_server, percentile, training_body

RUNS = 10_000
LINES = 1_000_000


def filled(binary, home, source):
    """A server's home with 10,000 trainings: copies of one that really ran. Gives that one's id and its experiment's."""
    server = Takumi(binary, home)
    body = training_body(server, "python", "hi", source)
    created = server.call("POST", "trainings", body)["training"]
    while server.call("GET", f"trainings/{created['trainingId']}")["training"]["trainingStatusCode"] != "COMPLETE":
        time.sleep(0.1)
    experiment = server.call("GET", f"trainings/{created['trainingId']}")["training"]["experiment"]["experimentId"]
    server.stop()
    with contextlib.closing(sqlite3.connect(f"{home}/takumi.db")) as db, db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(resource)") if row[1] != "sequence"]
        row = dict(zip(columns, db.execute(
            f"SELECT {', '.join(columns)} FROM resource WHERE kind = 'training'").fetchone()))
        marks = ", ".join("?" for _ in columns)
        for index in range(RUNS - 1):
            copy = row | {"id": str(uuid.uuid4()), "name": f"run-{index}", "created_at": row["created_at"] + index}
            db.execute(f"INSERT INTO resource ({', '.join(columns)}) VALUES ({marks})", [copy[c] for c in columns])
            db.execute("INSERT INTO reference VALUES ('training', ?, 'experiment', ?, 0)", [copy["id"], experiment])
            db.execute(
                "INSERT INTO event (kind, id, project, at, phase, message) VALUES ('training', ?, 'default', ?, ?, ?)",
                [copy["id"], copy["created_at"], "COMPLETE", "ended after 1 s"])
    return created["trainingId"], experiment


class Session:
    """A browser's session, without the browser."""

    def __init__(self, server):
        self.server = server
        link = subprocess.run([server.binary, "login", "--home", str(server.home)], capture_output=True, text=True,
                              check=True).stdout.strip()
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.opener.open(link).read()

    @property
    def cookies(self):
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)

    def get(self, path):
        return self.opener.open(self.server.url + path).read()

    def time(self, path, count=40):
        """Milliseconds of each of some requests, one after the other."""
        self.get(path)
        times = []
        for _ in range(count):
            begin = time.perf_counter()
            self.get(path)
            times.append((time.perf_counter() - begin) * 1000)
        return times


def mlflow_runs(url, count):
    """Runs in MLflow's own way; its batch calls take one run at a time, so a few threads share the work."""
    def call(path, body):
        request = urllib.request.Request(f"{url}/api/2.0/mlflow/{path}", data=json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=120))

    experiment = call("experiments/create", {"name": "bench"})["experiment_id"]
    numbers = iter(range(count))
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            call("runs/create", {"experiment_id": experiment, "run_name": f"run-{number}", "start_time": 1})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return experiment


def paint(page, url, ready):
    """First contentful paint in ms, the moment that the rows are there, and the bytes that came over the wire."""
    page.goto(url)
    page.wait_for_selector(ready, timeout=60_000)
    rows = page.evaluate("performance.now()")
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    size = page.evaluate(
        "performance.getEntriesByType('navigation')[0].transferSize"
        " + performance.getEntriesByType('resource').reduce((sum, entry) => sum + entry.transferSize, 0)")
    return painted, rows, size / 1024


def first_paints(browser, url, ready, cookies=(), count=9):
    """Medians over fresh browser profiles, with nothing cached."""
    found = []
    for _ in range(count):
        context = browser.new_context()
        if cookies:
            context.add_cookies(list(cookies))
        found.append(paint(context.new_page(), url, ready))
        context.close()
    return [statistics.median(values) for values in zip(*found)]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def live_pages(session, count=10, seconds=30):
    """Percent of a core that the idle server takes with so many open streams, less what it takes with none."""
    def used():
        before = cpu_seconds(session.server.process.pid)
        time.sleep(seconds)
        return (cpu_seconds(session.server.process.pid) - before) / seconds * 100

    alone = used()
    streams = []
    for _ in range(count):
        request = urllib.request.Request(
            f"{session.server.url}/projects/default/live?kind=training", headers={"Cookie": session.cookies})
        streams.append(urllib.request.urlopen(request))
    with_pages = used()
    for stream in streams:
        stream.close()
    return with_pages, alone


def console(binary):
    """Needs Chromium and playwright: `make setup-test` brings both."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as source:
        pathlib.Path(source, "train.py").write_text('print("loss = 0.5")\n')
        training, experiment = filled(binary, home, source)
        log = pathlib.Path(home, "workloads", training, "0", "log")
        log.write_text("".join(
            f"2026-11-24T05:58:37.123456Z O step = {index} loss = {1 / (index + 1):.6f}\n" for index in range(LINES)))
        server = Takumi(binary, home)
        try:
            session = Session(server)
            base = "/projects/default"
            paths = {
                "dashboard": base, "list": f"{base}/trainings", "page 300": f"{base}/trainings?page=300",
                "by name": f"{base}/trainings?sort=name&page=200", "search": f"{base}/trainings?q=run-99",
                "state": f"{base}/trainings?state=COMPLETE", "details": f"{base}/trainings/{training}",
                "form": f"{base}/trainings/new", "experiment": f"{base}/experiments/{experiment}/tab/trainings",
                "events": f"{base}/events", "images": f"{base}/images", "storage": f"{base}/storage",
            }
            times = {name: session.time(path) for name, path in paths.items()}
            worst = max(times, key=lambda name: percentile(times[name], 0.95))
            for name, values in times.items():
                print(f"  {name}: median {statistics.median(values):.1f} ms, p95 {percentile(values, 0.95):.1f} ms")
            with_pages, alone = live_pages(session)
            begin = time.perf_counter()
            session.get(f"{base}/trainings/{training}/log/lines?last=500")
            first_lines = (time.perf_counter() - begin) * 1000
            end = session.time(f"{base}/trainings/{training}/log/lines?last=500", 10)
            search = session.time(f"{base}/trainings/{training}/log/search?q=step+%3D+77777", 5)
            cookies = [{"name": c.name, "value": c.value, "url": server.url} for c in session.jar]
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
                painted, rows, size = first_paints(browser, f"{server.url}{base}/trainings", "#rows tbody tr", cookies)
                _, log_rows, _ = first_paints(
                    browser, f"{server.url}{base}/trainings/{training}/log", ".log-line", cookies, 3)
                server.stop()
                with tempfile.TemporaryDirectory() as peer_home, mlflow_server(peer_home) as (url, _, _):
                    peer_experiment = mlflow_runs(url, RUNS)
                    search_body = json.dumps(
                        {"experiment_ids": [peer_experiment], "max_results": 25}).encode()
                    peer_times = []
                    for _ in range(20):
                        begin = time.perf_counter()
                        urllib.request.urlopen(urllib.request.Request(
                            f"{url}/api/2.0/mlflow/runs/search", data=search_body,
                            headers={"Content-Type": "application/json"})).read()
                        peer_times.append((time.perf_counter() - begin) * 1000)
                    peer_painted, peer_rows, peer_size = first_paints(
                        browser, f"{url}/#/experiments/{peer_experiment}/runs", "text=/run-\\d+/", count=3)
                browser.close()
        finally:
            if server.process.poll() is None:
                server.stop()
    yield f"slowest page of a project with 10,000 trainings ({worst}), p95 ms", percentile(
        times[worst], 0.95), None, ""
    yield "first page of 10,000, p95 ms", percentile(times["list"], 0.95), percentile(
        peer_times, 0.95), "mlflow runs/search of 25, JSON only"
    yield "  first paint in Chromium, ms", painted, peer_painted, "mlflow UI"
    yield "  rows on the screen after, ms", rows, peer_rows, "mlflow UI"
    yield "  transferred, KiB", size, peer_size, "mlflow UI"
    yield "ten open live pages, idle server, % of a core", with_pages, None, f"{alone:.2g} without them"
    yield "log of 1,000,000 lines: last 500, first time, ms", first_lines, None, ""
    yield "  again, p95 ms", percentile(end, 0.95), None, ""
    yield "  search through all of it, median ms", statistics.median(search), None, ""
    yield "  first lines on the screen, ms", log_rows, None, ""
