"""Models and endpoints in the console: from a training to an address that answers, stages, and what becomes of calls."""

import re

import pytest
import requests
from playwright.sync_api import expect

import serving_models
from client import double, unique
from console import Window, new_user
from deploy import ROWS, Endpoint, Model, Stage, create_endpoint, create_model, resource
from harness import eventually

# Leaves a classifier behind as a training of a plain Python image would.
TRAINS = """
import os, shutil
shutil.copy("model.joblib", os.environ["EM_MODEL_DIR"])
print("accuracy = 0.97")
"""
SMALL = {"cpu": "0.3", "memory": "300Mi"}
FLAVOR = "m2.c1m2"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return serving_models.sklearn_iris(tmp_path_factory.mktemp("iris"))


@pytest.fixture(scope="module")
def model(console, files) -> Model:
    return create_model(console, "SKLEARN", files)


@pytest.fixture(scope="module")
def endpoint(console, model) -> Endpoint:
    """One that answers, which no test takes anything from."""
    made = create_endpoint(console, resource(model, **SMALL), flavor=FLAVOR)
    made.wait(timeout=180)
    return made


def id_of(window: Window) -> str:
    return window.page.url.rstrip("/").rsplit("/", 1)[-1]


def tab(window: Window, name: str) -> None:
    window.page.get_by_role("navigation", name="Sections").get_by_role("link", name=name, exact=True).click()


def test_requests_come_live_and_are_searched(console, windows, model, endpoint):
    logged = create_endpoint(console, resource(model, **SMALL), flavor=FLAVOR, useLog=True)
    logged.wait(timeout=180)
    window = windows(console.server)
    window.open(logged.default.path)
    tab(window, "Requests")
    logged.predict(model)
    lines = window.page.locator(".log-line")
    expect(lines).to_have_count(1)
    expect(lines.first).to_contain_text(re.compile(r"INFO POST /\S+ 200 [\d.]+ ms  \S+  [-0-9a-f]{36}"))
    logged.call(f"/{model.name}", {"instances": "none"})
    expect(lines).to_have_count(2)
    window.page.get_by_role("searchbox").fill("warning")
    expect(window.page.locator(".log-hits")).to_have_text("1 of 1")
    with window.page.expect_download() as download:
        window.page.get_by_role("link", name="Download").click()
    assert len(download.value.path().read_text().splitlines()) == 2
    # What was set aside is there, too.
    path = next(console.server.home.glob(f"**/inference/{logged.default.id}.jsonl"))
    path.rename(f"{path}.1")
    logged.predict(model)
    window.open(f"{logged.default.path}/requests")
    expect(lines).to_have_count(1)
    window.page.get_by_role("navigation", name="Requests").get_by_role("link", name="Older: 1").click()
    expect(lines).to_have_count(2)
    logged.delete()
    assert not list(path.parent.glob(f"{path.stem}*"))
    window.open(f"{endpoint.default.path}/requests")
    expect(window.main).to_contain_text("created without log management")


def test_the_list_on_a_narrow_screen(console, windows, endpoint):
    """A row says how it is and where without scrolling sideways, whatever the state."""
    window = windows(console.server, viewport={"width": 390, "height": 800})
    window.open("endpoints")
    row = window.page.locator(f"#row-{endpoint.id}")
    expect(row.locator("code")).to_have_text(endpoint.url)
    row.locator(".badge").nth(1).evaluate("badge => badge.textContent = 'NOT FOUND: STAGE DEPLOY RESULT'")
    for part in ("code", ".badge >> nth=0", ".badge >> nth=1", "td:nth-child(5)", "time"):
        expect(row.locator(part)).to_be_in_viewport(ratio=1)
    box = row.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390, box
    window.page.get_by_role("link", name="Name", exact=False).first.click()
    expect(window.page).to_have_url(re.compile("sort="))


# MARK: - The way through


