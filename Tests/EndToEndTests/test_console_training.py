"""The main way through the console: an experiment, trainings, what becomes of them, and their comparison."""

import re
from pathlib import Path

from playwright.sync_api import expect

from client import API, Training, unique
from console import METRICS, Window, small_machine


# Goes on, a line at a time, until somebody puts a file into the folder that it was given.
STEPS = """
import os, time
for step in range(100000):
    print(f"step = {step} loss = {1 / (step + 1):.4f}", flush=True)
    time.sleep(0.1)
"""


def stop(training: Training) -> None:
    if training.api.request("PUT", f"{training.path}/stop").status_code == 200:
        training.wait("STOPPED")


def id_of(window: Window) -> str:
    """Of the training whose page is open."""
    return re.search(r"/trainings/([0-9a-f-]{36})", window.page.url)[1]


def test_from_nothing_to_a_model(admin, console):
    """An experiment; a program uploaded and chosen in the picker; the training watched to its end, without one reload;
    its metrics, its model; and everything deleted again."""
    page, experiment, name = admin.page, unique("iris"), unique("first")
    admin.open("experiments")
    page.get_by_role("link", name="Create experiment").click()
    admin.fill(experimentName=experiment, description="Flowers")
    admin.submit("Create experiment")
    expect(admin.toast()).to_contain_text(f"Experiment {experiment} created")
    admin.wait_state("ACTIVE")
    page.locator(".tabs").get_by_role("link", name="Trainings").click()
    page.get_by_role("link", name="Create training").click()

    expect(admin.field("experimentId").locator("option:checked")).to_have_text(experiment)
    expect(admin.field("experimentName")).to_be_hidden()
    admin.fill(trainingName=name)
    expect(admin.field("modelUploadUri")).to_have_value(re.compile(rf"^obs://.*/trainings/{name}/model$"))
    admin.choose_small(console)
    pick_program(admin, console, f"program-{name}")
    for index, (key, value) in enumerate((("lr", "0.2"), ("epochs", "30"))):
        admin.fill(**{f"hyperparameterList[{index}].parameterName": key})
        admin.fill(**{f"hyperparameterList[{index}].parameterValue": value})
    admin.submit("Create training")
    expect(admin.toast()).to_contain_text(f"Training {name} requested")
    admin.mark()
    admin.wait_state("COMPLETE")
    admin.assert_not_reloaded()
    training = Training(console, id_of(admin))
    seen = training.read()
    assert seen["hyperparameterList"] == [
        {"parameterName": "lr", "parameterValue": "0.2"},
        {"parameterName": "epochs", "parameterValue": "30"},
    ], seen
    assert seen["instanceCount"] == 1 and seen.get("useTorchrun") in (None, False), seen

    page.get_by_role("link", name="Log", exact=True).click()
    expect(page.locator(".log-line", has_text="epoch = 30")).to_be_visible()
    expect(page.locator('.log-line[data-stream="stderr"]')).to_contain_text("the last batch is smaller")
    page.get_by_role("link", name="Metrics", exact=True).click()
    expect(page.locator("tr", has_text="accuracy")).to_be_visible()
    expect(page.locator(".chart canvas").first).to_have_attribute(
        "aria-label", re.compile(r"(loss|epoch|accuracy): latest")
    )
    page.get_by_role("link", name="Hyperparameters", exact=True).click()
    expect(page.locator("tr", has_text="EM_HP_LR")).to_contain_text("0.2")
    page.get_by_role("link", name="Files", exact=True).click()
    page.get_by_role("link", name="Open Model output").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="model.txt", exact=True).click()
    assert Path(download.value.path()).read_text() == "model"

    admin.open(training.path)
    dialog = admin.dialog("Delete")
    expect(dialog).to_contain_text(f"Delete training {name}?")
    dialog.get_by_role("button", name="Delete").click()
    expect(admin.toast()).to_contain_text(f"Training {name} deleted")
    console.refused("GET", training.path, 404)


