"""Models and endpoints by the command line."""

import json
import re
import subprocess

import pytest

import serving_models
from client import API, unique
from deploy import ROWS
from harness import BINARY, environment, eventually

PODS = "cpu=0.25,memory=512Mi"
# The first pod of all installs what serves it.
LONG = 400


@pytest.fixture(scope="module")
def iris(tmp_path_factory):
    """The file of a classifier of irises."""
    return serving_models.sklearn_iris(tmp_path_factory.mktemp("iris")) / "model.joblib"


@pytest.fixture
def command(api: API):
    """Runs a command and gives what it printed as JSON."""

    def run(*words: str, **options):
        return json.loads(api.server.command(*words, "--output", "json", **options).stdout)

    return run


@pytest.fixture
def refused(api: API):
    """Runs a command that must fail, and gives what it said."""

    def run(*words: str, status: int = 1) -> str:
        result = api.server.command(*words, check=False)
        assert result.returncode == status, result
        return result.stderr

    return run


@pytest.fixture(scope="module")
def model(api: API, iris) -> str:
    name = unique("cli-model")
    api.server.command("model", "create", name, "--format", "sklearn", "--path", str(iris))
    return name


@pytest.fixture(scope="module")
def endpoint(api: API, model):
    """An endpoint with a default stage, whose traffic nobody changes."""
    name = unique("cli-endpoint")
    made = ["--model", f"{model},{PODS}", "--instance", "m2.c2m4", "--log"]
    api.server.command("endpoint", "create", name, *made, timeout=LONG)
    yield name
    api.server.command("endpoint", "delete", name, "--wait")


# MARK: - Models


def test_one_model_every_way(api: API, command, refused, iris):
    """create from a file and from a folder, list, get, update, events, delete."""
    plain = api.server.command
    name = unique("every-way")
    made = plain(
        *["model", "create", name, "--format", "scikit-learn", "--path", str(iris), "--tag", "team=red"],
        *["--parameter", "method=predict", "--description", "irises", "--output", "json"],
    )
    assert "uploaded the model: 1 file" in made.stderr, made.stderr
    model = json.loads(made.stdout)
    assert (model["modelStatusCode"], model["modelFormatCode"]) == ("ACTIVE", "SKLEARN")
    assert model["modelUploadUri"] == f"{api.container}/models/{name}"
    assert api.files(model["modelUploadUri"]) == ["model.joblib"]
    assert model["parameterList"] == [{"parameterName": "method", "parameterValue": "predict"}]

    # A second one of the name does not mix its files with the first one's.
    twin = command("model", "create", name, "--format", "SKLEARN", "--path", str(iris.parent), "--no-wait")
    assert twin["modelUploadUri"].startswith(f"{api.container}/models/{name}-")
    assert "2 models are named" in refused("model", "get", name)
    plain("model", "delete", twin["modelId"])

    # What is in the store already stays where it is.
    short = f"{api.storage['defaultContainer']}/models/{name}"
    assert command("model", "create", f"{name}-2", "--format", "sklearn", "--path", short)["modelUploadUri"] == (
        model["modelUploadUri"]
    )
    plain("model", "delete", f"{name}-2")

    shown = plain("model", "get", name).stdout
    for text in ["ACTIVE", "SKLEARN", "method = predict", "team=red", "irises", short]:
        assert text in shown, (text, shown)
    assert re.search(rf"{name} +ACTIVE +SKLEARN +{short} ", plain("model", "list").stdout)
    assert name in [item["modelName"] for item in command("model", "list")]
    assert command("model", "events", name)[-1]["statusCode"] == "ACTIVE"
    changed = command("model", "update", name, "--name", f"{name}-3", "--untag", "team")
    assert changed["modelName"] == f"{name}-3" and changed["tagList"] == []
    plain("model", "delete", f"{name}-3")
    assert "no model named" in refused("model", "get", f"{name}-3")