def test_from_training_to_answers(admin, console, files):
    """A model of a COMPLETE training, an endpoint of the model, each by the button of the one before; then a request."""
    page, name = admin.page, unique("flowers")
    training = console.train(
        TRAINS, files={"model.joblib": (files / "model.joblib").read_bytes()}, image="python", trainingName=name
    )
    training.wait()
    admin.open(training.path)
    page.get_by_role("link", name="Create model").click()
    expect(admin.field("origin")).to_have_value("training")
    expect(admin.field("trainingId")).to_have_value(training.id)
    expect(admin.field("modelUploadUri")).to_be_hidden()
    admin.fill(modelName=name)
    admin.submit("Create model")
    admin.wait_state("ACTIVE")
    model = console.get(f"models/{id_of(admin)}")["model"]
    assert model["training"]["trainingId"] == training.id and model["modelFormatCode"] == "SKLEARN", model
    expect(admin.main).to_contain_text("scikit-learn")
    expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute(
        "href", re.compile(f"/trainings/{training.id}$")
    )
    expect(admin.main).to_contain_text(model["modelUploadUri"])

    page.get_by_role("link", name="Create endpoint").click()
    expect(admin.field("endpointModelResourceList[0].modelId")).to_have_value(model["modelId"])
    admin.fill(endpointName=name)
    admin.field("flavorId").select_option(console.flavors[FLAVOR]["id"])
    admin.submit("Create endpoint")
    expect(admin.toast()).to_contain_text("requested")
    admin.mark()
    admin.wait_state("ACTIVE", timeout=180)
    expect(page.locator("#examples")).to_contain_text(f"/{name}/{name}")
    admin.assert_not_reloaded()
    endpoint = Endpoint(console, id_of(admin))
    url = page.locator("dd", has_text=re.compile(f"^https://.*/{name}/{name}")).locator("code").inner_text()
    answer = requests.post(url, json={"instances": ROWS}, verify=str(console.server.ca), timeout=60)
    assert answer.status_code == 200 and len(answer.json()["predictions"]) == 2, answer.text
    copy = page.locator("dd", has_text=url).get_by_role("button")
    copy.click()
    expect(copy).to_have_attribute("aria-label", "Copied")

    admin.open("endpoints")
    row = page.locator(f"#row-{endpoint.id}")
    expect(row.locator(".badge")).to_have_text(["ACTIVE", "ACTIVE"])
    expect(row).to_contain_text("1 / 1")
    # The model cannot go while it is served, and says by whom.
    admin.open(f"models/{model['modelId']}")
    dialog = admin.dialog("Delete")
    expect(dialog.get_by_role("alert")).to_contain_text("is served by endpoint")
    expect(dialog.get_by_role("button")).to_have_count(0)
    page.keyboard.press("Escape")
    tab(admin, "Endpoints")
    expect(page.locator("#rows tbody tr")).to_have_text([re.compile(f"{name} / default.*ACTIVE", re.DOTALL)])

    admin.open(endpoint.path)
    admin.confirm("Delete")
    expect(admin.toast()).to_contain_text("is being deleted")
    admin.mark()
    expect(page.locator(f"#row-{endpoint.id}")).to_have_count(0, timeout=60_000)
    admin.assert_not_reloaded()


def test_a_tuning_makes_a_model(admin, console):
    """Only a COMPLETE one has the button, and it leads to the form with the tuning chosen."""
    tuning = console.tune(
        "print('score = 1')",
        double("lr", 0, 1),
        objectiveMetric={"name": "score"},
        objectiveTypeCode="MAXIMIZE",
        tuningStrategyName="RANDOM",
        maxTrialCount=1,
    )
    tuning.wait()
    admin.open(tuning.path)
    admin.page.get_by_role("link", name="Create model").click()
    expect(admin.field("hyperparameterTuningId")).to_have_value(tuning.id)
    expect(admin.field("trainingId")).to_be_hidden()


# MARK: - Refusals


