"""Coming in to the console and going out: one-time links, passwords, guessing, sessions and their cookies."""

import re
from urllib.parse import urlencode

import pytest
import requests
from playwright.sync_api import expect

from console import PASSWORD, Window, new_user
from harness import Server


def test_the_first_start_link_then_a_password(make_server, windows):
    """The link of the first start works once. Whoever it let in sets a password, logs out, and comes back with that."""
    server = make_server()
    link = re.search(r"https?://\S+/login\?token=\S+", server.log.read_text())
    assert link, f"the first start prints no link: {server.log.read_text()}"
    window = windows(server, user=None)
    page = window.page
    page.goto(link[0])
    page.wait_for_url("**/projects/default")
    assert window.heading() == "Dashboard"
    expect(window.toast()).to_contain_text("Set a password")

    second = windows(server, user=None)
    response = second.page.goto(link[0])
    assert response.status == 401 and "has been used or has expired" in second.text(), second.text()
    assert second.cookie("takumi_session") is None, "a link that was used before logs in"

    window.open("/account")
    assert window.field("current").count() == 0, "there is no current password to ask for yet"
    window.fill(password="short", repeated="short")
    window.submit("Set password")
    expect(window.error_of("password")).to_contain_text("10")
    window.fill(password=PASSWORD, repeated=PASSWORD + "x")
    window.submit("Set password")
    expect(window.error_of("repeated")).to_have_text("is not the same as the new password")
    assert PASSWORD not in page.content(), "the page repeats a password that was typed"
    window.fill(password=PASSWORD, repeated=PASSWORD)
    window.submit("Set password")
    expect(window.toast()).to_contain_text("The password is set")
    assert window.field("current").count() == 1, "changing the password does not ask for the current one"

    window.log_out()
    window.log_in_with_password("admin")
    page.wait_for_url("**/projects/default")


def test_a_page_asked_for_before_logging_in_comes_afterwards(console, windows):
    user = new_user(console.server, password=PASSWORD)
    window = windows(console.server, user=None)
    window.page.goto("/projects/default/trainings?state=RUNNING&q=a%26b")
    expect(window.page).to_have_url(re.compile(r"/login\?next="))
    window.log_in_with_password(user)
    expect(window.page).to_have_url(re.compile(r"/projects/default/trainings\?state=RUNNING&q=a%26b$"))
    expect(window.page.get_by_role("searchbox")).to_have_value("a&b")


def test_wrong_password_keeps_the_name(console, windows):
    """The refusal does not tell a wrong name from a wrong password, and keeps the one but not the other."""
    user = new_user(console.server, password=PASSWORD)
    texts = set()
    for name in (user, "nobody-of-this-name"):
        window = windows(console.server, user=None)
        window.page.goto("/login")
        window.log_in_with_password(name, "not the password")
        alert = window.page.get_by_role("alert")
        expect(alert).to_be_focused()
        texts.add(alert.inner_text())
        expect(window.page.get_by_label("User name")).to_have_value(name)
        expect(window.page.get_by_label("Password")).to_have_value("")
        assert "not the password" not in window.page.content(), "the page repeats the password"
        assert window.cookie("takumi_session") is None
    assert texts == {"The user name or the password is wrong."}, texts


def test_guessing_passwords(make_server, windows):
    """After a few wrong tries even the right password must wait, as the answer and the page say; then it works."""
    server = make_server()
    user = new_user(server, password=PASSWORD)
    window = windows(server, user=None)
    window.page.goto("/login")
    form = {"userName": user, "password": "wrong wrong wrong"}
    codes = [window.send("/login", form).status for _ in range(6)]
    assert codes == [422] * 5 + [429], codes
    refused = window.send("/login", form | {"password": PASSWORD})
    wait = int(refused.headers.get("retry-after", "0"))
    assert refused.status == 429 and 1 <= wait <= 2, f"{refused.status}, Retry-After: {wait}"
    window.log_in_with_password(user)
    expect(window.page.get_by_role("alert")).to_contain_text("Too many wrong tries. Wait")
    # Somebody else's tries do not keep others out.
    other = new_user(server, password=PASSWORD)
    assert window.send("/login", {"userName": other, "password": PASSWORD}).status == 303
    window.context.clear_cookies()
    window.page.goto("/login")
    window.page.wait_for_timeout(1000 * wait)
    window.log_in_with_password(user)
    window.page.wait_for_url("**/projects/default")


