"""The web console as people use it: Chromium, one window for each user, real servers behind it.

The assertions here say by themselves what they saw: PYTEST_DONT_REWRITE.
"""

import contextlib
import re
import socket
import threading

import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Response, expect, sync_playwright

from client import API, Run, Training, Tuning, categorical, discrete, double, integer, unique
from harness import Server, eventually
from notebook_pages import fill_notebooks, notebook_pages
from serving_pages import fill_serving, serving_pages

CHROMIUM = "/usr/bin/chromium"
# What people do to a page is answered in well under this; what a training does takes as long as it takes.
PATIENCE = 15_000
PASSWORD = "correct horse battery"

# Becomes markup, or an attribute that acts, wherever one forgets to escape it; as long as a name may be. The quote is
# one character with the accent behind it, for whoever looks at characters; for a browser it is a quote.
HOSTILE = "<img src=x onerror=alert(1)>\"\u0301 onclick=x '"
# For what may be longer.
HOSTILE_TEXT = f'{HOSTILE} "><script>alert(1)</script> {{{{csrf}}}} &lt;b&gt; javascript:alert(1)'


@contextlib.contextmanager
def chromium():
    """The browser that Debian packages."""
    with sync_playwright() as playwright:
        # No sandbox: tests run as root.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """A browser window at a server's console, with cookies of its own. Notes what the browser complains of."""

    def __init__(
        self,
        browser: Browser,
        server: Server,
        project: str = "default",
        secure: bool = False,
        base: str | None = None,
        **options,
    ):
        """- base: where the browser reaches the server, if not where it is."""
        self.server = server
        self.project = project
        self.base = base or (server.tls_url if secure else server.url)
        defaults = {"locale": "en-US", "timezone_id": "UTC", "viewport": {"width": 1280, "height": 900}}
        options = defaults | {"base_url": self.base, "ignore_https_errors": secure} | options
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.forgotten: list[str] = []
        self.context.on("console", self._note)
        self.context.on("weberror", lambda error: self.complaints.append(f"{error.page.url}: {error.error}"))
        self.context.on("dialog", self._refuse)
        self.page = self.context.new_page()
        # From the start: asked for only when it is about to open, a chooser may come before the browser knows.
        self.choosers: list = []
        self.page.on("filechooser", lambda chooser: self.choosers.append(chooser))

    def _note(self, message) -> None:
        # Pages with a status of their own, such as a form that was refused, are no fault.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"{message.page.url if message.page else ''}: {message.text}")

    def _refuse(self, dialog) -> None:
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def close(self) -> None:
        self.context.close()
        left = [one for one in self.complaints if not any(text in one for text in self.forgotten)]
        assert not left, f"the browser complained: {left}"

    def forget(self, *texts: str) -> None:
        """Complaints with one of these in them, also later ones, are what a test is about, or somebody else's fault."""
        self.forgotten += texts

    # MARK: Going places

    def path(self, place: str) -> str:
        """Of a place in the project, or of the whole server where it begins with a slash."""
        return place if place.startswith("/") else f"/projects/{self.project}/{place}".rstrip("/")

    def open(self, place: str = "", status: int | None = 200) -> Response:
        response = self.page.goto(self.path(place))
        assert status is None or response.status == status, f"{place}: {response.status}, not {status}: {self.text()}"
        return response

    def log_in(self, user: str = "admin") -> "Window":
        """By a one-time link, which needs no password."""
        link = self.server.command("login", "--user", user).stdout.strip()
        self.page.goto(link.replace(self.server.url, self.base))
        assert "/login" not in self.page.url, f"the link does not log in: {self.page.url}: {self.text()}"
        return self

    def log_in_with_password(self, user: str, password: str = PASSWORD) -> None:
        self.page.get_by_label("User name").fill(user)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()

    def log_out(self) -> None:
        self.page.locator(".switcher.user summary").click()
        self.page.get_by_role("button", name="Log out").click()
        self.page.wait_for_url("**/login")

    # MARK: Seeing

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def text(self) -> str:
        return self.page.locator("body").inner_text()

    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    def wait_state(self, state: str, timeout: float = 60) -> None:
        """Waits until the badge beside the heading says so, without loading the page again."""
        badge = self.page.locator(".page-title .badge")
        expect(badge, f"the state on the page; the cause: {self.cause()}").to_have_text(state, timeout=timeout * 1000)

    def cause(self) -> str:
        return " ".join(self.page.locator("#cause").all_inner_texts())

    def toast(self) -> Locator:
        return self.page.locator(".toasts .toast")

    def cookie(self, name: str) -> dict | None:
        return next((cookie for cookie in self.context.cookies() if cookie["name"] == name), None)

    def mark(self) -> None:
        """So that `assert_not_reloaded` can tell."""
        self.page.evaluate("window.markOfTheTest = true")

    def assert_not_reloaded(self) -> None:
        assert self.page.evaluate("window.markOfTheTest === true"), f"the page was loaded again: {self.page.url}"

    def chosen(self):
        """What asks for files next, or has already."""
        for _ in range(100):
            if self.choosers:
                return self.choosers.pop()
            self.page.wait_for_timeout(50)
        raise AssertionError("nothing has asked for files")

    def wait(self, condition, what: str, rounds: int = 150) -> None:
        """As `eventually`; the browser goes on meanwhile."""
        for _ in range(rounds):
            if condition():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{what}: {self.text()}")

    # MARK: Asking without the page

    def ask(self, method: str, place: str, **options):
        """A request with this window's cookies, as no page would send it."""
        options.setdefault("max_redirects", 0)
        return self.context.request.fetch(self.path(place), method=method, **options)

    def csrf(self) -> str:
        return self.page.locator("meta[name=csrf]").get_attribute("content")

    def send(self, place: str, form: dict | None = None, **options):
        """A form as the page would send it, with its token."""
        return self.ask("POST", place, form={"csrf": self.csrf()} | (form or {}), **options)

    # MARK: Doing

    def field(self, name: str) -> Locator:
        return self.page.locator(f'main [name="{name}"]')

    def error_of(self, name: str) -> Locator:
        return self.page.locator(f'.field:has([name="{name}"]) > .error')

    def fill(self, **values: str) -> None:
        for name, value in values.items():
            self.field(name).fill(value)

    def submit(self, name: str) -> None:
        self.page.locator("main").get_by_role("button", name=name, exact=True).click()

    def confirm(self, link: str, button: str | None = None) -> None:
        """Follows a link that asks first, and says yes."""
        self.page.get_by_role("link", name=link, exact=True).click()
        self.page.locator("dialog").get_by_role("button", name=button or link, exact=True).click()

    def dialog(self, link: str) -> Locator:
        self.page.get_by_role("link", name=link, exact=True).click()
        dialog = self.page.locator("dialog[open]")
        expect(dialog).to_be_visible()
        return dialog

    def fill_training(self, api: API, folder: str, **values: str) -> None:
        """The form's required fields for a small training, and whatever else is given."""
        experiment = api.experiment
        self.open("trainings/new")
        self.choose_small(api)
        self.field("experimentId").select_option(experiment)
        self.fill(**({"trainingName": unique("form"), "sourceDirUri": folder, "entryPoint": "train.py"} | values))

    def choose_small(self, api: API) -> None:
        self.field("imageId").select_option(api.images["python"]["imageId"])
        self.field("flavorId").select_option(api.flavors["t2.c1m1"]["id"])


