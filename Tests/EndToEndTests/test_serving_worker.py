"""The Python worker of the model server: its protocol, over a real socket, with a real model."""

import json
import shutil
import signal
import struct
import threading
import time

import pytest
import serving_models as models
from serving_worker import FRAMEWORKS, PROGRAM, Failed, Worker, made, rows, start, worker  # noqa: F401

IRISES = [[5.1, 3.5, 1.4, 0.2], [6.9, 3.1, 5.1, 2.3], [5.9, 3.0, 4.2, 1.5]]


def test_ready(worker):
    assert worker("sklearn_iris").ready == {
        "op": "ready",
        "platform": "sklearn",
        "batch": True,
        "explain": False,
        "generative": False,
        "inputs": [{"name": "input-0", "datatype": "FP64", "shape": [-1, 4]}],
        "outputs": [{"name": "output-0", "datatype": "INT64", "shape": [-1]}],
    }


def test_joined_requests(worker):
    iris = worker("sklearn_iris")
    answers = iris.infer([rows(*IRISES), rows(IRISES[1]), rows(*IRISES[:2])])
    assert answers == [
        {"output-0": ("INT64", [3], [0, 2, 1])},
        {"output-0": ("INT64", [1], [2])},
        {"output-0": ("INT64", [2], [0, 2])},
    ]


def test_one_bad_request_fails_alone(worker):
    iris = worker("sklearn_iris")
    good, bad, also_good = iris.infer([rows(IRISES[0]), rows([1, 2, 3, float("nan")]), rows(IRISES[1])])
    assert good == {"output-0": ("INT64", [1], [0])}
    assert bad[0] == 400 and "NaN" in bad[1]
    assert also_good == {"output-0": ("INT64", [1], [2])}


def test_calls_are_answered_in_order(worker):
    """Also where they arrive together, and where a frame arrives in pieces."""
    iris = worker("sklearn_iris")
    frames = b""
    for call in range(1000, 1050):
        body = struct.pack("<4d", *IRISES[call % 3])
        entry = {"name": "x", "datatype": "FP64", "shape": [1, 4], "size": 32}
        head = {"op": "infer", "call": call, "form": "tensors", "protocol": "v2", "verb": "predict", "rows": [1]}
        head = json.dumps(head | {"inputs": [entry], "items": [{}]}).encode()
        frames += struct.pack("<II", 4 + len(head) + len(body), len(head)) + head + body
    for at in range(0, 700, 7):
        iris.socket.sendall(frames[at : at + 7])
        time.sleep(0.001)
    iris.socket.sendall(frames[700:])
    for call in range(1000, 1050):
        header, body = iris.receive()
        assert header["call"] == call
        assert struct.unpack("<q", body) == ([0, 2, 1][call % 3],)


def test_large_bodies(worker):
    """Beyond every buffer of the worker's and of the kernel's, both ways."""
    script = worker("pytorch_script")
    count = 2_000_000
    raw = struct.pack("<3f", 1, 2, 3) * count
    (answer,) = script.infer([{"x": ("FP32", [count, 3], raw)}])
    datatype, shape, values = answer["output-0"]
    assert (datatype, shape) == ("FP32", [count, 2])
    assert values[:2] == values[-2:] == [14, 12]


def test_unanswerable_requests(worker):
    iris = worker("sklearn_iris")
    assert iris.json({"wrong": 1}) == [(500, "KeyError : 'instances'")]
    assert iris.json({"instances": "abc"}) == [(400, 'Expected "instances" to be a list')]
    assert iris.json([1]) == [(400, "the request must be an object")]
    ((status, text),) = iris.json(b"{bad json")
    assert status == 400 and text.startswith("Unrecognized request format: ")
    assert iris.json({"instances": [[1, 2, 3, 4]]}, verb="explain") == [(501, "the model has no explanations")]
    assert iris.infer([rows(IRISES[0])]) == [{"output-0": ("INT64", [1], [0])}], "and it lives on"


