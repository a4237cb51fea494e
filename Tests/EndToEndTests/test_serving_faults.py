"""What endpoints do when their parts are killed: no request is lost without an error to its client, none gets an answer
that belongs to another."""

import itertools
import signal
import threading
import time

import psutil
import pytest
import requests

import serving_models
from client import API
from deploy import create_endpoint, create_model, resource, stage_body
from harness import Server, eventually


@pytest.fixture(scope="module")
def echo_files(tmp_path_factory):
    return serving_models.sklearn_echo(tmp_path_factory.mktemp("echo"))


@pytest.fixture
def api(make_server):
    return API(make_server())


class EchoLoad:
    """Sends a number of its own in each request to a model that gives it back."""

    def __init__(self, endpoint, model, threads: int = 8):
        self.url = f"{endpoint.url}/{model.name}/v1/models/{model.name}:predict"
        self.ca = str(endpoint.api.server.ca)
        self.numbers = itertools.count(1)
        self.right = self.asked = 0
        self.wrong: list[str] = []
        self.errors: list[tuple[int, str]] = []
        self.unanswered: list[str] = []
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(threads)]

    def ask(self):
        session = requests.Session()
        while not self.ending.is_set():
            with self.lock:
                number = next(self.numbers)
                self.asked += 1
            try:
                answer = session.post(self.url, json={"instances": [[number]]}, timeout=60, verify=self.ca)
            except requests.RequestException as error:
                self.unanswered.append(repr(error))
                continue
            with self.lock:
                if answer.status_code != 200:
                    self.errors.append((answer.status_code, answer.text))
                elif answer.json()["predictions"] == [float(number)]:
                    self.right += 1
                else:
                    self.wrong.append(f"{number}: {answer.text}")
            if answer.status_code != 200:
                time.sleep(0.05)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        eventually(lambda: self.right > 50, "the load runs", 30)
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def check(self, *codes: int):
        assert self.wrong == [], self.wrong[:3]
        assert self.unanswered == [], self.unanswered[:3]
        assert self.right + len(self.errors) == self.asked
        assert {code for code, _ in self.errors} <= set(codes), self.errors[:5]
        assert all('"error"' in text for _, text in self.errors), self.errors[:5]


def part(server: Server, words) -> psutil.Process:
    """The program itself and not the sandbox around it."""
    found = [p for p in server.processes() if words(p.cmdline())]
    assert len(found) == 1, [p.cmdline() for p in found]
    return found[0]


def is_model_server(words: list[str]) -> bool:
    return "model-server" in words[1:2]


def is_worker(words: list[str]) -> bool:
    return "--takumi-framework" in words


@pytest.fixture
def deployed(api, echo_files):
    model = create_model(api, "SKLEARN", echo_files)
    endpoint = create_endpoint(api, resource(model))
    endpoint.wait(timeout=120)
    return endpoint, model


def test_a_killed_worker(api, deployed):
    endpoint, model = deployed
    with EchoLoad(endpoint, model) as load:
        for _ in range(2):
            worker = part(api.server, is_worker)
            worker.send_signal(signal.SIGKILL)
            before = load.right
            eventually(lambda: load.right > before + 100, "it answers again", 30)
    load.check(500, 503)
    # Only what the killed worker had in its hands fails, with the cause.
    failed = [text for code, text in load.errors if code == 500]
    assert 1 <= len(failed) <= 2 * 64 and all("signal 9" in text for text in failed), failed[:3]
    assert endpoint.code() == "ACTIVE"


def test_a_killed_model_server(api, deployed):
    endpoint, model = deployed
    pods = {pod["podId"] for pod in endpoint.default.read()["endpointModelList"][0]["podList"]}
    with EchoLoad(endpoint, model) as load:
        part(api.server, is_model_server).send_signal(signal.SIGKILL)
        before = load.right
        eventually(lambda: load.right > before + 100, "it answers again", 60)
    load.check(502, 503)
    assert len([code for code, _ in load.errors if code == 502]) <= 8
    after = endpoint.default.read()["endpointModelList"][0]
    assert endpoint.code() == "ACTIVE" and {pod["podId"] for pod in after["podList"]}.isdisjoint(pods)
    events = api.get(f"endpoint-models/{after['endpointModelId']}/events")["eventList"]
    assert any("a pod ended: " in event["message"] for event in events), events


