"""Requests that make no sense, and requests that mean harm."""

import http.client
import socket
import threading

import psutil
import pytest

from client import API, unique

NO_ID = "00000000-0000-0000-0000-000000000000"


def experiments(api: API) -> int:
    return api.get("experiments", limit=0)["totalCount"]


# MARK: - Experiments

BAD_EXPERIMENTS = [
    ("experimentName", {}),
    ("experimentName", {"experimentName": None}),
    ("experimentName", {"experimentName": ""}),
    ("experimentName", {"experimentName": " \t"}),
    ("experimentName", {"experimentName": "e" * 51}),
    ("experimentName", {"experimentName": "a/b"}),
    ("experimentName", {"experimentName": "a\x07b"}),
    ("experimentName", {"experimentName": 1}),
    ("description", {"experimentName": "e", "description": "d" * 256}),
    ("description", {"experimentName": "e", "description": {}}),
    ("tagList", {"experimentName": "e", "tagList": [{"tagKey": f"k{n}", "tagValue": "v"} for n in range(11)]}),
    ("tagList", {"experimentName": "e", "tagList": "k=v"}),
    ("tagList[0].tagKey", {"experimentName": "e", "tagList": [{"tagKey": "k" * 51}]}),
    ("tagList[0].tagKey", {"experimentName": "e", "tagList": [{}]}),
    ("tagList[0].tagValue", {"experimentName": "e", "tagList": [{"tagKey": "k", "tagValue": "v" * 256}]}),
]


@pytest.mark.parametrize("case", BAD_EXPERIMENTS, ids=lambda case: f"{case[0]}-{str(case[1])[:30]}")
def test_experiment_is_refused_with_its_field(api: API, case):
    before = experiments(api)
    errors = api.refused("POST", "experiments", 400, json=case[1])
    assert [error.get("field") for error in errors] == [case[0]], errors
    assert experiments(api) == before


def test_experiment_at_every_limit(api: API):
    tags = [{"tagKey": f"{n}".ljust(50, "k"), "tagValue": "v" * 255} for n in range(10)]
    name = unique("ü").ljust(50, "日")
    id = api.create_experiment(name, description="d" * 255, tagList=tags)
    found = api.get(f"experiments/{id}")["experiment"]
    assert (found["experimentName"], found["tagList"]) == (name, tags)


def test_experiment_of_a_taken_name(api: API):
    name = unique("taken")
    api.create_experiment(name)
    errors = api.refused("POST", "experiments", 409, json={"experimentName": name})
    assert errors[0]["field"] == "experimentName" and name in errors[0]["message"], errors
    other = api.create_experiment()
    errors = api.refused("PUT", f"experiments/{other}", 409, json={"experimentName": name})
    assert errors[0]["field"] == "experimentName", errors
    assert len(api.get("experiments", experimentNameList=name)["experimentList"]) == 1


def test_head_answers_as_get_without_a_body(api: API):
    found = api.request("HEAD", "experiments")
    assert (found.status_code, found.content) == (200, b"")
    assert api.request("HEAD", "experiments/nothing").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "experiments", "GET, HEAD, POST"),
        ("DELETE", "experiments", "GET, HEAD, POST"),
        ("POST", "experiments/{}", "DELETE, GET, HEAD, PUT"),
        ("GET", "trainings/{}/stop", "PUT"),
    ],
)
def test_wrong_method_names_those_that_are_right(api: API, method, path, allowed):
    path = path.format(api.experiment)
    answer = api.request(method, path)
    assert answer.headers["Allow"] == allowed
    errors = api.refused(method, path, 405)
    assert allowed in errors[0]["message"], errors


