"""Forms: what is wrong stands beside its field, what was typed stays; and no name ever becomes markup."""

import re
from urllib.parse import quote

from playwright.sync_api import expect

from client import API, unique
from console import HOSTILE, HOSTILE_TEXT, Window, assert_no_markup, settle


def test_every_mistake_beside_its_field(admin, console):
    """Several at once, also in rows: each is named at the top, leads to its field, and all that was typed stays."""
    page = admin.page
    # Where there is none, the name of a new one is missing, too.
    console.create_experiment()
    admin.open("trainings/new")
    admin.choose_small(console)
    typed = {
        "trainingName": "a/b",
        "description": 'a "quoted" <description>',
        "sourceDirUri": "obs://nowhere",
        "entryPoint": "train.sh",
        "hyperparameterList[0].parameterName": "fine",
        "hyperparameterList[0].parameterValue": "keeps  its spaces",
        "hyperparameterList[1].parameterName": "with space",
        "hyperparameterList[1].parameterValue": "1",
        "hyperparameterList[2].parameterName": "FINE",
        "hyperparameterList[2].parameterValue": "twice",
        "datasetList[0].datasetName": "a b",
        "datasetList[0].dataUri": f"{console.container}/nothing-here",
        "instanceCount": "11",
        "modelUploadUri": "ftp://x/y",
    }
    for name, value in typed.items():
        admin.field(name).fill(value)
    page.get_by_text("More settings").click()
    admin.field("timeoutMinutes").fill("5")
    admin.field("tagList[0].tagValue").fill("a value without a key")
    typed |= {"timeoutMinutes": "5", "tagList[0].tagValue": "a value without a key"}
    admin.submit("Create training")

    summary = page.locator("#form-error")
    expect(summary).to_be_focused()
    wrong = [
        "trainingName", "entryPoint", "hyperparameterList[1].parameterName", "hyperparameterList[2].parameterName",
        "datasetList[0].datasetName", "instanceCount", "timeoutMinutes", "tagList[0].tagKey",
    ]  # fmt: skip
    for name in wrong:
        expect(admin.error_of(name), name).not_to_be_empty()
        expect(admin.field(name), name).to_have_attribute("aria-invalid", "true")
        described = admin.field(name).get_attribute("aria-describedby").split()
        texts = [page.locator(f'[id="{id}"]').inner_text() for id in described]
        assert admin.error_of(name).inner_text() in texts, f"{name} is not described by its error: {texts}"
    for name, value in typed.items():
        expect(admin.field(name), f"what was typed into {name}").to_have_value(value)
    expect(summary.locator("li")).to_have_count(len(wrong))
    expect(summary.locator("p")).to_have_text(f"{len(wrong)} things need another look")
    summary.get_by_role("link", name=re.compile("FINE")).click()
    expect(admin.field("hyperparameterList[2].parameterName")).to_be_focused()
    # The group that was folded is open: what is wrong in it can be seen.
    expect(admin.field("timeoutMinutes")).to_be_visible()
    assert "a/b" not in str(console.get("trainings", limit=1000)), "a training was made of it"


def test_mistakes_that_only_a_look_at_the_storage_shows(admin, console):
    """A source folder without the entry point, an experiment's name that is taken: beside the field as well."""
    folder, taken = f"{console.container}/{unique('forms')}", unique("taken")
    console.upload(f"{folder}/other.py", "print()")
    console.create_experiment(taken)
    admin.fill_training(console, folder)
    admin.submit("Create training")
    expect(admin.error_of("entryPoint")).to_contain_text("train.py")
    expect(admin.field("sourceDirUri")).to_have_value(folder)

    admin.open("experiments/new")
    admin.fill(experimentName=taken)
    admin.submit("Create experiment")
    expect(admin.error_of("experimentName")).not_to_be_empty()
    expect(admin.field("experimentName")).to_have_value(taken)


