"""Models and endpoints: what they are asked for, what they become, how they go (M-1 to M-7, E-1 to E-10)."""

import concurrent.futures
import json
import textwrap
import threading
import time

import pytest
import requests

import serving_models
from client import double, unique
from deploy import ROWS, Model, create_endpoint, create_model, resource, stage_body, wait_gone
from harness import eventually

CLASSES = [1, 1]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return serving_models.sklearn_iris(tmp_path_factory.mktemp("iris"))


@pytest.fixture(scope="module")
def model(api, files):
    return create_model(api, "SKLEARN", files)


@pytest.fixture(scope="module")
def endpoint(api, model):
    endpoint = create_endpoint(api, resource(model))
    endpoint.wait(timeout=300)
    return endpoint


# MARK: - Models


def test_a_model_says_what_it_is(api, model):
    read = model.read()
    assert (read["modelName"], read["modelFormatCode"]) == (model.name, "SKLEARN")
    assert read["modelUploadUri"].startswith("obs://") and read["parameterList"] == []


@pytest.mark.parametrize(
    "field, body",
    [
        ("modelName", {"modelFormatCode": "SKLEARN", "modelUploadUri": "obs://x"}),
        ("modelFormatCode", {"modelName": "a", "modelUploadUri": "obs://x"}),
        ("modelFormatCode", {"modelName": "a", "modelFormatCode": "TRITON", "modelUploadUri": "obs://x"}),
        ("modelUploadUri", {"modelName": "a", "modelFormatCode": "SKLEARN"}),
        ("modelUploadUri", {"modelName": "a", "modelFormatCode": "HUGGING_FACE"}),
        ("modelUploadUri", {"modelName": "a", "modelFormatCode": "SKLEARN", "modelUploadUri": "ftp://x/y"}),
        ("trainingId", {"modelName": "a", "trainingId": "nothing"}),
        ("hyperparameterTuningId", {"modelName": "a", "hyperparameterTuningId": "nothing"}),
        ("hyperparameterTuningId", {"modelName": "a", "trainingId": "a", "hyperparameterTuningId": "b"}),
        (
            "parameterList[1].parameterName",
            {
                "modelName": "a",
                "modelFormatCode": "HUGGING_FACE",
                "parameterList": [
                    {"parameterName": "model_id", "parameterValue": "x"},
                    {"parameterName": "MODEL_ID", "parameterValue": "y"},
                ],
            },
        ),
    ],
)
def test_a_wrong_model_is_refused_by_its_field(api, field, body):
    errors = api.refused("POST", "models", 400, json=body)
    assert field in [error["field"] for error in errors], errors


def test_a_token_is_not_shown_again(api):
    parameters = [
        {"parameterName": "model_id", "parameterValue": "org/gated"},
        {"parameterName": "hf_token", "parameterValue": "hf_secret"},
    ]
    model = create_model(api, "HUGGING_FACE", None, parameterList=parameters)
    shown = {p["parameterName"]: p["parameterValue"] for p in model.read()["parameterList"]}
    assert shown == {"model_id": "org/gated", "hf_token": "********"}


@pytest.mark.parametrize("name", ["model-id", "MODEL_ID", "hf_model_id"])
def test_a_model_of_the_hub_is_named_in_any_spelling(api, name):
    create_model(api, "HUGGING_FACE", None, parameterList=[{"parameterName": name, "parameterValue": "org/bert"}])


def test_a_model_from_a_training_keeps_it(api):
    script = "import os; open(os.environ['EM_MODEL_DIR'] + '/model.txt', 'w').write('x')"
    training = api.train(script)
    errors = api.refused("POST", "models", 409, json={"modelName": "early", "trainingId": training.id})
    assert errors[0]["field"] == "trainingId" and "COMPLETE" in errors[0]["message"]
    training.wait()
    answer = api.call("POST", "models", json={"modelName": "late", "trainingId": training.id})["model"]
    model = Model(api, answer["modelId"])
    read = model.wait()
    assert read["modelFormatCode"] == "SKLEARN" and read["modelUploadUri"] == f"{training.folder}/model"
    assert read["training"]["trainingId"] == training.id
    errors = api.refused("DELETE", training.path, 409)
    assert "still used by model 'late'" in errors[0]["message"]
    api.call("DELETE", model.path)
    api.call("DELETE", training.path)


