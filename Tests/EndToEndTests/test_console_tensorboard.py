"""TensorBoard from the console: in a window of its own, on another origin, for members only, as long as the session."""

import re
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import expect

from client import API, Training, unique
from console import Window, new_user, site


# A log of two scalars, written as TensorFlow does, without TensorFlow: records of protocol buffers with checksums.
SCRIPT = """
import os, struct, time

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)

def checksum(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

def record(data):
    length = struct.pack("<Q", len(data))
    return length + checksum(length) + data + checksum(data)

def field(number, data):
    return bytes([number << 3 | 2, len(data)]) + data

def scalar(tag, value, step):
    summary = field(1, field(1, tag.encode()) + b"\\x15" + struct.pack("<f", value))
    return b"\\x09" + struct.pack("<d", time.time()) + b"\\x10" + bytes([step]) + field(5, summary)

with open(os.environ["EM_TENSORBOARD_LOG_DIR"] + "/events.out.tfevents.1.host", "wb") as log:
    log.write(record(b"\\x09" + struct.pack("<d", time.time()) + field(3, b"brain.Event:2")))
    for step in range(100):
        log.write(record(scalar("train/loss", 1 / (step + 1), step)))
"""
COOKIE = "__Host-takumi_apps"


@pytest.fixture(scope="module")
def training(console: API) -> Training:
    training = console.train(SCRIPT, trainingName=unique("board"))
    training.wait()
    # The first start of all installs TensorBoard, and takes as long as that takes.
    started = requests.get(
        training.read()["tensorboardAccessUri"],
        headers={"X-EasyMaker-Token": console.token},
        verify=str(console.server.ca),
        timeout=300,
    )
    assert started.status_code == 200, f"{started.status_code}: {started.text}"
    return training


def press(window: Window, place: str):
    """The button of a training or an experiment; gives the window that opens."""
    window.open(place)
    with window.context.expect_page() as opened:
        window.page.get_by_role("link", name="TensorBoard").click()
    board = opened.value
    board.wait_for_load_state()
    return board


@pytest.fixture
def board_of(windows, console):
    """Opens TensorBoard of a place for a user: the console's window, and the one that opens."""
    opened = []

    def open_board(place: str, user: str | None = None):
        window = board_window(windows, console, user)
        board = press(window, place)
        opened.append((window, origin(board.url)))
        return window, board

    yield open_board
    for window, foreign in opened:
        # What TensorBoard itself complains of is not the console's fault.
        window.forget(foreign)


