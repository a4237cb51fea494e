"""Open pages stay true: after a lost connection they catch up. A log of a million lines is as quick as a short one."""

import re
import time

import pytest
from playwright.sync_api import expect

from client import API, Training, unique
from console import HOLDS, PATIENCE, Window, Wire, new_user, site


LINES = 1_000_000


@pytest.fixture
def wire(console):
    wire = Wire(int(console.server.ports[0]))
    yield wire
    wire.cut()


def test_the_server_dies_and_comes_back(make_server, windows):
    """Meanwhile the page says so. Afterwards it shows what happened in between, without having been loaded again."""
    server = make_server()
    api = API(server)
    training = api.train("import time\nfor step in range(1000): print('step', step, flush=True); time.sleep(0.05)")
    training.wait_line("step 3")
    window = windows(server)
    page, numbers = window.page, window.page.locator(".log-number")
    window.open(f"{training.path}/log")
    expect(page.locator(".page-title .badge")).to_have_text("RUNNING")
    expect(numbers.last).to_be_visible()
    window.mark()
    server.kill()
    expect(page.locator(".live-lost")).to_have_text("Reconnecting…")
    before = int(numbers.last.inner_text())
    server.start()
    expect(page.locator(".live-lost")).to_have_count(0, timeout=PATIENCE)
    window.wait(lambda: int(numbers.last.inner_text()) > before + 5, "the log does not go on")
    training.stop()
    window.wait_state("STOPPED")
    window.assert_not_reloaded()
    window.forget("ERR_")


def test_stopping_the_server_does_not_wait_for_open_pages(make_server, windows):
    """A page that somebody left open, and one of a training that runs, hold up no SIGTERM."""
    server = make_server()
    training = API(server).train(HOLDS)
    training.wait_line("step")
    window = windows(server)
    window.open("trainings")
    other = window.context.new_page()
    other.goto(window.path(f"{training.path}/log"))
    expect(other.locator(".log-number").last).to_be_visible()
    start = time.monotonic()
    assert server.stop(timeout=40) == 0
    took = time.monotonic() - start
    assert took < 3, f"with two pages open the server took {took:.1f} s to stop"
    window.forget("ERR_")


def test_a_lost_connection(console, windows, wire):
    """A list and the log of a training that ends while the browser is cut off: both say so, and both catch up."""
    training = console.train(HOLDS, trainingName=unique("offline"))
    training.wait_line("step = 2")
    window = windows(console.server, base=wire.url)
    log, listing = window.page, window.context.new_page()
    window.open(f"{training.path}/log")
    listing.goto(window.path("trainings"))
    row = listing.locator(f"#row-{training.id} .badge")
    expect(row).to_have_text("RUNNING")
    expect(log.locator(".log-number").last).to_be_visible()
    for page in (log, listing):
        page.evaluate("window.markOfTheTest = true")
    wire.cut()
    for page in (log, listing):
        expect(page.locator(".live-lost")).to_be_visible()
    training.stop()
    training.wait("STOPPED")
    last = training.lines()[-1]
    assert row.inner_text() == "RUNNING", "the browser is not cut off"
    wire.mend()
    expect(row).to_have_text("STOPPED", timeout=PATIENCE)
    expect(log.locator(".page-title .badge")).to_have_text("STOPPED", timeout=PATIENCE)
    expect(log.locator(".log-text").last).to_have_text(last)
    for page in (log, listing):
        expect(page.locator(".live-lost")).to_have_count(0)
        assert page.evaluate("window.markOfTheTest === true"), f"{page.url} was loaded again"
    window.forget("ERR_")


def test_a_session_that_ends_elsewhere(console, windows):
    """The open page of a list goes to the log in by itself; a form with what somebody has typed stays."""
    user = new_user(console.server)
    window = windows(console.server, user, fresh=True)
    window.open("trainings")
    form = window.context.new_page()
    form.goto(window.path("trainings/new"))
    form.get_by_label("Name", exact=True).first.fill("half a name")
    site(console.server).call("DELETE", f"/v1.0/users/{user}")
    console.train("print()").wait()
    expect(window.page).to_have_url(re.compile("/login"), timeout=PATIENCE)
    form.wait_for_timeout(500)
    expect(form.get_by_label("Name", exact=True).first).to_have_value("half a name")


# MARK: - A long log