def test_model_of_a_training(api: API, command, refused):
    name = unique("of-training")
    script = "import os; open(os.environ['EM_MODEL_DIR'] + '/model.joblib', 'w').write('x')"
    training = api.train(script, trainingName=name)
    training.wait()
    model = command("model", "create", name, "--training", name)
    assert model["training"]["trainingName"] == name and model["modelFormatCode"] == "SKLEARN"
    assert model["modelUploadUri"] == f"{training.folder}/model"
    assert [item["modelId"] for item in command("model", "list", "--training", name)] == [model["modelId"]]
    assert f"training {name}" in api.server.command("model", "list", "--training", name).stdout
    assert name in refused("training", "delete", name)
    api.server.command("model", "delete", name)
    api.server.command("training", "delete", name)


@pytest.mark.parametrize(
    "words, status, hint",
    [
        (["--path", "./absent", "--format", "sklearn"], 1, "--path: there is no './absent' here"),
        (["--path", "easymaker/absent", "--format", "sklearn"], 1, "--path: "),
        (["--training", "absent"], 1, "no training named 'absent'"),
        (["--tuning", "absent"], 1, "no hyperparameter tuning named 'absent'"),
        (["--path", "./absent"], 64, "which --format"),
        (["--format", "sklearn"], 64, "give --path"),
        (["--format", "triton", "--path", "x"], 64, "'sklearn', 'pytorch', 'tensorflow'"),
    ],
)
def test_model_that_cannot_be_created(api: API, refused, words, status, hint):
    before = api.get("models", limit=0)["totalCount"]
    assert hint in refused("model", "create", unique("refused"), *words, status=status)
    assert api.get("models", limit=0)["totalCount"] == before


# MARK: - Endpoints


