"""Who may do what: tokens, roles, projects, and the access policies of containers (C-1, 12.1)."""

import json

import pytest

from client import API, Training, unique

# MARK: - Who asks


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-EasyMaker-Token": ""},
        {"X-EasyMaker-Token": "tk_wrong"},
        {"Authorization": "Bearer tk_wrong"},
        {"Authorization": "Basic dXNlcjpwdw=="},
        {"x-nhn-authorization": "tk_wrong"},
        {"X-EasyMaker-Token": "x" * 5000},
    ],
)
def test_without_a_valid_token(api: API, headers):
    for method, path in (("GET", "experiments"), ("POST", "trainings"), ("DELETE", f"experiments/{api.experiment}")):
        api.refused(method, path, 401, headers=headers, json={})


def test_the_three_ways_to_send_a_token(api: API):
    for headers in (
        {"X-EasyMaker-Token": api.token},
        {"Authorization": f"Bearer {api.token}"},
        {"x-nhn-authorization": f"Bearer {api.token}"},
    ):
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
    made = json.loads(server.command("project", "create", "other", "--output", "json").stdout)
    assert made["project"] == "other"
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
