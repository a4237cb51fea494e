"""Tunings, their study and trials, and templates, from the form to the best trial."""

import re

import pytest
from playwright.sync_api import Locator, expect

from client import API, Tuning, categorical, double, integer, unique
from console import HOSTILE, HOSTILE_TEXT, PASSWORD, Window, assert_no_markup, new_user, overflow, settle

# Optuna answers within a second; on a busy machine within this.
PATIENCE = 60_000

# The best is x = 7; what y is does not matter.
PARABOLA = """
import sys
values = dict(zip(sys.argv[1::2], sys.argv[2::2]))
for step in range(1, 4):
    print(f"step = {step} loss = {(float(values['--x']) - 7) ** 2 + 1 / step:.4f}", flush=True)
"""
# The later ones take long enough to open a page meanwhile.
STEADY = PARABOLA + "import time; time.sleep(2 if int(values['--x']) > 7 else 0.3)"
# From x = 3 on it takes long.
SLOW = """
import sys, time
x = int(sys.argv[2])
print("loss =", 10 - x, flush=True)
time.sleep(120 * (x > 2))
"""


def spec(row: int, name: str) -> str:
    return f"hyperparameterSpecList[{row}].hyperparameter{name}"


def fill_row(window: Window, row: int, name: str, type: str, **values: str) -> None:
    window.field(spec(row, "Name")).fill(name)
    window.field(spec(row, "TypeCode")).select_option(type)
    for key, value in values.items():
        field = window.field(spec(row, key))
        field.select_option(value) if key == "Scale" else field.fill(value)


def fill_form(window: Window, api: API, script: str, **values: str) -> str:
    """What the form of a small tuning needs but its hyperparameters; gives the tuning's name."""
    name = unique("search")
    folder = f"{api.container}/{name}"
    api.upload(f"{folder}/train.py", script)
    experiment = api.experiment
    window.open("hyperparameter-tunings/new")
    window.choose_small(api)
    window.field("experimentId").select_option(experiment)
    required = {
        "hyperparameterTuningName": name,
        "sourceDirUri": folder,
        "entryPoint": "train.py",
        "objectiveMetric.name": "loss",
    }
    window.fill(**(required | values))
    window.field("objectiveTypeCode").select_option("MINIMIZE")
    return name


def unfold(window: Window) -> None:
    window.page.locator("details.group").evaluate_all("nodes => nodes.forEach((node) => (node.open = true))")


def opened(window: Window, api: API) -> Tuning:
    """The tuning whose page is open."""
    return Tuning(api, re.search(r"/hyperparameter-tunings/([0-9a-f-]{36})", window.page.url)[1])


def figure(window: Window, part: str) -> Locator:
    return window.page.locator(f'[data-study-part="{part}"]')


def open_study(window: Window, tuning: Tuning) -> None:
    window.open(f"{tuning.path}/study")
    expect(window.page.locator("[data-study-body]")).to_be_visible(timeout=PATIENCE)
    expect(figure(window, "slices").locator("canvas").first).to_be_attached()


def drawn(canvas: Locator) -> bool:
    return canvas.evaluate(
        """(node) => node.getContext("2d").getImageData(0, 0, node.width, node.height).data.some(Boolean)"""
    )


@pytest.fixture(scope="module")
def done(console) -> Tuning:
    """Thirty trials that have ended, one of them badly."""
    tuning = console.tune(
        PARABOLA.replace("for step", "if values['--kind'] == 'c' and values['--x'] == '10': sys.exit(1)\nfor step"),
        integer("x", 1, 10),
        categorical("kind", "a,b,c"),
        hyperparameterTuningName=unique("done"),
        parallelTrialCount=4,
        maxFailedTrialCount=5,
    )
    tuning.wait(timeout=120)
    return tuning


# MARK: - The form


