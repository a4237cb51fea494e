"""Files and what is there besides trainings: the storage browser, access policies, NAS, images, events."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from client import API, unique
from console import Window


BYTES = bytes(range(256)) * 2000


@pytest.fixture
def container(admin, console) -> str:
    """A new container that the service may use, and the browser is at it."""
    name = unique("shelf")
    admin.open("storage")
    admin.fill(container=name)
    expect(admin.field("allowService")).to_be_checked()
    admin.page.locator("main").get_by_role("button", name="Create").click()
    expect(admin.toast()).to_contain_text(f"Container {name} created")
    assert admin.heading() == name
    return name


def uri(console: API, container: str) -> str:
    return f"{console.storage['obsUri']}/{container}"


def upload(window: Window, *files, folder: bool = False) -> None:
    kind = "[webkitdirectory]" if folder else ":not([webkitdirectory])"
    window.page.locator(f"input[data-upload-input]{kind}").set_input_files(list(files) if not folder else files[0])


def test_files_go_up_and_come_down_as_they_were(admin, console, container, tmp_path):
    """Several at once, of any name and content, and a folder with folders in it; the page shows them by itself."""
    page = admin.page
    files = {
        "data.bin": BYTES,
        "empty": b"",
        "日本 é+&%41.txt": "日本".encode(),
        "page.html": b"<script>alert(1)</script>",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    admin.mark()
    upload(admin, *(tmp_path / name for name in files))
    rows = page.locator("#files tbody tr")
    expect(rows).to_have_count(len(files))
    admin.assert_not_reloaded()
    expect(page.locator(".uploads")).to_contain_text("4 of 4 uploaded")
    for name, content in files.items():
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        assert download.value.suggested_filename == name, download.value.suggested_filename
        assert Path(download.value.path()).read_bytes() == content, f"{name} has changed on its way"
    link = page.get_by_role("link", name="page.html", exact=True).get_attribute("href")
    headers = admin.ask("GET", link).headers
    assert headers["content-disposition"].startswith("attachment;"), headers
    assert headers["x-content-type-options"] == "nosniff" and "html" not in headers["content-type"], headers

    folder = tmp_path / "set"
    (folder / "deep/deeper").mkdir(parents=True)
    (folder / "one.txt").write_text("1")
    (folder / "deep/deeper/two.txt").write_text("2")
    upload(admin, folder, folder=True)
    page.get_by_role("link", name="set/", exact=True).click()
    page.get_by_role("link", name="deep/", exact=True).click()
    page.get_by_role("link", name="deeper/", exact=True).click()
    expect(page.get_by_role("link", name="two.txt", exact=True)).to_be_visible()
    assert console.files(f"{uri(console, container)}/set") == ["deep/deeper/two.txt", "one.txt"]
    page.locator(".crumbs").get_by_role("link", name="set").click()
    expect(page.locator("#files tbody tr")).to_have_count(2)


def test_folders_and_deleting(admin, console, container):
    """A new folder is empty; a file, a folder with all in it, and the empty container go, each after a question."""
    page, place = admin.page, f"storage/containers/{container}/"
    admin.fill(folder="results/2026")
    admin.submit("Create")
    assert admin.heading() == "2026" and "This folder is empty" in admin.text()
    for wrong in ("../up", "/x", "a/./b"):
        admin.fill(folder=wrong)
        admin.submit("Create")
        expect(admin.error_of("folder")).to_contain_text("cannot be a folder")
        expect(admin.field("folder")).to_have_value(wrong)
    for name in ("a", "b/c", "b/d"):
        console.upload(f"{uri(console, container)}/results/{name}", "x")
    admin.open(f"{place}results/")
    page.get_by_role("link", name="Delete a", exact=True).click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    expect(admin.toast()).to_contain_text("results/a deleted")
    expect(page.get_by_role("link", name="a", exact=True)).to_have_count(0)

    admin.open("storage")
    page.get_by_role("link", name=f"Delete {container}", exact=True).click()
    dialog = page.locator("dialog")
    expect(dialog.get_by_role("alert")).to_contain_text("still has objects")
    expect(dialog.get_by_role("button")).to_have_count(0)
    admin.open(place)
    page.get_by_role("link", name="Delete results/", exact=True).click()
    expect(dialog).to_contain_text("The folder and the 3 objects in it")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator("main")).to_contain_text("This folder is empty")
    assert console.files(uri(console, container)) == []
    admin.open("storage")
    page.get_by_role("link", name=f"Delete {container}", exact=True).click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator(f"tr:has-text('{container}')")).to_have_count(0)
    admin.open(place, status=404)


def test_names_that_containers_cannot_have(admin, console, container):
    for wrong in ("", "a/b", container):
        admin.open("storage")
        admin.fill(container=wrong)
        admin.field("allowService").uncheck()
        admin.page.locator("main").get_by_role("button", name="Create").click()
        expect(admin.error_of("container")).not_to_be_empty()
        expect(admin.field("container")).to_have_value(wrong)
        expect(admin.field("allowService"), "what was unchecked is checked again").not_to_be_checked()


def test_the_access_policy_decides_what_trainings_may(admin, console, container):
    """The page names the service's account. Without it in the policy a training is refused, beside the right field."""
    page, folder = admin.page, uri(console, container)
    console.upload(f"{folder}/train.py", "print('let in')")
    page.get_by_role("link", name="Access policy").click()
    account = console.storage["serviceAccount"]["accessPolicy"]
    expect(page.locator(".facts code").first).to_have_text(account)
    expect(page.locator(".facts .badge")).to_have_text("read and write")
    expect(admin.field("read")).to_have_value(account)

    admin.fill(read="", write="no colon")
    admin.submit("Save")
    expect(admin.error_of("write")).not_to_be_empty()
    expect(admin.field("write")).to_have_value("no colon")
    admin.fill(read="", write=account)
    admin.submit("Save")
    expect(admin.toast()).to_contain_text("Saved")
    admin.open("storage")
    expect(page.locator("tr", has_text=container).locator(".badge")).to_have_text("only write")
    admin.fill_training(console, folder, modelUploadUri=f"{folder}/model")
    admin.submit("Create training")
    expect(admin.error_of("sourceDirUri")).to_contain_text(account)
    expect(admin.error_of("modelUploadUri")).to_have_count(0)

    admin.open(f"storage/policy/{container}")
    admin.fill(read=f"{account}, .r:*")
    admin.submit("Save")
    admin.open("storage")
    expect(page.locator("tr", has_text=container).locator(".badge")).to_have_text(["read and write", "public"])
    admin.fill_training(console, folder, modelUploadUri=f"{folder}/model")
    admin.submit("Create training")
    admin.wait_state("COMPLETE")