def test_a_model_from_the_best_trial(api):
    """H-12: the best one's files, not the last one's."""
    script = """
        import os, sys
        value = float(sys.argv[sys.argv.index('--x') + 1])
        open(os.environ['EM_MODEL_DIR'] + '/value.txt', 'w').write(str(value))
        print(f'loss = {abs(value - 2)}')
    """
    tuning = api.tune(textwrap.dedent(script), double("x", 1, 3, 1), parallelTrialCount=1)
    tuning.wait()
    answer = api.call("POST", "models", json={"modelName": "best", "hyperparameterTuningId": tuning.id})["model"]
    model = Model(api, answer["modelId"])
    read = model.wait()
    assert read["hyperparameterTuning"]["hyperparameterTuningId"] == tuning.id
    assert api.download(f"{read['modelUploadUri']}/value.txt") == b"2.0"
    errors = api.refused("DELETE", tuning.path, 409)
    assert "still used by model 'best'" in errors[0]["message"]
    api.call("DELETE", model.path)


# MARK: - Endpoints


def test_an_endpoint_answers_at_its_addresses(api, endpoint, model):
    assert endpoint.predict(model) == CLASSES
    stage = endpoint.default
    # Its own address works beside that of the default.
    own = f"{api.server.gateway_url}/default/{endpoint.read()['endpointName']}/stages/default"
    for url in (stage.url, own):
        assert endpoint.call(f"/{model.name}/v2/models/{model.name}/ready", method="GET", url=url).status_code == 200
    read = stage.read()
    assert read["podCount"] == read["runningPodCount"] == 1 and read["isDefaultStage"]
    item = read["endpointModelList"][0]
    assert item["endpointModelStatusCode"] == "ACTIVE" and item["apigwResourceUri"] == f"/{model.name}"
    assert endpoint.read()["apigwStatusCode"] == "ACTIVE"


def test_a_post_to_the_resource_is_told_apart_by_its_body(endpoint, model):
    assert endpoint.call(f"/{model.name}", {"instances": ROWS}).json() == {"predictions": CLASSES}
    tensor = {"name": "x", "shape": [2, 4], "datatype": "FP64", "data": ROWS}
    assert endpoint.call(f"/{model.name}", {"inputs": [tensor]}).json()["outputs"][0]["data"] == CLASSES


def test_a_large_body_does_not_end_a_small_pod(api, model):
    """What a pod cannot hold is refused; what it can, however often it comes, is answered."""
    small = create_endpoint(api, resource(model, memory="512Mi"))
    small.wait(timeout=300)
    path = f"/{model.name}/v1/models/{model.name}:predict"
    before = pods_of(small)
    large = b'{"instances":[' + b",".join([b"[1,2,3,4]"] * 20_000_000) + b"]}"
    response = small.call(path, data=large)
    assert response.status_code == 413, response.text
    assert "for which the pod's 512 MiB of memory suffice" in response.json()["error"]
    rows = 500_000
    fits = b'{"instances":[' + b",".join([b"[1,2,3,4]"] * rows) + b"]}"
    answers = []

    def ask():
        response = small.call(path, data=fits)
        answers.append((response.status_code, len(response.json().get("predictions", []))))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {(200, rows), (503, 0)} and (200, rows) in answers, answers
    assert small.predict(model) == CLASSES
    assert pods_of(small) == before, "none was ended"
    small.delete()


def pods_of(endpoint) -> list:
    return [pod["podId"] for item in endpoint.default.read()["endpointModelList"] for pod in item["podList"]]


def test_plain_http_works_from_this_machine(endpoint, model):
    url = endpoint.url.replace("https:", "http:")
    answer = requests.post(f"{url}/{model.name}/v1/models/{model.name}/predict", json={"instances": ROWS})
    assert answer.json() == {"predictions": CLASSES}


