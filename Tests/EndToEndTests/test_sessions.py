"""What sessions and tokens are worth when things change, and what a browser cannot do to the server."""

import time

import pytest
import requests

from client import API, unique
from harness import Server

PASSWORD = "correct horse battery"


class Browser(requests.Session):
    """A browser without scripts: cookies, and the token of each form."""

    def __init__(self, server: Server, url: str | None = None):
        super().__init__()
        self.server = server
        self.root = url or server.url
        self.verify = str(server.ca)

    def page(self, path: str, **options) -> requests.Response:
        return self.get(self.root + path, timeout=30, **options)

    def submit(self, path: str, form: dict | None = None, page: str | None = None, **options) -> requests.Response:
        """A form of the page, with its token."""
        text = self.page(page or path).text
        csrf = text.partition('name="csrf" value="')[2].partition('"')[0]
        return self.post(self.root + path, data=(form or {}) | {"csrf": csrf}, timeout=30, **options)

    def log_in(self, name: str, password: str = PASSWORD) -> requests.Response:
        return self.submit("/login", {"userName": name, "password": password}, allow_redirects=False)


@pytest.fixture
def admin(server: Server) -> API:
    return API(server, token=(server.home / "cli-token").read_text())


def make_user(admin: API, **roles: str) -> str:
    name = unique("user")
    admin.call("POST", "/v1.0/users", json={"userName": name, "password": PASSWORD, "roles": roles})
    return name


def test_open_pages_do_not_hold_a_shutdown_up(make_server):
    server = make_server()
    browser = Browser(server)
    assert browser.get(server.command("login").stdout.strip(), timeout=30).status_code == 200
    streams = [
        browser.get(f"{server.url}/projects/default/live?kind=training", stream=True, timeout=30) for _ in range(3)
    ]
    lines = [next(stream.iter_lines()) for stream in streams]
    assert all(line.startswith(b"retry:") for line in lines), lines
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 5, "the server waited for pages that are only open"


def test_a_storage_token_ends_with_its_owner(server: Server, admin: API):
    name = make_user(admin, default="member")
    browser = Browser(server)
    assert browser.log_in(name).status_code == 303
    form = {"label": "laptop", "project": "default", "role": "member"}
    page = browser.submit("/account/tokens", form, page="/account")
    token = page.text.partition('id="secret"')[2].partition("<code>")[2].partition("</code>")[0]
    theirs = API(server, token=token)
    assert theirs.get("experiments")["totalCount"] >= 0
    issued = theirs.call("GET", "/token/v1.0/appkeys/default/groups/x/iaas-token")["access"]["token"]["id"]
    place = f"{theirs.container}/{unique('object')}"
    theirs.store("PUT", place, headers={"X-Auth-Token": issued}, data=b"x")
    admin.call("PUT", f"/v1.0/users/{name}", json={"roles": {"default": "viewer"}})
    theirs.store("GET", place, 401, headers={"X-Auth-Token": issued})
    theirs.refused("POST", "experiments", 403, json={"experimentName": unique("x")})
    admin.call("DELETE", f"/v1.0/users/{name}")
    theirs.store("GET", place, 401, headers={"X-Auth-Token": issued})
    theirs.refused("GET", "experiments", 401)
    assert browser.page("/account", allow_redirects=False).status_code in (303, 401)


def test_who_has_forgotten_the_password_sets_a_new_one(server: Server, admin: API):
    name = make_user(admin, default="viewer")
    browser = Browser(server)
    assert browser.get(server.command("login", "--user", name).stdout.strip(), timeout=30).status_code == 200
    form = {"password": "another password", "repeated": "another password"}
    page = browser.submit("/account/password", form, page="/account", allow_redirects=False)
    assert page.status_code == 303, page.text
    assert Browser(server).log_in(name).status_code == 422
    other = Browser(server)
    assert other.log_in(name, "another password").status_code == 303
    # Who came by password must know it.
    page = other.submit("/account/password", form, page="/account", allow_redirects=False)
    assert page.status_code == 422 and "is not your current password" in page.text, page.text


def test_a_link_does_not_swap_a_session_unasked(server: Server, admin: API):
    ann, eve = make_user(admin), make_user(admin)
    browser = Browser(server)
    browser.log_in(ann)
    link = server.command("login", "--user", eve).stdout.strip()
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}):
        page = browser.get(link, headers=headers, timeout=30)
        assert page.status_code == 200 and f"Log in as {eve}" in page.text, page.text
        assert ann in browser.page("/account").text, "the session was swapped"
    # A stranger's browser that another site sends here is asked, too.
    page = requests.get(link, headers={"Sec-Fetch-Site": "cross-site"}, timeout=30)
    assert f"Log in as {eve}" in page.text and not [c for c in page.cookies if "session" in c.name], page.cookies
    path = link.removeprefix(server.url)
    done = browser.submit("/login/link", {"token": link.partition("token=")[2]}, page=path, allow_redirects=False)
    assert done.status_code == 303, done.text
    assert eve in browser.page("/account").text
    assert requests.get(link, timeout=30).status_code == 401, "the link works twice"


def test_strange_requests_leave_the_server_as_it_was(server: Server, api: API):
    browser = Browser(server)
    browser.get(server.command("login").stdout.strip(), timeout=30)
    training = api.train("print('x')")
    training.wait()
    base = f"/projects/default/{training.path}"
    deep = ".".join(["a"] * 4000)
    answer = browser.submit("/projects/default/experiments", {deep: "x"}, page="/projects/default/experiments/new")
    assert answer.status_code == 422, answer.status_code
    rows = {f"tagList[{index}].tagKey": "x" for index in range(5000)}
    begin = time.monotonic()
    answer = browser.submit("/projects/default/experiments", rows, page="/projects/default/experiments/new")
    assert answer.status_code == 422 and "at most 10" in answer.text
    assert time.monotonic() - begin < 5, "rows without end keep the server busy"
    for path in (
        "log/download?tail=9223372036854775807",
        "log/lines?from=9223372036854775807&count=9223372036854775807",
        "log/lines?last=9223372036854775807",
        f"log/search?q={'a' * 8000}",
        "log/lines?node=7",
        "log/lines?from=-1",
        "live?node=99999999999999999999",
    ):
        assert browser.page(f"{base}/{path}").status_code in (200, 400), path
    for path in ("?page=9223372036854775807", "?page=-1", "?sort=no&state=no&q=%25%5F%5C'", "?q=%00", "/%00", "/..%2f"):
        assert browser.page(f"/projects/default/trainings{path}").status_code in (200, 404), path
    assert api.request("GET", f"{training.path}/logs", params={"tail": 2**63 - 1}).status_code == 200
    assert requests.get(f"{server.url}/healthz", timeout=5).status_code == 200


def test_objects_do_not_act_as_pages(api: API):
    """Whoever reads an object in a browser, of a public container say, gets nothing that could run there."""
    place = f"{api.container}/{unique('page')}.html"
    api.store("PUT", place, data=b"<script>alert(1)</script>", headers={"Content-Type": "text/html"})
    answer = api.store("GET", place)
    assert answer.headers["Content-Security-Policy"] == "sandbox", answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff", answer.headers
