"""Load on a server of this machine: as fast as it goes with wrk, at a fixed rate with h2load."""

import dataclasses
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from servers import percentile

UNITS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}


@dataclasses.dataclass(order=True)
class Load:
    """Requests per second; milliseconds."""

    rate: float
    p50: float
    p99: float


@dataclasses.dataclass
class Post:
    """A request with a body, always the same one."""

    body: pathlib.Path
    headers: dict = dataclasses.field(default_factory=lambda: {"Content-Type": "application/json"})

    def lua(self):
        """As wrk wants it. Without a `request` function of its own, wrk writes the request once and sends that."""
        headers = "".join(f"wrk.headers[{quoted(name)}] = {quoted(value)}\n" for name, value in self.headers.items())
        return f'wrk.method = "POST"\n{headers}local f = io.open({quoted(self.body)}, "rb")\nwrk.body = f:read("*a")\nf:close()\n'


def quoted(text):
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def wrk(url, post=None, seconds=5, connections=16):
    """wrk with one thread. Any other status than 2xx or 3xx, and any broken connection, ends the benchmark."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "--latency"]
    with tempfile.TemporaryDirectory() as folder:
        if post:
            script = pathlib.Path(folder, "post.lua")
            script.write_text(post.lua())
            command += ["-s", str(script)]
        text = subprocess.run(command + [url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{url}: {text}")

    def part(percent):
        value, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)\b", text).groups()
        return float(value) * UNITS[unit]

    return Load(float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), part(50), part(99))


def measured(what, url, post=None, seconds=5, connections=16, runs=3, warm=5):
    """The median of some runs, by rate, after a warm-up."""
    wrk(url, post, warm, connections)
    loads = [wrk(url, post, seconds, connections) for _ in range(runs)]
    shown = ", ".join(f"{load.rate:.0f}/s ({load.p50:.2f} and {load.p99:.2f} ms)" for load in loads)
    print(f"  {what}: {shown}", flush=True)
    return statistics.median_low(loads)


def h2load(url, body=None, headers=None, rate=None, seconds=8, connections=16):
    """HTTP/2 without TLS, or HTTP/1.1 where there is a rate to keep: as many requests a second over all connections."""
    with tempfile.TemporaryDirectory() as folder:
        log = f"{folder}/log"
        command = ["h2load", f"-c{connections}", f"-D{seconds}", "--warm-up-time=1", f"--log-file={log}"]
        command += ["--h1", f"--rps={max(1, round(rate / connections))}"] if rate else ["--npn-list=h2c"]
        command += [f"--data={body}"] if body else []
        command += [word for name, value in (headers or {}).items() for word in ("-H", f"{name}: {value}")]
        text = subprocess.run(command + [url], capture_output=True, text=True, check=True).stdout
        rows = [line.split("\t") for line in pathlib.Path(log).read_text().splitlines()]
    # Requests that the end of the measurement cuts off are in the log as failed, one for each connection at most.
    bad = [row for row in rows if not row[1].startswith("2")]
    if not rows or len(bad) > connections:
        raise SystemExit(f"{url}: {len(bad)} of {len(rows)} requests failed: {text}")
    times = [int(row[2]) / 1000 for row in rows if row[1].startswith("2")]
    return Load(float(re.search(r"([\d.]+) req/s", text)[1]), percentile(times, 0.5), percentile(times, 0.99))


def settle(what, limit=float(os.environ.get("BENCH_SETTLE", 120))):
    """Waits until nobody else uses the machine, and says so where that does not come about."""

    def ticks():
        values = [int(value) for value in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(values), values[3] + values[4]

    deadline, calm, busy = time.monotonic() + limit, 0, 0.0
    while calm < 3 and time.monotonic() < deadline:
        total, idle = ticks()
        time.sleep(1)
        now, still = ticks()
        busy = 1 - (still - idle) / max(1, now - total)
        calm = calm + 1 if busy < 0.1 else 0
    note = "" if calm == 3 else f"; the machine was not quiet ({busy:.0%} busy)"
    print(f"{time.strftime('%H:%M:%S')} {what}; load average {os.getloadavg()[0]:.2f}{note}", file=sys.stderr, flush=True)