def pick_program(window: Window, console: API, folder: str) -> None:
    """In the picker of the source folder: into a container, up with the program, and that folder is it. Then the
    program itself, in the picker of the entry point."""
    page = window.page
    page.get_by_role("button", name="Browse… Source folder").click()
    picker = page.locator("dialog.picker")
    picker.get_by_role("option", name=console.storage["defaultContainer"]).click()
    expect(picker.get_by_role("button", name="Upload files")).to_be_visible()
    # A folder as a whole, as from one's own disk.
    upload_folder(window, picker, folder)
    picker.get_by_role("option", name=folder).click()
    expect(picker.get_by_role("option", name="train.py")).to_have_attribute("aria-disabled", "true")
    picker.get_by_role("button", name="Use this folder").click()
    expect(picker).to_have_count(0)
    expect(window.field("sourceDirUri")).to_have_value(f"{console.container}/{folder}")
    page.get_by_role("button", name="Browse… Entry point").click()
    expect(picker.get_by_role("option")).to_have_text([re.compile("train.py")])
    picker.get_by_role("option", name="train.py").click()
    expect(window.field("entryPoint")).to_have_value("train.py")


def upload_folder(window: Window, picker, name: str) -> None:
    folder = Path(window.server.home).with_name(name)
    folder.mkdir()
    (folder / "train.py").write_text(METRICS)
    (folder / "notes.txt").write_text("notes")
    picker.get_by_role("button", name="Upload folder").click()
    window.chosen().set_files(folder)
    expect(picker.get_by_role("option", name=name)).to_be_visible()


def test_state_log_and_charts_move(admin, console):
    """While it runs, each page of a training follows it by itself. Stopping it is a question and an answer."""
    page = admin.page
    training = console.train(STEPS, trainingName=unique("moving"))
    try:
        admin.open("trainings")
        row = page.locator(f"#row-{training.id}")
        expect(row.locator(".badge")).to_have_text("RUNNING", timeout=30_000)
        row.locator("td").nth(4).click()
        page.wait_for_url(f"**/{training.path}")
        admin.mark()
        elapsed = page.locator("[data-elapsed]").first
        before = elapsed.inner_text()
        expect(elapsed).not_to_have_text(before)

        page.get_by_role("link", name="Log", exact=True).click()
        admin.mark()
        numbers = page.locator(".log-number")
        expect(numbers.last).to_be_visible()
        first = int(numbers.last.inner_text())
        admin.wait(lambda: int(numbers.last.inner_text()) > first + 5, "the log does not grow")
        # A row may be there before its text is.
        shown = page.locator(".log-text").last
        admin.wait(lambda: re.match(r"step = \d+ loss = ", shown.inner_text()), "the last line is not the program's")
        admin.assert_not_reloaded()

        for tab, chart in (("Metrics", "loss"), ("Monitoring", "CPU")):
            page.get_by_role("link", name=tab, exact=True).click()
            admin.mark()
            canvas = page.locator("figure", has_text=chart).first.locator("canvas")
            expect(canvas).to_be_visible(timeout=30_000)
            admin.wait(lambda canvas=canvas: drawn(canvas) > 100, f"the chart of {chart} is blank")
            # The picture and not its label: what it says may stay the same for a while ("latest 0 %").
            before = canvas.evaluate("(node) => node.toDataURL()")
            admin.wait(
                lambda canvas=canvas, before=before: canvas.evaluate("(node) => node.toDataURL()") != before,
                f"the chart of {chart} does not move",
            )
            admin.assert_not_reloaded()

        page.get_by_role("link", name="Overview").click()
        dialog = admin.dialog("Stop")
        expect(dialog).to_contain_text("Checkpoints that it has written are kept")
        dialog.get_by_role("link", name="Cancel").click()
        assert training.read()["trainingStatusCode"] == "RUNNING"
        admin.confirm("Stop")
        admin.mark()
        admin.wait_state("STOPPED")
        admin.assert_not_reloaded()
        expect(page.get_by_role("link", name="Stop", exact=True)).to_have_count(0)
        page.get_by_role("link", name="History").click()
        expect(page.locator(".timeline .badge").first).to_have_text("STOPPED")
    finally:
        stop(training)