@pytest.fixture(scope="module")
def long_log(console) -> Training:
    """A training that has ended, and has printed a million lines, as far as its log says."""
    training = console.train("print('short')", trainingName=unique("talkative"))
    training.wait()
    path = console.server.home / "workloads" / training.id / "0" / "log"
    assert path.is_file(), f"the log is not at {path}"
    with path.open("w") as log:
        for number in range(1, LINES + 1):
            stream = "E" if number % 1000 == 0 else "O"
            rare = " needle" if number % 250_000 == 7 else ""
            log.write(f"2026-11-21T10:03:31.{number % 1_000_000:06} {stream} line {number} of many{rare}\n")
    return training


def shown(window: Window) -> list[int]:
    """The numbers in the gutter of the lines in view, each of which must have its own text."""
    lines = window.page.evaluate(
        """() => {
            const view = document.querySelector(".log-view").getBoundingClientRect();
            const rows = [...document.querySelectorAll(".log-line")].filter((row) => {
                const box = row.getBoundingClientRect();
                return box.bottom > view.top + 1 && box.top < view.bottom - 1;
            });
            const part = (row, name) => row.querySelector(name).textContent;
            return rows.map((row) => [part(row, ".log-number"), part(row, ".log-text")]);
        }"""
    )
    wrong = [(number, text) for number, text in lines if text and not text.startswith(f"line {number} of many")]
    assert not wrong, f"lines that are not at their number: {wrong[:5]}"
    return [int(number) for number, text in lines if text]


def wait_shown(window: Window, number: int) -> list[int]:
    window.wait(lambda: number in shown(window), f"line {number} does not come into view")
    numbers = shown(window)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), f"not one after the other: {numbers}"
    assert len(numbers) > 10, f"the view is nearly empty: {numbers}"
    return numbers


def watch_long_tasks(window: Window) -> None:
    window.page.evaluate(
        """() => {
            window.longest = 0;
            new PerformanceObserver((list) => {
                for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
            }).observe({ type: "longtask" });
        }"""
    )


def assert_quick(window: Window) -> None:
    longest = window.page.evaluate("window.longest")
    assert longest < 200, f"the page did not answer for {longest:.0f} ms"