def test_from_the_form_to_the_best_trial(admin, console):
    """Created in the form, watched without one reload: state, counts, rows and charts move. Then its best trial."""
    page = admin.page
    name = fill_form(admin, console, STEADY, parallelTrialCount="1", maxTrialCount="6")
    expect(admin.field("modelUploadUri")).to_have_value(re.compile(rf"/hyperparameter-tunings/{name}/model$"))
    admin.field("searchStrategyCode").select_option("GRID")
    fill_row(admin, 0, "x", "int", MinValue="5", MaxValue="10")
    admin.submit("Create tuning")
    expect(admin.toast()).to_contain_text(f"Tuning {name} requested")
    tuning = opened(admin, console)
    page.locator(".tabs").get_by_role("link", name="Trials", exact=True).click()
    admin.mark()
    rows = page.locator("#rows tbody tr")
    expect(rows.first.locator(".badge")).to_have_text("SUCCEEDED", timeout=PATIENCE)
    expect(rows.nth(2)).to_be_visible(timeout=PATIENCE)
    admin.assert_not_reloaded()

    page.locator(".tabs").get_by_role("link", name="Study", exact=True).click()
    admin.mark()
    summary = page.locator("[data-study-summary]")
    expect(summary).to_contain_text("Best loss", timeout=PATIENCE)
    expect(summary).to_contain_text("Trials: 6, with a value: 6", timeout=PATIENCE)
    expect(figure(admin, "history").locator("canvas")).to_have_attribute("aria-label", re.compile("Trials: 6"))
    admin.wait_state("COMPLETE (MaxTrialsReached)")
    admin.assert_not_reloaded()

    page.get_by_role("link", name="Overview").click()
    best = page.locator(".card", has=page.get_by_role("heading", name="Best trial"))
    expect(best).to_contain_text("0.3333")
    expect(best).to_contain_text("x = 7")
    best.get_by_role("link").click()
    assert admin.heading() == "trial-0003"
    expect(page.locator(".crumbs")).to_contain_text("Trials")
    seen = tuning.read()
    assert seen["maxTrialCount"] == 6 and seen["tuningStrategyName"] == "GRID" and len(tuning.codes()) == 6, seen


def test_rows_of_the_search(admin, console):
    """The type decides which inputs there are; a grid counts its combinations; blank rows are left out."""
    page = admin.page
    name = fill_form(admin, console, PARABOLA)

    def shown() -> set[str]:
        names = ("MinValue", "MaxValue", "Step", "Scale", "SpecifiedValues")
        return {name for name in names if admin.field(spec(0, name)).is_visible()}

    ranged = {"MinValue", "MaxValue", "Step", "Scale"}
    for type, wanted in (("int", ranged), ("discrete", {"SpecifiedValues"}), ("double", ranged)):
        admin.field(spec(0, "TypeCode")).select_option(type)
        assert shown() == wanted, f"of {type} there is {shown()}"
    fill_row(admin, 0, "x", "double", MinValue="0", MaxValue="0.3", Step="0.1")
    fill_row(admin, 1, "kind", "categorical", SpecifiedValues="a, b ,c")
    expect(page.locator("[data-combinations]")).to_be_empty()
    admin.field("searchStrategyCode").select_option("GRID")
    expect(page.locator("[data-combinations]")).to_have_text("12 combinations")
    # More trials than that would be refused, so the form no longer proposes them.
    expect(admin.field("maxTrialCount")).to_have_value("")
    # What was typed for one type is there again when it comes back, and is not sent meanwhile.
    admin.field(spec(1, "TypeCode")).select_option("int")
    expect(page.locator("[data-combinations]")).to_be_empty()
    admin.field(spec(1, "TypeCode")).select_option("categorical")
    expect(admin.field(spec(1, "SpecifiedValues"))).to_have_value("a, b ,c")
    fill_row(admin, 2, "gone", "int", MinValue="1", MaxValue="5")
    expect(page.locator("[data-combinations]")).to_have_text("60 combinations")
    expect(admin.field("maxTrialCount")).to_have_value("20")
    # A row whose type alone was chosen is blank.
    admin.field(spec(3, "TypeCode")).select_option("categorical")
    row = page.locator("[data-pair]", has=page.locator(f'[name="{spec(2, "Name")}"]'))
    row.get_by_role("button", name="Remove").click()
    expect(page.locator("[data-combinations]")).to_have_text("12 combinations")
    admin.fill(maxTrialCount="2", **{"metricList[0].name": "loss", "metricList[1].name": "step"})
    admin.submit("Create tuning")
    expect(admin.toast()).to_contain_text(f"Tuning {name} requested")
    seen = opened(admin, console).read()
    assert [one["hyperparameterName"] for one in seen["hyperparameterSpecList"]] == ["x", "kind"], seen
    kinds = [value.strip() for value in seen["hyperparameterSpecList"][1]["hyperparameterSpecifiedValues"].split(",")]
    assert kinds == ["a", "b", "c"] and [one["name"] for one in seen["metricList"]] == ["loss", "step"], seen