class Wire:
    """What is between a browser and a server, and can be cut: connections end, and new ones are refused."""

    def __init__(self, port: int):
        self.port = port
        self.open: set[socket.socket] = set()
        self.listener = self._listen(0)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.port))
                self.open |= {near, far}
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=[source, target], daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        # A listener that only is closed goes on in the thread that waits for it.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.open.clear()

    def mend(self) -> None:
        self.listener = self._listen(int(self.url.rsplit(":", 1)[1]))


# MARK: - What pages must be


def overflow(page: Page) -> str:
    """What sticks out of the page to the right; empty where nothing does."""
    return page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.scrollingElement.scrollWidth <= width) return "";
            const wide = [...document.body.querySelectorAll("*")].filter((node) => {
                const scroller = node.closest(".table-wrap, pre, .log-view, .tabs");
                return (!scroller || scroller === node) && node.getBoundingClientRect().right > width + 0.5;
            });
            const names = wide.map((node) => `${node.tagName.toLowerCase()}.${node.className}`).slice(0, 5);
            return `${document.scrollingElement.scrollWidth} of ${width} px: ${names.join(", ")}`;
        }"""
    )


# What WCAG 2.2 asks for at the levels A and AA, and axe's own good practice.
AXE = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def violations(page: Page, only_colours: bool = False) -> list[str]:
    """What axe finds, one line for each rule, with the first elements that break it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    rules = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
    found = page.evaluate("(options) => axe.run(options)", AXE | (rules if only_colours else {}))["violations"]
    return [
        f"{one['id']} ({one['help']}): " + "; ".join(node["html"][:160] for node in one["nodes"][:3]) for one in found
    ]