def test_two_pods_share_and_stand_in_for_each_other(api, echo_files):
    model = create_model(api, "SKLEARN", echo_files)
    endpoint = create_endpoint(api, resource(model, podCount=2))
    endpoint.wait(timeout=120)
    with EchoLoad(endpoint, model) as load:
        server = next(p for p in api.server.processes() if is_model_server(p.cmdline()))
        server.send_signal(signal.SIGKILL)
        before = load.right
        eventually(lambda: load.right > before + 300, "it answers on", 30)
    load.check(502)
    eventually(lambda: endpoint.default.read()["runningPodCount"] == 2, "the second is back", 60)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_pods_outlive_the_server(api, deployed, how):
    endpoint, model = deployed
    server = api.server
    worker = part(server, is_worker)
    assert getattr(server, how)() in (None, 0)
    server.start()
    eventually(lambda: endpoint.code() == "ACTIVE", "it is active", 10)
    url, ca = f"{endpoint.url}/{model.name}", str(server.ca)
    answer = requests.post(url, json={"instances": [[7]]}, verify=ca)
    assert answer.json() == {"predictions": [7.0]}
    assert worker.is_running(), "the same worker answers"
    time.sleep(3)
    assert part(server, is_worker).pid == worker.pid


def test_statistics_outlive_the_server(api, deployed):
    endpoint, model = deployed
    for number in range(20):
        assert endpoint.predict(model, [[number]]) == [number]
    api.server.stop()
    api.server.start()
    total = api.get(f"{endpoint.default.path}/statistics")["statistics"]["total"]
    assert total["successCount"] == 20


def test_a_pod_without_room_on_the_machine_waits_with_the_reason(make_server, echo_files):
    api = API(make_server("full", f"memoryReserveMiB: {psutil.virtual_memory().total // 2**20 - 2200}\n"))
    model = create_model(api, "SKLEARN", echo_files)
    first = create_endpoint(api, resource(model, memory="1500Mi"))
    first.wait(timeout=120)
    second = create_endpoint(api, resource(model, memory="1500Mi"))
    read = eventually(
        lambda: (r := second.read()).get("statusReason", "") and "waiting for" in r["statusReason"] and r,
        lambda: f"it says why it waits: {second.read()}",
    )
    assert "1.5 GiB of memory" in read["statusReason"] and model.name in read["statusReason"], read["statusReason"]
    assert read["endpointStatusCode"] == "CREATE_IN_PROGRESS"
    first.delete()
    second.wait(timeout=60)


def test_deleting_while_it_starts(api, echo_files):
    model = create_model(api, "SKLEARN", echo_files)
    endpoint = create_endpoint(api, resource(model))
    time.sleep(0.3)
    endpoint.delete()
    eventually(lambda: not api.server.agents(), "its agent is gone", 20)
    api.call("DELETE", model.path)


def test_killed_between_request_and_pod(api, echo_files):
    """The server is killed the moment that it has accepted an endpoint: it is there, whole, or not at all."""
    model = create_model(api, "SKLEARN", echo_files)
    body = {"endpointName": "cut"} | stage_body(api, resource(model))
    id = api.call("POST", "endpoints", json=body)["endpoint"]["endpointId"]
    api.server.kill()
    api.server.start()
    eventually(
        lambda: api.get(f"endpoints/{id}")["endpoint"]["endpointStatusCode"] == "ACTIVE", "it becomes active", 60
    )
    assert len([p for p in api.server.processes() if is_model_server(p.cmdline())]) == 1