def test_mistakes_in_the_search(admin, console):
    """An inverted range, a step that is none, a name twice, a pattern that is none: each beside its field."""
    fill_form(admin, console, PARABOLA, metricRegex="(loss", objectiveGoal="soon", parallelTrialCount="3")
    admin.fill(instanceCount="4")
    fill_row(admin, 0, "x", "double", MinValue="5", MaxValue="1")
    fill_row(admin, 1, "y", "int", MinValue="1", MaxValue="9", Step="-1")
    fill_row(admin, 2, "X", "double", MinValue="0", MaxValue="1", Scale="log")
    fill_row(admin, 3, "empty", "categorical")
    admin.submit("Create tuning")
    summary = admin.page.locator("#form-error")
    expect(summary).to_be_focused()
    beside = {
        spec(0, "MaxValue"), spec(1, "Step"), spec(2, "MinValue"), spec(3, "SpecifiedValues"), "metricRegex",
        "objectiveGoal", "instanceCount",
    }  # fmt: skip
    found = {name for name in beside if admin.error_of(name).count() and admin.error_of(name).inner_text()}
    # A range that ends before it begins may be blamed on either end.
    if admin.error_of(spec(0, "MinValue")).count():
        found.add(spec(0, "MaxValue"))
    assert found == beside, f"without an error: {beside - found}; the form says: {summary.inner_text()}"
    expect(admin.field(spec(0, "MinValue"))).to_have_value("5")
    expect(admin.field(spec(2, "Scale"))).to_have_value("log")
    expect(admin.field(spec(3, "SpecifiedValues"))).to_be_visible()
    expect(admin.field(spec(3, "MinValue"))).to_be_hidden()
    expect(admin.field("metricRegex")).to_have_value("(loss")
    summary.get_by_role("link").last.click()
    assert admin.page.evaluate("document.activeElement.matches('input, select')")


# MARK: - The study


def test_a_study(admin, done):
    """Four drawings, each with its numbers in words; a click on a trial leads to it; so does the keyboard."""
    page = admin.page
    open_study(admin, done)
    history = figure(admin, "history").locator("canvas")
    expect(history).to_have_attribute("aria-label", re.compile("Best loss: 0.3333 trial-.*Trials: 29; No value: 1"))
    slices = figure(admin, "slices").locator("canvas")
    expect(slices).to_have_count(2)
    for canvas in (history, figure(admin, "importance").locator("canvas"), slices.first, slices.last):
        canvas.scroll_into_view_if_needed()
        admin.wait(lambda canvas=canvas: drawn(canvas), "a chart is blank")
    expect(figure(admin, "importance").locator("canvas")).to_have_attribute("aria-label", re.compile("^x [5-9]"))
    lines = figure(admin, "parallel").locator("svg.study-lines")
    expect(lines.locator('[class^="shade-"] path')).to_have_count(29)
    expect(lines.locator(".study-name")).to_have_text(["x", "kind", "loss"])
    for data in page.locator(".study summary").all():
        data.click()
    expect(figure(admin, "parallel").locator("tbody tr")).to_have_count(29)
    expect(figure(admin, "parallel").locator("tbody tr").first).to_contain_text("0.3333")
    assert not overflow(page)

    # Picking by an axis, with the keyboard.
    end = lines.get_by_role("slider", name="kind, to")
    end.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-study-picked]")).to_contain_text("10 of 29 picked")
    expect(figure(admin, "parallel").locator("tbody tr")).to_have_count(10)
    page.get_by_role("button", name="Reset axes").click()
    expect(page.locator("[data-study-picked]")).to_be_empty()

    # Over a point its trial is named; a click goes there.
    history.scroll_into_view_if_needed()
    history.focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-study-said]")).to_contain_text("trial-0001, loss")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-study-said]")).to_contain_text("trial-0002, loss")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("trial-0002")
    page.go_back()
    expect(page.locator("[data-study-body]")).to_be_visible(timeout=PATIENCE)
    first = lines.locator('[class^="shade-"] path').last
    first.scroll_into_view_if_needed()
    box = lines.bounding_box()
    x, y = first.evaluate(
        "(path) => { const at = path.getPointAtLength(path.getTotalLength() / 4); return [at.x, at.y]; }"
    )
    page.mouse.move(box["x"] + x, box["y"] + y)
    tip = page.locator(".study-tip")
    expect(tip).to_be_visible()
    named = tip.locator("strong").inner_text()
    page.mouse.down()
    page.mouse.up()
    expect(page.locator("h1")).to_have_text(named)


