"""Requests that make no sense, requests of the wrong people, and requests that mean harm."""

import http.client
import socket
import sqlite3
import threading
import uuid

import pytest

from client import API, Training, unique

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


@pytest.mark.parametrize("change", [{"experimentName": ""}, {"description": "d" * 256}, {"experimentStatusCode": "ACTIVE"}])
def test_change_is_refused_with_its_field(api: API, change):
    id = api.create_experiment()
    before = api.get(f"experiments/{id}")
    errors = api.refused("PUT", f"experiments/{id}", 400, json=change)
    assert [error["field"] for error in errors] == list(change), errors
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
    "empty": b"", "cut": b'{"experimentName": "x"', "list": b"[]", "null": b"null", "text": b'"x"', "number": b"5",
    "not utf-8": b'{"experimentName": "\xff\xfe"}', "nested": b"[" * 100_000, "xml": b"<a/>", "nul": b"\0" * 100,
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
    import psutil

    size, piece = 100 << 20, b"x" * (1 << 16)
    process = psutil.Process(api.server.process.pid)
    before = process.memory_info().rss
    with socket.create_connection(tuple(api.server.url.removeprefix("http://").split(":")), timeout=30) as connection:
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        head = f"POST /v1.0/appkeys/default/experiments HTTP/1.1\r\nHost: x\r\nX-EasyMaker-Token: {api.token}\r\n{length}\r\n\r\n"
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

@pytest.mark.parametrize("path", [
    f"trainings/{NO_ID}", f"experiments/{NO_ID}", "trainings/x", "trainings/..%2f..%2fetc%2fpasswd", f"trainings/{NO_ID}/logs",
    f"trainings/{NO_ID}/metrics", f"trainings/{NO_ID}/events", "nothing", "trainings/" + "x" * 5000, "trainings/%00",
])
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


# MARK: - Who asks

@pytest.mark.parametrize("headers", [
    {}, {"X-EasyMaker-Token": ""}, {"X-EasyMaker-Token": "tk_wrong"}, {"Authorization": "Bearer tk_wrong"},
    {"Authorization": "Basic dXNlcjpwdw=="}, {"x-nhn-authorization": "tk_wrong"}, {"X-EasyMaker-Token": "x" * 5000},
])
def test_without_a_valid_token(api: API, headers):
    for method, path in (("GET", "experiments"), ("POST", "trainings"), ("DELETE", f"experiments/{api.experiment}")):
        api.refused(method, path, 401, headers=headers, json={})


def test_the_three_ways_to_send_a_token(api: API):
    for headers in ({"X-EasyMaker-Token": api.token}, {"Authorization": f"Bearer {api.token}"},
                    {"x-nhn-authorization": f"Bearer {api.token}"}):
        assert api.request("GET", "experiments", headers=headers).status_code == 200, headers


def test_viewer_may_look_and_not_touch(api: API):
    viewer = API(api.server, api.server.token("default", "--role", "viewer"))
    assert viewer.get("experiments")["totalCount"] >= 0
    viewer.refused("POST", "experiments", 403, json={"experimentName": unique("viewer")})
    viewer.refused("DELETE", f"experiments/{api.experiment}", 403)


def test_another_projects_things_look_as_if_they_were_not_there(make_server):
    server = make_server()
    ours = API(server)
    training = ours.train("print('ours')")
    training.wait()
    # A second project, which only the database can make until there are routes for it.
    with sqlite3.connect(server.home / "takumi.db", timeout=10) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(resource)") if row[1] != "sequence"]
        row = database.execute(f"SELECT {', '.join(columns)} FROM resource WHERE kind = 'project'").fetchone()
        tenant = uuid.uuid4().hex
        spec = b'{"tenantID":"%s"}' % tenant.encode()
        other = dict(zip(columns, row)) | {"id": str(uuid.uuid4()), "project": "other", "name": "other", "spec": spec}
        marks = ", ".join("?" * len(columns))
        database.execute(f"INSERT INTO resource ({', '.join(columns)}) VALUES ({marks})", list(other.values()))
    assert server.stop() == 0
    server.start()
    theirs = API(server, project="other")

    assert theirs.get("trainings")["trainingList"] == []
    for path in (training.path, f"{training.path}/logs", f"{training.path}/events", f"experiments/{ours.experiment}"):
        theirs.refused("GET", path, 404)
    theirs.refused("PUT", f"{training.path}/stop", 404)
    theirs.refused("DELETE", training.path, 404)
    # With our app key in the path their token is worth nothing, and the refusal does not say that the project is there.
    foreign, unknown = API(server, theirs.token, "default"), API(server, theirs.token, "nothing")
    messages = [api.refused("GET", "trainings", 404)[0]["message"] for api in (foreign, unknown)]
    assert messages[0].replace("default", "nothing") == messages[1]
    theirs.store("GET", f"{training.folder}/source/train.py", 403)
    theirs.store("PUT", f"{training.folder}/source/train.py", 403, data=b"theirs")
    # Neither can their trainings read what is ours, though the service account may.
    folder = f"{theirs.container}/x"
    theirs.upload(f"{folder}/source/train.py", "print('theirs')")
    body = theirs.body(folder, datasetList=[{"datasetName": "d", "dataUri": f"{training.folder}/source"}])
    errors = theirs.refused("POST", "trainings", 400, json=body)
    assert errors[0]["field"] == "datasetList[0].dataUri", errors
    body = theirs.body(folder, modelUploadUri=f"{training.folder}/model")
    theirs.refused("POST", "trainings", 400, json=body)
    Training(ours, training.id).wait()


# MARK: - Access policies

def test_container_that_does_not_let_the_service_in(api: API):
    """The refusal names what to add, and with that added it works."""
    base = f"{api.storage['obsUri']}/{unique('closed')}"
    grant = api.storage["serviceAccount"]["accessPolicy"]
    api.store("PUT", base)
    api.upload(f"{base}/source/train.py", "print('ran')")
    body = api.body(base)
    for field, header in (("sourceDirUri", "X-Container-Read"), ("modelUploadUri", "X-Container-Write")):
        errors = api.refused("POST", "trainings", 400, json=body)
        assert errors[0]["field"] == field and grant in errors[0]["message"] and header in errors[0]["message"], errors
        api.store("POST", base, headers={header: grant})
    training = api.call("POST", "trainings", json=body)["training"]
    Training(api, training["trainingId"], base).wait()