def assert_no_markup(page: Page) -> None:
    """No name became an element, an attribute that acts, or a script."""
    found = page.evaluate(
        """() => {
            const acts = (node) => [...node.attributes].some(({ name }) => name.startsWith("on"));
            const assets = `${location.origin}/assets/`;
            const own = (node) => node.localName === "script" && node.src.startsWith(assets) && !node.textContent;
            const bad = [...document.querySelectorAll("*")].filter((node) =>
                acts(node) || (node.matches("img, script, iframe, object, embed, base") && !own(node)));
            return bad.map((node) => node.outerHTML.slice(0, 200));
        }"""
    )
    assert not found, f"{page.url}: names became markup: {found}"


# MARK: - A server with something of everything

METRICS = """
import math, os, sys, time
rate = float(dict(zip(sys.argv[1::2], sys.argv[2::2])).get("--lr", "0.1"))
print("Loading 1,200 samples", flush=True)
for epoch in range(1, 31):
    loss = math.exp(-rate * epoch) + 0.02 * math.sin(epoch * 3)
    print(f"epoch = {epoch} loss = {loss:.4f} accuracy = {1 - loss / 2:.4f}", flush=True)
    time.sleep(0.01)
print("warning: the last batch is smaller", file=sys.stderr)
open(os.environ["EM_MODEL_DIR"] + "/model.txt", "w").write("model")
"""
FAILS = """
def load(path):
    return open(path)
print("Loading data", flush=True)
load("/no/such/file")
"""
HOLDS = """
import time
for step in range(100000):
    print(f"step = {step} loss = {1 / (step + 1):.4f}", flush=True)
    sum(number * number for number in range(200000))
    time.sleep(0.5)
"""

# A trial: its accuracy depends on the learning rate most, and one that is too high ends it.
TRIAL = """
import math, os, sys, time
values = dict(zip(sys.argv[1::2], sys.argv[2::2]))
rate, layers = float(values["--lr"]), int(values["--layers"])
off = abs(math.log10(rate) + 2)
best = 0.97 - 0.12 * off**2 - 0.01 * abs(layers - 4) - 0.03 * (values["--optimizer"] == "sgd")
if rate > 0.12:
    sys.exit("loss is not a number")
for epoch in range(1, 21):
    accuracy = best * (1 - math.exp(-epoch / 4)) + 0.004 * math.sin(epoch * 3 + layers)
    print(f"epoch = {epoch} loss = {1.2 - accuracy:.4f} Validation-accuracy = {accuracy:.4f}", flush=True)
open(os.environ["EM_MODEL_DIR"] + "/model.txt", "w").write("model")
"""


def small_machine(gibibytes: int = 7) -> str:
    """Configuration of a server that hands out this much memory, whatever the machine has: with 7 a second training of 4
    GiB waits."""
    reserve = psutil.virtual_memory().total // 2**20 - gibibytes * 1024
    assert reserve > 0, f"this machine has less than {gibibytes} GiB of memory"
    return f"cpuOvercommit: 16\nmemoryReserveMiB: {reserve}\n"


