"""/openapi.json is valid, matches what the server does, and has every route that the vendor's SDK calls."""

import inspect
import re

import jsonschema
import openapi_spec_validator
import pytest
from easymaker.api import api_sender, request_body

import notebooks
import serving_models
from client import API, categorical, unique
from deploy import create_endpoint, create_model, resource, stage_body

NO_ID = "00000000-0000-0000-0000-000000000000"
# Actions that need something to be in a certain state, and answers that are no JSON object.
NOT_PLAIN = (
    *("/stop", "/retry", "/resume", "/default-stage", "/go-back", "/traffic", "/api-keys"),
    *("/start", "/reboot", "/logs", "/inference-logs"),
)
# What the features that are there promise of the SDK's routes.
COLLECTIONS = (
    *("experiments", "trainings", "flavors", "images", "algorithms"),
    *("models", "endpoints", "endpoint-stages", "endpoint-models"),
)


@pytest.fixture(scope="module")
def document(api: API) -> dict:
    response = api.request("GET", "/openapi.json", headers={})
    assert response.status_code == 200 and response.headers["content-type"].startswith("application/json")
    return response.json()


def operations(document: dict):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_is_valid(document):
    assert document["openapi"].startswith("3.1")
    openapi_spec_validator.validate(document)


def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names)) and all(re.fullmatch(r"[a-zA-Z]+", name) for name in names)
    assert all(operation["summary"] for _, _, operation in operations(document))


ORDER = ("POST", "GET", "PUT", "DELETE")
OF_PROJECTS = "/v1.0/appkeys/"


def asker(api: API, path: str) -> API:
    """Who may use a route: users and projects are for who administers the server."""
    return api if path.startswith(OF_PROJECTS) else API(api.server, (api.server.home / "cli-token").read_text())


def test_every_operation_is_there(api: API, document):
    """With ids of nothing: refused because of those, and not because the route is unknown."""
    for method, path, _ in operations(document):
        url = path.replace("{appKey}", "default").replace("{id}", NO_ID).replace("{name}", "nobody")
        assert "{" not in url, f"a parameter that this test does not know: {path}"
        response = asker(api, path).request(method, url, json={} if method in ("POST", "PUT") else None)
        assert "no such path" not in response.text and response.status_code not in (405, 500, 501), (
            f"{method} {path}: {response.status_code} {response.text}"
        )
        assert response.status_code == (404 if "{id}" in path or "{name}" in path else 400 if method == "POST" else 200), (
            method,
            path,
            response.text,
        )
        assert api.request(method, url, headers={}).status_code == 401, f"{method} {path} works without a token"


def test_unknown_routes_are_unknown(api: API):
    """The check above means something."""
    assert "no such path" in api.refused("GET", "nothing-of-this-name", 404)[0]["message"]


def sdk_routes() -> set[tuple[str, str]]:
    """Method and path of every call that the SDK makes below the app key, read from its source."""
    source = inspect.getsource(api_sender)
    call = re.compile(
        r'session\.(get|post|put|delete)\(\s*f"\{self\._easymakerApiUrl\}/v1\.0/appkeys/\{self\._appkey\}(/[^"?]*)"'
    )
    routes = {(method.upper(), re.sub(r"\{\w+\}", "{id}", path)) for method, path in call.findall(source)}
    assert len(routes) > 30, "the SDK's source is not as this test expects"
    return {route for route in routes if route[1].split("/")[1] in COLLECTIONS}


def test_every_call_of_the_sdk_is_in_it(document):
    known = {(method, path.removeprefix("/v1.0/appkeys/{appKey}")) for method, path, _ in operations(document)}
    missing = sdk_routes() - known
    assert not missing, missing


@pytest.mark.parametrize(
    "collection, body",
    [
        ("experiments", request_body.ExperimentCreateBody),
        ("trainings", request_body.TrainingCreateBody),
        ("hyperparameter-tunings", request_body.HyperparameterTuningCreateBody),
        ("models", request_body.ModelCreateBody),
        ("endpoints", request_body.EndpointCreateBody),
        ("endpoint-stages", request_body.StageCreateBody),
    ],
)
def test_every_field_of_the_sdk_is_in_it(document, collection, body):
    schema = document["paths"][f"/v1.0/appkeys/{{appKey}}/{collection}"]["post"]["requestBody"]["content"][
        "application/json"
    ]
    fields = {field.alias for name, field in body.model_fields.items() if not name.startswith("parent_pipeline_run")}
    # Of the common base: what the server sets.
    fields -= {"appKey", "createdDatetime"}
    assert fields <= set(schema["schema"]["properties"]), fields - set(schema["schema"]["properties"])


def validate(document: dict, method: str, path: str, status: str, body: dict):
    """The body against the schema that the document has for it."""
    responses = document["paths"][path][method.lower()]["responses"]
    schema = responses.get(status, responses["default"])["content"]["application/json"]["schema"]
    resolved = schema | {"components": document["components"]}
    jsonschema.Draft202012Validator(resolved).validate(body)
    names = set(schema.get("properties", {})) | {"header", "errors", "totalCount"}
    assert set(body) <= names, f"{method} {path} answers with fields that are not in the document: {set(body) - names}"