def test_trials_and_their_logs(admin, done):
    """Sorted by state and name, filtered, in pages; a row leads to the trial, and to what it printed."""
    page = admin.page
    admin.open(f"{done.path}/trials")
    expect(page.locator(".count")).to_have_text("30 trials")
    rows = page.locator("#rows tbody tr")
    expect(rows).to_have_count(25)
    page.get_by_role("link", name="Next").click()
    expect(rows).to_have_count(5)
    expect(rows.last).to_contain_text("trial-0001")
    admin.open(f"{done.path}/trials")
    page.locator("#rows").get_by_role("link", name=re.compile(r"^Trial ↓?")).click()
    expect(rows.first).to_contain_text("trial-0001")
    page.get_by_role("link", name="State").click()
    expect(rows.first.locator(".badge")).to_have_text("FAILED")
    page.get_by_label("State").select_option("FAILED")
    expect(page.locator(".count")).to_have_text("1 trial")
    expect(rows).to_contain_text(["x = 10, kind = c"])
    page.get_by_role("link", name="Clear").click()
    page.get_by_role("searchbox").fill("trial-0012")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").first.click()
    expect(page.locator("h1")).to_have_text("trial-0012")
    for tab, text in (
        ("Log", "step = 3 loss ="),
        ("Metrics", "loss"),
        ("Monitoring", "CPU"),
        ("Hyperparameters", "EM_HP_KIND"),
        ("Files", "trial-0012"),
    ):
        page.locator(".tabs").get_by_role("link", name=tab, exact=True).click()
        settle(page)
        expect(admin.main).to_contain_text(text)
    # Parts of a tuning have nothing of their own to change.
    expect(page.locator(".page-actions").get_by_role("link", name=re.compile("Edit|Delete|Copy"))).to_have_count(0)


# MARK: - Actions


def test_stop_and_go_on(admin, console):
    """Stopping asks first and keeps what has ended; afterwards it goes on up to another maximum."""
    page = admin.page
    tuning = console.tune(SLOW, integer("x", 1, 4), hyperparameterTuningName=unique("stop"), maxTrialCount=3)
    tuning.wait_trials(2, "SUCCEEDED")
    admin.open(tuning.path)
    dialog = admin.dialog("Stop")
    expect(dialog).to_contain_text("Finished ones stay")
    dialog.get_by_role("link", name="Cancel").click()
    assert tuning.code() == "RUNNING"
    admin.confirm("Stop")
    admin.mark()
    admin.wait_state("STOPPED")
    expect(page.get_by_role("link", name="Stop", exact=True)).to_have_count(0)
    page.get_by_role("link", name="Go on", exact=True).click()
    expect(admin.field("maxTrialCount")).to_have_value("6")
    admin.fill(maxTrialCount="1")
    admin.submit("Go on")
    expect(admin.error_of("maxTrialCount")).not_to_be_empty()
    expect(admin.field("maxTrialCount")).to_have_value("1")
    admin.fill(maxTrialCount="4")
    admin.submit("Go on")
    expect(admin.toast()).to_contain_text("Going on")
    admin.wait_state("RUNNING")
    tuning.wait_trials(1, "RUNNING")
    assert tuning.read()["maxTrialCount"] == 4, tuning.read()
    admin.confirm("Stop")
    tuning.wait("STOPPED")
    page.get_by_role("link", name="History").click()
    expect(page.locator(".timeline")).to_contain_text("goes on, up to 4 trials")


def test_copy_edit_delete(admin, console):
    """A copy has every setting but the folder that its trials write to."""
    page = admin.page
    name = fill_form(
        admin, console, PARABOLA, maxTrialCount="2", maxFailedTrialCount="2", parallelTrialCount="2", description="1st",
        tuningStrategyRandomState="11", objectiveGoal="-5", metricRegex=r"(\w+)\s*=\s*([-+.\d]+)",
    )  # fmt: skip
    admin.field("objectiveTypeCode").select_option("MINIMIZE")
    admin.field("searchStrategyCode").select_option("RANDOM")
    fill_row(admin, 0, "x", "double", MinValue="0.001", MaxValue="10", Scale="log")
    fill_row(admin, 1, "n", "int", MinValue="1", MaxValue="9", Step="2")
    fill_row(admin, 2, "kind", "categorical", SpecifiedValues="a,b")
    fill_row(admin, 3, "size", "discrete", SpecifiedValues="0.50, 1e3")
    unfold(admin)
    admin.field("earlyStoppingRuleCode").select_option("MEDIAN")
    admin.fill(earlyStoppingMinTrialCount="5", earlyStoppingStartStep="6", maxDurationSeconds="900")
    admin.fill(timeoutMinutes="70", **{"metricList[0].name": "loss", "metricList[1].name": "step"})
    admin.fill(**{"tagList[0].tagKey": "team", "tagList[0].tagValue": "vision"})
    admin.fill(**{"datasetList[0].datasetName": "train", "datasetList[0].dataUri": console.container})
    admin.submit("Create tuning")
    expect(admin.toast()).to_contain_text("requested")
    original = opened(admin, console)
    before = original.wait()

    page.get_by_role("link", name="Copy", exact=True).click()
    expect(admin.field("hyperparameterTuningName")).to_have_value(f"{name}-copy")
    admin.submit("Create tuning")
    expect(admin.toast()).to_contain_text("requested")
    copy = opened(admin, console)
    after = copy.wait()
    assert copy.id != original.id
    mine = {"hyperparameterTuningId", "hyperparameterTuningName", "modelUploadUri", "optimalTrialId", "optimalTrial"}
    different = {
        field: (before[field], after.get(field))
        for field in before
        if before[field] != after.get(field)
        and field not in mine
        and not field.startswith("tensorboard")
        and not field.endswith(("Datetime", "TimeSeconds"))
    }
    assert not different, f"the copy differs from its original in more than it should: {different}"
    assert after["modelUploadUri"] != before["modelUploadUri"] and f"{name}-copy" in after["modelUploadUri"], after

    page.get_by_role("link", name="Edit", exact=True).click()
    admin.fill(hyperparameterTuningName=f"{name}-new", description="2nd")
    admin.submit("Save")
    expect(page.locator("h1")).to_have_text(f"{name}-new")
    admin.open(f"hyperparameter-tunings?q={name}")
    expect(page.locator("#rows tbody tr")).to_have_count(2)
    page.get_by_role("link", name=f"{name}-new").click()
    trial = copy.trial(1)
    admin.confirm("Delete")
    expect(admin.toast()).to_contain_text(f"Tuning {name}-new deleted")
    console.refused("GET", copy.path, 404)
    console.refused("GET", trial.path, 404)
    assert admin.open(trial.path, 404)


