"""Tunings: how soon a trial starts, what fifty short trials take, ten thousand trials, and how good suggestions are.

Times of trials come from the server's database and from the logs on the disk, not from polling.
"""

import contextlib
import datetime
import json
import os
import pathlib
import random
import re
import sqlite3
import statistics
import subprocess
import tempfile
import time
import urllib.error
import uuid

from console import Session
from servers import CACHE, ROOT, Takumi, image_python, lock_version, peer, percentile, training_body

PEERS = ROOT / "Benchmarks" / "tuning_peers"
STARTS, TRIALS, SECONDS, MANY, MORE, REPEATS = 20, 50, 0.2, 10_000, 11, 3
TORCH_LOCK, OPTUNA_LOCK = "pytorch-train-2.13.0-cpu.txt", "optuna-5.0.0.txt"

# --- a server's tunings ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(binary, home):
    os.environ.setdefault("TAKUMI_ENVIRONMENTS", str(CACHE / "environments"))
    server = Takumi(binary, home)
    try:
        yield server
    finally:
        server.stop()


def double(name, low, high, scale=None):
    body = {"hyperparameterName": name, "hyperparameterTypeCode": "double", "hyperparameterMinValue": str(low),
            "hyperparameterMaxValue": str(high)}
    return body | ({"hyperparameterScale": scale} if scale else {})


def tuning_body(server, alias, name, folder, parameters, trials, parallel=1, strategy="BAYESIAN_OPTIMIZATION"):
    body = training_body(server, alias, name, folder)
    flavors = {flavor["name"]: flavor["id"] for flavor in server.call("GET", "flavors")["flavorList"]}
    del body["trainingName"]
    return body | {
        "hyperparameterTuningName": name, "flavorId": flavors["t2.c1m1"], "hyperparameterSpecList": parameters,
        "objectiveMetric": {"name": "loss"}, "objectiveTypeCode": "MINIMIZE", "tuningStrategyName": strategy,
        "maxTrialCount": trials, "parallelTrialCount": parallel}


def create(server, body):
    try:
        return server.call("POST", "hyperparameter-tunings", body)["hyperparameterTuning"]["hyperparameterTuningId"]
    except urllib.error.HTTPError as error:
        raise SystemExit(error.read().decode()) from None


def finish(server, tuning):
    """Waits for a tuning's end, without taking much from it."""
    while True:
        seen = server.call("GET", f"hyperparameter-tunings/{tuning}")["hyperparameterTuning"]
        match seen["hyperparameterTuningStatusCode"]:
            case "COMPLETE":
                break
            case "STOPPED" | "FAIL_HYPERPARAMETER_TUNING" | "CREATE_FAILED":
                raise SystemExit(seen["statusReason"])
        time.sleep(0.25)
    if seen["successfulTrialCount"] != seen["trialCount"]:
        odd = [f"{id} {status['phase']}: {status.get('cause')}" for id, _, status in trials_of(server.home, tuning)
               if status["phase"] != "SUCCEEDED"]
        raise SystemExit(f"{len(odd)} trials did not succeed, the first one is {odd[0]}")


