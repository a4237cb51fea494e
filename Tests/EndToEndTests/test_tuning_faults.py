"""Samplers, servers, agents and disks that go away in the middle of a tuning: nothing is lost, nothing runs twice."""

import random
import shutil
import signal
import threading
import time

import psutil
import pytest

from client import API, Tuning, categorical, double, integer, unique
from harness import eventually, find_processes
from test_tuning import ECHO, assert_nothing_runs, marked, slow

SEARCH = {"tuningStrategyName": "RANDOM", "tuningStrategyRandomState": 11}


def samplers(api: API) -> list[psutil.Process]:
    """The Pythons that run Optuna for this server, without their sandboxes."""
    home = str(api.server.home)
    return find_processes(
        lambda words: "bwrap" not in words[0] and any(w.startswith(home) and w.endswith("/sampler.py") for w in words)
    )


def witnessed(witness, word: str, pause: float = 0) -> str:
    """A script whose every start is heard, by its value of x."""
    address = witness.socket.getsockname()
    return f"""
import os, socket, sys, time
word = f"{word}-{{os.environ['EM_HP_X']}}".encode()
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(word, {address!r})
time.sleep({pause})
open(os.environ["EM_MODEL_DIR"] + "/x", "w").write(os.environ["EM_HP_X"])
print("loss =", os.environ["EM_HP_X"])
"""


def assert_whole(tuning: Tuning, witness, word: str, count: int):
    """Every number once, every trial succeeded, every program ran once and left its model."""
    trials = tuning.trials()
    assert [trial["trialNumber"] for trial in trials] == list(range(1, count + 1))
    assert tuning.codes() == ["SUCCEEDED"] * count
    values = [x for x, *_ in tuning.values()]
    assert len(set(values)) == count, "a point was tried twice"
    heard = {x: witness.heard(f"{word}-{x}") for x in values}
    assert set(heard.values()) == {1}, {x: times for x, times in heard.items() if times != 1}
    assert [trial["objectiveValue"] for trial in trials] == [float(x) for x in values]
    done = tuning.read()
    assert (done["trialCount"], done["successfulTrialCount"], done["runningTrialCount"]) == (count, count, 0)
    assert done["optimalTrial"]["objectiveValue"] == min(map(float, values))
    left = tuning.api.files(f"{tuning.folder}/model")
    assert left == [f"trial-{number:04d}/x" for number in range(1, count + 1)]
    codes = [event["statusCode"] for event in tuning.events()]
    assert codes[-1] == "COMPLETE" and codes.count("COMPLETE") == 1, codes


# MARK: - The sampler


def test_sampler_is_killed(make_server, witness):
    """Again and again: it is started anew, told the history, and goes on as it would have."""
    api, word = API(make_server()), unique("sampler")
    script = witnessed(witness, word, 0.1)
    tuning = api.tune(script, double("x", 0, 1), **SEARCH, maxTrialCount=16, parallelTrialCount=2)
    for count in (3, 7):
        tuning.wait_trials(count, "SUCCEEDED")
        for process in eventually(lambda: samplers(api), "the sampler runs"):
            process.send_signal(signal.SIGKILL)
        # It takes a second, and what ends meanwhile is seen.
        tuning.wait_trials(count + 2, "SUCCEEDED", timeout=8)
    tuning.wait()
    assert_whole(tuning, witness, word, 16)
    undisturbed = api.tune(ECHO, double("x", 0, 1), **SEARCH, maxTrialCount=16, parallelTrialCount=2)
    undisturbed.wait()
    assert undisturbed.values() == tuning.values(), "other suggestions than without the kills"
    assert tuning.read().get("hyperparameterTuningStatusReason") == "MaxTrialsReached"


def test_sampler_that_hangs(make_server):
    """Trials that have ended are seen, and the tuning can be stopped, while nobody answers."""
    api = API(make_server())
    script = "import time; time.sleep(0.5); print('loss = 1')"
    tuning = api.tune(script, double("x", 0, 1), **SEARCH, maxTrialCount=20, parallelTrialCount=2)
    tuning.wait_trials(2, "SUCCEEDED")
    for process in samplers(api):
        process.send_signal(signal.SIGSTOP)
    eventually(lambda: "CREATED" not in tuning.codes() and "RUNNING" not in tuning.codes(), "ends are seen", timeout=10)
    tuning.stop()
    tuning.wait("STOPPED", timeout=10)


