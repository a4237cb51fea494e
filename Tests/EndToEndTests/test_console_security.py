"""What other sites can make a browser do at the console, and what pages allow scripts: nothing."""

import http.server
import threading

import pytest

from client import unique
from console import every_page, settle


def experiments(console) -> int:
    return console.get("experiments")["totalCount"]


@pytest.mark.parametrize(
    "change",
    [
        {"csrf": ""},
        {"csrf": None},
        {"csrf": "x" * 43},
        {"csrf": "foreign"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"X-CSRF-Token": "wrong", "csrf": None},
    ],
    ids=str,
)
def test_forms_that_others_send(admin, console, windows, change):
    """A form without this session's token, or that the browser says is another site's, changes nothing."""
    admin.open("experiments/new")
    form = {"csrf": admin.csrf(), "experimentName": unique("forged")}
    headers = {"Accept": "text/html"}
    for name, value in change.items():
        if name != "csrf":
            headers[name] = value
        elif value is None:
            del form["csrf"]
        elif value == "foreign":
            other = windows(console.server, user=None)
            other.page.goto("/login")
            form["csrf"] = other.csrf()
        else:
            form["csrf"] = value
    before = experiments(console)
    refused = admin.ask("POST", "experiments", form=form, headers=headers)
    assert refused.status == 403, f"{change}: {refused.status}: {refused.text()}"
    assert "<h1>You may not do this</h1>" in refused.text(), refused.text()
    assert experiments(console) == before
    # Nothing else was wrong with it.
    accepted = admin.ask("POST", "experiments", form=form | {"csrf": admin.csrf()}, headers={"Accept": "text/html"})
    assert accepted.status == 303, f"{accepted.status}: {accepted.text()}"


def test_log_out_log_in_and_uploads_need_the_token_too(admin, console):
    admin.open()
    assert admin.ask("POST", "/logout", form={}).status == 403
    assert admin.ask("POST", "/login", form={"userName": "admin", "password": "x"}).status == 403
    assert admin.ask("POST", "/preferences", form={"theme": "dark"}).status == 403
    place = f"storage/files/{console.storage['defaultContainer']}/{unique('forged')}"
    assert admin.ask("PUT", place, data=b"x").status == 403
    assert admin.ask("PUT", place, data=b"x", headers={"X-CSRF-Token": admin.csrf()}).status == 200
    assert admin.open("/account").url.endswith("/account"), "somebody else's form logged the user out"


class Evil(http.server.BaseHTTPRequestHandler):
    """Another site: a page that posts a form to the console, and one that shows the console in a frame."""

    target = ""

    def do_GET(self):
        form = f"<form method=post action='{self.target}/logout'></form><script>document.forms[0].submit()</script>"
        frame = f"<iframe src='{self.target}/login'></iframe><iframe src='{self.target}/projects/default'></iframe>"
        page = {"/form": form, "/frame": frame}.get(self.path, "")
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<!doctype html>{page}".encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture
def evil(console):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Site", (Evil,), {"target": console.server.url}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # Another name for the same machine: another site to the browser.
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_another_site_cannot_log_out_or_frame(console, windows, evil):
    """With a real browser: the form of another site is refused, and a frame around the console stays empty."""
    window = windows(console.server, fresh=True)
    with window.page.expect_response(lambda response: response.url.endswith("/logout")) as refused:
        window.page.goto(f"{evil}/form")
    assert refused.value.status == 403, refused.value.status
    window.open("/account")

    window.page.goto(f"{evil}/frame")
    window.page.wait_for_timeout(300)
    inside = [frame.url for frame in window.page.frames[1:]]
    assert inside and not any(console.server.url in url for url in inside), f"framed: {inside}"
    # That the browser says so is what this test is about.
    assert any("frame-ancestors" in text for text in window.complaints), window.complaints
    window.forget("frame-ancestors")


def test_every_page_forbids_what_it_does_not_need(gallery, windows):
    """Each page says so in its headers, runs its own scripts under them, and the browser has nothing to complain of."""
    api, made = gallery
    window = windows(api.server)
    pages = every_page(api, made) | {"log in": "/login", "start": "/", "nothing at all": "/no-such-page"}
    problems = [f"{name} ({path}): {problem}" for name, path in pages.items() for problem in look(window, path)]
    assert not problems, "\n".join(problems)


def look(window, path: str):
    """What is wrong with a page's headers and with what the browser makes of them."""
    headers = window.open(path, status=None).headers
    directives = (part.strip().partition(" ") for part in headers.get("content-security-policy", "").split(";"))
    policy = {name: value for name, _, value in directives}
    wanted = {"default-src": "'none'", "frame-ancestors": "'none'", "base-uri": "'none'"}
    wanted |= {name: "'self'" for name in ("script-src", "style-src", "connect-src", "form-action")}
    if {name: policy.get(name) for name in wanted} != wanted or any(
        word in str(policy) for word in ("unsafe", "*", "http")
    ):
        yield f"Content-Security-Policy: {policy}"
    plain = {"x-content-type-options": "nosniff", "referrer-policy": "same-origin", "cache-control": "no-store"}
    plain |= {"cross-origin-opener-policy": "same-origin", "content-type": "text/html; charset=utf-8"}
    seen = {name: headers.get(name) for name in plain}
    if seen != plain:
        yield f"headers: {seen}"
    settle(window.page)
    if window.page.locator("script:not([src])").count():
        yield "a script inside the page"
    if window.page.locator("h1").count() != 1:
        yield f"headings of the first level: {window.page.locator('h1').all_inner_texts()}"
    yield from window.complaints
    window.complaints.clear()
