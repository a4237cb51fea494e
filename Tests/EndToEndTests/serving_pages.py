"""Models and endpoints to be looked at in the console, in every state that stays, and the pages that they have."""

import tempfile
from pathlib import Path

from client import API, Run
from deploy import create_endpoint, create_model, resource
from harness import eventually
from serving_models import sklearn_iris

SMALL = {"cpu": "0.3", "memory": "300Mi"}
FLAVOR = "m2.c1m2"


def fill_serving(api: API) -> dict[str, Run]:
    """A model of files and one of the hub; an endpoint with two stages that answer, and one that cannot be created."""
    with tempfile.TemporaryDirectory() as folder:
        files = sklearn_iris(Path(folder) / "iris")
        tags = [{"tagKey": "team", "tagValue": "vision"}]
        model = create_model(
            api, "SKLEARN", files, "iris", description="Which flower it is", frameworkVersion="1.9.1", tagList=tags
        )
        wrong = Path(folder) / "broken"
        wrong.mkdir()
        (wrong / "model.joblib").write_text("this is no model")
        broken = create_model(api, "SKLEARN", wrong, "churn")
    hub = {"model_id": "google/gemma-3-1b-it", "token": "hf_secret"}
    parameters = [{"parameterName": name, "parameterValue": value} for name, value in hub.items()]
    gated = create_model(api, "HUGGING_FACE", None, "gemma", parameterList=parameters)
    endpoint = create_endpoint(
        api, resource(model, **SMALL), name="iris", flavor=FLAVOR, description="Asked by the shop"
    )
    failing = create_endpoint(api, resource(broken, **SMALL), name="churn", flavor=FLAVOR)
    endpoint.wait(timeout=180)
    scaled = {"podAutoScaleEnable": True, "scaleMetricCode": "CPU_UTILIZATION", "scaleMetricTarget": 70}
    later = endpoint.add_stage(
        "next", resource(model, **SMALL, **scaled, maxPodCount=4), flavor=FLAVOR, caEnable=True, useLog=True
    )
    later.wait(timeout=180)
    stage = endpoint.default
    for number in range(40):
        endpoint.predict(model)
        if number % 8 == 0:
            endpoint.call("/iris", {"instances": [[1]]})
    for row in ([5.1, 3.5, 1.4, 0.2], [1], [6.9, 3.1, 5.1, 2.3]):
        endpoint.call("/iris", {"instances": [row]}, url=later.url)
    traffic = {"canaryStageId": later.id, "canaryPercent": 10, "ratePerSecond": 200}
    api.call("PUT", f"{stage.path}/traffic", json=traffic)
    api.call("POST", f"{later.path}/api-keys")
    failing.wait("CREATE_FAILED", timeout=180)
    counted = f"{stage.path}/statistics"
    eventually(lambda: api.get(counted)["statistics"]["total"]["callCount"] >= 45, "the calls are not counted")
    return {
        "model": model,
        "gated": gated,
        "endpoint": endpoint,
        "failing": failing,
        "stage": stage,
        "later": later,
    }


def serving_pages(made: dict[str, Run]) -> dict[str, str]:
    """The address of every page of models and endpoints, below a project, by a name for it."""
    served = made["stage"].read()["endpointModelList"][0]["endpointModelId"]
    model, endpoint, stage, later = (made[name] for name in ("model", "endpoint", "stage", "later"))
    pages = {
        "models": "/models",
        "model-new": "/models/new",
        "model": f"/{model.path}",
        "model-gated": f"/{made['gated'].path}",
        "model-endpoints": f"/{model.path}/tab/endpoints",
        "model-edit": f"/{model.path}/edit",
        "model-delete": f"/{model.path}/delete",
        "endpoints": "/endpoints",
        "endpoint-new": f"/endpoints/new?modelId={model.id}",
        "endpoint": f"/{endpoint.path}",
        "endpoint-stages": f"/{endpoint.path}/stages",
        "endpoint-history": f"/{endpoint.path}/history",
        "endpoint-edit": f"/{endpoint.path}/edit",
        "endpoint-delete": f"/{endpoint.path}/delete",
        "endpoint-go-back": f"/{endpoint.path}/do/go-back",
        "endpoint-failed": f"/{made['failing'].path}",
        "stages": "/endpoint-stages",
        "stage-new": f"/endpoint-stages/new?endpointId={endpoint.id}",
        "stage": f"/{stage.path}",
        "stage-next": f"/{later.path}",
        "stage-delete": f"/{stage.path}/delete",
        "stage-make-default": f"/{later.path}/make-default",
        "stage-deploy": f"/{stage.path}/do/deploy",
        "stage-remove-keys": f"/{later.path}/do/remove-keys",
        "stage-next-keys": f"/{later.path}/keys",
        "stage-failed": f"/{made['failing'].default.path}",
        "stage-failed-log": f"/{made['failing'].default.path}/log",
        "resource-new": f"/endpoint-models/new?endpointStageId={stage.id}",
        "resource": f"/endpoint-models/{served}",
        "resource-delete": f"/endpoint-models/{served}/delete",
    }
    pages["stage-next-requests"] = f"/{later.path}/requests"
    for tab in ("resources", "monitoring", "statistics", "log", "requests", "history", "traffic", "keys"):
        pages[f"stage-{tab}"] = f"/{stage.path}/{tab}"
    return pages