def fill(api: API) -> dict[str, Run]:
    """Experiments, trainings, tunings, models and endpoints in every state that stays; trainings by state, and those to
    compare as `first` and `second`."""
    iris = api.create_experiment("iris", description="Three kinds of flowers by four measures")
    team = [{"tagKey": "team", "tagValue": "crm"}]
    churn = api.create_experiment("churn", description="Who leaves within a month", tagList=team)
    # Instead of one of its own, which nobody would want to see.
    api.experiment = iris
    api.create_experiment("digits")
    api.upload(f"{api.container}/data/iris/train.csv", "5.1,3.5,1.4,0.2,setosa\n" * 150)

    def run(script: str, name: str, experiment: str = iris, rate: str = "0.1", files=None, **fields) -> Training:
        parameters = {"lr": rate, "epochs": "30", "batch-size": "16", "optimizer": "adam"}
        return api.train(
            script,
            files,
            trainingName=name,
            experimentId=experiment,
            hyperparameterList=[{"parameterName": key, "parameterValue": value} for key, value in parameters.items()],
            datasetList=[{"datasetName": "train", "dataUri": f"{api.container}/data/iris"}],
            **fields,
        )

    made = {
        "first": run(METRICS, "iris-slow", rate="0.08", description="As in the tutorial"),
        "second": run(METRICS, "iris-fast", rate="0.3", tagList=[{"tagKey": "best", "tagValue": "yes"}]),
        "failed": run(FAILS, "churn-nightly", churn),
        "impossible": run("print()", "churn-pinned", churn, files={"requirements.txt": "this is ==== no requirement"}),
        "stopped": run(HOLDS, "churn-long", churn),
    }
    made["stopped"].wait_line("step")
    made["stopped"].stop()
    made["first"].wait()
    made["second"].wait()
    made["stopped"].wait("STOPPED")
    made["failed"].wait("FAIL_TRAIN")
    made["impossible"].wait("CREATE_FAILED")
    made |= fill_tunings(api, iris, churn) | fill_serving(api) | fill_notebooks(api)
    made["running"] = run(HOLDS, "iris-large", flavor="m2.c2m4", instanceCount=1)
    made["running"].wait("RUNNING")
    made["waiting"] = run(METRICS, "iris-larger", flavor="m2.c2m4")
    eventually(lambda: made["waiting"].read().get("statusReason"), "the second large training does not wait")
    return made


def fill_tunings(api: API, iris: str, churn: str) -> dict[str, Run]:
    """Tunings by state, and a template that has everything."""
    search = (
        double("lr", 0.0005, 0.2, scale="log"),
        integer("layers", 1, 9),
        categorical("optimizer", "adam,sgd,rmsprop"),
        discrete("batch-size", "16,32,64"),
    )
    objective = {"objectiveMetric": {"name": "Validation-accuracy"}, "objectiveTypeCode": "MAXIMIZE"}
    settings = objective | {
        "metricList": [{"name": "Validation-accuracy"}, {"name": "loss"}],
        "tuningStrategyName": "BAYESIAN_OPTIMIZATION",
        "tuningStrategyRandomState": 7,
        "maxFailedTrialCount": 20,
        "parallelTrialCount": 4,
        "datasetList": [{"datasetName": "train", "dataUri": f"{api.container}/data/iris"}],
    }
    tuned = api.tune(
        TRIAL,
        *search,
        **settings,
        hyperparameterTuningName="iris-search",
        experimentId=iris,
        description="Learning rate first",
        maxTrialCount=40,
        objectiveGoal="0.999",
    )
    broken = api.tune(
        FAILS,
        double("lr", 0, 1),
        **objective,
        hyperparameterTuningName="churn-search",
        experimentId=churn,
        tuningStrategyName="RANDOM",
        maxTrialCount=9,
        maxFailedTrialCount=2,
    )
    tuned.wait(timeout=120)
    broken.wait("FAIL_HYPERPARAMETER_TUNING")
    searching = api.tune(
        HOLDS,
        double("lr", 0.001, 0.1, scale="log"),
        hyperparameterTuningName="iris-deep-search",
        experimentId=iris,
        tuningStrategyName="RANDOM",
        maxTrialCount=9,
    )
    searching.wait_trials(1, "RUNNING")
    spent = {"trainingName", "trainingTypeCode", "experimentId"}
    job = {key: value for key, value in api.body(tuned.folder).items() if key not in spent}
    body = {
        "trainingTemplateName": "iris",
        "description": "What every training on iris begins with",
        "hyperparameterList": [{"parameterName": "epochs", "parameterValue": "30"}],
        "hyperparameterSpecList": list(search),
        "maxTrialCount": 40,
    }
    api.call("POST", "training-templates", json=job | settings | body | {"instanceCount": 4})
    return {"tuned": tuned, "broken": broken, "searching": searching}