def test_calls_that_cannot_be_read_are_answered(worker):
    """The model server lets none of them through; should it ever, the others' requests must not suffer."""
    iris = worker("sklearn_iris")
    begin = '{"op":"infer","call":%d,"protocol":"v2","verb":"predict","form":"tensors","rows":[1,1],"inputs":[],"items":'
    refusal = (400, "the request's parameters cannot be read")
    for value in ('"\\ud800"', "1e400", "1" + "0" * 400):
        iris.send((begin % iris.next_call() + '[{},{"parameters":{"a":%s}}]}' % value).encode())
        assert iris.answers([1, 1]) == [refusal, refusal]
    iris.send(b'{"call":nonsense}')
    assert iris.infer([rows(IRISES[0])]) == [{"output-0": ("INT64", [1], [0])}], "and it lives on"


def many_rows(call: int, count: int) -> tuple[dict, bytes]:
    head = {"op": "infer", "call": call, "form": "tensors", "protocol": "v2", "verb": "predict", "rows": [count]}
    entry = {"name": "x", "datatype": "FP64", "shape": [count, 4], "size": 32 * count}
    return head | {"inputs": [entry], "items": [{}]}, bytes(32 * count)


def test_sigterm_answers_what_has_arrived():
    """SIGINT, which Ctrl-C sends to whole groups of processes, is the model server's matter."""
    with start(made("sklearn_iris"), "sklearn") as iris:
        iris.process.send_signal(signal.SIGINT)
        for call in range(40):
            iris.send(*many_rows(call, 100))
        iris.process.terminate()
        assert [iris.receive()[0]["call"] for _ in range(40)] == list(range(40))
        assert iris.process.wait(10) == 0


def test_sigterm_while_the_model_is_loaded(tmp_path):
    (tmp_path / "handler.py").write_text("import time\nprint('loading')\ntime.sleep(600)\n")
    started = []

    def end():
        while not started or "loading" not in started[0].log:
            time.sleep(0.05)
        started[0].process.terminate()

    class Noted(Worker):
        def accept(self, timeout):
            started.append(self)
            return super().accept(timeout)

    thread = threading.Thread(target=end)
    thread.start()
    with pytest.raises(ConnectionError):
        Noted(*FRAMEWORKS["pytorch"], tmp_path)
    thread.join()
    assert started[0].process.returncode == 0


def test_ends_with_the_model_server():
    iris = start(made("sklearn_iris"), "sklearn")
    assert iris.close() == 0
    assert iris.log == ""


def test_ends_with_the_model_server_while_it_answers():
    iris = start(made("sklearn_iris"), "sklearn")
    iris.send(*many_rows(1, 1_000_000))
    assert iris.close() == 0


def test_framework_unknown():
    with pytest.raises(Failed, match="framework TRITON cannot be served; those that can are SKLEARN, PYTORCH"):
        Worker(models.SKLEARN, "TRITON", made("sklearn_iris"))


def test_exit_status_of_a_failure(tmp_path):
    """With the cause sent, and without a traceback, which would say nothing more."""
    lock, framework = FRAMEWORKS["sklearn"]
    with pytest.raises(Failed) as failed:
        Worker(lock, framework, tmp_path)
    assert str(failed.value) == "there is no model.joblib, model.pkl or model.pickle: the folder is empty"


def test_modules_of_the_worker_are_not_on_the_path(tmp_path):
    """A model may bring modules that are called like the worker's own."""
    folder = tmp_path / "model"
    shutil.copytree(made("sklearn_own_code") / "doubling", folder)
    for module in PROGRAM.glob("[a-z]*.py"):
        (folder / module.name).write_text("raise ImportError('the wrong one')")
    with start(folder, "sklearn") as doubling:
        assert doubling.infer([rows([1, 2])]) == [{"output-0": ("FP64", [1], [6])}]
