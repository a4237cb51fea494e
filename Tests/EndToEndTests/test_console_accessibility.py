"""Every page for everybody: no violation that axe finds, in both themes and at two widths, and nothing sticks out."""

from playwright.sync_api import expect

from console import Window, every_page, overflow, settle, violations


# What depends on colours is looked at in every combination; what depends on elements and width, once for each width.
LOOKS = [(1280, "light", False), (1280, "dark", True), (400, "dark", False), (400, "light", True)]


def look(window: Window, name: str) -> list[str]:
    """What axe has to say of the page that is open."""
    found = []
    for width, theme, colours in LOOKS:
        window.page.set_viewport_size({"width": width, "height": 900})
        window.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found += [f"{name}, {theme}, {width} px: {one}" for one in violations(window.page, colours)]
    window.page.set_viewport_size({"width": 1280, "height": 900})
    return found


def test_every_page(gallery, windows):
    api, made = gallery
    window = windows(api.server)
    found = []
    for name, path in every_page(api, made).items():
        window.open(path, status=None)
        settle(window.page)
        found += look(window, name)
    stranger = windows(api.server, user=None)
    stranger.page.goto("/login")
    found += look(stranger, "log in")
    assert not found, "\n".join(found)


def test_what_opens_on_pages(gallery, windows):
    """Dialogs, the picker, menus, a form with mistakes, a search in a log, an empty project."""
    api, made = gallery
    window = windows(api.server)
    page, found = window.page, []
    window.open(f"trainings/{made['failed'].id}")
    window.dialog("Delete")
    found += look(window, "dialog")
    window.open("trainings/new")
    page.get_by_role("button", name="Browse… Source folder").click()
    page.get_by_role("option", name="easymaker").wait_for()
    found += look(window, "picker")
    window.open("trainings/new")
    window.fill(trainingName="a/b")
    window.submit("Create training")
    expect(page.locator("#form-error")).to_be_visible()
    found += look(window, "form with mistakes")
    window.open(f"trainings/{made['second'].id}/log")
    page.get_by_role("searchbox").fill("epoch")
    expect(page.locator("mark").first).to_be_visible()
    page.get_by_label("Times").check()
    found += look(window, "search in a log")
    window.open(f"trainings/{made['second'].id}/metrics")
    for data in page.get_by_text("Data as table").all():
        data.click()
    found += look(window, "data of charts")
    window.open()
    page.locator(".switcher summary").first.click()
    found += look(window, "menu")
    window.open("/account")
    window.fill(label="axe")
    window.submit("Create token")
    page.locator("#secret").wait_for()
    found += look(window, "new token")
    assert not found, "\n".join(found)


def test_nothing_sticks_out(gallery, windows):
    """At 320 px, a telephone or a page enlarged four times, no page scrolls sideways; tables do, by themselves. Nor
    does one at 640 px with letters of twice the size, as people set them in their browser."""
    api, made = gallery
    window = windows(api.server)
    page, found = window.page, {}
    for name, path in (every_page(api, made) | {"log in": "/login"}).items():
        page.set_viewport_size({"width": 320, "height": 700})
        window.open(path, status=None)
        settle(page)
        narrow = overflow(page)
        page.set_viewport_size({"width": 640, "height": 700})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        if narrow or overflow(page):
            found[name] = (narrow, overflow(page))
    assert not found, found


def test_motion_that_nobody_wants(gallery, windows):
    """For who asks their system for less motion, nothing moves."""
    api, made = gallery
    window = windows(api.server, reduced_motion="reduce")
    for place in ("", "trainings", f"trainings/{made['running'].id}"):
        window.open(place)
        moving = window.page.evaluate(
            """() => document.getAnimations().filter((one) => one.playState === "running" &&
                one.effect.getComputedTiming().activeDuration > 100).map((one) => one.effect.target?.className)"""
        )
        assert not moving, f"{place}: {moving}"