def every_page(api: API, made: dict[str, Run]) -> dict[str, str]:
    """The address of every page that the console has, by a name for it; of those with several looks, each look."""
    base = f"/projects/{api.project}"
    container = api.storage["defaultContainer"]
    experiment = made["first"].read()["experiment"]["experimentId"]
    users = site(api.server).call("GET", "/v1.0/users")["userList"]
    template = api.get("training-templates")["trainingTemplateList"][0]["trainingTemplateId"]
    tuned, searching = made["tuned"], made["searching"]
    pages = {
        "dashboard": "",
        "experiments": "/experiments",
        "experiment-new": "/experiments/new",
        "experiment": f"/experiments/{experiment}",
        "experiment-trainings": f"/experiments/{experiment}/tab/trainings",
        "experiment-tunings": f"/experiments/{experiment}/tab/hyperparameter-tunings",
        "experiment-edit": f"/experiments/{experiment}/edit",
        "experiment-delete": f"/experiments/{experiment}/delete",
        "trainings": "/trainings",
        "trainings-none": "/trainings?q=no-such-name",
        "training-new": "/trainings/new",
        "training-copy": f"/trainings/new?copy={made['second'].id}",
        "training-stop": f"/trainings/{made['running'].id}/do/stop",
        "training-delete": f"/trainings/{made['failed'].id}/delete",
        "compare": f"/trainings/compare?id={made['first'].id}&id={made['second'].id}",
        "compare-nothing": "/trainings/compare",
        "tunings": "/hyperparameter-tunings",
        "tunings-none": "/hyperparameter-tunings?q=no-such-name",
        "tuning-new": "/hyperparameter-tunings/new",
        "tuning-copy": f"/hyperparameter-tunings/new?copy={tuned.id}",
        "tuning-from-template": f"/hyperparameter-tunings/new?template={template}",
        "tuning-stop": f"/{searching.path}/do/stop",
        "tuning-delete": f"/{tuned.path}/delete",
        "templates": "/training-templates",
        "template-new": "/training-templates/new",
        "template-copy": f"/training-templates/new?copy={template}",
        "training-from-template": f"/trainings/new?template={template}",
        "images": "/images",
        "storage": "/storage",
        "storage-container": f"/storage/containers/{container}/",
        "storage-folder": f"/storage/containers/{container}/data/iris/",
        "storage-policy": f"/storage/policy/{container}",
        "storage-delete": f"/storage/delete?container={container}&name=data/",
        "nas": "/nas",
        "nas-folder": "/nas/shared/",
        "events": "/events",
        "nothing": "/no-such-page",
    }
    for state in ("first", "failed", "impossible", "stopped", "running", "waiting"):
        pages[f"training-{state}"] = f"/trainings/{made[state].id}"
    for tab in ("log", "metrics", "monitoring", "hyperparameters", "files", "history", "edit"):
        pages[f"training-{tab}"] = f"/trainings/{made['running'].id}/{tab}"
    pages["tuning"] = f"/{tuned.path}"
    for state in ("broken", "searching"):
        pages[f"tuning-{state}"] = f"/{made[state].path}"
        pages[f"tuning-study-{state}"] = f"/{made[state].path}/study"
    for tab in ("study", "trials", "monitoring", "hyperparameters", "history", "edit", "resume"):
        pages[f"tuning-{tab}"] = f"/{tuned.path}/{tab}"
    trial, failed, running = tuned.trial(1), made["broken"].trial(1), searching.trial(1)
    pages |= {"trial": f"/{trial.path}", "trial-failed": f"/{failed.path}", "trial-running": f"/{running.path}"}
    for tab in ("log", "metrics", "monitoring", "hyperparameters", "files"):
        pages[f"trial-{tab}"] = f"/{trial.path}/{tab}"
    for tab in ("", "/hyperparameters", "/history", "/edit", "/delete"):
        pages[f"template{tab.replace('/', '-')}"] = f"/training-templates/{template}{tab}"
    pages |= serving_pages(made) | notebook_pages(made) | {"model-of-training": f"/models/new?trainingId={made['first'].id}"}
    server_pages = {
        "account": "/account",
        "users": "/administration/users",
        "user": f"/administration/users/{users[-1]['userId']}",
        "projects": "/administration/projects",
    }
    return {name: base + path for name, path in pages.items()} | server_pages


