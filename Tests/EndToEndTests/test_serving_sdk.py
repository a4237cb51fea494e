"""Models and endpoints by the vendor's Python SDK, unmodified (K-1)."""

import json
from pathlib import Path

import pytest

import serving_models
from client import API
from deploy import wait_gone
from harness import Server
from test_sdk import run_python

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A server with nothing in it, since the session lists everything."""
    server = Server(tmp_path_factory.mktemp("serving-sdk") / "home")
    try:
        yield API(server.start())
    finally:
        server.close()


@pytest.fixture(scope="module")
def seen(api: API, tmp_path_factory) -> dict:
    uri = f"{api.container}/models/iris"
    api.upload(uri, serving_models.sklearn_iris(tmp_path_factory.mktemp("iris")))
    variables = {"EM_TOKEN": api.token, "EM_GROUP_ID": "group", "EM_APPKEY": "default", "EM_REGION": "kr1"}
    output = run_python(api, str(HERE / "serving_session.py"), uri, **variables)
    return json.loads(next(line for line in output.splitlines() if line.startswith("SEEN "))[5:])


def test_model(seen):
    model = seen["model"]
    assert (model["modelName"], model["modelStatusCode"]) == ("iris", "ACTIVE")
    assert (model["modelFormatCode"], model["description"]) == ("SKLEARN", "from the SDK")


def test_endpoint(seen, api):
    endpoint = seen["endpoint"]
    assert (endpoint["endpointName"], endpoint["endpointStatusCode"]) == ("sample", "ACTIVE")
    stage = endpoint["defaultStage"]
    assert stage["isDefaultStage"] is True and stage["endpointStageStatusCode"] == "ACTIVE"
    assert stage["apigwStageUrl"] == f"{api.server.gateway_url.removeprefix('https://')}/default/sample"
    assert stage["deployStatus"] == "ACTIVE" and stage["podCount"] == 1 and stage["nodeCount"] == 1
    assert stage["autoScaler"] == {
        "enable": True,
        "minNodeCount": 1,
        "maxNodeCount": 3,
        "scaleDownEnable": True,
        "scaleDownUtilThreshPercentage": 50,
        "scaleDownUnneededMinute": 10,
        "scaleDownDelayAfterAddMinute": 10,
    }


def test_predict(seen):
    assert seen["v1"] == seen["predictedAgain"] == seen["onStage"] == {"predictions": [1, 0]}
    assert seen["v2"]["outputs"][0]["data"] == [1, 0] and seen["v2"]["model_name"] == "iris"


def test_stage_and_resource(seen):
    assert seen["stages"] == ["blue", "default"]
    assert seen["stage"]["isDefaultStage"] is False
    assert seen["stage"]["apigwStageUrl"].endswith("/default/sample/stages/blue")
    resource = seen["resource"]
    assert resource["endpointModelStatusCode"] == "ACTIVE" and resource["runningPodCount"] == resource["podCount"] == 1
    assert resource["model"]["modelName"] == "iris" and resource["apigwResourceUri"] == "/iris"


def test_what_is_used_is_not_deleted(seen):
    model, endpoint = seen["refused"]
    assert "model 'iris' is served by endpoint 'sample' (stage " in model, model
    assert "has other stages than the default one (blue)" in endpoint, endpoint


def test_a_deleted_stage_goes(seen, api):
    wait_gone(api, f"endpoint-stages/{seen['stage']['endpointStageId']}")
    assert [stage["endpointStageName"] for stage in api.get("endpoint-stages")["endpointStageList"]] == ["default"]