def test_a_million_lines(console, windows, long_log):
    """Opens at the end; goes to the start, to the middle and by pages; every line has its number; nothing freezes."""
    window = windows(console.server)
    page = window.page
    window.open(f"{long_log.path}/log")
    watch_long_tasks(window)
    wait_shown(window, LINES)
    view = page.locator(".log-view")
    assert page.locator(".log-line").count() < 200, "the page holds lines that nobody sees"
    page.get_by_role("button", name="Start").click()
    assert wait_shown(window, 1)[0] == 1
    expect(page.get_by_label("Follow")).not_to_be_checked()

    # The scrollbar to the middle.
    view.evaluate("(node) => node.scrollTop = (node.scrollHeight - node.clientHeight) / 2")
    window.wait(lambda: shown(window) and abs(shown(window)[0] - LINES // 2) < LINES // 50, "the middle is not in view")
    first = wait_shown(window, shown(window)[0])[0]
    view.focus()
    page.keyboard.press("PageDown")
    window.wait(lambda: shown(window) and shown(window)[0] > first, "a page down leads nowhere")
    second = shown(window)[0]
    assert 5 < second - first < 100, f"a page is {second - first} lines"
    page.keyboard.press("PageUp")
    window.wait(lambda: shown(window) and shown(window)[0] == first, f"a page up does not lead back to {first}")

    # The wheel, for a while, in the middle of the squeezed part: as far as on a page of any length.
    box = view.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    for _ in range(30):
        page.mouse.wheel(0, 200)
        page.wait_for_timeout(16)
    window.wait(lambda: shown(window) and abs(shown(window)[0] - first - 300) <= 2, f"300 lines from {first}")
    page.wait_for_timeout(300)
    assert abs(wait_shown(window, first + 305)[0] - first - 300) <= 2, "the view moves after the wheel has stopped"

    # Dragging the scrollbar from one end to the other.
    for step in range(40):
        view.evaluate("(node, part) => node.scrollTop = node.scrollHeight * part", step / 40)
        page.wait_for_timeout(16)
    page.keyboard.press("End")
    assert wait_shown(window, LINES)[-1] == LINES
    page.keyboard.press("Home")
    wait_shown(window, 1)
    assert_quick(window)


def test_searching_a_million_lines(console, windows, long_log):
    """The last match first, then the next and the one before, around both ends; each is shown with its surroundings."""
    window = windows(console.server)
    page = window.page
    window.open(f"{long_log.path}/log")
    wait_shown(window, LINES)
    watch_long_tasks(window)
    hits, current = page.locator(".log-hits"), page.locator(".log-line.is-current")
    page.get_by_role("searchbox").fill("NEEDLE")
    expect(hits).to_have_text("4 of 4")
    numbers = [number for number in range(1, LINES + 1) if number % 250_000 == 7]
    expect(current.locator(".log-number")).to_have_text(str(numbers[3]))
    for key, index in (("Enter", 0), ("Shift+Enter", 3), ("Shift+Enter", 2), ("Enter", 3)):
        page.keyboard.press(key)
        expect(hits).to_have_text(f"{index + 1} of 4")
        expect(current.locator("mark")).to_have_text("needle")
        assert numbers[index] in wait_shown(window, numbers[index])
    page.get_by_role("button", name="Previous match").click()
    expect(hits).to_have_text("3 of 4")
    page.get_by_role("button", name="Next match").click()
    expect(hits).to_have_text("4 of 4")
    page.get_by_role("searchbox").fill("of many")
    expect(hits).to_have_text("10,000 of 1,000,000", timeout=30_000)
    page.get_by_role("searchbox").fill("nothing like it")
    expect(hits).to_have_text("No matches")
    expect(page.get_by_role("button", name="Next match")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.locator("mark")).to_have_count(0)
    assert_quick(window)


def test_what_a_log_can_hold(admin, console):
    """Colours of a terminal, progress bars, long lines, both streams, times; copied lines are without their numbers."""
    training = console.train(
        "import sys\n"
        "print('\\x1b[31mred\\x1b[0m and plain')\n"
        "print('to stderr', file=sys.stderr)\n"
        "print('x' * 30000)\n"
        "print('日本語 é 😀')\n"
        "for step in range(3): print('progress', step, end='\\r', flush=True)\n"
        "print()\nprint('   indented')\n"
    )
    training.wait()
    page = admin.page
    admin.open(f"{training.path}/log")
    expect(page.locator(".log-text").get_by_text("red and plain", exact=True)).to_be_visible()
    expect(page.locator('.log-line[data-stream="stderr"]')).to_contain_text("to stderr")
    expect(page.locator(".log-text", has_text="xxxx")).to_have_text(re.compile(r"^x{10000}… 20,000 more characters$"))
    expect(page.locator(".log-text").get_by_text("日本語 é 😀", exact=True)).to_be_visible()
    expect(page.locator(".log-text", has_text="progress")).to_have_count(3)
    page.get_by_label("Times").check()
    expect(page.locator(".log-time").first).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))
    page.locator(".log-view").evaluate(
        """(view) => getSelection().setBaseAndExtent(
            view.querySelector(".log-line .log-text"), 0, [...view.querySelectorAll(".log-text")].at(-1), 1)"""
    )
    copied = page.evaluate(
        """() => {
            const data = new DataTransfer();
            const event = new ClipboardEvent("copy", { clipboardData: data, bubbles: true, cancelable: true });
            document.querySelector(".log-line").dispatchEvent(event);
            return data.getData("text/plain");
        }"""
    )
    assert "red and plain\n" in copied and copied.endswith("   indented"), f"copied: {copied!r:.300}"
    assert not re.search(r"^\d+", copied, re.MULTILINE), f"numbers were copied: {copied!r:.300}"


def test_following(admin, console):
    """It follows until one scrolls up, then new lines leave the view alone; at the end it follows again."""
    script = "import time\nfor step in range(2000): print('line', step + 1, 'of many', flush=True); time.sleep(0.02)"
    training = console.train(script)
    try:
        training.wait_line("line 60")
        page, follow = admin.page, admin.page.get_by_label("Follow")
        admin.open(f"{training.path}/log")
        expect(follow).to_be_checked()
        view, number = page.locator(".log-view"), page.locator(".log-number")
        before = int(number.last.inner_text())
        admin.wait(lambda: int(number.last.inner_text()) > before, "it does not follow")
        view.hover()
        page.mouse.wheel(0, -400)
        expect(follow).not_to_be_checked()
        top = page.evaluate("document.querySelector('.log-view').scrollTop")
        first = number.first.inner_text()
        page.wait_for_timeout(1500)
        assert number.first.inner_text() == first, "the view moves away from who reads"
        assert page.evaluate("document.querySelector('.log-view').scrollTop") == top
        page.get_by_role("button", name="End").click()
        expect(follow).to_be_checked()
        before = int(number.last.inner_text())
        admin.wait(lambda: int(number.last.inner_text()) > before, "it does not follow again")
    finally:
        training.stop()