def test_statistics_count_calls(api, endpoint, model):
    path = f"{endpoint.default.path}/statistics"
    # What the tests before have asked is counted within a second.
    time.sleep(1.5)
    before = api.get(path)["statistics"]["total"]
    for _ in range(5):
        endpoint.predict(model)
    endpoint.call(f"/{model.name}/v1/models/{model.name}:predict", {"instances": "none"})

    def counted():
        now = api.get(path)["statistics"]["total"]
        return (now["successCount"] - before["successCount"], now["clientErrorCount"] - before["clientErrorCount"]) == (
            5,
            1,
        )

    eventually(counted, "the calls are counted")
    assert api.get(path)["statistics"]["total"]["latencyMedianMilliseconds"] > 0


@pytest.mark.parametrize(
    "field, change",
    [
        ("endpointName", {"endpointName": None}),
        ("flavorId", {"flavorId": "nothing"}),
        ("nodeCount", {"nodeCount": 0}),
        ("endpointModelResourceList", {"endpointModelResourceList": []}),
        ("endpointModelResourceList[0].modelId", {"endpointModelResourceList": [{"modelId": "nothing"}]}),
        ("caMaxNodeCount", {"caEnable": True, "caMinNodeCount": 3, "caMaxNodeCount": 2}),
        ("nodeCount", {"caEnable": True, "caMinNodeCount": 2, "caMaxNodeCount": 3}),
    ],
)
def test_a_wrong_endpoint_is_refused_by_its_field(api, model, field, change):
    body = {"endpointName": unique("wrong")} | stage_body(api, resource(model)) | change
    errors = api.refused("POST", "endpoints", 400, json={k: v for k, v in body.items() if v is not None})
    assert field in [error["field"] for error in errors], errors
    assert body["endpointName"] not in [e["endpointName"] for e in api.get("endpoints")["endpointList"]]


@pytest.mark.parametrize(
    "field, change",
    [
        ("resourceOptionDetail", {"cpu": "4"}),
        ("resourceOptionDetail.cpu", {"cpu": "much"}),
        ("resourceOptionDetail.cpu", {"cpu": "0"}),
        ("resourceOptionDetail.memory", {"memory": "2 potatoes"}),
        ("resourceOptionDetail.memory", {"memory": "0"}),
        ("podCount", {"podCount": 0}),
        ("scaleMetricCode", {"podAutoScaleEnable": True, "scaleMetricCode": "LOAD", "scaleMetricTarget": 50}),
        ("scaleMetricTarget", {"podAutoScaleEnable": True, "scaleMetricCode": "CPU_UTILIZATION"}),
    ],
)
def test_a_wrong_resource_is_refused_by_its_field(api, model, field, change):
    options = {name: change.pop(name) for name in ("cpu", "memory") if name in change}
    body = {"endpointName": unique("wrong")} | stage_body(api, resource(model, **options, **change))
    errors = api.refused("POST", "endpoints", 400, json=body)
    assert f"endpointModelResourceList[0].{field}" in [error["field"] for error in errors], errors


def test_what_adds_up_to_more_than_the_instances_is_refused(api, model):
    body = {"endpointName": unique("large")} | stage_body(api, resource(model, cpu="1", podCount=2), resource(model))
    errors = api.refused("POST", "endpoints", 400, json=body)
    assert errors[0]["field"] == "endpointModelResourceList"
    assert "3 pods ask for 2.5 vCPU" in errors[0]["message"] and "1.9 vCPU" in errors[0]["message"], errors


def test_two_endpoints_of_one_name(api, endpoint, model):
    body = {"endpointName": endpoint.read()["endpointName"]} | stage_body(api, resource(model))
    errors = api.refused("POST", "endpoints", 409, json=body)
    assert errors[0]["field"] == "endpointName" and "taken" in errors[0]["message"]


