"""Notebooks in the console, and JupyterLab as people use it: cells, terminals, uploads, environments, and who gets in."""

import re
import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

import notebooks
from client import API, unique
from console import Window, new_user, site
from harness import eventually
from notebooks import DATA, Notebook

ACTIVE = "ACTIVE (HEALTHY)"
COOKIE = "__Host-takumi_apps"
# JupyterLab is a large page on a small machine.
LAB_PATIENCE = 60_000
PLOT = """import matplotlib.pyplot as plt
plt.plot([1, 4, 9])
print("plotted", 6 * 7)"""


@pytest.fixture(scope="module")
def notebook(console: API) -> Notebook:
    """One that is active; tests leave it so."""
    made = notebooks.create(console)
    made.wait()
    return made


@pytest.fixture
def visitor(windows, console) -> Window:
    """A window of the administrator in which users' programs open: it takes the server's certificate."""
    return windows(console.server, ignore_https_errors=True)


def open_lab(window: Window) -> Page:
    """JupyterLab in the window of its own that the details' button opens."""
    with window.context.expect_page() as opened:
        window.page.get_by_role("link", name="Open Jupyter notebook").first.click()
    lab = opened.value
    lab.set_default_timeout(LAB_PATIENCE)
    # What JupyterLab itself says to the browser's console is not ours.
    window.forget(urlsplit(lab.url).netloc or "/notebook/", "/notebook/")
    expect(lab.locator("#jp-main-dock-panel")).to_be_visible(timeout=LAB_PATIENCE)
    return lab


def launch(lab: Page, name: str) -> None:
    """A card of the launcher, which is opened anew."""
    if not lab.locator(".jp-Launcher:visible").count():
        lab.get_by_role("button", name="New Launcher (Ctrl+Shift+L)").first.click()
    lab.locator(".jp-Launcher:visible").locator(".jp-LauncherCard", has_text=name).first.click()


def run_cell(lab: Page, code: str) -> None:
    """Types into the last cell and runs it."""
    cell = lab.locator(".jp-Notebook:visible .jp-CodeCell .cm-content").last
    expect(cell).to_be_visible(timeout=LAB_PATIENCE)
    # The notebook takes the focus away once more when its kernel has answered.
    expect(lab.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=3 * LAB_PATIENCE)
    cell.click()
    lab.keyboard.insert_text(code)
    expect(cell).to_contain_text(code.splitlines()[0])
    lab.keyboard.press("Shift+Enter")


def type_in_terminal(lab: Page, command: str) -> None:
    terminal = lab.locator(".jp-Terminal:visible .xterm")
    expect(terminal).to_be_visible(timeout=LAB_PATIENCE)
    # The shell's prompt has come when the terminal has something to show.
    time.sleep(2)
    terminal.click()
    lab.keyboard.type(command + "\n")


def content(notebook: Notebook, path: str, timeout: float = 60) -> str:
    """Of a file that is about to be written."""
    return eventually(lambda: notebook.lab.read(path), f"{path} is not written", timeout)


# MARK: - The way through