def test_tunings_that_begin_at_once_share_a_sampler(make_server):
    api = API(make_server())
    folder = f"{api.container}/at-once"
    api.upload(f"{folder}/source/train.py", ECHO)
    ids: list[str] = []

    def create():
        body = api.tuning_body(folder, double("x", 0, 1), **SEARCH, maxTrialCount=2)
        made = api.call("POST", "hyperparameter-tunings", json=body)
        ids.append(made["hyperparameterTuning"]["hyperparameterTuningId"])

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for id in ids:
        Tuning(api, id).wait(timeout=20)
    assert len(ids) == 6 and len(samplers(api)) == 1, f"{len(samplers(api))} samplers run"


def test_sampler_ends_with_the_server(make_server):
    api = API(make_server())
    api.tune(ECHO, double("x", 0, 1), **SEARCH, maxTrialCount=1).wait()
    assert len(samplers(api)) == 1
    assert api.server.stop() == 0
    eventually(lambda: not samplers(api), "the sampler is gone", timeout=10)
    # And after a kill, with the next start.
    api.server.start()
    api.tune(ECHO, double("x", 0, 1), **SEARCH, maxTrialCount=1).wait()
    [old] = samplers(api)
    api.server.kill()
    api.server.start()
    eventually(lambda: not old.is_running(), "the sampler of the killed server is gone", timeout=10)


def test_sampler_that_cannot_be_installed(make_server, tmp_path):
    """No network, no cache: the tuning says so and ends, and another works once that is repaired."""
    environments = tmp_path / "environments"
    environments.mkdir()
    variables = {"UV_OFFLINE": "1", "UV_NO_CACHE": "1", "UV_FIND_LINKS": "", "PIP_FIND_LINKS": "", "UV_NO_INDEX": "1"}
    api = API(make_server(TAKUMI_ENVIRONMENTS=str(environments), **variables))
    tuning = api.tune(ECHO, double("x", 0, 1), **SEARCH, maxTrialCount=1)
    failed = tuning.wait("CREATE_FAILED", timeout=40)
    assert "Optuna" in failed["statusReason"] and len(failed["statusReason"]) < 2000, failed["statusReason"]
    assert tuning.trials() == [] and failed["endedDatetime"]
    assert "Optuna" in tuning.events()[-1]["message"]
    api.refused("PUT", f"{tuning.path}/resume", 409, json={"maxTrialCount": 5})
    api.call("DELETE", tuning.path)


# MARK: - The server


@pytest.fixture
def wide(make_server) -> API:
    return API(make_server(config="cpuOvercommit: 64\nmemoryReserveMiB: 0\n"))


def test_server_is_killed_under_thirty_parallel_trials(wide: API, witness):
    words = [unique("thirty") for _ in range(3)]
    tunings = [
        wide.tune(
            witnessed(witness, word, 1),
            double("x", 0, 1),
            tuningStrategyName="RANDOM",
            tuningStrategyRandomState=number,
            maxTrialCount=15,
            parallelTrialCount=10,
        )
        for number, word in enumerate(words)
    ]
    for tuning in tunings:
        tuning.wait_trials(10, "CREATED", "RUNNING", "SUCCEEDED")
    eventually(lambda: sum(t.codes().count("RUNNING") for t in tunings) >= 8, "many run", timeout=60)
    wide.server.kill()
    wide.server.start()
    for tuning, word in zip(tunings, words, strict=True):
        tuning.wait(timeout=120)
        assert_whole(tuning, witness, word, 15)


def test_server_is_killed_again_and_again(make_server, witness):
    api, word = API(make_server()), unique("often")
    tuning = api.tune(
        witnessed(witness, word, 0.2), double("x", 0, 1), **SEARCH, maxTrialCount=24, parallelTrialCount=4
    )
    moments = random.Random(5)
    for _ in range(5):
        time.sleep(moments.uniform(0, 0.8))
        api.server.kill()
        api.server.start()
    tuning.wait(timeout=120)
    assert_whole(tuning, witness, word, 24)
    undisturbed = api.tune(ECHO, double("x", 0, 1), **SEARCH, maxTrialCount=4, parallelTrialCount=4)
    undisturbed.wait()
    assert undisturbed.values() == tuning.values()[:4]


def test_server_is_killed_while_a_tuning_ends(make_server):
    api = API(make_server())
    tuning, marker = slow(api, 6, parallelTrialCount=3)
    tuning.wait_trials(2, "SUCCEEDED")
    eventually(lambda: len(marked(marker)) > 2, "its programs run")
    tuning.stop()
    api.server.kill()
    api.server.start()
    tuning.wait("STOPPED", timeout=20)
    assert set(tuning.codes()) == {"SUCCEEDED", "KILLED"} and tuning.codes().count("SUCCEEDED") == 2
    assert_nothing_runs(tuning, marker)