def test_a_stage_is_not_renamed_to_another(api, model, endpoint):
    stage = endpoint.add_stage("green", resource(model, cpu="0.2", memory="256Mi"))
    stage.wait()
    errors = api.refused("PUT", stage.path, 409, json={"endpointStageName": "default"})
    assert errors[0]["field"] == "endpointStageName" and "has a stage 'default'" in errors[0]["message"]
    url = stage.url
    api.call("PUT", stage.path, json={"endpointStageName": "olive"})
    assert stage.url == url, "the address stays"
    body = stage_body(api, resource(model)) | {"endpointId": endpoint.id, "apigwStageName": "green"}
    assert api.refused("POST", "endpoint-stages", 409, json=body)[0]["field"] == "apigwStageName"
    api.call("DELETE", stage.path)
    wait_gone(api, stage.path)


def test_a_served_model_cannot_go(api, endpoint, model):
    errors = api.refused("DELETE", model.path, 409)
    assert f"is served by endpoint '{endpoint.read()['endpointName']}' (stage default)" in errors[0]["message"]


def test_the_default_stage_cannot_go(api, endpoint):
    errors = api.refused("DELETE", endpoint.default.path, 409)
    assert "is the default stage" in errors[0]["message"]


def test_an_artifact_that_has_gone_fails_with_that_reason(api, files, tmp_path):
    model = create_model(api, "SKLEARN", files)
    uri = model.read()["modelUploadUri"]
    for name in api.files(uri):
        api.store("DELETE", f"{uri}/{name}")
    endpoint = create_endpoint(api, resource(model))
    read = endpoint.wait("CREATE_FAILED")
    assert f"there is nothing at '{uri.partition('easymaker/')[2]}'" in read["statusReason"], read["statusReason"]
    endpoint.delete()


def test_a_model_that_crashes_on_load_fails_with_its_last_line(api, tmp_path):
    (tmp_path / "model.joblib").write_bytes(b"this is no joblib file")
    model = create_model(api, "SKLEARN", tmp_path)
    endpoint = create_endpoint(api, resource(model))
    read = endpoint.wait("CREATE_FAILED", timeout=120)
    assert "model.joblib" in read["statusReason"], read["statusReason"]
    item = endpoint.default.read()["endpointModelList"][0]
    assert item["endpointModelStatusCode"] == "CREATE_FAILED"
    assert "Traceback" in endpoint.default.log(item["endpointModelId"])
    endpoint.delete()


def test_resources_come_and_go(api, endpoint, model, files):
    other = create_model(api, "SKLEARN", files)
    stage = endpoint.default
    body = resource(other) | {"endpointStageId": stage.id}
    item = api.call("POST", "endpoint-models", json=body)["endpointModel"]
    path = f"endpoint-models/{item['endpointModelId']}"
    eventually(
        lambda: api.get(path)["endpointModel"]["endpointModelStatusCode"] == "ACTIVE", "the resource is active", 60
    )
    assert endpoint.predict(other) == CLASSES
    api.call("DELETE", path)
    wait_gone(api, path)
    answer = endpoint.call(f"/{other.name}/v1/models/{other.name}:predict", {"instances": ROWS})
    assert answer.status_code == 404 and other.name in answer.json()["error"]
    assert endpoint.predict(model) == CLASSES


def test_api_keys(api, endpoint, model):
    stage = endpoint.default
    key = api.call("POST", f"{stage.path}/api-keys")["apiKey"]
    path = f"/{model.name}/v1/models/{model.name}:predict"
    try:
        answer = endpoint.call(path, {"instances": ROWS})
        assert answer.status_code == 401 and "key" in answer.json()["error"]
        for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}):
            assert endpoint.call(path, {"instances": ROWS}, headers=headers).status_code == 200
        assert endpoint.call(path, {"instances": ROWS}, headers={"X-API-Key": "tk_wrong"}).status_code == 401
    finally:
        api.call("DELETE", f"{stage.path}/api-keys")
    assert endpoint.predict(model) == CLASSES