def test_a_planted_session_is_worth_nothing(console, windows):
    """Logging in gives a new session, whatever the browser brought; logging out ends it on the server, too."""
    user = new_user(console.server, password=PASSWORD)
    # What somebody planted: a value of their own making, and a real session of their own.
    attacker = windows(console.server, user=new_user(console.server), fresh=True)
    for planted in ("x" * 43, attacker.cookie("takumi_session")["value"]):
        victim = windows(console.server, user=None)
        victim.context.add_cookies([{"name": "takumi_session", "value": planted, "url": console.server.url}])
        link = console.server.command("login", "--user", user).stdout.strip()
        victim.page.goto(link)
        # A browser that has a session is asked first.
        if victim.page.get_by_role("button", name="Log in as").count():
            victim.submit(f"Log in as {user}")
        session = victim.cookie("takumi_session")["value"]
        assert session != planted, "the planted session was kept"
        assert status_of(console.server, planted) == 303, "the planted session is logged in"
        assert status_of(console.server, session) == 200
        victim.log_out()
        assert victim.cookie("takumi_session") is None, victim.context.cookies()
        assert status_of(console.server, session) == 303, "the session works after its user has logged out"


def status_of(server: Server, session: str) -> int:
    return requests.get(
        f"{server.url}/account",
        cookies={"takumi_session": session},
        headers={"Accept": "text/html"},
        allow_redirects=False,
        timeout=10,
    ).status_code


def test_logging_in_by_password_ends_the_session_before(console, windows):
    user = new_user(console.server, password=PASSWORD)
    window = windows(console.server, user=user, fresh=True)
    before = window.cookie("takumi_session")["value"]
    assert window.send("/login", {"userName": user, "password": PASSWORD}).status == 303
    after = window.cookie("takumi_session")["value"]
    assert after != before
    assert (status_of(console.server, before), status_of(console.server, after)) == (303, 200)


@pytest.mark.parametrize("secure", [False, True])
def test_cookies(console, windows, secure):
    """No script can read the session, no other site can send it, and on the TLS port nothing else can set it."""
    window = windows(console.server, fresh=True, secure=secure)
    window.open("/account")
    window.send("/preferences", {"language": "en", "theme": "dark", "back": "/"})
    cookies = {cookie["name"]: cookie for cookie in window.context.cookies()}
    session = "__Host-takumi_session" if secure else "takumi_session"
    assert set(cookies) >= {session, "takumi_language", "takumi_theme"}, set(cookies)
    for name, cookie in cookies.items():
        seen = (cookie["httpOnly"], cookie["secure"], cookie["sameSite"], cookie["path"])
        # What is no secret is not Secure either: the plain port could not replace it then.
        is_secure = secure and name.startswith("__Host-")
        assert is_secure or not secure or name in ("takumi_language", "takumi_theme", "takumi_notice"), name
        strict = "Strict" if name.endswith("takumi_form") else "Lax"
        assert seen == (True, is_secure, strict, "/"), f"{name}: httpOnly, secure, sameSite, path: {seen}"
    # No domain: for this very host and none below it.
    assert cookies[session]["domain"] == "127.0.0.1", cookies[session]
    assert window.page.evaluate("document.cookie") == ""


TARGETS = [
    "//evil.example/", "///evil.example", "/\\evil.example/", "\\\\evil.example", "https://evil.example/",
    "/\t/evil.example", "javascript:alert(1)", "/%0d%0aX:%20y", "evil.example",
]  # fmt: skip


def test_nobody_is_sent_elsewhere(console, windows):
    """`next` of the log in, and `back` of the language and theme, lead to this console or to its start page."""
    user = new_user(console.server, password=PASSWORD)
    window: Window = windows(console.server, user=None)
    window.page.goto("/login")
    form = {"csrf": window.csrf(), "userName": user, "password": PASSWORD}
    answers = [window.ask("POST", "/login", params={"next": TARGETS[0]}, form=form)]
    window.page.goto("/account")
    for target in TARGETS:
        token = console.server.command("login", "--user", user).stdout.strip().partition("token=")[2]
        answers.append(window.send(f"/login/link?{urlencode({'next': target})}", {"token": token}))
        answers.append(window.ask("GET", "/login", params={"next": target}))
        window.page.goto("/account")
        answers.append(window.send("/preferences", {"language": "en", "back": target}))
        answers.append(window.ask("GET", "/apps", params={"to": target}))
    for answer in answers:
        location = answer.headers.get("location", "")
        assert answer.status == 303, f"{answer.url}: {answer.status}"
        # To the origin of users' programs, and nowhere else, with a ticket for it.
        place = re.sub(r"^https://127\.0\.0\.1:\d+(?=/.*[?]takumi_ticket=)", "", location)
        assert re.match(r"/([^/\\\s]|$)", place), f"{answer.url}: {location!r}"
        assert "x" not in answer.headers, f"{answer.url}: a line break became a header"