def trials_of(home, tuning):
    """By number: id, when it was decided, and its status."""
    with contextlib.closing(sqlite3.connect(f"file:{home}/takumi.db?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT id, created_at, spec, status FROM resource JOIN reference ON from_kind = kind AND from_id = id"
            " WHERE kind = 'trial' AND to_id = ?", [tuning]).fetchall()
    found = [(json.loads(spec)["number"], id, created, json.loads(status)) for id, created, spec, status in rows]
    return [row[1:] for row in sorted(found, key=lambda row: row[0])]


def ended_at(home, tuning):
    with contextlib.closing(sqlite3.connect(f"file:{home}/takumi.db?mode=ro", uri=True)) as db:
        return json.loads(db.execute("SELECT status FROM resource WHERE id = ?", [tuning]).fetchone()[0])["endedAt"]


def lines_at(home, trial):
    """When each line of the program's was written."""
    lines = [line.split(" ", 2) for line in pathlib.Path(home, "workloads", trial, "0", "log").read_text().splitlines()]
    return [datetime.datetime.fromisoformat(stamp).timestamp() for stamp, stream, _ in lines if stream == "O"]


def show(what, values):
    print(f"  {what}: " + " ".join(f"{value:.3g}" for value in values), flush=True)


# --- the start of a trial --------------------------------------------------------------------------------------------


def starts(binary, count, is_warm):
    """Milliseconds from the decision to the first line of each trial, one trial after the other."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as source:
        pathlib.Path(source, "train.py").write_text('import torch\nprint("up", flush=True)\nprint("loss = 0.5")\n')
        if not is_warm:
            pathlib.Path(home, "config.yaml").write_text("warmMemoryMiB: 0\n")
        with serving(binary, home) as server:
            body = tuning_body(
                server, "pytorch", "starts", source, [double("lr", 0.001, 0.1)], count, strategy="RANDOM")
            tuning = create(server, body)
            finish(server, tuning)
            found = trials_of(home, tuning)
            times = [(lines_at(home, id)[0] - decided) * 1000 for id, decided, _ in found]
            wanted = "forked" if is_warm else "cold"
            odd = [status.get("start") for _, _, status in found if not (status.get("start") or "").startswith(wanted)]
            if odd:
                raise SystemExit(f"{len(odd)} trials were not started {wanted}, the first one: {odd[0]}")
    show(f"trial starts, {wanted}, ms", times)
    return times


def trial_start(binary):
    # The first one waits for the interpreter.
    first, *warm = starts(binary, STARTS + 1, True)
    cold = starts(binary, STARTS, False)
    median = statistics.median(warm)
    yield ("trial decided to first line after import torch, median ms", median, statistics.median(cold),
           "cold start: warmMemoryMiB: 0", ("< 100 ms", median < 100))
    yield "  95th percentile, ms", percentile(warm, 0.95), percentile(cold, 0.95), "cold start"
    yield "  first trial, which waits for the warm interpreter, ms", first, None, ""


# --- fifty short trials ----------------------------------------------------------------------------------------------


def install_environments(binary):
    """Installs the environments that peers use too, as a server does it."""
    os.environ.setdefault("TAKUMI_ENVIRONMENTS", str(CACHE / "environments"))
    if image_python(TORCH_LOCK).exists() and image_python(OPTUNA_LOCK).exists():
        return
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as source:
        pathlib.Path(source, "train.py").write_text('print("loss = 0.5")\n')
        with serving(binary, home) as server:
            finish(server, create(server, tuning_body(
                server, "pytorch", "install", source, [double("lr", 0.001, 0.1)], 1)))


class Pure:
    """Processes that train with nothing around them, and begin at the same time."""

    def __init__(self, folder, processes, count):
        command = [str(image_python(TORCH_LOCK)), str(PEERS / "pure.py"), str(folder), str(count)]
        self.processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(processes)]

    def run(self):
        """Seconds until all are through, and the seconds of each training."""
        for process in self.processes:
            if process.stdout.readline() != "ready\n":
                raise SystemExit("pure.py does not start")
        begin = time.perf_counter()
        for process in self.processes:
            process.stdin.write("\n")
            process.stdin.flush()
        lines = [process.stdout.readline() for process in self.processes]
        seconds = time.perf_counter() - begin
        for process in self.processes:
            process.communicate()
        return seconds, [value for line in lines for value in json.loads(line)]


def calibrate(folder):
    """Writes the training with as many steps as take it 0.2 s where it runs alone."""
    text, steps = (PEERS / "train.py").read_text(), 100
    for attempt in range(4):
        pathlib.Path(folder, "train.py").write_text(re.sub(r"(?m)^STEPS = .*", f"STEPS = {steps}", text))
        _, times = Pure(folder, 1, 15).run()
        alone = statistics.median(times)
        if attempt == 3 or abs(alone / SECONDS - 1) < 0.03:
            break
        steps = max(1, round(steps * SECONDS / alone))
    print(f"  {steps} steps an epoch; one training alone: {alone:.3f} s", flush=True)


def output(command):
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{command[1]} failed: {run.stderr[-2000:]}")
    return json.loads(run.stdout)


def ray_tune(source):
    python = peer("ray", "ray[tune]", f"optuna=={lock_version(OPTUNA_LOCK, 'optuna')}",
                  f"torch=={lock_version(TORCH_LOCK, 'torch')}") / "python"
    with tempfile.TemporaryDirectory() as storage:
        return output([python, PEERS / "ray_tuning.py", source, TRIALS, storage])


def fifty_trials(binary):
    install_environments(binary)
    space = [double("lr", 0.0001, 0.1, "log"), double("momentum", 0.1, 0.95), double("decay", 0.000001, 0.01, "log")]
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as source:
        calibrate(source)

        def tune(server, name, trials=TRIALS):
            """When it was asked for, when the first trial was decided, and when it ended."""
            body = tuning_body(server, "pytorch", name, source, space, trials, parallel=2)
            posted = time.time()
            tuning = create(server, body)
            finish(server, tuning)
            found = [
                (decided, lines_at(home, id), status["endedAt"]) for id, decided, status in trials_of(home, tuning)]
            show(f"{name}: medians from decided to first report, to last report, to the trial's end, s", [
                statistics.median(lines[0] - decided for decided, lines, _ in found),
                statistics.median(lines[-1] - lines[0] for _, lines, _ in found),
                statistics.median(ended - lines[-1] for _, lines, ended in found)])
            return posted, min(decided for decided, _, _ in found), ended_at(home, tuning)

        with serving(binary, home) as server:
            posted, decided, ended = tune(server, "first")
            first, until_first = ended - posted, decided - posted
        pure, takumi = [], []
        with serving(binary, home) as server:
            # So that the sampler and the warm interpreter are there.
            tune(server, "warm-up", 4)
            for number in range(REPEATS):
                pure.append(Pure(source, 2, TRIALS // 2).run()[0])
                _, decided, ended = tune(server, f"measured-{number}")
                takumi.append(ended - decided)
        show("pure, s", pure)
        show("takumi, s", takumi)
        optuna = output([image_python(OPTUNA_LOCK), PEERS / "optuna_tuning.py", image_python(TORCH_LOCK),
                         f"{source}/train.py", TRIALS])
        ray = ray_tune(source)
    alone, middle = statistics.median(pure), statistics.median(takumi)
    yield ("fifty trials of 0.2 s, two at a time, s", middle, alone, "the same trainings alone, in two warm processes",
           ("ratio ≤ 1.25", middle / alone <= 1.25))
    yield ("  the same beside Optuna", middle, optuna, "study.optimize(n_jobs=2), a process for each trial",
           ("peer ≥ 8 ×", optuna / middle >= 8))
    yield ("  the same beside Ray Tune", middle, ray["fit"], f"tuner.fit(); ray.init() took {ray['init']:.1f} s more",
           ("peer ≥ 8 ×", ray["fit"] / middle >= 8))
    yield ("  first tuning of a server just started, POST to end, s", first, None,
           f"first trial decided after {until_first:.1f} s")


# --- ten thousand trials ---------------------------------------------------------------------------------------------

MANY_SCRIPT = """import argparse
options = argparse.ArgumentParser()
for name in ("lr", "dropout", "layers", "optimizer"):
    options.add_argument(f"--{name}")
o = options.parse_args()
print(f"loss = {float(o.lr) + float(o.dropout) + abs(int(o.layers) - 3)}")
"""
MANY_SPACE = [
    double("lr", 0.0001, 0.1, "log"), double("dropout", 0, 0.5),
    {"hyperparameterName": "layers", "hyperparameterTypeCode": "int", "hyperparameterMinValue": "1",
     "hyperparameterMaxValue": "8"},
    {"hyperparameterName": "optimizer", "hyperparameterTypeCode": "categorical",
     "hyperparameterSpecifiedValues": "sgd,adam,rmsprop"},
]


def filled(binary, home, source):
    """A server's home with a tuning of 10,000 trials: copies of one that really ran. Gives the tuning's id."""
    pathlib.Path(source, "train.py").write_text(MANY_SCRIPT)
    with serving(binary, home) as server:
        tuning = create(server, tuning_body(server, "python", "many", source, MANY_SPACE, 1))
        finish(server, tuning)
    with contextlib.closing(sqlite3.connect(f"{home}/takumi.db")) as db, db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(resource)") if row[1] != "sequence"]
        row = dict(zip(columns, db.execute(
            f"SELECT {', '.join(columns)} FROM resource WHERE kind = 'trial'").fetchone()))
        spec, status = json.loads(row["spec"]), json.loads(row["status"])
        best = (status["value"], row["id"], 1)
        marks = ", ".join("?" for _ in columns)
        for number in range(2, MANY + 1):
            values = {"lr": 10 ** random.uniform(-4, -1), "dropout": random.uniform(0, 0.5),
                      "layers": random.randint(1, 8), "optimizer": random.choice(["sgd", "adam", "rmsprop"])}
            loss = values["lr"] + values["dropout"] + abs(values["layers"] - 3)
            metric = status["metrics"][0] | {"latest": str(loss), "minimum": str(loss), "maximum": str(loss)}
            parameters = [{"name": name, "value": str(value)} for name, value in values.items()]
            copy = row | {
                "id": str(uuid.uuid4()), "name": f"trial-{number:04}",
                "spec": json.dumps(spec | {"number": number, "parameters": parameters}).encode(),
                "status": json.dumps(status | {"value": loss, "metrics": [metric]}).encode()}
            db.execute(f"INSERT INTO resource ({', '.join(columns)}) VALUES ({marks})", [copy[c] for c in columns])
            db.execute("INSERT INTO reference VALUES ('trial', ?, 'hyperparameterTuning', ?, 0)", [copy["id"], tuning])
            best = min(best, (loss, copy["id"], number))
        spec, status = (json.loads(text) for text in db.execute(
            "SELECT spec, status FROM resource WHERE id = ?", [tuning]).fetchone())
        value, id, number = best
        spec["maxTrials"] = MANY
        status["counts"] = {"byPhase": {"SUCCEEDED": MANY}}
        status["best"] = {"id": id, "name": f"trial-{number:04}", "number": number, "value": value}
        db.execute("UPDATE resource SET spec = ?, status = ? WHERE id = ?", [
            json.dumps(spec).encode(), json.dumps(status).encode(), tuning])
    return tuning


def many_trials(binary):
    install_environments(binary)
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as source:
        tuning = filled(binary, home, source)
        with serving(binary, home) as server:
            base = "/projects/default/hyperparameter-tunings"
            paths = {"list of tunings": base, "details": f"{base}/{tuning}", "trials": f"{base}/{tuning}/trials",
                     "study": f"{base}/{tuning}/study"}
            session = Session(server)
            times = {name: session.time(path, 50) for name, path in paths.items()}
            begin = time.perf_counter()
            data = json.loads(session.get(f"{base}/{tuning}/study/data"))
            first_data = time.perf_counter() - begin
            answer = json.loads(session.get(data["importanceHref"]))
            importance = time.perf_counter() - begin
            if not answer.get("importances"):
                raise SystemExit(f"no importance: {answer.get('reason')}")
            times["study's data"] = session.time(f"{base}/{tuning}/study/data", 50)
        with serving(binary, home) as server:
            resumed = time.time()
            server.call("PUT", f"hyperparameter-tunings/{tuning}/resume", {"maxTrialCount": MANY + MORE})
            finish(server, tuning)
            found = trials_of(home, tuning)[MANY:]
    replay = found[0][1] - resumed
    gaps = [(after[1] - before[2]["endedAt"]) * 1000 for before, after in zip(found, found[1:])]
    show("from one trial's end to the next one, ms", gaps)
    for name, values in times.items():
        print(f"  {name}: median {statistics.median(values):.1f} ms, p95 {percentile(values, 0.95):.1f} ms")
    peer_suggestion = output([image_python(OPTUNA_LOCK), PEERS / "optuna_tuning.py", "--suggest", MANY])
    median = statistics.median(gaps)
    yield ("10,000 trials: one's end to the next one, suggestion and all, median ms", median, peer_suggestion,
           "study.ask() of Optuna in memory", ("< 100 ms", median < 100))
    yield "  first after a start: sampler and history, s", replay, None, ""
    for name, values in times.items():
        p95 = percentile(values, 0.95)
        yield f"  {name}, p95 ms", p95, None, "", ("< 100 ms", p95 < 100)
    yield "  study's data, first time after a start, ms", first_data * 1000, None, ""
    yield "  until it has the importance, s", importance, None, ""


# --- the quality of suggestions --------------------------------------------------------------------------------------


def quality(binary):
    install_environments(binary)
    found = output([image_python(OPTUNA_LOCK), ROOT / "Benchmarks" / "tuning_quality.py", "--json"])
    columns = list(next(iter(found["median_best"].values())))
    table = [f"| median best after {found['trials']} trials, {found['seeds']} seeds | {' | '.join(columns)} |",
             "| --- |" + " --- |" * len(columns)]
    table += [f"| {problem} | {' | '.join(f'{row[column]:.4g}' for column in columns)} |"
              for problem, row in found["median_best"].items()]
    print("\n".join(table), flush=True)
    out = ROOT / "Benchmarks" / "out"
    out.mkdir(parents=True, exist_ok=True)
    (out / "tuning-quality.md").write_text("\n".join(table) + "\n")
    for problem, row in found["median_best"].items():
        yield f"best of {found['trials']}: {problem}", row["takumi"], row["optuna"], "Optuna's TPESampler()"


def tuning(binary):
    for part in (trial_start, fifty_trials, many_trials, quality):
        yield from part(binary)