def test_rows_that_are_left_out(admin, console):
    """Empty rows between filled ones count for nothing; a removed row takes its values along, the rest keep theirs."""
    folder = f"{console.container}/{unique('rows')}"
    console.upload(f"{folder}/train.py", "print()")
    admin.fill_training(console, folder)
    for index, key in enumerate(("a", "b", "", "d")):
        admin.fill(**{f"hyperparameterList[{index}].parameterName": key})
        admin.fill(**{f"hyperparameterList[{index}].parameterValue": key.upper()})
        if not key:
            admin.page.get_by_role("button", name="Add hyperparameter").click()
            # There is a free row already: no second one comes.
            admin.fill(**{"hyperparameterList[2].parameterName": "x"})
            admin.fill(**{"hyperparameterList[2].parameterName": ""})
    admin.page.locator(
        "[data-pair]", has=admin.page.locator('[name="hyperparameterList[1].parameterName"]')
    ).get_by_role("button", name="Remove").click()
    admin.submit("Create training")
    expect(admin.toast()).to_contain_text("requested")
    key = re.search(r"/trainings/([0-9a-f-]{36})", admin.page.url)[1]
    made = console.get(f"trainings/{key}")["training"]
    pairs = [(one["parameterName"], one["parameterValue"]) for one in made["hyperparameterList"]]
    assert pairs == [("a", "A"), ("d", "D")], pairs


def test_fields_that_depend_on_others(admin, console):
    """Flavors go with the image's processor, torchrun with PyTorch, a new experiment's name with choosing a new one."""
    admin.open("trainings/new")
    images = {alias: image["imageId"] for alias, image in console.images.items()}
    admin.field("imageId").select_option(images["pytorch"])
    expect(admin.field("useTorchrun")).to_be_visible()
    expect(admin.field("nprocPerNode")).to_be_hidden()
    admin.field("useTorchrun").check()
    expect(admin.field("nprocPerNode")).to_be_visible()
    admin.field("imageId").select_option(images["python"])
    expect(admin.field("useTorchrun")).to_be_hidden()
    expect(admin.field("flavorId").locator('option[data-core="GPU"]:not([disabled])')).to_have_count(0)
    admin.field("experimentId").select_option("")
    expect(admin.field("experimentName")).to_be_visible()
    # The output follows the name until somebody changes it.
    admin.fill(trainingName="Müller's 2nd / try")
    expect(admin.field("modelUploadUri")).to_have_value(re.compile("/trainings/Müller-s-2nd-try/model$"))
    admin.fill(modelUploadUri="nas://shared:/x")
    admin.fill(trainingName="other")
    expect(admin.field("modelUploadUri")).to_have_value("nas://shared:/x")


def test_sending_twice_makes_one(admin, console):
    """An impatient double click."""
    name = unique("twice")
    admin.open("experiments/new")
    admin.fill(experimentName=name, description="x")
    admin.page.get_by_role("button", name="Create experiment").dblclick()
    expect(admin.toast()).to_contain_text(f"Experiment {name} created")
    made = console.get("experiments", experimentNameList=name)["experimentList"]
    assert [one["experimentName"] for one in made] == [name], made


# MARK: - Names