def test_a_notebook_from_the_form_to_its_end(visitor, console, tmp_path):
    """Everything that issue and guide show: form, a cell with a plot, a terminal, an upload, stop, start, what is kept and
    what is not, the kernel of a user's environment, deletion."""
    page, name = visitor.page, unique("study")
    visitor.open("notebooks/new")
    visitor.field("imageId").select_option(console.images["python-notebook"]["imageId"])
    visitor.field("flavorId").select_option(console.flavors["m2.c1m2"]["id"])
    visitor.fill(notebookName=name, description="For the tutorial", dataStorageSize="2", bootStorageSize="2")
    visitor.submit("Create notebook")
    visitor.wait_state(ACTIVE, timeout=300)
    notebook = Notebook(console, page.url.rstrip("/").rsplit("/", 1)[-1])
    expect(visitor.main).to_contain_text("2 GB")

    lab = open_lab(visitor)
    assert urlsplit(lab.url).netloc == urlsplit(console.server.apps_url).netloc
    launch(lab, "Python 3 (base)")
    run_cell(lab, PLOT)
    expect(lab.locator(".jp-OutputArea-output").filter(has_text="plotted 42")).to_be_visible(timeout=LAB_PATIENCE)
    expect(lab.locator(".jp-OutputArea-output img[src^='data:image/png']")).to_be_visible(timeout=LAB_PATIENCE)
    run_cell(lab, "import easymaker, os; print('sdk', os.environ['EM_APPKEY'])")
    expect(lab.locator(".jp-OutputArea-output").filter(has_text="sdk default")).to_be_visible(timeout=LAB_PATIENCE)
    lab.keyboard.press("Control+s")
    # Asked at the first time only.
    lab.get_by_role("button", name="Rename and Save").click()

    launch(lab, "Terminal")
    type_in_terminal(
        lab,
        f"cd {DATA}; whoami > who; echo gone > /root/gone; uv venv -q --python 3.11 custom-conda-envs/mine;"
        " echo made > made",
    )
    assert content(notebook, "who").strip() == "root"
    content(notebook, "made")

    data = tmp_path / "measures.csv"
    data.write_text("a,b\n" + "1,2\n" * 1000)
    with lab.expect_file_chooser() as chooser:
        lab.get_by_role("button", name="Upload Files").click()
    chooser.value.set_files(data)
    assert content(notebook, "measures.csv") == data.read_text()
    lab.close()

    visitor.confirm("Stop")
    visitor.wait_state("STOPPED", timeout=60)
    expect(page.get_by_role("link", name="Open Jupyter notebook")).to_have_count(0)
    visitor.confirm("Start")
    visitor.wait_state(ACTIVE, timeout=120)

    lab = open_lab(visitor)
    for kept in ("measures.csv", "made", "custom-conda-envs"):
        expect(lab.locator(".jp-DirListing-item").filter(has_text=kept).first).to_be_visible(timeout=LAB_PATIENCE)
    launch(lab, "mine")
    # The first use of an environment without ipykernel installs it.
    run_cell(lab, f"import sys, os; print('env', sys.prefix, os.path.exists('/root/gone'))")
    expect(lab.locator(".jp-OutputArea-output").filter(has_text=f"env {DATA}/custom-conda-envs/mine False")).to_be_visible(
        timeout=180_000
    )
    lab.close()

    visitor.confirm("Delete")
    page.wait_for_url("**/notebooks")
    eventually(lambda: console.request("GET", notebook.path).status_code == 404, "the notebook is still there", 60)


# MARK: - Who gets in


def test_only_members_get_in(windows, console, notebook):
    """A viewer sees the notebook and gets no JupyterLab; a stranger sees nothing; nobody is asked to log in."""
    viewer = windows(console.server, user=new_user(console.server, "viewer"), ignore_https_errors=True)
    viewer.open(notebook.path)
    expect(viewer.page.get_by_role("link", name="Open Jupyter notebook")).to_have_count(0)
    expect(viewer.page.get_by_role("link", name="Stop")).to_have_count(0)
    refused = viewer.page.goto(f"{viewer.base}{viewer.path(notebook.path)}/open")
    assert refused.status == 403, viewer.text()
    assert "members of the project can open its notebooks" in viewer.text()

    stranger = windows(console.server, user=new_user(console.server, "member", project="other"), project="other", ignore_https_errors=True)
    address = notebook.read()["notebookUrl"]
    assert stranger.page.goto(address).status == 404, f"{stranger.page.url} {stranger.text()}"
    assert "there is no such page" in stranger.text()

    nobody = windows(console.server, user=None, ignore_https_errors=True)
    nobody.page.goto(address)
    assert urlsplit(nobody.page.url).path == "/login", nobody.page.url