def test_refusals_stand_at_their_fields(admin, console, model):
    page = admin.page
    admin.open("models/new")
    admin.submit("Create model")
    for field in ("modelName", "modelFormatCode", "modelUploadUri"):
        expect(admin.error_of(field)).to_contain_text("is required")
    admin.field("origin").select_option("training")
    admin.fill(modelName="x")
    admin.submit("Create model")
    expect(admin.error_of("trainingId")).to_contain_text("choose")

    admin.open(f"endpoints/new?modelId={model.id}")
    row = "endpointModelResourceList[0]"
    admin.fill(**{"endpointName": "a/b", f"{row}.resourceOptionDetail.cpu": "many", f"{row}.podCount": "2"})
    admin.submit("Create endpoint")
    expect(admin.error_of("endpointName")).not_to_be_empty()
    expect(admin.field(f"{row}.modelId")).to_have_value(model.id)
    admin.fill(endpointName=unique("refused"))
    admin.submit("Create endpoint")
    expect(admin.error_of(f"{row}.resourceOptionDetail.cpu")).to_contain_text("500m or 50%")
    # What a pod may have is what an instance really offers, which the type's own text says, too.
    expect(admin.field("flavorId").locator("option:checked")).to_contain_text("1.9 vCPU, 3.9 GiB for pods")
    admin.fill(**{f"{row}.resourceOptionDetail.cpu": "2"})
    admin.submit("Create endpoint")
    expect(admin.error_of(f"{row}.resourceOptionDetail.cpu")).to_contain_text("really offers 1.9 vCPU")
    admin.fill(**{f"{row}.resourceOptionDetail.cpu": "1"})
    admin.submit("Create endpoint")
    expect(page.locator("#field-endpointModelResourceList .error").last).to_contain_text("do not find room")
    admin.field(f"{row}.scaleMetricCode").select_option("CPU_UTILIZATION")
    admin.fill(**{f"{row}.resourceOptionDetail.cpu": "0.5", f"{row}.scaleMetricTarget": "0"})
    admin.submit("Create endpoint")
    expect(admin.error_of(f"{row}.scaleMetricTarget")).not_to_be_empty()
    assert "refused" not in str(console.get("endpoints")), "an endpoint was made of it"


def test_rows_of_models(admin, console, model):
    """A row whose model alone is chosen counts; empty ones do not; the autoscaler's fields are there when it is on."""
    page, name = admin.page, unique("rows")
    admin.open("endpoints/new")
    rows = page.locator("#field-endpointModelResourceList [data-pair]")
    expect(rows).to_have_count(1)
    admin.field("endpointModelResourceList[0].modelId").select_option(model.id)
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Add model").click()
    expect(rows).to_have_count(2)
    second = "endpointModelResourceList[1]"
    expect(admin.field(f"{second}.modelId")).to_be_focused()
    admin.field(f"{second}.modelId").select_option(model.id)
    expect(admin.field(f"{second}.scaleMetricTarget")).to_be_hidden()
    admin.field(f"{second}.scaleMetricCode").select_option("MEMORY_UTILIZATION")
    admin.fill(**{f"{second}.maxPodCount": "3"})
    page.get_by_text("Node autoscaler").click()
    expect(admin.field("caMinNodeCount")).to_be_hidden()
    admin.field("caEnable").check()
    admin.fill(endpointName=name, caMaxNodeCount="2")
    admin.submit("Create endpoint")
    expect(admin.toast()).to_contain_text("requested")
    endpoint = Endpoint(console, id_of(admin))
    stage = endpoint.default.read()
    first, other = stage["endpointModelList"]
    assert (first["modelId"], other["modelId"]) == (model.id, model.id), stage
    assert first["podAutoScaleEnable"] is False and first["resourceOptionDetail"]["cpu"] == "0.95", first
    scaled = [other[key] for key in ("scaleMetricCode", "scaleMetricTarget", "maxPodCount")]
    assert scaled == ["MEMORY_UTILIZATION", 50, 3], other
    assert stage["autoScaler"]["enable"] and stage["autoScaler"]["maxNodeCount"] == 2, stage["autoScaler"]
    endpoint.delete()