def test_names_never_become_markup(console, windows):
    """Wherever a name, a description, a tag, a value, a path or a line of a log is shown: as the text that it is.

    The browser is asked what elements there are; a script that ran, or tried to, would be heard of as well.
    """
    window: Window = windows(console.server)
    page, text = window.page, HOSTILE_TEXT
    tags = [{"tagKey": HOSTILE, "tagValue": HOSTILE}]
    experiment = console.create_experiment(HOSTILE, description=text, tagList=tags)
    folder = f"{console.container}/{HOSTILE}"
    program = f"import sys, time\nprint({text!r}, flush=True)\nprint({text!r}, file=sys.stderr)\n"
    program += f"for step in range(3): print('loss =', step)\nopen('/no/such/file ' + {text!r})\n"
    console.upload(f"{folder}/source/{HOSTILE}.py", program)
    console.upload(f"{folder}/data/{HOSTILE}", "x")
    body = console.body(
        folder,
        trainingName=HOSTILE,
        description=text,
        experimentId=experiment,
        entryPoint=f"{HOSTILE}.py",
        hyperparameterList=[{"parameterName": re.sub(r"[\s=]", "_", text), "parameterValue": text}],
        datasetList=[{"datasetName": "data", "dataUri": f"{folder}/data"}],
        tagList=tags,
    )
    trainings = [console.call("POST", "trainings", json=body)["training"]["trainingId"] for _ in range(2)]
    base = f"trainings/{trainings[0]}"
    window.open(base)
    window.wait_state("FAIL TRAIN")
    places = [
        "", "experiments", f"experiments/{experiment}", f"experiments/{experiment}/tab/trainings",
        f"experiments/{experiment}/edit", f"experiments/{experiment}/delete", "trainings", base, f"{base}/log",
        f"{base}/metrics", f"{base}/monitoring", f"{base}/hyperparameters", f"{base}/files", f"{base}/history",
        f"{base}/edit", f"{base}/delete", f"trainings/new?copy={trainings[0]}", "events",
        f"trainings/compare?id={trainings[0]}&id={trainings[1]}",
    ]  # fmt: skip
    for place in places:
        window.open(place)
        settle(page)
        values = page.locator("input, textarea").evaluate_all("nodes => nodes.map((node) => node.value).join()")
        assert HOSTILE in window.main.inner_text() + values, f"{place} does not show the name: {window.text()}"
        assert_no_markup(page)
    window.open(f"{base}/log")
    expect(page.locator(".log-text").get_by_text(text, exact=True)).to_have_count(2)

    # What an address says.
    for query in (
        "trainings?q=",
        "trainings/new?experimentId=",
        "trainings?experimentId=",
        "events?kind=",
        "images?type=",
        "storage/at?uri=",
        "trainings/compare?id=",
        "trainings?sort=",
        "trainings?state=",
        "storage/policy/",
        "storage/delete?container=",
        "trainings/new?copy=",
        f"{base}/log?node=",
        "tab/",
        "nas/",
    ):
        page.goto(f"{window.path('')}/{query}{quote(text, safe='')}")
        assert_no_markup(page)
    page.goto(f"/login?token={quote(text, safe='')}")
    assert_no_markup(page)

    # What scripts fill in: the search of a log, the picker, dialogs, uploads, forms that come back.
    window.open(f"{base}/log")
    page.get_by_role("searchbox").fill(HOSTILE)
    expect(page.locator(".log-hits")).to_have_text(re.compile(r"\d+ of \d+"))
    expect(page.locator("mark").first).to_have_text(HOSTILE)
    assert_no_markup(page)
    walk_storage(window, console, HOSTILE)
    window.open("trainings/new")
    typed = {
        "trainingName": text,
        "sourceDirUri": text,
        "entryPoint": text,
        "datasetList[0].datasetName": text,
        "hyperparameterList[0].parameterName": text,
        "datasetList[0].dataUri": text,
        "modelUploadUri": text,
    }
    window.fill(**typed)
    window.submit("Create training")
    expect(page.locator("#form-error")).to_be_visible()
    for name, value in typed.items():
        expect(window.field(name)).to_have_value(value)
    assert_no_markup(page)
    window.open("experiments/new")
    window.fill(experimentName=f"{HOSTILE[:40]} 2")
    window.submit("Create experiment")
    expect(window.toast()).to_contain_text(HOSTILE[:40])
    assert_no_markup(page)
    window.dialog("Delete")
    assert_no_markup(page)


def walk_storage(window: Window, console: API, name: str) -> None:
    """Through the storage browser and the picker: folder, files, upload, a new folder, each of that name."""
    page = window.page
    window.open(f"storage/containers/{console.storage['defaultContainer']}/")
    page.get_by_role("link", name=f"{name}/", exact=True).click()
    page.get_by_role("link", name="data/", exact=True).click()
    page.get_by_role("link", name=f"Delete {name}", exact=True).click()
    expect(page.locator("dialog[open]")).to_contain_text(name)
    assert_no_markup(page)
    page.keyboard.press("Escape")
    upload = page.locator("input[data-upload-input]:not([webkitdirectory])")
    upload.set_input_files({"name": f"up {name}", "mimeType": "text/plain", "buffer": b"up"})
    # Composed, as everybody types it: the accent stays where it has no letter.
    expect(page.get_by_role("link", name=f"up {name}", exact=True)).to_be_visible()
    assert_no_markup(page)
    window.fill(folder=f"new {name}")
    window.submit("Create")
    assert window.heading() == f"new {name}", window.heading()
    assert_no_markup(page)
    window.open("trainings/new")
    window.field("sourceDirUri").fill(f"{console.container}/{name}/data")
    page.get_by_role("button", name="Browse… Source folder").click()
    page.get_by_role("option", name=f"new {name}").click()
    expect(page.locator(".picker-crumbs [aria-current]")).to_have_text(f"new {name}")
    assert_no_markup(page)
    page.get_by_role("button", name="Use this folder").click()
    expect(window.field("sourceDirUri")).to_have_value(f"{console.container}/{name}/data/new {name}")
