"""Trainings that fail: each with a cause that a user can act on (SPEC 4, 12.8)."""

import http.client
import ssl
import time
from urllib.parse import urlsplit

from client import API, unique

# MARK: - The program fails


def test_exit_code(api: API):
    training = api.train("import sys; print('before'); sys.exit(42)")
    failed = training.wait("FAIL_TRAIN")
    assert failed["exitCode"] == 42
    assert "exit code 42" in failed["statusReason"] and "train.py" in failed["statusReason"], failed["statusReason"]
    assert training.printed() == ["before"]


def test_traceback_is_in_the_log(api: API):
    training = api.train("raise RuntimeError('the cause')")
    assert training.wait("FAIL_TRAIN")["exitCode"] == 1
    errors = [record["text"] for record in training.records() if record["stream"] == "stderr"]
    assert errors[-1] == "RuntimeError: the cause", errors


def test_killed_by_a_signal(api: API):
    failed = api.train("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)").wait("FAIL_TRAIN")
    assert failed["exitCode"] == -11, failed
    assert "signal 11" in failed["statusReason"], failed["statusReason"]


def test_out_of_memory(api: API):
    script = "import os; print('start', flush=True); data = [os.urandom(1 << 20) * 64 for _ in range(40)]; print('end')"
    training = api.train(script, flavor="t2.c1m1")
    failed = training.wait("FAIL_TRAIN")
    cause = failed["statusReason"]
    assert "out of memory" in cause and "1.0 GiB" in cause, cause
    assert failed["exitCode"] == -9 and training.printed() == ["start"]


def test_out_of_memory_below_torchrun(api: API):
    """torchrun survives its worker and ends with 1: the cause must still be the memory."""
    script = "import os; data = [os.urandom(1 << 20) * 64 for _ in range(60)]"
    training = api.train(script, image="pytorch", flavor="m2.c1m2", useTorchrun=True, nprocPerNode=1)
    failed = training.wait("FAIL_TRAIN", timeout=600)
    assert "out of memory" in failed["statusReason"], failed["statusReason"]
    assert any("exitcode" in line and "-9" in line and "pid:" in line for line in training.lines()), training.tail()


def test_program_that_leaves_processes_behind(api: API):
    """They hold the pipes of the log; the training ends all the same, and they with it."""
    script = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", "left-behind"])
print("done")
"""
    start = time.monotonic()
    training = api.train(script)
    training.wait()
    assert time.monotonic() - start < 15 and training.printed() == ["done"]
    left = [process for process in api.server.processes() if "left-behind" in process.cmdline()]
    assert not left, left


# MARK: - Inputs that turn out bad


def test_object_that_leads_out_of_its_folder(api: API):
    """An object's name may hold anything; as a file it must stay in its folder."""
    name = unique("traversal")
    base = f"{api.storage['obsUri']}/{name}"
    policy = api.storage["serviceAccount"]["accessPolicy"]
    api.store("PUT", base, headers={"X-Container-Read": policy})
    # Quoted twice over, so that no client on the way resolves the dots.
    url = "https" + base.removeprefix("obs") + "/data/%2E%2E/%2E%2E/%2E%2E/escaped"
    api.store("PUT", f"{base}/data/ok", data=b"x")
    response = raw_put(api, url, b"escaped")
    assert response in (201, 400), response
    if response == 201:
        training = api.train("print('never')", datasetList=[{"datasetName": "d", "dataUri": f"{base}/data"}])
        cause = training.wait("CREATE_FAILED")["statusReason"]
        assert "escaped" in cause and "name" in cause, cause


def raw_put(api: API, url: str, data: bytes) -> int:
    """Sends the path as it is: `requests` would resolve the dots."""
    parts = urlsplit(url)
    context = ssl.create_default_context(cafile=str(api.server.ca))
    connection = http.client.HTTPSConnection(parts.hostname, parts.port, context=context, timeout=30)
    connection.request("PUT", parts.path, body=data, headers={"X-Auth-Token": api.token})
    try:
        return connection.getresponse().status
    finally:
        connection.close()


# MARK: - Gangs

NODE = """
import os, signal, sys, time
node = os.environ["RANK"]
print("node", node, flush=True)
if node == "1":
    {action}
try:
    time.sleep(60)
finally:
    print("ended", flush=True)
"""


def test_one_node_fails(api: API):
    training = api.train(NODE.format(action="time.sleep(0.5); sys.exit(5)"), image="pytorch", instanceCount=2)
    training.wait_line("node 1", node=1, timeout=600)
    start = time.monotonic()
    failed = training.wait("FAIL_TRAIN")
    assert time.monotonic() - start < 12, "the other node was not stopped at once"
    assert failed["statusReason"].startswith("node 1: ") and "exit code 5" in failed["statusReason"], failed[
        "statusReason"
    ]
    assert failed["exitCode"] == 5
    assert training.printed(0)[0] == "node 0"


def test_one_node_is_killed(api: API):
    action = "os.kill(os.getpid(), signal.SIGKILL)"
    training = api.train(NODE.format(action=action), image="pytorch", instanceCount=3)
    failed = training.wait("FAIL_TRAIN", timeout=600)
    assert failed["statusReason"].startswith("node 1: ") and "signal 9" in failed["statusReason"], failed[
        "statusReason"
    ]
    assert failed["exitCode"] == -9