def test_tokens_are_not_shown(admin, console):
    """What opens a gated model of the hub is typed once."""
    name = unique("gated")
    admin.open("models/new")
    admin.fill(modelName=name)
    admin.field("modelFormatCode").select_option("HUGGING_FACE")
    admin.fill(**{"parameterList[0].parameterName": "model_id", "parameterList[0].parameterValue": "a/b"})
    admin.fill(**{"parameterList[1].parameterName": "token", "parameterList[1].parameterValue": "hf_secret"})
    admin.submit("Create model")
    admin.wait_state("ACTIVE")
    facts = admin.page.locator(".facts")
    expect(facts.first).to_contain_text("a/b")
    expect(admin.main).to_contain_text("********")
    assert "hf_secret" not in admin.page.content()


# MARK: - Stages


def test_stages(admin, console, model):
    """Another stage, made the default while the former is kept, and back again. The default one cannot be deleted."""
    page, endpoint = admin.page, create_endpoint(console, resource(model, **SMALL), flavor=FLAVOR)
    endpoint.wait(timeout=180)
    name, first = endpoint.read()["endpointName"], endpoint.default
    admin.open(endpoint.path)
    page.get_by_role("link", name="Create stage").click()
    expect(admin.field("endpointId")).to_have_value(endpoint.id)
    expect(admin.field("flavorId")).to_have_value(console.flavors[FLAVOR]["id"])
    admin.fill(apigwStageName="default")
    admin.field("endpointModelResourceList[0].modelId").select_option(model.id)
    admin.submit("Create stage")
    expect(admin.error_of("apigwStageName")).to_contain_text("choose another name")
    admin.fill(apigwStageName="next")
    admin.submit("Create stage")
    admin.mark()
    admin.wait_state("ACTIVE", timeout=180)
    admin.assert_not_reloaded()
    stage = Stage(console, id_of(admin))
    expect(page.locator(".crumbs")).to_have_text(re.compile(rf"Endpoints\W+{name}\W+Stages"))
    expect(admin.main).to_contain_text(f"/{name}/stages/next")

    page.get_by_role("link", name="Make default").click()
    admin.fill(keepMinutes="30")
    admin.submit("Make default")
    expect(admin.toast()).to_contain_text("is the default now")
    former = page.locator(".card", has_text="Former default stage")
    expect(former).to_contain_text("default")
    expect(former.locator("time")).to_have_text(re.compile("in (29|30) minutes"))
    assert endpoint.read()["defaultStageId"] == stage.id
    tab(admin, "Stages")
    expect(page.locator(f"#row-{stage.id}")).to_contain_text("Default")
    admin.open(endpoint.path)
    admin.confirm("Go back")
    expect(admin.toast()).to_contain_text("default again")
    assert endpoint.read()["defaultStageId"] == first.id
    expect(page.get_by_role("link", name="Go back")).to_have_count(0)

    admin.open(first.path)
    dialog = admin.dialog("Delete")
    expect(dialog.get_by_role("alert")).to_contain_text("is the default stage")
    expect(dialog.get_by_role("button")).to_have_count(0)
    page.keyboard.press("Escape")
    admin.confirm("Deploy again")
    expect(admin.toast()).to_contain_text("Deployed again")
    admin.open(stage.path)
    admin.confirm("Delete")
    page.wait_for_url(f"**/{endpoint.path}/stages")
    admin.mark()
    expect(page.locator(f"#row-{stage.id}")).to_have_count(0, timeout=60_000)
    admin.assert_not_reloaded()
    endpoint.delete()