# Installed for ten seconds, without any other package.
SLOW_REQUIREMENTS = {
    "requirements.txt": "./slow",
    "slow/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "slow"\nbackend-path = ["."]\n',
    "slow/slow.py": "import time\ntime.sleep(10)\n",
}


def test_monitoring(admin, console):
    """Closed while no trial has run; then the instances of the trials that run, of an ended one those of the last."""
    script = "import time\nprint('loss = 1', flush=True)\ntime.sleep(60)"
    tab = admin.page.get_by_role("navigation", name="Sections").get_by_role("link", name="Monitoring")
    tuning = console.tune(script, integer("x", 1, 4), files=SLOW_REQUIREMENTS, maxFailedTrialCount=1)
    admin.open(tuning.path)
    expect(tab).to_have_attribute("aria-disabled", "true")
    admin.open(f"{tuning.path}/monitoring")
    expect(admin.main).to_contain_text("There is nothing to monitor while the tuning is being created.")
    admin.wait_state("FAIL HYPERPARAMETER TUNING")

    tuning = console.tune(script, integer("x", 1, 4), parallelTrialCount=2)
    tuning.wait_trials(2, "RUNNING")
    admin.open(tuning.path)
    tab.click()
    instances = admin.main.get_by_role("region", name="Monitored instances")
    expect(instances.get_by_role("row")).to_have_count(3)
    expect(instances).to_contain_text("trial-0001")
    expect(instances).to_contain_text("t2.c1m1")
    admin.mark()
    expect(admin.main.locator("canvas").first).to_be_visible(timeout=30_000)
    console.call("PUT", f"{tuning.path}/stop")
    admin.wait_state("STOPPED")
    expect(instances.get_by_role("row")).to_have_count(3)
    expect(admin.main.locator("canvas").first).to_be_visible()
    admin.assert_not_reloaded()


def test_who_may(console, windows, done):
    """A viewer sees everything and changes nothing; for a stranger there is nothing."""
    template = make_template(console)
    viewer = windows(console.server, new_user(console.server, "viewer"))
    page = viewer.page
    trial = done.trial(1)
    for place in (
        "hyperparameter-tunings", done.path, f"{done.path}/trials", f"{done.path}/hyperparameters", trial.path,
        f"{trial.path}/log", "training-templates", f"training-templates/{template}",
    ):  # fmt: skip
        viewer.open(place)
        actions = page.locator("main .page-actions").locator("a, button").all_inner_texts()
        assert not [text for text in actions if "TensorBoard" not in text], f"{place}: {actions}"
    open_study(viewer, done)
    forbidden = [
        "hyperparameter-tunings/new", f"{done.path}/edit", f"{done.path}/resume", f"{done.path}/delete",
        f"{done.path}/do/stop", "training-templates/new", f"training-templates/{template}/edit",
        f"training-templates/{template}/delete",
    ]  # fmt: skip
    for place in forbidden:
        assert viewer.ask("GET", place).status == 403, place
        where = place.removesuffix("/new")
        assert viewer.send(where, {"maxTrialCount": "99"}).status == 403, where
    assert console.get(done.path)["hyperparameterTuning"]["hyperparameterTuningStatusCode"] == "COMPLETE"
    stranger = windows(console.server, new_user(console.server, "member", project="other"))
    for place in ("hyperparameter-tunings", done.path, f"{done.path}/study/data", trial.path, f"{trial.path}/log"):
        assert stranger.ask("GET", place).status == 404, place
    # Nor through the project that is theirs.
    stranger.project = "other"
    for place in (done.path, f"{done.path}/study/data", f"{trial.path}/log"):
        assert stranger.ask("GET", place).status == 404, place