def test_an_address_leads_in_after_the_login(windows, console, notebook):
    """A bookmark of a page of JupyterLab: the login, and back to where one wanted to go."""
    window = windows(console.server, ignore_https_errors=True)
    window.forget("/notebook/")
    window.page.goto(notebook.read()["notebookUrl"] + "lab?reset")
    expect(window.page.locator("#jp-main-dock-panel")).to_be_visible(timeout=LAB_PATIENCE)
    assert "takumi_ticket" not in window.page.url
    cookie = next(cookie for cookie in window.context.cookies() if cookie["name"] == COOKIE)
    assert cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Lax", cookie
    # Nothing of Jupyter's reaches a browser that counts for the whole host.
    names = {cookie["name"] for cookie in window.context.cookies()}
    assert all(name.startswith(("__Host-takumi", "takumi")) for name in names), names


def closes(lab: Page) -> list:
    """The WebSockets of a page that close from now on."""
    seen: list = []
    lab.on("websocket", lambda socket: socket.on("close", lambda _: seen.append(socket.url)))
    return seen


@pytest.mark.parametrize("end", ["logs out", "is taken out of the project"])
def test_it_closes(windows, console, notebook, end):
    """Open kernels are let go within seconds, and nothing more is answered."""
    user = new_user(console.server, "member")
    window = windows(console.server, user=user, ignore_https_errors=True)
    window.open(notebook.path)
    with window.context.expect_page() as opened:
        window.page.get_by_role("link", name="Open Jupyter notebook").first.click()
    lab = opened.value
    lab.set_default_timeout(LAB_PATIENCE)
    closed = closes(lab)
    window.forget("/notebook/", "WebSocket")
    expect(lab.locator("#jp-main-dock-panel")).to_be_visible(timeout=LAB_PATIENCE)
    launch(lab, "Python 3 (base)")
    run_cell(lab, "print('in', 1 + 1)")
    expect(lab.locator(".jp-OutputArea-output").filter(has_text="in 2")).to_be_visible(timeout=LAB_PATIENCE)
    assert not closed
    if end == "logs out":
        window.log_out()
    else:
        site(console.server).call("PUT", f"/v1.0/users/{user}", json={"roles": {"default": None}})
    eventually(lambda: lab.wait_for_timeout(100) or closed, "no WebSocket has closed", 15)
    answer = lab.evaluate("url => fetch(url, {redirect: 'manual'}).then(answer => answer.status)", "api/status")
    # 0: sent to the login, which a script does not follow.
    assert answer in (0, 401, 404), answer


def test_its_token_has_the_rights_of_who_started_it(windows, console):
    """EM_TOKEN is there for every cell: it ends with its owner's membership, and leads into no notebook."""
    made = notebooks.create(console)
    made.wait()
    user = new_user(console.server, "member")
    window = windows(console.server, user=user, ignore_https_errors=True)
    window.open(made.path)
    window.confirm("Reboot")
    window.wait_state(ACTIVE, timeout=60)
    with made.lab.kernel() as kernel:
        token = kernel.run("import os; print(os.environ['EM_TOKEN'])").strip()
    holder = API(console.server, token)
    assert holder.request("GET", "notebooks").status_code == 200
    refused = notebooks.Lab(made, token).request("GET", "api/status")
    assert refused.status_code == 403 and "use a token of your own" in refused.text, refused.text

    site(console.server).call("PUT", f"/v1.0/users/{user}", json={"roles": {"default": None}})
    eventually(lambda: holder.request("GET", "notebooks").status_code == 401, "its token still works", 15)
    assert made.read()["notebookStatusCode"] == "ACTIVE_HEALTHY", "the project's notebook goes on"
    made.delete()


# MARK: - Actions