def drawn(canvas) -> int:
    """How many pixels of a canvas have been drawn on."""
    return canvas.evaluate(
        """(node) => {
            const { data } = node.getContext("2d").getImageData(0, 0, node.width, node.height);
            let count = 0;
            for (let index = 3; index < data.length; index += 4) if (data[index]) count++;
            return count;
        }"""
    )


def test_copy_with_one_value_changed_and_compare(admin, console):
    """A copy starts from all values of its original. Both side by side: what differs is marked, curves share charts."""
    page, name = admin.page, unique("base")
    original = console.train(
        METRICS,
        trainingName=name,
        description="The first try",
        hyperparameterList=[
            {"parameterName": "lr", "parameterValue": "0.1"},
            {"parameterName": "seed", "parameterValue": "7"},
        ],
        datasetList=[{"datasetName": "train", "dataUri": f"{console.container}/runs"}],
        timeoutMinutes=90,
        tagList=[{"tagKey": "team", "tagValue": "vision"}],
    )
    original.wait()
    before = original.read()
    admin.open(original.path)
    page.get_by_role("link", name="Copy", exact=True).click()
    expect(admin.field("trainingName")).to_have_value(f"{name}-copy")
    expect(admin.field("description")).to_have_value("The first try")
    expect(admin.field("datasetList[0].dataUri")).to_have_value(f"{console.container}/runs")
    admin.fill(**{"hyperparameterList[0].parameterValue": "0.3"})
    admin.submit("Create training")
    expect(admin.toast()).to_contain_text("requested")
    admin.wait_state("COMPLETE")
    copy = Training(console, id_of(admin))
    after = copy.read()
    mine = (
        "trainingId",
        "trainingName",
        "hyperparameterList",
        "trainingStatusCode",
        "tensorboardAccessUri",
        "tensorboardAccessPath",
    )
    different = {
        field: (before.get(field), after.get(field))
        for field in before
        if before.get(field) != after.get(field) and field not in mine and not field.endswith(("Datetime", "Seconds"))
    }
    assert not different, f"the copy differs from its original in more than it should: {different}"
    assert [parameter["parameterValue"] for parameter in after["hyperparameterList"]] == ["0.3", "7"], after

    admin.open(f"trainings?q={name}")
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    page.get_by_label(f"Select {name}", exact=True).check()
    expect(compare).to_be_disabled()
    page.get_by_label(f"Select {name}-copy").check()
    compare.click()
    table = page.locator("#compare")
    expect(table.locator("thead th")).to_have_text([re.compile(f"{name}-copy"), re.compile(name)])
    row = {
        text: table.locator("tr", has=page.get_by_role("rowheader", name=text, exact=True))
        for text in ("lr", "seed", "loss", "Image")
    }
    expect(row["lr"].locator("td.differs")).to_have_text(["0.3", "0.1"])
    expect(row["seed"].locator("td.differs")).to_have_count(0)
    expect(row["seed"].locator("td")).to_have_text(["7", "7"])
    for training, value in zip((copy, original), row["loss"].locator("td").all_inner_texts(), strict=True):
        assert f"loss = {float(value):.4f}" in training.log(), f"the final loss is not {value}: {training.tail()}"
    expect(row["Image"].locator("td")).to_have_text([before["image"]["imageName"]] * 2)
    figure = page.locator("figure", has=page.get_by_text("loss", exact=True))
    expect(figure.locator("canvas")).to_have_attribute(
        "aria-label", re.compile(rf"{name}-copy: latest .*{name}: latest")
    )
    figure.get_by_text("Data as table").click()
    expect(figure.locator("tbody th")).to_have_text([f"{name}-copy", name])
    assert drawn(figure.locator("canvas")) > 100, "the chart is blank"