def test_without_javascript(console, windows, done):
    """All inputs of a row are there; the server says what is wrong, and leaves out what a type does not have."""
    user = new_user(console.server, password=PASSWORD)
    window = windows(console.server, user=None, java_script_enabled=False)
    page = window.page
    page.goto(window.path("hyperparameter-tunings"))
    window.log_in_with_password(user)
    name = fill_form(window, console, PARABOLA, modelUploadUri=f"{console.container}/{unique('plain')}/model")
    for field in ("MinValue", "MaxValue", "Step", "Scale", "SpecifiedValues"):
        expect(window.field(spec(0, field))).to_be_visible()
    assert page.locator("[data-pairs=hyperparameterSpecList] [data-pair]:visible").count() >= 3
    fill_row(window, 0, "x", "int", MinValue="9", MaxValue="6")
    fill_row(window, 1, "kind", "categorical", SpecifiedValues="a")
    window.field("searchStrategyCode").select_option("GRID")
    window.fill(maxTrialCount="")
    window.submit("Create tuning")
    expect(page.locator("#form-error")).to_be_visible()
    window.fill(**{spec(0, "MaxValue"): "10"})
    window.fill(**{spec(0, "MinValue"): "6"})
    window.submit("Create tuning")
    expect(window.toast()).to_contain_text(f"Tuning {name} requested")
    tuning = opened(window, console)
    tuning.wait()
    page.reload()
    expect(page.locator(".page-title .badge")).to_have_text("COMPLETE (SuggestionEndReached)")
    page.get_by_role("link", name="Study").click()
    expect(window.main).to_contain_text("Charts need JavaScript.")
    page.get_by_role("link", name="All trials as a list").click()
    expect(page.locator("#rows tbody tr")).to_have_count(5)
    page.get_by_role("link", name="trial-0002").click()
    page.get_by_role("link", name="Hyperparameters").click()
    expect(page.locator("tr", has_text="EM_HP_X")).to_contain_text("7")
    window.open(tuning.path)
    # Every combination has been tried.
    expect(page.get_by_role("link", name="Go on")).to_have_count(0)
    page.get_by_role("link", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete").click()
    expect(window.toast()).to_contain_text("deleted")


def test_names_of_tunings_never_become_markup(console, windows):
    """Names, values and metrics that look like markup are shown as what they are, also where scripts draw them."""
    window = windows(console.server)
    page = window.page
    value = f"'{HOSTILE_TEXT}'".replace(",", ";").replace('"', "“")
    metric = "<b>loss</b>"
    experiment = console.create_experiment(f"{HOSTILE[:40]} tuned")
    tuning = console.tune(
        f"import sys\nprint('{metric} =', len(sys.argv[2]), flush=True)\n",
        categorical("<i>kind</i>", f"{value[:80]},plain,\"><script>alert(2)</script>"),
        double("\"x'<u>y</u>", 0, 1, 0.25),
        hyperparameterTuningName=HOSTILE,
        description=HOSTILE_TEXT,
        experimentId=experiment,
        objectiveMetric={"name": metric},
        metricRegex=r"(\S+) = (\d+)",
        tagList=[{"tagKey": HOSTILE, "tagValue": HOSTILE}],
        parallelTrialCount=4,
        maxTrialCount=8,
    )
    tuning.wait()
    body = {
        "trainingTemplateName": HOSTILE,
        "description": HOSTILE_TEXT,
        "hyperparameterList": [{"parameterName": "<i>n</i>", "parameterValue": HOSTILE_TEXT}],
        "hyperparameterSpecList": tuning.read()["hyperparameterSpecList"],
    }
    template = console.call("POST", "training-templates", json=body)["trainingTemplate"]["trainingTemplateId"]
    trial = tuning.trial(1)
    places = [
        "hyperparameter-tunings", tuning.path, f"{tuning.path}/trials", f"{tuning.path}/hyperparameters",
        f"{tuning.path}/history", f"{tuning.path}/edit", f"{tuning.path}/resume", f"{tuning.path}/delete",
        f"hyperparameter-tunings/new?copy={tuning.id}", trial.path, f"{trial.path}/log", f"{trial.path}/metrics",
        f"{trial.path}/hyperparameters", f"{trial.path}/files", "training-templates", f"training-templates/{template}",
        f"training-templates/{template}/hyperparameters", f"training-templates/{template}/edit",
        f"training-templates/new?copy={template}", f"trainings/new?template={template}",
        f"hyperparameter-tunings/new?template={template}",
        f"experiments/{experiment}/tab/hyperparameter-tunings",
    ]  # fmt: skip
    for place in places:
        window.open(place)
        settle(page)
        assert_no_markup(page)
    open_study(window, tuning)
    expect(figure(window, "parallel").locator("svg title").first).to_have_text("<i>kind</i>")
    for data in page.locator(".study summary").all():
        data.click()
    canvas = figure(window, "history").locator("canvas")
    canvas.focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-study-said]")).to_contain_text(metric)
    assert_no_markup(page)
    for query in ("hyperparameter-tunings/new?template", "hyperparameter-tunings/new?copy", "trainings/new?template"):
        page.goto(f"{window.path('')}/{query}=%3Cscript%3Ealert(1)%3C/script%3E")
        assert_no_markup(page)
    console.call("DELETE", f"training-templates/{template}")