def test_idle_stop_and_resize(admin, console, notebook):
    """The countdown with its reason; another instance type only while it is stopped, and of the same core type."""
    page = admin.page
    admin.open(notebook.path)
    page.get_by_role("link", name="Idle stop").click()
    admin.fill(idleStopMinutes="3")
    admin.submit("Save")
    expect(admin.main).to_contain_text("5 to 10080")
    admin.fill(idleStopMinutes="60")
    admin.submit("Save")
    expect(admin.main).to_contain_text("After 1 h without use")
    expect(admin.main, "when it stops").to_contain_text("Stops at, unless used", timeout=60_000)
    page.get_by_role("link", name="Idle stop").click()
    admin.fill(idleStopMinutes="")
    admin.submit("Save")
    expect(admin.main).to_contain_text("Never")
    expect(page.get_by_role("link", name="Change instance type")).to_have_count(0)

    admin.open(f"{notebook.path}/resize")
    expect(admin.main).to_contain_text("The instance type can be changed while a notebook is STOPPED")
    expect(page.locator("[name=flavorId]"), "a form that can only be refused").to_have_count(0)

    admin.open(notebook.path)
    admin.confirm("Stop")
    admin.wait_state("STOPPED")
    page.get_by_role("link", name="Change instance type").click()
    assert not page.locator("option", has_text=re.compile("GPU")).count(), "another core type is offered"
    admin.field("flavorId").select_option(console.flavors["m2.c1m2"]["id"])
    admin.submit("Change instance type")
    expect(admin.main).to_contain_text("m2.c1m2")
    admin.confirm("Start")
    admin.wait_state(ACTIVE, timeout=120)
    admin.confirm("Reboot")
    admin.wait_state(ACTIVE, timeout=120)


def test_monitoring_log_and_history(admin, console, notebook):
    admin.open(notebook.path)
    sections = admin.page.get_by_role("navigation", name="Sections")
    sections.get_by_role("link", name="Monitoring").click()
    expect(admin.main.locator("canvas, svg.chart, .chart").first).to_be_visible(timeout=30_000)
    sections.get_by_role("link", name="Log").click()
    expect(admin.main).to_contain_text("JupyterLab answers at", timeout=30_000)
    sections.get_by_role("link", name="History").click()
    expect(admin.main).to_contain_text("JupyterLab answers after")
    expect(admin.main).to_contain_text(ACTIVE)


def test_monitoring_waits_for_what_goes_on(admin, console):
    """A tab that cannot be opened while it starts. A stopped notebook shows what its last run used (N-5)."""
    made = notebooks.create(console)
    made.wait()
    made.ask("stop")
    made.wait("STOPPED")
    admin.open(f"{made.path}/monitoring")
    instances = admin.main.get_by_role("region", name="Monitored instances")
    expect(instances.get_by_role("row")).to_have_count(2)
    expect(instances).to_contain_text(f"nb-{made.id[:6]}")
    expect(instances).to_contain_text("t2.c1m1")
    expect(admin.main.locator("canvas").first, "the samples of its last run").to_be_visible(timeout=30_000)

    script = console.server.home / "notebooks" / made.id / "data/cont-init.d/wait"
    script.write_text("#!/bin/sh\nsleep 15\n")
    script.chmod(0o755)
    made.ask("start")
    tab = admin.page.get_by_role("navigation", name="Sections").get_by_role("link", name="Monitoring")
    expect(tab, "by itself").to_have_attribute("aria-disabled", "true", timeout=10_000)
    assert tab.get_attribute("href") is None
    expect(admin.main).to_contain_text("nothing to monitor while the notebook is being created or changes its state")
    admin.wait_state(ACTIVE, timeout=60)
    expect(tab).to_have_attribute("href", re.compile("/monitoring$"))
    expect(instances).to_be_visible()
    made.delete()


def test_the_list_leads_in(admin, console, notebook):
    """The list has the way to JupyterLab; the dashboard counts what is active."""
    admin.open("notebooks")
    row = admin.main.locator("tr", has_text=notebook.read()["notebookName"])
    expect(row).to_contain_text(ACTIVE)
    expect(row.get_by_role("link", name="Open Jupyter notebook")).to_have_attribute("target", "_blank")
    admin.open()
    expect(admin.main).to_contain_text("Active notebooks")
    expect(admin.main.locator(f"a[href$='/{notebook.path}/monitoring']"), "what it uses").to_be_visible(timeout=30_000)