def test_rate_limit(api, endpoint, model):
    stage = endpoint.default
    api.call("PUT", f"{stage.path}/traffic", json={"ratePerSecond": 5})
    path = f"/{model.name}/v2/models/{model.name}/ready"
    try:
        codes = [endpoint.call(path, method="GET", url=stage.url).status_code for _ in range(1)]
        session = requests.Session()
        url = stage.url + path
        codes += [session.get(url, verify=str(api.server.ca)).status_code for _ in range(30)]
        assert codes.count(429) >= 10 and codes.count(200) >= 5, codes
    finally:
        api.call("PUT", f"{stage.path}/traffic", json={})


def test_scale_to_zero_wakes_with_the_first_request(api, model):
    endpoint = create_endpoint(api, resource(model, idleMinutes=1))
    endpoint.wait(timeout=60)
    assert endpoint.predict(model) == CLASSES
    stage = endpoint.default
    eventually(lambda: stage.read()["podCount"] == 0 and stage.read()["runningPodCount"] == 0, "it sleeps", 120, 1)
    assert stage.code() == "ACTIVE"
    began = time.monotonic()
    assert endpoint.predict(model) == CLASSES
    assert time.monotonic() - began < 30
    endpoint.delete()


# MARK: - Stages


class Load:
    """Asks without a pause from several threads; counts what is not a right answer."""

    def __init__(self, endpoint, model, threads: int = 4):
        self.url = f"{endpoint.url}/{model.name}/v1/models/{model.name}:predict"
        self.ca = str(endpoint.api.server.ca)
        self.failures: list[str] = []
        self.answers = 0
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(threads)]

    def ask(self):
        session = requests.Session()
        while not self.ending.is_set():
            try:
                response = session.post(self.url, json={"instances": ROWS}, timeout=30, verify=self.ca)
                if response.status_code != 200 or response.json() != {"predictions": CLASSES}:
                    self.failures.append(f"{response.status_code} {response.text}")
            except requests.RequestException as error:
                self.failures.append(repr(error))
            self.answers += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()


def test_switching_the_default_drops_no_request(api, model):
    endpoint = create_endpoint(api, resource(model))
    endpoint.wait(timeout=60)
    blue = endpoint.default
    green = endpoint.add_stage("green", resource(model))
    green.wait()
    errors = api.refused("DELETE", endpoint.path, 409)
    assert "has other stages than the default one (green)" in errors[0]["message"]
    url = endpoint.url
    with Load(endpoint, model) as load:
        time.sleep(1)
        endpoint.make_default(green)
        assert endpoint.url == url, "the address of the default stage stays"
        wait_gone(api, blue.path)
        time.sleep(1)
    assert load.failures == [] and load.answers > 100, (load.answers, load.failures[:3])
    assert green.read()["isDefaultStage"] and [s.id for s in endpoint.stages] == [green.id]
    endpoint.delete()
    assert endpoint.call(f"/{model.name}/v2", method="GET", url=url).status_code == 404


def test_a_kept_default_can_be_gone_back_to(api, model):
    endpoint = create_endpoint(api, resource(model))
    endpoint.wait(timeout=60)
    blue = endpoint.default
    api.refused("PUT", f"{endpoint.path}/go-back", 409)
    green = endpoint.add_stage("green", resource(model))
    errors = api.refused("PUT", f"{endpoint.path}/default-stage", 409, json={"endpointStageId": green.id})
    assert "only an ACTIVE one" in errors[0]["message"]
    green.wait()
    with Load(endpoint, model, threads=2) as load:
        endpoint.make_default(green, keepMinutes=10)
        time.sleep(1)
        assert blue.code() == "ACTIVE"
        api.call("PUT", f"{endpoint.path}/go-back")
        time.sleep(1)
    assert load.failures == [], load.failures[:3]
    assert endpoint.default.id == blue.id and green.code() == "ACTIVE"
    api.call("DELETE", green.path)
    wait_gone(api, green.path)
    endpoint.delete()