def origin(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


def board_window(windows, console: API, user: str | None = None) -> Window:
    """Its certificate is the server's own authority's, which this browser does not know."""
    user = user or new_user(console.server, "viewer")
    return windows(console.server, user, fresh=True, ignore_https_errors=True)


def ask(console: API, url: str, cookies: dict, **headers: str) -> requests.Response:
    return requests.get(
        url, cookies=cookies, headers=headers, verify=str(console.server.ca), allow_redirects=False, timeout=60
    )


def test_opens_in_a_window_on_another_origin(console, board_of, training):
    """Who may look at the project sees its curves there; what runs there has no part in the console."""
    window, board = board_of(training.path)
    assert origin(board.url) not in (origin(window.page.url), origin(console.server.tls_url)), board.url
    assert board.url.split("#")[0].endswith(f"/tensorboard/default/{training.path}/"), f"the ticket stays: {board.url}"
    expect(board.get_by_text("train/loss").first).to_be_visible(timeout=60_000)
    expect(board).to_have_title("TensorBoard · Takumi")
    assert board.evaluate("window.opener") is None, "the console's window can be reached from there"
    window.page.bring_to_front()
    assert window.page.url.endswith(training.path), "the console's own window has moved on"
    cookie = window.cookie(COOKIE)
    assert (cookie["httpOnly"], cookie["secure"], cookie["path"]) == (True, True, "/"), cookie


def test_of_an_experiment(console, board_of, training):
    experiment = training.read()["experiment"]["experimentId"]
    _, board = board_of(f"experiments/{experiment}")
    runs = board.evaluate("fetch('data/runs').then((answer) => answer.json())")
    assert any(run.startswith(training.read()["trainingName"]) for run in runs), runs


def test_a_ticket_works_once(console, windows, training):
    window = board_window(windows, console)
    window.open()
    answer = window.ask("GET", f"{training.path}/tensorboard")
    link = answer.headers["location"]
    assert answer.status == 303 and "takumi_ticket=" in link, f"{answer.status}: {answer.headers}"
    first = ask(console, link, {}, Accept="text/html")
    assert first.status_code == 303 and COOKIE in first.cookies, f"{first.status_code}: {first.headers}"
    assert first.headers["location"] == urlsplit(link).path, first.headers
    again = ask(console, link, {}, Accept="text/html")
    assert again.status_code == 401 and not again.cookies, f"the ticket works twice: {again.status_code}"
    # The cookie opens programs, and nothing of the console or the API.
    apps = first.cookies[COOKIE]
    for url in (f"{console.server.tls_url}/account", f"{console.server.url}/account"):
        for name in (COOKIE, "__Host-takumi_session", "takumi_session"):
            refused = ask(console, url, {name: apps}, Accept="text/html")
            assert refused.status_code == 303 and "/login" in refused.headers["location"], (
                f"{url}, {name}: {refused.status_code}"
            )
    api = f"{console.server.url}/v1.0/appkeys/default/trainings"
    assert ask(console, api, {COOKIE: apps}).status_code == 401
    # Nor does the console's session open programs there: cookies do not know ports.
    session = window.cookie("takumi_session")["value"]
    place = origin(link) + urlsplit(link).path
    for name in (COOKIE, "takumi_session", "__Host-takumi_session"):
        refused = ask(console, place, {name: session})
        assert refused.status_code == 401, f"{name}: {refused.status_code}"


def test_only_for_members(console, windows, training):
    """A member of another project gets 404 from the console, and from the other origin whatever cookie they have."""
    other = console.server
    stranger = windows(other, new_user(other, "member", project="other"), project="other", fresh=True)
    stranger.open()
    assert stranger.ask("GET", f"/projects/default/{training.path}/tensorboard").status == 404
    answer = stranger.ask("GET", "/apps", params={"to": f"/tensorboard/default/{training.path}/"})
    first = ask(console, answer.headers["location"], {}, Accept="text/html")
    place = origin(answer.headers["location"]) + f"/tensorboard/default/{training.path}/"
    refused = ask(console, place, dict(first.cookies), Accept="text/html")
    assert refused.status_code == 404, f"{refused.status_code}: {refused.text[:300]}"
    assert ask(console, place, {}).status_code == 401
    visitor = ask(console, place, {}, Accept="text/html")
    assert visitor.status_code == 303 and visitor.headers["location"].startswith(f"{console.server.url}/apps?to="), (
        f"{visitor.status_code}: {visitor.headers}"
    )


def test_after_the_log_out_it_is_closed(console, board_of, training):
    """The cookie of the other origin ends with the session that it came from; logging in opens it again."""
    user = new_user(console.server, "viewer")
    window, board = board_of(training.path, user)
    apps = window.cookie(COOKIE)["value"]
    data = f"{origin(board.url)}/tensorboard/default/{training.path}/data/runs"
    assert ask(console, data, {COOKIE: apps}).status_code == 200
    window.page.bring_to_front()
    window.log_out()
    assert ask(console, data, {COOKIE: apps}).status_code == 401, "the cookie works after the log out"
    board.reload()
    expect(board).to_have_url(re.compile(rf"^{re.escape(console.server.url)}/login\?next="))


def test_the_role_counts_at_every_request(console, board_of, training):
    user = new_user(console.server, "viewer")
    window, board = board_of(training.path, user)
    apps = window.cookie(COOKIE)["value"]
    data = f"{origin(board.url)}/tensorboard/default/{training.path}/data/runs"
    assert ask(console, data, {COOKIE: apps}).status_code == 200
    site(console.server).call("PUT", f"/v1.0/users/{user}", json={"roles": {"default": None}})
    assert ask(console, data, {COOKIE: apps}).status_code == 404, "the cookie works without the role"


def test_another_site_cannot_use_the_cookie(console, board_of, training):
    """TensorBoard takes POSTs; not those that other sites send."""
    window, board = board_of(training.path)
    apps = window.cookie(COOKIE)["value"]
    place = f"{origin(board.url)}/tensorboard/default/{training.path}/data/plugin/timeseries/timeSeries"
    for sender, status in (("https://evil.example", 403), (console.server.url, 403), (console.server.tls_url, 403)):
        answer = requests.post(
            place, cookies={COOKIE: apps}, headers={"Origin": sender}, verify=str(console.server.ca), timeout=60
        )
        assert answer.status_code == status, f"from {sender}: {answer.status_code}"