def test_a_copy_keeps_odd_values(admin, console):
    """Also values with spaces around them and several lines, which the API takes, reach the copy as they are."""
    values = {"padded": "  two  ", "lines": "first\nsecond", "quotes": "\"'<&", "empty": "", "kanji": "匠 é"}
    parameters = [{"parameterName": name, "parameterValue": value} for name, value in values.items()]
    original = console.train("print()", hyperparameterList=parameters)
    original.wait()
    admin.open(f"trainings/new?copy={original.id}")
    admin.submit("Create training")
    expect(admin.toast()).to_contain_text("requested")
    copied = Training(console, id_of(admin)).read()["hyperparameterList"]
    seen = {parameter["parameterName"]: parameter["parameterValue"] for parameter in copied}
    assert seen == values, seen


# MARK: - The reason comes first


def first_below_the_head(window: Window) -> str:
    return window.page.evaluate(
        """() => [...document.querySelectorAll("main .page-head ~ *")].find((node) =>
            node.textContent.trim() && !node.matches("nav")).innerText"""
    )


def test_a_failure_shows_its_cause_first(admin, console):
    """On every tab, above everything else, with a way to the log, while the page was open and after a reload."""
    training = console.train("import time; time.sleep(1); raise ValueError('no <b>data</b> today')")
    admin.open(training.path)
    admin.wait_state("FAIL TRAIN")
    cause = training.read()["statusReason"]
    assert "train.py ended with exit code 1" in cause, cause
    alert = admin.page.locator("#cause").get_by_role("alert")
    expect(alert).to_contain_text(cause)
    for tab in ("", "/log", "/metrics", "/history", "/hyperparameters", "/files", "/monitoring"):
        admin.open(training.path + tab)
        expect(alert).to_contain_text(cause)
        assert cause in first_below_the_head(admin), f"{tab}: {first_below_the_head(admin)}"
        box = alert.bounding_box()
        assert box["y"] + box["height"] < 400, f"{tab}: the cause is at {box}"
    alert.get_by_role("link", name="Log").click()
    expect(admin.page.locator(".log-line", has_text="ValueError: no <b>data</b> today")).to_be_visible()
    admin.open()
    expect(admin.page.locator("tr", has_text=training.read()["trainingName"])).to_contain_text(cause)


def test_waiting_shows_what_for(make_server, windows):
    """A training that needs more memory than is left says so at once, and goes on by itself when there is enough."""
    server = make_server(config=small_machine())
    api = API(server)
    holder = api.train("import time; time.sleep(300)", flavor="m2.c2m4", trainingName="holder")
    holder.wait("RUNNING")
    waiting = api.train("print('at last')", flavor="m2.c2m4", trainingName="patient")
    window = windows(server)
    window.open(waiting.path)
    alert = window.page.locator("#cause").get_by_role("alert")
    expect(alert).to_contain_text(re.compile("waiting.*memory", re.IGNORECASE))
    expect(alert).to_contain_text("holder")
    expect(window.page.locator(".page-title .badge")).to_have_attribute("data-tone", "wait")
    assert "waiting" in first_below_the_head(window).lower(), first_below_the_head(window)
    window.mark()
    holder.stop()
    window.wait_state("COMPLETE")
    window.assert_not_reloaded()
    expect(alert).to_have_count(0)


# MARK: - Deleting