def test_one_name_asked_for_by_many_at_once(api: API):
    name = unique("race")
    statuses: list[int] = []

    def create():
        statuses.append(api.request("POST", "experiments", json={"experimentName": name}).status_code)

    threads = [threading.Thread(target=create) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * 11


@pytest.mark.parametrize(
    "change",
    [
        {"experimentName": ""},
        {"experimentName": None},
        {"experimentName": 7},
        {"description": "d" * 256},
        {"description": [{"key": "a", "value": "b"}]},
        {"tagList": "a=b"},
        {"experimentStatusCode": "ACTIVE"},
        # What cannot be changed is refused as that, of whatever type it is.
        {"dataStorageSize": 40},
        {"isActive": True},
    ],
)
def test_change_is_refused_with_its_field(api: API, change):
    id = api.create_experiment()
    before = api.get(f"experiments/{id}")
    errors = api.refused("PUT", f"experiments/{id}", 400, json=change)
    assert [error["field"] for error in errors] == list(change), errors
    assert not {"dataStorageSize", "isActive"} & set(change) or "cannot be changed" in errors[0]["message"], errors
    api_after = api.get(f"experiments/{id}")
    assert api_after["experiment"]["experimentName"] == before["experiment"]["experimentName"]


def test_experiment_in_use_is_not_deleted(api: API):
    """Refused with what stands in the way; what has ended does not."""
    experiment = api.create_experiment()
    training = api.train("import time; print('x', flush=True); time.sleep(60)", experimentId=experiment)
    training.wait_line("x")
    errors = api.refused("DELETE", f"experiments/{experiment}", 409)
    assert training.id in errors[0]["message"], errors
    dependents = api.get(f"experiments/{experiment}/dependents")["dependentList"]
    assert [dependent["id"] for dependent in dependents] == [training.id]
    training.stop()
    training.wait("STOPPED")
    api.call("DELETE", f"experiments/{experiment}")
    api.refused("GET", f"experiments/{experiment}", 404)
    assert training.read()["trainingStatusCode"] == "STOPPED"


def test_retry_of_what_has_not_failed(api: API):
    errors = api.refused("PUT", f"experiments/{api.experiment}/retry", 409)
    assert "ACTIVE" in errors[0]["message"], errors


# MARK: - Bodies

BODIES = {
    "empty": b"",
    "cut": b'{"experimentName": "x"',
    "list": b"[]",
    "null": b"null",
    "text": b'"x"',
    "number": b"5",
    "not utf-8": b'{"experimentName": "\xff\xfe"}',
    "nested": b"[" * 100_000,
    "xml": b"<a/>",
    "nul": b"\0" * 100,
    "form": b"experimentName=x",
}


@pytest.mark.parametrize("collection", ["experiments", "trainings"])
@pytest.mark.parametrize("name", BODIES)
def test_body_that_is_no_json(api: API, collection, name):
    before = experiments(api)
    errors = api.refused("POST", collection, 400, data=BODIES[name])
    assert "JSON" in errors[0]["message"] or "object" in errors[0]["message"] or errors[0].get("field"), errors
    assert experiments(api) == before


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
def test_body_of_100_mb(api: API, chunked):
    """Refused before it is all sent, and without holding it in memory."""
    size, piece = 100 << 20, b"x" * (1 << 16)
    process = psutil.Process(api.server.process.pid)
    before = process.memory_info().rss
    with socket.create_connection(tuple(api.server.url.removeprefix("http://").split(":")), timeout=30) as connection:
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        path = "/v1.0/appkeys/default/experiments"
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nX-EasyMaker-Token: {api.token}\r\n{length}\r\n\r\n"
        try:
            connection.sendall(head.encode())
            for _ in range(size // len(piece)):
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        except (BrokenPipeError, ConnectionResetError):
            # It need not read what it has refused.
            pass
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        assert response.status == 413, response.read(1000)
        assert b"MiB" in response.read()
    assert process.memory_info().rss - before < 40 << 20
    assert api.request("GET", "/healthz").status_code == 200
    assert experiments(api) >= 0


# MARK: - Paths and lists


@pytest.mark.parametrize(
    "path",
    [
        f"trainings/{NO_ID}",
        f"experiments/{NO_ID}",
        "trainings/x",
        "trainings/..%2f..%2fetc%2fpasswd",
        f"trainings/{NO_ID}/logs",
        f"trainings/{NO_ID}/metrics",
        f"trainings/{NO_ID}/events",
        "nothing",
        "trainings/" + "x" * 5000,
        "trainings/%00",
    ],
)
def test_what_does_not_exist(api: API, path):
    api.refused("GET", path, 404)


@pytest.mark.parametrize("verb, path", [("PUT", "stop"), ("DELETE", ""), ("PUT", "")])
def test_actions_on_what_does_not_exist(api: API, verb, path):
    api.refused(verb, f"trainings/{NO_ID}/{path}".rstrip("/"), 404, json={"trainingName": "x"})


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "offset=1.5", "offset=99999999999999999999"])
def test_list_with_nonsense(api: API, query):
    errors = api.refused("GET", f"trainings?{query}", 400)
    assert errors[0]["field"] == query.partition("=")[0], errors


def test_list_by_ids_and_names(api: API):
    names = [unique("listed") for _ in range(3)]
    ids = [api.create_experiment(name) for name in names]
    by_id = api.get("experiments", experimentIdList=[ids[0], ids[2], NO_ID])["experimentList"]
    assert [item["experimentId"] for item in by_id] == [ids[2], ids[0]], "newest first"
    by_name = api.get("experiments", experimentNameList=names[1])["experimentList"]
    assert [item["experimentId"] for item in by_name] == [ids[1]]
    page = api.get("experiments", limit=1, offset=1)
    assert [item["experimentId"] for item in page["experimentList"]] == [ids[1]] and page["totalCount"] >= 3
    assert api.get("experiments", experimentNameList="' OR 1=1 --")["experimentList"] == []