def test_in_japanese_on_a_narrow_screen(console, windows, done):
    """Also what scripts say, and nothing sticks out."""
    window = windows(console.server, locale="ja-JP", viewport={"width": 320, "height": 700})
    page = window.page
    open_study(window, done)
    assert not re.search(r"[A-Za-z]{4,} (of|trials?|with)\b", window.main.inner_text()), window.main.inner_text()
    assert not overflow(page), overflow(page)
    window.open("hyperparameter-tunings/new")
    fill_row(window, 0, "x" * 50, "int", MinValue="1", MaxValue="3")
    window.field("searchStrategyCode").select_option("GRID")
    expect(page.locator("[data-combinations]")).to_contain_text("3")
    expect(page.locator("[data-combinations]")).not_to_contain_text("combinations")
    assert not overflow(page), overflow(page)


# MARK: - Templates


def test_the_first_of_a_list(windows, console):
    """An empty list that is open becomes one with rows by itself, and an empty one again."""
    project = unique("empty")
    console.server.command("project", "create", project)
    api = API(console.server, project=project)
    window = windows(console.server, project=project)
    window.open("training-templates")
    expect(window.page.locator(".empty")).to_contain_text("No templates yet")
    window.mark()
    template = make_template(api)
    expect(window.page.locator("#rows tbody tr")).to_have_count(1)
    expect(window.page.get_by_role("searchbox")).to_be_visible()
    api.call("DELETE", f"training-templates/{template}")
    expect(window.page.locator(".empty")).to_contain_text("No templates yet")
    window.assert_not_reloaded()


def make_template(api: API) -> str:
    body = {"trainingTemplateName": unique("template"), "hyperparameterList": []}
    return api.call("POST", "training-templates", json=body)["trainingTemplate"]["trainingTemplateId"]