def test_server_is_terminated_and_started_later(make_server, witness):
    """Trials that end while nobody looks are found, with their values."""
    api, word = API(make_server()), unique("later")
    tuning = api.tune(witnessed(witness, word, 0.5), double("x", 0, 1), **SEARCH, maxTrialCount=6, parallelTrialCount=3)
    tuning.wait_trials(3, "RUNNING")
    assert api.server.stop() == 0
    time.sleep(1.5)
    api.server.start()
    tuning.wait()
    assert_whole(tuning, witness, word, 6)


# MARK: - Agents, programs, storage


def test_agent_is_killed(api: API):
    """That trial has failed, with the cause, and the tuning goes on."""
    marker = unique("agent")
    script = (
        "import sys, time; print('on', flush=True); time.sleep(60 * (sys.argv[2] == '2')); print('loss =', sys.argv[2])"
    )
    tuning = api.tune(script, integer("x", 1, 4), categorical("marker", marker))
    tuning.wait_trials(1, "SUCCEEDED")
    eventually(lambda: len(tuning.trials()) == 2, "trial 2 is there")
    second = tuning.trial(2)
    second.wait_line("on")
    [agent] = [agent for agent in api.server.agents() if second.id in agent.cmdline()[2]]
    agent.send_signal(signal.SIGKILL)
    tuning.wait(timeout=30)
    assert tuning.codes() == ["SUCCEEDED", "FAILED", "SUCCEEDED", "SUCCEEDED"]
    cause = second.read()["statusReason"]
    assert "agent" in cause and "killed" in cause, cause
    assert_nothing_runs(tuning, marker)


def test_program_is_killed(api: API):
    script = "import os, sys; os.kill(os.getpid(), 9 * (sys.argv[2] == '1')); print('loss = 1')"
    tuning = api.tune(script, integer("x", 1, 2))
    tuning.wait()
    first = tuning.trials()[0]
    assert (first["trialStatusCode"], first["exitCode"]) == ("FAILED", -9) and "signal 9" in first["statusReason"]


def test_a_trial_runs_out_of_memory(api: API):
    script = """
import os, sys
data = [os.urandom(1 << 20) * 64 for _ in range(40 * (sys.argv[2] == "1"))]
print("loss =", sys.argv[2])
"""
    tuning = api.tune(script, integer("x", 1, 2))
    tuning.wait()
    assert tuning.codes() == ["FAILED", "SUCCEEDED"]
    assert "out of memory" in tuning.trials()[0]["statusReason"], tuning.trials()[0]


def test_script_is_deleted_while_the_tuning_runs(api: API):
    """Every later trial fails with what is missing, and the tuning with it."""
    script = "import time; time.sleep(0.5); print('loss = 1', flush=True)"
    tuning = api.tune(script, integer("x", 1, 9), files={"other.py": ""}, maxFailedTrialCount=2)
    tuning.wait_trials(1, "RUNNING", "SUCCEEDED")
    api.store("DELETE", f"{tuning.folder}/source/train.py")
    failed = tuning.wait("FAIL_HYPERPARAMETER_TUNING", timeout=30)
    assert "train.py" in failed["statusReason"] and tuning.codes()[-2:] == ["FAILED"] * 2, failed["statusReason"]
    assert all("train.py" in trial["statusReason"] for trial in tuning.trials()[-2:])


def test_nas_goes_away(make_server, tmp_path):
    """Models that cannot be kept are failures with the place in their cause; when it is back, the next one succeeds."""
    nas = tmp_path / "nas"
    nas.mkdir()
    api = API(make_server(config=f"storage: {{nas: {{disk: {{path: {nas}}}}}}}\n"))
    script = """
import os, sys, time
open(os.environ["EM_MODEL_DIR"] + "/m", "w").write("m")
print("on", flush=True)
time.sleep(0.7)
print("loss =", sys.argv[2])
"""
    tuning = api.tune(script, integer("x", 1, 3), modelUploadUri="nas://disk:/models", maxFailedTrialCount=3)
    tuning.wait_trials(1, "SUCCEEDED")
    shutil.move(nas, tmp_path / "away")
    # In its place lies what is no folder.
    nas.write_text("")
    tuning.wait_trials(1, "FAILED")
    nas.unlink()
    shutil.move(tmp_path / "away", nas)
    tuning.wait()
    assert tuning.codes()[0] == "SUCCEEDED" and "FAILED" in tuning.codes(), tuning.codes()
    failed = next(trial for trial in tuning.trials() if trial["trialStatusCode"] == "FAILED")
    assert "models" in failed["statusReason"] or str(nas) in failed["statusReason"], failed["statusReason"]
    assert (nas / "models/trial-0001/m").read_text() == "m"