def settle(page: Page) -> None:
    """Waits until the page's scripts have filled in what they fill in: charts, the log's lines, a study."""
    page.wait_for_load_state("load")
    if page.locator('[name$=".hyperparameterTypeCode"]').count():
        page.locator("[data-combinations]").wait_for(state="attached")
    study = page.locator("[data-study-note]")
    if study.count():
        # Optuna says which hyperparameters matter; on a busy machine that takes a while.
        expect(study).not_to_have_text(re.compile("…$"), timeout=4 * PATIENCE)
    for holder, filled in (
        ("[data-log]", ".log-line:not(.is-pending)"),
        ("[data-charts]", ".chart canvas, .charts .empty-note:not([hidden])"),
    ):
        if page.locator(holder).count():
            page.locator(filled).first.wait_for()


# MARK: - Fixtures


@pytest.fixture(scope="session")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def console(tmp_path_factory) -> API:
    """The server that tests of the console share, by its API. It has a second project, `other`, and a NAS."""
    folder = tmp_path_factory.mktemp("nas")
    (folder / "sets/small").mkdir(parents=True)
    (folder / "sets/small/x.csv").write_text("1,2\n")
    config = f"cpuOvercommit: 16\nstorage:\n  nas:\n    shared: {{path: {folder}}}\n    gone: {{path: {folder}/gone}}\n"
    server = Server(tmp_path_factory.mktemp("console") / "home", config)
    try:
        server.start()
        server.command("project", "create", "other")
        yield API(server)
    finally:
        server.close()


@pytest.fixture(scope="session")
def gallery(tmp_path_factory):
    """A server with something of everything, only to be looked at: its API, and its trainings by state."""
    folder = tmp_path_factory.mktemp("gallery-nas")
    (folder / "sets").mkdir()
    (folder / "readme.txt").write_text("read me")
    config = small_machine(8) + f"storage:\n  nas:\n    shared: {{path: {folder}}}\n    gone: {{path: {folder}/gone}}\n"
    server = Server(tmp_path_factory.mktemp("gallery") / "home", config)
    try:
        server.start()
        site(server).call("POST", "/v1.0/users", json={"userName": "hanako", "roles": {"default": "viewer"}})
        api = API(server)
        yield api, fill(api)
    finally:
        server.close()


class Windows:
    """Opens windows, and closes them at the end of a test. A user who has logged in once stays so for the session."""

    def __init__(self, browser: Browser, states: dict):
        self.browser = browser
        self.states = states
        self.opened: list[Window] = []

    def __call__(self, server: Server, user: str | None = "admin", fresh: bool = False, **options) -> Window:
        """- fresh: logs in anew, for tests that end the session."""
        key = (server.home, user, options.get("secure", False))
        if user and not fresh and key in self.states:
            options["storage_state"] = self.states[key]
        window = Window(self.browser, server, **options)
        self.opened.append(window)
        if user and "storage_state" not in options:
            script = options.get("java_script_enabled", True)
            window.log_in(user)
            if script and not fresh:
                self.states[key] = session_only(window.context.storage_state())
        return window

    def close(self) -> None:
        complaints = []
        for window in self.opened:
            try:
                window.close()
            except AssertionError as error:
                complaints.append(str(error))
        assert not complaints, complaints


def session_only(state: dict) -> dict:
    """Without notices, languages and themes: a window starts with none."""
    cookies = [cookie for cookie in state["cookies"] if cookie["name"].endswith("takumi_session")]
    return {"cookies": cookies, "origins": []}


@pytest.fixture(scope="session")
def states() -> dict:
    return {}


@pytest.fixture
def windows(browser, states):
    windows = Windows(browser, states)
    yield windows
    windows.close()


@pytest.fixture
def admin(windows, console) -> Window:
    """A window of the administrator at the shared server's default project."""
    return windows(console.server)


def site(server: Server) -> API:
    """The API for who administers the whole server."""
    return API(server, (server.home / "cli-token").read_text().strip())


def new_user(server: Server, role: str | None = "member", project: str = "default", password: str = "") -> str:
    """A user with this role; the name."""
    name = unique(role or "nobody")
    body = {"userName": name, "roles": {project: role} if role else {}} | ({"password": password} if password else {})
    site(server).call("POST", "/v1.0/users", json=body)
    return name
