"""A running training: stopping it, its log, what it uses, its history (T-9, T-10)."""

import json
import threading
import time

import pytest

from client import API, unique

# MARK: - Stop


def test_stop_lets_the_program_finish_within_its_grace(api: API):
    script = """
import os, signal, sys, time
def end(*_):
    print("saving", flush=True)
    time.sleep(1)
    open(os.environ["EM_CHECKPOINT_DIR"] + "/last", "w").write("saved in time")
    print("saved", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    time.sleep(60)
"""
    training = api.train(script)
    training.wait_line("ready")
    assert training.stop()["trainingStatusCode"] == "STOP_IN_PROGRESS"
    # Asked twice is asked once.
    assert training.stop()["trainingStatusCode"] in ("STOP_IN_PROGRESS", "STOPPED")
    stopped = training.wait("STOPPED")
    assert training.printed() == ["ready", "saving", "saved"]
    assert api.download(f"{training.folder}/checkpoint/last") == b"saved in time"
    assert stopped.get("statusReason") is None


def test_stop_ends_a_program_that_does_not_listen(api: API):
    """With everything that it started, after the grace of 10 s."""
    marker = unique("deaf")
    script = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(300)"
subprocess.Popen([sys.executable, "-c", deaf, sys.argv[2]])
print("ready", flush=True)
time.sleep(300)
"""
    training = api.train(script, hyperparameterList=[{"parameterName": "marker", "parameterValue": marker}])
    training.wait_line("ready")
    start = time.monotonic()
    training.stop()
    training.wait("STOPPED", timeout=20)
    assert 8 < time.monotonic() - start < 15
    left = [process for process in api.server.processes() if marker in process.cmdline()]
    assert not left, left


@pytest.mark.parametrize("end", ["COMPLETE", "FAIL_TRAIN", "STOPPED"])
def test_what_has_ended_cannot_be_stopped(api: API, end):
    script = {
        "COMPLETE": "pass",
        "FAIL_TRAIN": "1/0",
        "STOPPED": "print('x', flush=True); input(); import time; time.sleep(60)",
    }
    training = api.train(script[end].replace("input(); ", ""))
    if end == "STOPPED":
        training.wait_line("x")
        training.stop()
    training.wait(end)
    errors = api.refused("PUT", f"{training.path}/stop", 409)
    assert end.replace("_", " ") in errors[0]["message"], errors
    assert training.read()["trainingStatusCode"] == end


# MARK: - Log

BOTH = """
import sys
for number in range(5):
    print("out", number, flush=True)
    print("err", number, file=sys.stderr, flush=True)
print("10%\\r50%\\r100%")
print("日本 \\x1b[31mred\\x1b[0m")
sys.stdout.write("no line end")
"""


@pytest.fixture(scope="module")
def printed(api):
    training = api.train(BOTH)
    training.wait()
    return training


def test_log_has_both_streams(printed):
    records = printed.records()
    by_stream = {name: [r["text"] for r in records if r["stream"] == name] for name in ("stdout", "stderr")}
    assert by_stream["stderr"] == [f"err {number}" for number in range(5)]
    assert by_stream["stdout"] == [f"out {number}" for number in range(5)] + [
        "10%",
        "50%",
        "100%",
        "日本 \x1b[31mred\x1b[0m",
        "no line end",
    ]
    assert {record["node"] for record in records} == {0}
    times = [record["time"] for record in records]
    assert times == sorted(times) and all(time[10] == "T" and time[-1] == "Z" for time in times)


def test_log_tail(printed):
    lines = printed.lines()
    for count in (0, 1, 3, len(lines), 1000):
        assert printed.lines(tail=count) == lines[len(lines) - min(count, len(lines)) :], f"tail={count}"


def test_log_goes_on_from_an_offset(printed):
    records = printed.records()
    for index, record in enumerate(records):
        assert printed.lines(offset=record["next"]) == [later["text"] for later in records[index + 1 :]]
    assert [record["text"] for record in printed.records(offset=records[4]["offset"])] == [
        r["text"] for r in records[4:]
    ]


@pytest.mark.parametrize("params", [{"tail": "x"}, {"tail": "-1"}, {"offset": "-5"}, {"node": "1"}, {"node": "x"}])
def test_log_of_nonsense_is_refused(printed, params):
    errors = printed.api.refused("GET", f"{printed.path}/logs", 400, params=params)
    assert errors[0]["field"] == next(iter(params)), errors


def test_log_is_followed_live(api: API):
    """Each line arrives within moments of being printed, not with the end."""
    training = api.train("import time\nfor n in range(5):\n    print(time.time(), flush=True)\n    time.sleep(0.4)")
    delays = []
    with api.request("GET", f"{training.path}/logs", params={"follow": "true"}, stream=True) as response:
        for line in response.iter_lines(chunk_size=1):
            record = json.loads(line)
            if record["stream"] == "stdout":
                delays.append(time.time() - float(record["text"]))
    assert len(delays) == 5 and max(delays) < 1, delays
    # The end of the stream is the end of the training.
    training.wait(timeout=1)


def test_long_log_is_whole(api: API):
    """Faster than any disk flushes, a line longer than a block, and bytes that are no text."""
    script = """
import sys
for number in range(50000):
    print(f"line {number} " + "x" * 50)
print("y" * 200000)
sys.stdout.flush()
sys.stdout.buffer.write(b"\\xff\\xfe broken\\n")
"""
    training = api.train(script)
    training.wait()
    lines = training.printed()
    assert lines[:50000] == [f"line {number} " + "x" * 50 for number in range(50000)]
    assert "".join(lines[50000:-1]) == "y" * 200000
    assert lines[-1].endswith(" broken")
    assert training.lines(tail=2)[-1] == lines[-1]


def test_many_followers_at_once(printed):
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(len(printed.records()))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [len(printed.records())] * 20


# MARK: - Metrics and history


def test_resource_samples(api: API):
    script = """
import time
data = bytearray(b"x") * (200 << 20)
end = time.time() + 3.5
while time.time() < end:
    pass
"""
    training = api.train(script, flavor="m2.c1m2")
    training.wait()
    nodes = api.get(f"{training.path}/metrics")["metrics"]
    assert [node["node"] for node in nodes] == [0]
    samples = nodes[0]["samples"]
    assert len(samples) >= 2
    assert max(sample["cpuPercent"] for sample in samples) > 30, samples
    assert 190 << 20 < max(sample["memoryBytes"] for sample in samples) < 800 << 20, samples
    assert all(sample["processCount"] >= 1 for sample in samples)
    times = [sample["time"] for sample in samples]
    assert times == sorted(times) and abs(times[-1] - time.time()) < 60


def test_history(api: API):
    training = api.train("1/0")
    training.wait("FAIL_TRAIN")
    events = training.events()
    assert events[0]["message"] == "requested" and events[0]["statusCode"] == "CREATE_REQUESTED"
    assert events[-1]["statusCode"] == "FAIL_TRAIN" and "exit code 1" in events[-1]["message"], events
    assert [event["sequence"] for event in events] == sorted({event["sequence"] for event in events})
    later = api.get(f"{training.path}/events", after=events[0]["sequence"])["eventList"]
    assert later == events[1:]


def test_statuses_on_the_way_to_success_hold_no_failure(api: API):
    """The vendor's SDK gives up at any status that contains FAIL or STOP."""
    training = api.train("import time; time.sleep(0.5)")
    seen = []
    while not seen or seen[-1] != "COMPLETE":
        code = training.read()["trainingStatusCode"]
        assert "FAIL" not in code and "STOP" not in code, seen
        seen.append(code)
    assert "RUNNING" in seen
