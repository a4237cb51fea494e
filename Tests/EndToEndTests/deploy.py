"""Models and endpoints for tests: from files to an address that answers."""

import time
from pathlib import Path

import requests

from client import API, Run, unique

ROWS = [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]


class Model(Run):
    singular, collection = "model", "models"
    success = "ACTIVE"
    settled = {"ACTIVE", "CREATE_FAILED", "DELETE_FAILED"}

    def tail(self) -> str:
        return ""


def create_model(api: API, format: str, files: Path | None, name: str | None = None, **fields) -> Model:
    """Uploads the files of a model to a folder of their own and registers it."""
    name = name or unique("model")
    if files is not None:
        uri = f"{api.container}/models/{unique('files')}"
        api.upload(uri, files)
        fields = {"modelUploadUri": uri} | fields
    body = {"modelName": name, "modelFormatCode": format} | fields
    model = Model(api, api.call("POST", "models", json=body)["model"]["modelId"])
    model.name = name
    model.wait()
    return model


def resource(model: Model, cpu: str = "0.5", memory: str = "512Mi", **fields) -> dict:
    """An entry of a stage's list of resources."""
    return {"modelId": model.id, "resourceOptionDetail": {"cpu": cpu, "memory": memory}} | fields


class Stage(Run):
    singular, collection = "endpointStage", "endpoint-stages"
    success = "ACTIVE"
    settled = {"ACTIVE", "CREATE_FAILED", "DEPLOY_FAILED"}

    def tail(self) -> str:
        return "\n".join(self.log(item["endpointModelId"]) for item in self.read()["endpointModelList"])

    def log(self, resource: str) -> str:
        return self.api.request("GET", f"endpoint-models/{resource}/logs").text

    @property
    def url(self) -> str:
        return f"https://{self.read()['apigwStageUrl']}"


class Endpoint(Run):
    singular, collection = "endpoint", "endpoints"
    success = "ACTIVE"
    settled = {"ACTIVE", "CREATE_FAILED", "UPDATE_FAILED"}

    @property
    def stages(self) -> list[Stage]:
        return [Stage(self.api, item["endpointStageId"]) for item in self.read()["endpointStageList"]]

    @property
    def default(self) -> Stage:
        return Stage(self.api, self.read()["defaultStageId"])

    def tail(self) -> str:
        return "\n".join(stage.tail() for stage in self.stages)

    @property
    def url(self) -> str:
        return self.default.url

    def call(self, path: str, body=None, method: str = "POST", url: str | None = None, **options) -> requests.Response:
        """A request below an address, its default stage's unless told."""
        options = {"json": body} | options if body is not None else options
        verify = str(self.api.server.ca)
        return requests.request(method, f"{url or self.url}{path}", verify=verify, timeout=60, **options)

    def predict(self, model: Model, rows=None) -> list:
        response = self.call(f"/{model.name}/v1/models/{model.name}:predict", {"instances": rows or ROWS})
        assert response.status_code == 200, f"{response.status_code} {response.text}"
        return response.json()["predictions"]

    def add_stage(self, name: str, *resources: dict, **fields) -> Stage:
        body = stage_body(self.api, *resources, **fields) | {"endpointId": self.id, "apigwStageName": name}
        return Stage(self.api, self.api.call("POST", "endpoint-stages", json=body)["endpointStage"]["endpointStageId"])

    def make_default(self, stage: Stage, **fields) -> None:
        self.api.call("PUT", f"{self.path}/default-stage", json={"endpointStageId": stage.id} | fields)

    def delete(self, timeout: float = 60) -> None:
        """Deletes it and waits until it is gone."""
        self.api.call("DELETE", self.path)
        wait_gone(self.api, self.path, timeout)


def wait_gone(api: API, path: str, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while (response := api.request("GET", path)).status_code != 404:
        assert time.monotonic() < deadline, f"{path} is still there: {response.text}"
        time.sleep(0.1)


def stage_body(api: API, *resources: dict, flavor: str = "m2.c2m4", **fields) -> dict:
    return {
        "flavorId": api.flavors[flavor]["id"],
        "nodeCount": 1,
        "endpointModelResourceList": list(resources),
    } | fields


def create_endpoint(api: API, *resources: dict, name: str | None = None, **fields) -> Endpoint:
    body = {"endpointName": name or unique("endpoint")} | stage_body(api, *resources, **fields)
    return Endpoint(api, api.call("POST", "endpoints", json=body)["endpoint"]["endpointId"])