def test_resources(admin, console, endpoint, model, files):
    """A second model on the stage, its pods' output, and it goes again; what the page shows moves by itself."""
    page, stage = admin.page, endpoint.default
    other = create_model(console, "SKLEARN", files)
    admin.open(f"{stage.path}/resources")
    page.get_by_role("link", name="Create resource").click()
    expect(admin.field("endpointStageId")).to_have_value(stage.id)
    admin.field("modelId").select_option(other.id)
    admin.fill(**{"resourceOptionDetail.cpu": "2"})
    admin.submit("Create resource")
    expect(admin.error_of("resourceOptionDetail.cpu")).to_contain_text("really offers")
    expect(admin.field("scaleMetricTarget")).to_be_hidden()
    admin.field("scaleMetricCode").select_option("CPU_UTILIZATION")
    admin.fill(**{"resourceOptionDetail.cpu": "0.3", "resourceOptionDetail.memory": "300Mi", "maxPodCount": "2"})
    admin.submit("Create resource")
    expect(admin.toast()).to_contain_text("requested")
    admin.mark()
    admin.wait_state("ACTIVE", timeout=120)
    expect(page.locator(".badge", has_text="healthy")).to_have_text(["healthy, node 1"])
    admin.assert_not_reloaded()
    key = id_of(admin)
    assert console.get(f"endpoint-models/{key}")["endpointModel"]["scaleMetricTarget"] == 50
    page.get_by_role("link", name="Open the log").click()
    expect(page.locator(".log-line").first).to_contain_text(f"model server of '{other.name}' listens")
    expect(page.get_by_role("navigation", name="Pods").locator("[aria-current]")).to_contain_text(other.name)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert other.name in download.value.path().read_text()

    tab(admin, "Resources")
    row = page.locator(f"#row-{key}")
    expect(row).to_contain_text(f"/{other.name}")
    row.get_by_role("link", name=other.name).click()
    admin.confirm("Delete")
    page.wait_for_url(f"**/{stage.path}/resources")
    admin.mark()
    expect(row).to_have_count(0, timeout=60_000)
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    admin.assert_not_reloaded()


def test_what_calls_become(admin, console, endpoint, model):
    """Figures and charts of a stage move with its calls; the dashboard shows what is called most."""
    page, stage = admin.page, endpoint.default
    admin.open(f"{stage.path}/statistics")
    admin.mark()
    value = {name: page.locator(".stat", has_text=name).locator("dd") for name in ("Calls", "Success", "4xx errors")}
    before = int(value["Calls"].inner_text())
    for _ in range(5):
        endpoint.predict(model)
    assert endpoint.call(f"/{model.name}", {"instances": [[1]]}).status_code >= 400
    expect(value["Calls"]).to_have_text(str(before + 6), timeout=30_000)
    canvas = page.locator("figure", has_text="Latency").locator("canvas")
    expect(canvas).to_have_attribute("aria-label", re.compile(r"Latency, p50: latest [\d.]+ ms"), timeout=30_000)
    admin.assert_not_reloaded()
    page.get_by_role("link", name="Last week").click()
    expect(page.locator(".tabs.small [aria-current]")).to_have_text("Last week")
    expect(value["Calls"]).to_have_text(str(before + 6))

    tab(admin, "Monitoring")
    for name in ("CPU", "Memory"):
        expect(page.locator("figure", has_text=name).first.locator("canvas")).to_be_visible(timeout=30_000)

    admin.open()
    called = page.locator("details", has_text=endpoint.read()["endpointName"])
    expect(called.locator("dl")).to_be_hidden()
    called.locator("summary").click()
    total = console.get(f"{stage.path}/statistics", minutes=1440)["statistics"]["total"]
    failed = total["clientErrorCount"] + total["serverErrorCount"]
    expect(called.locator("dd")).to_have_text([str(total["successCount"]), str(failed)])
    called.get_by_role("link").click()
    page.wait_for_url(f"**/{endpoint.path}")