def test_one_endpoint_every_way(api: API, command, refused, model):
    """create, list, get, wait, predict, stats, logs, requests, events, update, delete of one endpoint."""
    plain = api.server.command
    name = unique("every-way")
    made = plain(
        *["endpoint", "create", name, "--model", f"{model},{PODS},description=one, of irises", "--instance", "m2.c2m4"],
        *["--stage", "first", "--log", "--description", "irises", "--tag", "team=red"],
        timeout=LONG,
    )
    # Each cause once.
    lines = made.stderr.splitlines()
    assert lines[0].startswith(f"started endpoint '{name}'") and lines[-1] == "stage 'first': ACTIVE", made.stderr
    assert len(set(lines)) == len(lines) > 3, made.stderr
    url = f"{api.server.gateway_url}/default/{name}"
    assert url in made.stdout and f"{url}/{model}" in made.stdout, made.stdout
    # The last line can be copied into a shell.
    example = made.stdout.splitlines()[-1]
    answer = subprocess.run(f"{example} -sS", shell=True, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0 and len(json.loads(answer.stdout)["predictions"]) == 1, (example, answer)

    read = command("endpoint", "get", name)
    assert (read["endpointStatusCode"], read["apigwStatusCode"]) == ("ACTIVE", "ACTIVE")
    assert read["endpointStageList"][0]["useLog"] is True
    assert read["endpointStageList"][0]["endpointModelList"][0]["description"] == "one, of irises"
    shown = plain("endpoint", "get", name).stdout
    for text in ["first (default) · ACTIVE", "1/1 pods", "0.25 vCPU, 512Mi", "team=red", f"{url}/{model}"]:
        assert text in shown, (text, shown)
    assert re.search(rf"{name} +ACTIVE +ACTIVE +1/1 +{url} ", plain("endpoint", "list").stdout)
    assert name in [item["endpointName"] for item in command("endpoint", "list")]
    plain("endpoint", "wait", name)

    body = json.dumps({"instances": ROWS})
    answers = [
        plain("endpoint", "predict", name, word, *more).stdout
        for word, *more in [[body], [json.dumps(ROWS)], [body, "--model", model], [body, "--stage", "first"]]
    ]
    assert json.loads(answers[0]) == {"predictions": [1, 1]} and len(set(answers)) == 1, answers

    [pod] = read["endpointStageList"][0]["endpointModelList"][0]["podList"]
    log = plain("endpoint", "logs", name).stdout
    assert "listens on" in log and plain("endpoint", "logs", name, model, "--pod", "0").stdout == log
    records = plain("endpoint", "logs", name, "--pod", pod["podId"], "--output", "json").stdout
    record = json.loads(records.splitlines()[0])
    assert record["podId"] == pod["podId"] and record["text"] in log and record["time"]
    assert "no pod '7'" in refused("endpoint", "logs", name, "--pod", "7")
    assert pod["podId"] in plain("endpoint", "stage", "get", name).stdout

    assert [item["statusCode"] for item in command("endpoint", "events", name)][-1] == "ACTIVE"
    assert command("endpoint", "stage", "events", name)[-1]["statusCode"] == "ACTIVE"
    assert command("endpoint", "resource", "events", name)[-1]["statusCode"] == "ACTIVE"
    assert command("endpoint", "update", name, "--description", "changed")["description"] == "changed"

    used = refused("model", "delete", model)
    assert f"served by endpoint '{name}'" in used, used
    plain("endpoint", "delete", name, "--wait")
    assert "no endpoint named" in refused("endpoint", "get", name)


def test_requests_and_what_becomes_of_them(api: API, command, refused, endpoint, tmp_path):
    plain = api.server.command

    def total():
        return command("endpoint", "stats", endpoint, "--minutes", "5")["total"]

    # Whoever creates an endpoint asks it once what it takes.
    eventually(lambda: total()["callCount"] > 0, "the first request is counted")
    before = total()
    (tmp_path / "request.json").write_text(json.dumps({"instances": ROWS}))
    plain("endpoint", "predict", endpoint, "@request.json", cwd=tmp_path)
    tensor = {"name": "x", "shape": [2, 4], "datatype": "FP64", "data": ROWS}
    answer = command("endpoint", "predict", endpoint, json.dumps({"inputs": [tensor]}))
    assert answer["outputs"][0]["data"] == [1, 1]

    said = refused("endpoint", "predict", endpoint, '{"instances": [[1]]}')
    assert "answered 400" in said and "4 features" in said, said
    assert "it has" in refused("endpoint", "predict", endpoint, "[]", "--model", "absent")
    assert "no stage 'absent'" in refused("endpoint", "predict", endpoint, "[]", "--stage", "absent")
    assert "is no JSON" in refused("endpoint", "predict", endpoint, "{instances: []}", status=64)
    assert "cannot be read" in refused("endpoint", "predict", endpoint, "@absent", status=64)

    def counts():
        now = total()
        return [now[name] - before[name] for name in ("successCount", "clientErrorCount")]

    eventually(lambda: counts() == [2, 1], lambda: f"three requests are counted, not {counts()}")
    table = plain("endpoint", "stats", endpoint).stdout
    assert re.search(r"^total +\d+ +\d+ +1 +0 ", table, re.MULTILINE), table
    eventually(lambda: len(command("endpoint", "requests", endpoint)) >= 3, "the requests are in the log")
    [last] = command("endpoint", "requests", endpoint, "--tail", "1")
    assert " 400 " in last["body"] and last["body"] in plain("endpoint", "requests", endpoint).stdout


def test_request_from_a_pipe(api: API, endpoint):
    words = ["endpoint", "predict", endpoint, "-", "--home", str(api.server.home)]
    piped = subprocess.run(
        [BINARY, *words], input=json.dumps(ROWS), capture_output=True, text=True, timeout=60, env=environment()
    )
    assert piped.returncode == 0 and json.loads(piped.stdout) == {"predictions": [1, 1]}, piped


def test_api_keys(api: API, command, refused, endpoint):
    plain = api.server.command
    rows = json.dumps(ROWS)
    made = plain("endpoint", "key", "create", endpoint)
    key = made.stdout.strip()
    assert key.startswith("tk_") and "cannot be shown again" in made.stderr
    other = command("endpoint", "key", "create", endpoint)["apiKey"]
    try:
        said = refused("endpoint", "predict", endpoint, rows)
        assert "answered 401" in said and "--key" in said, said
        for one in [key, other]:
            plain("endpoint", "predict", endpoint, rows, "--key", one)
        assert "API key needed" in plain("endpoint", "get", endpoint).stdout
    finally:
        plain("endpoint", "key", "clear", endpoint, "--yes")
    plain("endpoint", "predict", endpoint, rows)


def test_second_version(api: API, command, refused, model):
    """From a further stage to the default one, and back, and on."""
    plain = api.server.command
    name = unique("versions")
    made = ["--model", f"{model},{PODS}", "--instance", "m2.c2m4"]
    plain("endpoint", "create", name, *made, timeout=LONG)
    rows = json.dumps(ROWS)

    staged = plain("endpoint", "stage", "create", name, "next", *made)
    url = f"{api.server.gateway_url}/default/{name}"
    assert f"{url}/stages/next/{model}" in staged.stdout.splitlines()[-1], staged.stdout
    assert staged.stderr.splitlines()[-1] == "stage 'next': ACTIVE", staged.stderr
    assert "has a stage 'next'" in refused("endpoint", "stage", "create", name, "next", *made)
    plain("endpoint", "predict", name, rows, "--stage", "next")
    assert [item["endpointStageName"] for item in command("endpoint", "stage", "list", name)] == ["default", "next"]
    table = plain("endpoint", "stage", "list", name).stdout
    assert re.search(rf"^next +ACTIVE +m2\.c2m4 +1/1 +{url}/stages/next ", table, re.MULTILINE), table
    assert command("endpoint", "stage", "get", name, "next")["isDefaultStage"] is False

    # What is not named stays.
    command("endpoint", "traffic", name, "--canary", "next=100", "--rate", "500")
    rules = command("endpoint", "traffic", name, "--shadow", "next=50")
    assert (rules["canaryPercent"], rules["shadowPercent"], rules["ratePerSecond"]) == (100, 50, 500)
    said = plain("endpoint", "traffic", name).stdout
    assert "100 % go to next" in said and "50 % are copied to next" in said and "500 requests" in said, said
    before = command("endpoint", "stats", name, "--stage", "next")["total"]["callCount"]
    plain("endpoint", "predict", name, rows)
    eventually(
        lambda: command("endpoint", "stats", name, "--stage", "next")["total"]["callCount"] > before,
        "the canary is asked",
    )
    plain("endpoint", "traffic", name, "--no-canary", "--no-shadow", "--no-rate")
    assert "all requests are answered here" in plain("endpoint", "traffic", name).stdout

    assert "default stage already" in refused("endpoint", "switch", name, "default")
    assert "keeps no former" in refused("endpoint", "back", name)
    assert "default stage" in refused("endpoint", "stage", "delete", name, "default")
    switched = plain("endpoint", "switch", name, "next", "--keep", "60")
    assert "'next' is the default stage" in switched.stderr and "kept until" in switched.stdout, switched
    plain("endpoint", "predict", name, rows)
    back = plain("endpoint", "back", name)
    assert "'default' is the default stage" in back.stderr, back
    plain("endpoint", "stage", "delete", name, "next", "--wait")
    assert [item["endpointStageName"] for item in command("endpoint", "stage", "list", name)] == ["default"]

    plain("endpoint", "stage", "create", name, "last", *made)
    plain("endpoint", "switch", name, "last")
    eventually(lambda: len(command("endpoint", "stage", "list", name)) == 1, "the former default is gone")
    plain("endpoint", "predict", name, rows)
    plain("endpoint", "delete", name, "--wait")


def test_resources_come_and_go(api: API, command, refused, iris, model):
    plain = api.server.command
    (name, roses) = (unique("resources"), unique("roses"))
    plain("model", "create", roses, "--format", "sklearn", "--path", str(iris))
    plain("endpoint", "create", name, "--model", f"{model},{PODS}", "--instance", "m2.c2m4", "--no-wait")
    plain("endpoint", "wait", name, timeout=LONG)
    added = command("endpoint", "resource", "add", name, f"{roses},{PODS},pods=2")
    assert (added["endpointModelStatusCode"], added["runningPodCount"]) == ("ACTIVE", 2)
    assert "which --model?" in refused("endpoint", "predict", name, json.dumps(ROWS))
    assert command("endpoint", "predict", name, json.dumps(ROWS), "--model", roses)["predictions"] == [1, 1]
    log = plain("endpoint", "logs", name).stdout
    assert all(f"[{label}]" in log for label in [f"{model} 0", f"{roses} 1", f"{roses} 2"]), log

    command("endpoint", "resource", "add", name, f"{roses},{PODS}")
    said = refused("endpoint", "resource", "remove", name, roses)
    assert "2 resources of model" in said and added["endpointModelId"] in said, said
    plain("endpoint", "resource", "remove", name, added["endpointModelId"], "--wait")
    plain("endpoint", "resource", "remove", name, roses, "--wait")
    assert "has no model" in refused("endpoint", "resource", "remove", name, roses)
    plain("endpoint", "delete", name, "--wait")
    plain("model", "delete", roses)


def test_endpoint_that_fails(api: API, refused, tmp_path):
    """The cause is said, and where to look."""
    name = unique("broken")
    (tmp_path / "model.joblib").write_text("garbage")
    api.server.command("model", "create", name, "--format", "sklearn", "--path", str(tmp_path))
    made = ["--model", f"{name},{PODS}", "--instance", "m2.c2m4"]
    result = api.server.command("endpoint", "create", name, *made, check=False, timeout=LONG)
    assert result.returncode == 1 and "CREATE FAILED" in result.stdout, result
    [cause] = [line for line in result.stderr.splitlines() if line.startswith(f"{name}: CREATE FAILED · ")]
    assert result.stderr.splitlines()[-1] == f"see its log: takumi endpoint logs {name} {name}", result.stderr
    assert cause.rpartition(" · ")[2] in api.server.command("endpoint", "logs", name, name).stdout
    said = refused("endpoint", "predict", name, "[[1]]")
    assert "answered 503" in said and cause.rpartition(" · ")[2] in said, said
    api.server.command("endpoint", "delete", name, "--wait")
    api.server.command("model", "delete", name)


@pytest.mark.parametrize(
    "words, status, hint",
    [
        (["--instance", "m2.c2m4"], 64, "which --model?"),
        (["--model", "{model}"], 64, "--instance"),
        (["--model", "{model},cpus=1", "--instance", "m2.c2m4"], 64, "'cpus=1' is none of cpu, memory"),
        (["--model", "{model}", "--instance", "m2.c2m4", "--nodes", "3-1"], 64, "write 1-3"),
        (["--model", "{model}", "--instance", "m2.c2m4", "--no-scale-down"], 64, "add --nodes 1-3"),
        (["--model", "{model}", "--instance", "m2.c2m"], 1, "the nearest: 'm2.c2m4'"),
        (["--model", "absent", "--instance", "m2.c2m4"], 1, "--model: there is no model named 'absent'"),
        (["--model", "{model},cpu=2", "--instance", "m2.c2m4"], 1, "--model {model}, cpu and memory: "),
        (["--model", "{model},memory=lots", "--instance", "m2.c2m4"], 1, "--model {model}, memory: 'lots'"),
        (["--model", "{model},memory=50%,pods=9", "--instance", "m2.c2m4"], 1, "--model: 9 pods ask for"),
    ],
)
def test_endpoint_that_cannot_be_created(api: API, refused, model, words, status, hint):
    before = api.get("endpoints", limit=0)["totalCount"]
    words = [word.format(model=model) for word in words]
    said = refused("endpoint", "create", unique("refused"), *words, status=status)
    assert hint.format(model=model) in said, said
    assert api.get("endpoints", limit=0)["totalCount"] == before


def test_name_that_is_taken(refused, model, endpoint):
    said = refused("endpoint", "create", endpoint, "--model", model, "--instance", "m2.c2m4")
    assert said.startswith("error: NAME: ") and "taken" in said, said