def test_templates(admin, console):
    """Created in the form, listed, chosen above the forms of trainings and tunings, changed, copied, deleted."""
    page, name = admin.page, unique("template")
    admin.open("training-templates")
    page.get_by_role("link", name="Create template").first.click()
    unfold(admin)
    admin.field("imageId").select_option(console.images["python"]["imageId"])
    admin.field("flavorId").select_option(console.flavors["t2.c1m1"]["id"])
    folder = f"{console.container}/{name}"
    shared = {
        "sourceDirUri": folder,
        "entryPoint": "main.py",
        "datasetList[0].datasetName": "train",
        "datasetList[0].dataUri": folder,
        "checkPointInputUri": f"{folder}/checkpoint",
        "modelUploadUri": f"{folder}/model",
        "checkPointUploadUri": f"{folder}/out",
        "timeoutMinutes": "75",
        "dataStorageSize": "400",
        "tagList[0].tagKey": "team",
        "tagList[0].tagValue": "vision",
    }
    trained = {"hyperparameterList[0].parameterName": "epochs", "hyperparameterList[0].parameterValue": " 20 "}
    tuned = {
        "parallelTrialCount": "2",
        "objectiveMetric.name": "accuracy",
        "objectiveGoal": "0.9",
        "metricList[0].name": "accuracy",
        "metricRegex": r"(\w+)=(\d+)",
        "tuningStrategyRandomState": "3",
        "maxTrialCount": "15",
        "maxFailedTrialCount": "4",
        "earlyStoppingMinTrialCount": "6",
        "earlyStoppingStartStep": "7",
        "maxDurationSeconds": "3600",
    }
    admin.fill(trainingTemplateName=name, description="What we always do", instanceCount="4")
    admin.fill(**shared | trained | tuned)
    fill_row(admin, 0, "lr", "double", MinValue="0.001", MaxValue="0.1", Scale="log")
    fill_row(admin, 1, "optimizer", "categorical", SpecifiedValues="sgd,adam")
    chosen = {"objectiveTypeCode": "MINIMIZE", "searchStrategyCode": "RANDOM", "earlyStoppingRuleCode": "ASHA"}
    for field, value in chosen.items():
        admin.field(field).select_option(value)
    admin.submit("Create template")
    expect(admin.toast()).to_contain_text(f"Template {name} created")
    expect(admin.main).to_contain_text("What we always do")
    page.locator(".tabs").get_by_role("link", name="Hyperparameters").click()
    expect(page.locator("tr", has_text="lr")).to_contain_text("0.001 to 0.1, log scale")
    admin.open("training-templates")
    expect(page.locator("tr", has_text=name)).to_contain_text(re.compile("epochs.*lr.*optimizer"))

    for place, more in (("trainings", trained), ("hyperparameter-tunings", tuned | chosen)):
        admin.open(f"{place}/new")
        page.get_by_label("Template").select_option(label=name)
        page.get_by_role("button", name="Fill in").click()
        expect(page.get_by_label("Template").locator("option:checked")).to_have_text(name)
        expect(admin.field("imageId")).to_have_value(console.images["python"]["imageId"])
        expect(admin.field("flavorId")).to_have_value(console.flavors["t2.c1m1"]["id"])
        expect(admin.field("instanceCount")).to_have_value("4")
        wrong = {
            field: (admin.field(field).input_value(), value)
            for field, value in (shared | more).items()
            if not field.startswith("tagList") and admin.field(field).input_value() != value
        }
        assert not wrong, f"what the form of {place} has, and what the template says: {wrong}"
    expect(admin.field(spec(0, "Scale"))).to_have_value("log")
    expect(admin.field(spec(0, "MaxValue"))).to_have_value("0.1")
    expect(admin.field(spec(1, "SpecifiedValues"))).to_have_value("sgd,adam")

    admin.open("training-templates")
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("link", name="Edit", exact=True).click()
    unfold(admin)
    expect(admin.field("tagList[0].tagValue")).to_have_value("vision")
    admin.fill(entryPoint="other.py", maxTrialCount="", **{"hyperparameterList[1].parameterName": "seed"})
    admin.fill(**{"hyperparameterList[1].parameterValue": "1"})
    admin.field("objectiveTypeCode").select_option("MAXIMIZE")
    admin.submit("Save")
    expect(page.locator("h1")).to_have_text(name)
    id = page.url.rsplit("/", 1)[1]
    seen = console.get(f"training-templates/{id}")["trainingTemplate"]
    assert seen["entryPoint"] == "other.py" and seen.get("maxTrialCount") is None, seen
    assert seen["objectiveTypeCode"] == "MAXIMIZE" and seen["hyperparameterList"][1]["parameterName"] == "seed", seen
    assert seen["hyperparameterSpecList"][0]["hyperparameterScale"].lower() == "log", seen

    page.get_by_role("link", name="Edit", exact=True).click()
    admin.fill(trainingTemplateName="", instanceCount="11")
    admin.submit("Save")
    expect(admin.error_of("trainingTemplateName")).not_to_be_empty()
    expect(admin.error_of("instanceCount")).not_to_be_empty()
    admin.open(f"training-templates/{id}")
    page.get_by_role("link", name="Copy", exact=True).click()
    expect(admin.field("trainingTemplateName")).to_have_value(f"{name}-copy")
    admin.submit("Create template")
    expect(admin.toast()).to_contain_text(f"Template {name}-copy created")
    copy = console.get(f"training-templates/{page.url.rsplit('/', 1)[1]}")["trainingTemplate"]
    mine = ("trainingTemplateId", "trainingTemplateName", "createdDatetime")
    different = {
        field: (seen[field], copy.get(field)) for field in seen if field not in mine and seen[field] != copy.get(field)
    }
    assert not different, different
    admin.confirm("Delete")
    expect(admin.toast()).to_contain_text(f"Template {name}-copy deleted")
    console.call("DELETE", f"training-templates/{id}")


def test_tunings_on_other_pages(admin, console, done):
    """An experiment's tab, and the counts of the dashboard, which lead to their list."""
    page = admin.page
    experiment = done.read()["experiment"]["experimentId"]
    admin.open(f"experiments/{experiment}")
    page.locator(".tabs").get_by_role("link", name="Hyperparameter tunings").click()
    name = done.read()["hyperparameterTuningName"]
    expect(page.locator("tr", has_text=name)).to_contain_text("loss = 0.3333")
    expect(page.locator("tr", has_text=name)).to_contain_text(re.compile(r"COMPLETE \(\w+Reached\)"))
    page.get_by_role("link", name="Create tuning").click()
    expect(admin.field("experimentId")).to_have_value(experiment)
    admin.open()
    stat = page.locator(".stat", has_text="Tunings complete")
    assert int(re.search(r"\d+", stat.inner_text())[0]) >= 1
    stat.click()
    expect(page.get_by_label("State")).to_have_value("COMPLETE")
    expect(page.locator("tr", has_text=name)).to_be_visible()