def test_traffic_and_keys(admin, console, endpoint, model):
    """A key is shown once and asked for from then on; what traffic may go where is refused at its field."""
    page, stage = admin.page, endpoint.default
    admin.open(stage.path)
    page.get_by_role("link", name="API keys").click()
    page.get_by_role("button", name="Create key").click()
    key = page.locator("#secret code").inner_text()
    assert key.startswith("tk_"), key
    page.reload()
    expect(page.locator("#secret")).to_have_count(0)
    assert key not in page.content()
    try:
        path, body = f"/{model.name}", {"instances": ROWS}
        assert endpoint.call(path, body).status_code == 401
        assert endpoint.call(path, body, headers={"X-API-Key": key}).status_code == 200
        admin.open(stage.path)
        expect(page.locator("#examples")).to_contain_text("Authorization: Bearer")
        admin.open(f"{stage.path}/keys")
        admin.confirm("Remove all keys")
        expect(admin.toast()).to_contain_text("removed")
        assert endpoint.call(path, body).status_code == 200
    finally:
        console.call("DELETE", f"{stage.path}/api-keys")

    admin.open(stage.path)
    page.get_by_role("link", name="Traffic").click()
    admin.fill(canaryPercent="20", ratePerSecond="0")
    admin.submit("Save")
    expect(admin.error_of("ratePerSecond")).not_to_be_empty()
    admin.fill(ratePerSecond="500")
    admin.submit("Save")
    expect(admin.error_of("canaryStageId")).to_contain_text("is required")
    admin.fill(canaryPercent="")
    admin.submit("Save")
    expect(admin.main).to_contain_text("500 requests per second")
    assert stage.read()["ratePerSecond"] == 500


# MARK: - Failures, viewers, no scripts


def test_a_model_that_cannot_be_served(admin, console, tmp_path):
    """The cause comes first on the endpoint and on its stage, with the way to what its pod has printed."""
    page = admin.page
    (tmp_path / "model.joblib").write_text("this is no model")
    broken = create_model(console, "SKLEARN", tmp_path)
    endpoint = create_endpoint(console, resource(broken, **SMALL), flavor=FLAVOR)
    admin.open(endpoint.path)
    admin.wait_state("CREATE FAILED", timeout=120)
    alert = page.locator("#cause").get_by_role("alert")
    expect(alert).to_contain_text("model.joblib")
    expect(page.locator("#examples")).to_be_empty()
    alert.get_by_role("link", name="Stages").click()
    page.locator("#rows").get_by_role("link", name="default").click()
    expect(alert).to_contain_text("model.joblib")
    alert.get_by_role("link", name="Open the log").click()
    expect(page.locator(".log-line", has_text="is not a whole pickle").first).to_be_visible()
    endpoint.delete()


def test_viewers_only_look(console, windows, endpoint, model):
    user = new_user(console.server, "viewer")
    window = windows(console.server, user=user)
    stage = endpoint.default
    for place in (f"models/{model.id}", endpoint.path, stage.path, f"{stage.path}/resources"):
        window.open(place)
        expect(window.main.locator(".button.primary, .button.danger")).to_have_count(0)
    for place in ("models/new", "endpoints/new", f"{stage.path}/traffic", f"{stage.path}/keys", f"{stage.path}/make-default"):
        window.open(place, status=403)


def test_without_scripts(console, windows, model):
    """A model and an endpoint are made, and the endpoint's pages read, by a browser that runs nothing."""
    window = windows(console.server, java_script_enabled=False)
    name = unique("plain")
    window.open("models/new")
    window.fill(modelName=name, modelUploadUri=console.get(f"models/{model.id}")["model"]["modelUploadUri"])
    window.field("modelFormatCode").select_option("SKLEARN")
    window.submit("Create model")
    key = id_of(window)
    console.get(f"models/{key}")
    window.open(f"endpoints/new?modelId={key}")
    window.fill(endpointName=name)
    window.field("flavorId").select_option(console.flavors[FLAVOR]["id"])
    window.submit("Create endpoint")
    endpoint = Endpoint(console, id_of(window))
    endpoint.wait(timeout=180)
    stage = endpoint.default
    window.open(f"{stage.path}/statistics")
    expect(window.main.locator(".stat").first).to_contain_text("0")
    window.open(f"{stage.path}/log")
    expect(window.page.get_by_role("link", name="Download")).to_be_visible()
    window.open(endpoint.path)
    window.page.get_by_role("link", name="Delete").click()
    window.page.get_by_role("button", name="Delete").click()
    eventually(lambda: console.request("GET", endpoint.path).status_code == 404, "it is not deleted")