def test_an_upload_that_fails_says_so(admin, console, container):
    """A container that was deleted meanwhile: the file stays in the list with the reason, and can be tried again."""
    console.store("DELETE", uri(console, container))
    upload(admin, {"name": "late.txt", "mimeType": "text/plain", "buffer": b"x"})
    row = admin.page.locator(".uploads li", has_text="late.txt")
    expect(row.get_by_role("alert")).to_contain_text(container)
    console.store("PUT", uri(console, container))
    row.get_by_role("button", name="Retry").click()
    expect(admin.page.get_by_role("link", name="late.txt", exact=True)).to_be_visible()


def test_dropping_files(admin, container):
    """Files that are dropped on the list go up; dropped elsewhere they do not replace the page."""
    admin.page.evaluate(
        """() => {
            for (const [selector, name] of [["h1", "beside.txt"], [".files", "dropped.txt"]]) {
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File(["x"], name));
                const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
                document.querySelector(selector).dispatchEvent(event);
                if (!event.defaultPrevented) throw new Error(`the browser would open ${name}`);
            }
        }"""
    )
    expect(admin.page.locator("#files tbody tr")).to_have_text([re.compile("dropped.txt")])


def test_nas(admin):
    """What is mounted can be walked through; what is not says why; nothing leads out of it."""
    page = admin.page
    admin.open("nas")
    rows = page.locator("tbody tr")
    expect(rows.filter(has_text="shared").locator(".badge")).to_have_text("ready")
    expect(rows.filter(has_text="shared")).to_contain_text("free of")
    expect(rows.filter(has_text="gone").locator(".badge")).to_have_text("not mounted")
    expect(rows.filter(has_text="gone")).to_contain_text("gone")
    page.get_by_role("link", name="shared").click()
    page.get_by_role("link", name="sets").click()
    page.get_by_role("link", name="small").click()
    expect(rows).to_have_text([re.compile(r"x\.csv\s*4 B")])
    expect(page.locator(".page-lead code")).to_have_text("nas://shared:/sets/small")
    page.locator(".crumbs").get_by_role("link", name="shared").click()
    expect(rows).to_have_text([re.compile("sets")])
    for place in (
        "nas/shared/..%2F..",
        "nas/shared/sets/..%2F..%2F..",
        "nas/shared/nothing",
        "nas/foreign",
        "nas/gone/",
    ):
        status = admin.page.goto(admin.path(place)).status
        assert status in (400, 403, 404, 422, 503), f"{place}: {status}: {admin.text()}"
        assert admin.page.locator("tbody tr").count() == 0, f"{place} shows files: {admin.text()}"


def test_images(admin, console):
    """Every image and every instance type of the catalog, and of those that cannot run here, why."""
    page = admin.page
    admin.open("images")
    tables = page.locator("table")
    images = console.get("images")["imageList"]
    expect(tables.first.locator("tbody tr")).to_have_count(len(images))
    for image in images:
        expect(tables.first.get_by_role("rowheader", name=image["imageName"]).first).to_be_visible()
    flavors = console.get("flavors")["flavorList"]
    expect(tables.last.locator("tbody tr")).to_have_count(len(flavors))
    missing = tables.last.locator("tr", has_text="not on this machine")
    for row in missing.all():
        assert row.locator("td").last.inner_text().strip(), f"no reason: {row.inner_text()}"
    expect(tables.last.locator("tr", has_text="t2.c1m1")).to_contain_text("runs here")
    page.locator("select[name=type]").select_option(label="Notebook")
    page.wait_for_url("**type=*")
    expect(tables.first.locator("tbody tr")).not_to_have_count(len(images))


def test_events(admin, console):
    """The history of the project, newest first, filtered by kind, in pages; new ones come by themselves."""
    page = admin.page
    experiments = [console.create_experiment(unique("event")) for _ in range(30)]
    console.train("print('hi')", trainingName=unique("eventful")).wait()
    admin.open("events")
    entries = page.locator(".timeline li")
    expect(entries).to_have_count(50)
    expect(entries.first).to_contain_text("COMPLETE")
    page.locator("select[name=kind]").select_option(label="Experiments")
    page.wait_for_url("**kind=experiment*")
    expect(page.locator(".timeline a[href*='/trainings/']")).to_have_count(0)
    page.get_by_role("link", name="Older").click()
    shown = page.locator(".timeline a").evaluate_all("links => links.map((link) => link.href)")
    assert shown and not any(experiments[-1] in href for href in shown), "the second page begins with the newest"
    admin.open("events?kind=experiment")
    admin.mark()
    name = unique("brand-new")
    console.create_experiment(name)
    expect(entries.first).to_contain_text(name)
    admin.assert_not_reloaded()
    entries.first.get_by_role("link", name=name).click()
    assert admin.heading() == name