def test_every_former_default_goes_with_the_endpoint(api, model):
    """And a key is needed at the endpoint's address whatever stage answers there."""
    small = resource(model, cpu="0.2", memory="256Mi")
    endpoint = create_endpoint(api, small)
    endpoint.wait(timeout=60)
    blue, url = endpoint.default, f"{endpoint.url}/{model.name}/v1/models/{model.name}:predict"
    key = api.call("POST", f"{blue.path}/api-keys")["apiKey"]
    api.call("PUT", f"{blue.path}/traffic", json={"ratePerSecond": 1000})
    green, red, pink = [endpoint.add_stage(name, small) for name in ("green", "red", "pink")]
    for stage in (green, red, pink):
        stage.wait()
    for stage in (green, red):
        endpoint.make_default(stage, keepMinutes=10)
        assert endpoint.call("", {"instances": ROWS}, url=url).status_code == 401
        assert endpoint.call("", {"instances": ROWS}, url=url, headers={"X-API-Key": key}).status_code == 200
        assert stage.read()["hasApiKey"] and stage.read()["ratePerSecond"] == 1000
    formers = endpoint.read()["formerStageList"]
    assert [former["endpointStageId"] for former in formers] == [green.id, blue.id]
    # What leads to a stage goes with it.
    share = {"canaryStageId": pink.id, "canaryPercent": 10, "ratePerSecond": 1000}
    api.call("PUT", f"{red.path}/traffic", json=share)
    api.call("DELETE", pink.path)
    wait_gone(api, pink.path)
    assert red.read().get("canaryStageId") is None
    endpoint.delete()


def test_requests_at_once_are_checked_one_by_one(api, model):
    endpoint = create_endpoint(api, resource(model, cpu="0.1", memory="128Mi"), flavor="t2.c1m1")
    endpoint.wait(timeout=60)
    same = stage_body(api, resource(model)) | {"endpointId": endpoint.id, "apigwStageName": "same"}
    more = resource(model, cpu="0.3", memory="128Mi") | {"endpointStageId": endpoint.default.id}
    for path, body, made in (("endpoint-stages", same, 1), ("endpoint-models", more, 2)):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: api.request("POST", path, json=body).status_code, range(8)))
        assert answers.count(200) == made, (path, answers)
    stage = next(stage for stage in endpoint.stages if stage.id != endpoint.default.id)
    api.call("DELETE", stage.path)
    wait_gone(api, stage.path)
    endpoint.delete()


def test_a_stage_is_deployed_again(api, endpoint, model):
    stage = endpoint.default
    answer = api.call("PUT", f"{stage.path}/deploy")["endpointStage"]
    assert answer["endpointStageStatusCode"] == "DEPLOY_IN_PROGRESS" and answer["deployStatus"] == "STAGE_DEPLOYING"
    eventually(lambda: stage.code() == "ACTIVE" and endpoint.code() == "ACTIVE", "it is deployed")
    assert endpoint.predict(model) == CLASSES


def test_a_canary_takes_its_share(api, model, tmp_path_factory):
    endpoint = create_endpoint(api, resource(model))
    endpoint.wait(timeout=60)
    green = endpoint.add_stage("green", resource(model))
    green.wait()
    blue = endpoint.default
    api.call("PUT", f"{blue.path}/traffic", json={"canaryStageId": green.id, "canaryPercent": 50})
    with Load(endpoint, model, threads=2) as load:
        eventually(lambda: load.answers > 200, "enough calls", 30)
    assert load.failures == []

    def calls(stage):
        return api.get(f"{stage.path}/statistics")["statistics"]["total"]["callCount"]

    eventually(lambda: calls(green) > 50 and calls(blue) > 50, "both have calls", 15)
    endpoint_read = endpoint.default.read()
    assert (endpoint_read["canaryStageId"], endpoint_read["canaryPercent"]) == (green.id, 50)
    api.call("PUT", f"{blue.path}/traffic", json={})
    api.call("DELETE", green.path)
    wait_gone(api, green.path)
    endpoint.delete()