def test_answers_are_as_described(api: API, document, tmp_path):
    training = api.train("print('x')")
    training.wait()
    tuning = api.tune("print('loss = 1')", categorical("a", "x"))
    tuning.wait()
    experiment = api.create_experiment()
    template = api.call("POST", "training-templates", json={"trainingTemplateName": unique("described")})
    user = unique("described")
    files = serving_models.sklearn_iris(tmp_path)
    served, spare = create_model(api, "SKLEARN", files), create_model(api, "SKLEARN", files)
    small = resource(served, cpu="0.1", memory="256Mi")
    # What is deleted has nothing that stands in its way: a stage that is not the default, an endpoint without another.
    endpoint, lone = create_endpoint(api, small), create_endpoint(api, small)
    stage = endpoint.add_stage("described", small)
    # One whose instance type may be changed.
    notebook = notebooks.create(api)
    notebook.ask("stop")
    for started in (endpoint, lone, stage):
        started.wait(timeout=120)
    notebook.wait("STOPPED")
    kept = endpoint.default.read()["endpointModelList"][0]["endpointModelId"]
    bodies = {
        "models": {
            "modelName": unique("described"),
            "modelFormatCode": "HUGGING_FACE",
            "parameterList": [{"parameterName": "model_id", "parameterValue": "org/name"}],
        },
        "endpoints": {"endpointName": unique("described")} | stage_body(api, small),
        "endpoint-stages": stage_body(api, small) | {"endpointId": endpoint.id, "apigwStageName": "posted"},
        "endpoint-models": small | {"endpointStageId": endpoint.default.id},
        "notebooks": notebooks.body(api),
        "experiments": {"experimentName": unique("described")},
        "trainings": api.body(training.folder),
        "hyperparameter-tunings": api.tuning_body(tuning.folder, categorical("a", "x")),
        "training-templates": {"trainingTemplateName": unique("described"), "imageId": api.images["python"]["imageId"]},
        "users": {"userName": user},
        "projects": {"appKey": unique("described")},
    }
    ids = {
        "models": spare.id,
        "endpoints": lone.id,
        "endpoint-stages": stage.id,
        "endpoint-models": kept,
        "notebooks": notebook.id,
        "experiments": experiment,
        "trainings": training.id,
        "hyperparameter-tunings": tuning.id,
        "trials": tuning.trials()[0]["trialId"],
        "training-templates": template["trainingTemplate"]["trainingTemplateId"],
    }
    for method, path, operation in sorted(operations(document), key=lambda item: ORDER.index(item[0])):
        if path.endswith(NOT_PLAIN):
            continue
        collection = path.removeprefix(f"{OF_PROJECTS}{{appKey}}").removeprefix("/v1.0").split("/")[1]
        url = path.replace("{appKey}", "default").replace("{id}", ids.get(collection, NO_ID)).replace("{name}", user)
        body = None
        if method == "POST":
            body = bodies[collection]
        elif method == "PUT":
            body = {"isAdministrator": False}
            if collection != "users":
                name = re.sub("-(.)", lambda match: match[1].upper(), collection[:-1])
                body = {f"{name}Name": unique("renamed"), "description": "new"}
            if path.endswith("/flavor"):
                body = {"flavorId": api.flavors["m2.c1m2"]["id"]}
            if path.endswith("/idle-stop"):
                body = {"idleStopMinutes": None}
        response = asker(api, path).request(method, url, json=body)
        assert response.status_code == 200, f"{method} {url}: {response.text}"
        validate(document, method, path, "200", response.json())
        payload = [
            name
            for name in operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
            if name != "header"
        ]
        assert all(name in response.json() for name in payload), (method, path, payload)
    for left in api.get("notebooks")["notebookList"]:
        if left["notebookName"] == bodies["notebooks"]["notebookName"]:
            api.call("DELETE", f"notebooks/{left['notebookId']}")


def test_refusals_are_as_described(api: API, document):
    path = "/v1.0/appkeys/{appKey}/experiments"
    validate(document, "POST", path, "default", api.request("POST", "experiments", json={"experimentName": ""}).json())
    validate(document, "GET", f"{path}/{{id}}", "default", api.request("GET", f"experiments/{NO_ID}").json())


def test_required_fields_are_required(api: API, document):
    for collection in ("notebooks", "experiments", "trainings", "hyperparameter-tunings", "training-templates"):
        schema = document["paths"][f"/v1.0/appkeys/{{appKey}}/{collection}"]["post"]["requestBody"]["content"][
            "application/json"
        ]
        required = set(schema["schema"]["required"])
        blamed = {error["field"].split(".")[0] for error in api.refused("POST", collection, 400, json={})}
        # One of two that may stand for each other, and one that a grid does not need.
        assert blamed - {"experimentId", "maxTrialCount"} == required - {"experimentId"}, (blamed, required)


def test_gateway_for_the_sdk(api: API):
    """The SDK asks for it before anything else, without a token."""
    assert api.call("GET", "/nhn-api-gateway", headers={}) == {}