def test_what_still_runs_cannot_be_deleted(admin, console):
    """The question says so and has no button; nor has that of the experiment, which names who depends on it."""
    name, experiment = unique("busy"), unique("used")
    training = console.train(STEPS, trainingName=name, experimentId=console.create_experiment(experiment))
    key = training.read()["experiment"]["experimentId"]
    try:
        training.wait("RUNNING")
        admin.open(training.path)
        dialog = admin.dialog("Delete")
        expect(dialog.get_by_role("alert")).to_contain_text("stop it first")
        expect(dialog.get_by_role("button")).to_have_count(0)
        admin.page.keyboard.press("Escape")
        refused = admin.send(f"{training.path}/delete", headers={"Accept": "text/html"})
        assert refused.status == 409 and "stop it first" in refused.text(), f"{refused.status}: {refused.text()}"

        admin.open(f"experiments/{key}")
        dialog = admin.dialog("Delete")
        expect(dialog.get_by_role("alert")).not_to_be_empty()
        expect(dialog.locator(".dependents li")).to_have_text([re.compile(f"{name}.*RUNNING")])
        expect(dialog.get_by_role("button")).to_have_count(0)
        dialog.get_by_role("link", name=name).click()
        admin.page.wait_for_url(f"**/{training.path}")
    finally:
        stop(training)
    admin.open(f"experiments/{key}")
    dialog = admin.dialog("Delete")
    expect(dialog.locator(".dependents li")).to_have_text([re.compile(f"{name}.*STOPPED")])
    dialog.get_by_role("button", name="Delete").click()
    expect(admin.toast()).to_contain_text(f"Experiment {experiment} deleted")
    expect(admin.page.locator("main")).not_to_contain_text(experiment)
    admin.open(training.path)
    admin.wait_state("STOPPED")


def test_edit(admin, console):
    """Name, description and tags can be changed, and what was emptied is empty."""
    training = console.train(
        "print('hi')", description="old", tagList=[{"tagKey": "a", "tagValue": "1"}, {"tagKey": "b", "tagValue": ""}]
    )
    name = unique("renamed")
    admin.open(training.path)
    admin.page.get_by_role("link", name="Edit").click()
    expect(admin.field("tagList[1].tagKey")).to_have_value("b")
    admin.fill(trainingName=name, description="")
    admin.page.get_by_role("button", name="Remove").first.click()
    expect(admin.field("tagList[0].tagKey")).to_have_value("b")
    admin.submit("Save")
    expect(admin.toast()).to_contain_text("Saved")
    assert admin.heading() == name
    seen = training.read()
    assert (seen["trainingName"], seen.get("description") or "") == (name, ""), seen
    assert [tag["tagKey"] for tag in seen["tagList"]] == ["b"], seen


def test_list(console, windows):
    """Search by name and id, filter by state, sort, pages; the address says it all, and so can be shared."""
    window = windows(console.server, project="other")
    other = API(console.server, project="other")
    prefix = unique("list")
    ids = {number: other.create_experiment(f"{prefix}-{number:02}") for number in range(27)}
    page, rows = window.page, window.page.locator("#rows tbody tr")
    window.open("experiments")
    expect(page.locator(".count")).to_have_text("27 experiments")
    assert rows.count() == 25, rows.count()
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".pager span")).to_have_text("26–27 of 27")
    page.get_by_role("link", name="Name", exact=False).first.click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Name")
    expect(rows.first).to_contain_text(f"{prefix}-00")
    page.keyboard.press("/")
    page.keyboard.type(f"{prefix}-1")
    page.keyboard.press("Enter")
    expect(rows).to_have_text([re.compile(f"{prefix}-1{number}") for number in range(10)])
    page.get_by_role("searchbox").fill(ids[20])
    page.keyboard.press("Enter")
    expect(rows).to_have_text([re.compile(f"{prefix}-20")])
    page.get_by_label("State").select_option("CREATE_FAILED")
    expect(page.locator("main")).to_contain_text("Nothing matches these filters.")
    page.get_by_role("link", name="Clear").click()
    expect(page.locator(".count")).to_have_text("27 experiments")
    # A row that somebody else adds appears by itself.
    other.create_experiment(f"{prefix}-new")
    expect(page.locator(".count")).to_have_text("28 experiments")
    expect(rows.first).to_contain_text(f"{prefix}-new")