def test_an_endpoint_goes_with_everything(api, model, server):
    endpoint = create_endpoint(api, resource(model))
    endpoint.wait(timeout=60)
    pods = [pod["podId"] for pod in endpoint.default.read()["endpointModelList"][0]["podList"]]
    endpoint.delete()
    for pod in pods:
        eventually(lambda: not (server.home / "workloads" / pod).exists(), "the pod's files are gone")
    assert not [p for p in server.processes() if any(pod in " ".join(p.cmdline()) for pod in pods)]


def test_a_shadow_gets_copies_and_answers_nobody(api, model, files):
    endpoint = create_endpoint(api, resource(model))
    endpoint.wait(timeout=60)
    green = endpoint.add_stage("green", resource(model))
    green.wait()
    blue = endpoint.default
    api.call("PUT", f"{blue.path}/traffic", json={"shadowStageId": green.id, "shadowPercent": 100})
    for _ in range(10):
        assert endpoint.predict(model) == CLASSES

    def calls(stage):
        return api.get(f"{stage.path}/statistics")["statistics"]["total"]["successCount"]

    eventually(lambda: (calls(blue), calls(green)) == (10, 10), lambda: f"{calls(blue)}, {calls(green)}", 10)
    api.call("PUT", f"{blue.path}/traffic", json={})
    api.call("DELETE", green.path)
    wait_gone(api, green.path)
    endpoint.delete()


def test_inference_logs(api, model):
    endpoint = create_endpoint(api, resource(model), useLog=True)
    endpoint.wait(timeout=60)
    answer = endpoint.call(f"/{model.name}", {"instances": ROWS})
    endpoint.call(f"/{model.name}", {"instances": "none"})
    stage = endpoint.default

    def records():
        text = api.request("GET", f"{stage.path}/inference-logs").text
        return [json.loads(line) for line in text.splitlines()]

    first, second = eventually(lambda: (found := records()) and len(found) == 2 and found, "both are logged")
    assert first == {
        "easymakerAppKey": "default",
        "category": "easymaker.inference",
        "logLevel": "INFO",
        "body": first["body"],
        "logType": "NHNCloud-AIEasyMaker",
        "time": first["time"],
        "endpointId": endpoint.id,
        "endpointStageId": stage.id,
        "inferenceId": answer.headers["X-Request-Id"],
        "action": "Endpoint.Model",
        "modelName": model.name,
    }
    assert "200" in first["body"] and first["time"].endswith("Z")
    found = api.request("GET", f"{stage.path}/inference-logs?query=warning").text
    assert [json.loads(line) for line in found.splitlines()] == [second]
    assert api.request("GET", f"{stage.path}/inference-logs?query=nothing-like-it").text == ""
    assert second["logLevel"] == "WARNING" and "400" in second["body"]
    endpoint.delete()


def test_load_brings_pods_and_instances(api, model):
    """Pods by their use of the processor, instances by the room that pods ask for."""
    scaled = {
        "podAutoScaleEnable": True,
        "scaleMetricCode": "CPU_UTILIZATION",
        "scaleMetricTarget": 5,
        "maxPodCount": 3,
    }
    endpoint = create_endpoint(
        api, resource(model, cpu="0.8", **scaled), flavor="t2.c1m1", caEnable=True, caMinNodeCount=1, caMaxNodeCount=2
    )
    endpoint.wait(timeout=60)
    stage = endpoint.default
    with Load(endpoint, model) as load:
        eventually(lambda: stage.read()["runningPodCount"] == 2, lambda: f"a second pod: {stage.read()}", 90, 1)
        read = stage.read()
        assert read["nodeCount"] == 2 and {p["nodeNumber"] for p in read["endpointModelList"][0]["podList"]} == {1, 2}
        # A third is wanted and finds no room: at most two instances were allowed.
        eventually(
            lambda: "waits for room" in (stage.read()["endpointModelList"][0].get("statusReason") or ""),
            lambda: f"it says what it waits for: {stage.read()}",
            60,
            1,
        )
    assert load.failures == [], load.failures[:3]
    assert endpoint.code() == "ACTIVE"
    endpoint.delete()
