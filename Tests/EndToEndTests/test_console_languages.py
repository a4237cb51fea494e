"""English and Japanese, light and dark, and the console without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from client import Training, unique
from console import PASSWORD, Window, every_page, new_user, overflow, settle


KANA = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en-US,en;q=0.9", "en"),
        ("en,ja", "en"),
        ("fr,ja;q=0.5,en;q=0.3", "ja"),
        ("ja;q=0.1,en;q=0.9", "en"),
        ("de", "en"),
        ("ja;q=0", "en"),
        (";;q=,,", "en"),
    ],
)
def test_the_browsers_language(console, windows, accepted, language):
    window = windows(console.server, user=None)
    page = window.ask("GET", "/login", headers={"Accept-Language": accepted}).text()
    title = {"en": "Log in", "ja": "ログイン"}[language]
    assert f'<html lang="{language}"' in page and f"<h1>{title}</h1>" in page, page


def test_the_switch_is_kept(console, windows):
    """Chosen at the log in, it holds on every page and for what scripts say; and back again."""
    window = windows(console.server)
    page = window.page
    window.open("trainings")
    page.get_by_label("Language").select_option("ja")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page).to_have_url(re.compile("/trainings$"))
    for place in ("", "experiments", "storage", "events", "/account"):
        window.open(place)
        expect(page.locator("html")).to_have_attribute("lang", "ja")
        assert KANA.search(window.heading()), f"{place}: {window.heading()}"
    window.open("trainings/new")
    page.locator("[data-picker-open]").first.click()
    assert KANA.search(page.locator("dialog.picker").inner_text()), page.locator("dialog.picker").inner_text()
    page.keyboard.press("Escape")
    page.locator("select[name=language]").select_option("en")
    expect(page.locator("html")).to_have_attribute("lang", "en")


# What is the same in every language: names of products, units, states as the API has them, and what users named.
SAME = re.compile(
    r"X-[\w-]+。?|Takumi|TensorBoard|JupyterLab|NAS|API|Python|SDK|URI|vCPU|GPU|CPU|Ubuntu.*|torchrun|English|\W*"
    r"|Validation-accuracy|API Gateway|Pod( \w+)?"
    r"|[\d:,.–/ ]+( (B|[KMG]iB|GB|%))?"
    r"|[A-Z][A-Z_ ]+[A-Z]|[a-z0-9][\w.-]*(: .*)?|[a-z]+://\S*|PyTorch|TensorFlow|.*[a-z]\d\.c\d.*|Id|ID"
)


def test_japanese_everywhere(gallery, windows):
    """No page of the Japanese console has an English heading, button, label or menu left, nor does one stick out."""
    api, made = gallery
    window = windows(api.server, locale="ja-JP")
    page, english, wide = window.page, {}, {}
    for name, path in every_page(api, made).items():
        page.set_viewport_size({"width": 1280, "height": 900})
        window.open(path, status=None)
        settle(page)
        texts = page.locator(
            "h2, legend, .table:not(.compare) th[scope=col], button, .button, label > span, .menu a, .tabs a, dt, "
            ".hint, summary"
        ).all_inner_texts()
        parts = {text.strip() for text in texts} | {page.title().removesuffix(" · Takumi")}
        left = sorted(text for text in parts if not KANA.search(text) and not SAME.fullmatch(text))
        if left:
            english[name] = left
        page.set_viewport_size({"width": 320, "height": 700})
        if out := overflow(page):
            wide[name] = out
    assert not english and not wide, f"{english} {wide}"


def test_the_theme_comes_with_the_page(console, windows):
    """It changes at once, without loading the page, and the next page has it from the first byte: nothing flashes."""
    window = windows(console.server, color_scheme="light")
    page, html = window.page, window.page.locator("html")
    window.open("trainings")
    expect(html).to_have_attribute("data-theme", "auto")
    light = background(window)
    window.mark()
    with page.expect_response("**/preferences"):
        page.get_by_label("Theme").select_option("dark")
    expect(html).to_have_attribute("data-theme", "dark")
    dark = background(window)
    assert brightness(light) > 0.9 and brightness(dark) < 0.2, f"light {light}, dark {dark}"
    window.assert_not_reloaded()
    source = window.ask("GET", "experiments", headers={"Accept": "text/html"}).text()
    assert re.search(r'<html lang="en" data-theme="dark">', source), source[:200]
    window.open("experiments")
    assert background(window) == dark
    page.emulate_media(color_scheme="light")
    assert background(window) == dark, "a theme that was chosen follows the system"
    with page.expect_response("**/preferences"):
        page.get_by_label("Theme").select_option("auto")
    assert background(window) == light
    page.emulate_media(color_scheme="dark")
    assert background(window) == dark, "the theme of the system is not followed"


def background(window: Window) -> str:
    return window.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")


def brightness(colour: str) -> float:
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3 / 255


def test_without_javascript(console, windows):
    """Log in, list, create with hyperparameters, see the failure of a form, compare, stop, delete, log out."""
    user, name = new_user(console.server, password=PASSWORD), unique("plain")
    folder = f"{console.container}/{name}"
    console.upload(f"{folder}/train.py", "import time\nprint('loss = 1', flush=True)\ntime.sleep(100)")
    window = windows(console.server, user=None, java_script_enabled=False)
    page = window.page
    page.goto(window.path("trainings"))
    window.log_in_with_password(user)
    expect(page).to_have_url(re.compile("/trainings$"))
    page.get_by_role("link", name="Create training").first.click()
    window.choose_small(console)
    window.field("experimentId").select_option("")
    window.fill(
        trainingName="a/b",
        experimentName=name,
        sourceDirUri=folder,
        entryPoint="train.py",
        modelUploadUri=f"{folder}/model",
    )
    rows = page.locator("[data-pairs=hyperparameterList] [data-pair]")
    assert rows.count() >= 3, f"only {rows.count()} rows for hyperparameters, and no script to add more"
    for index, (key, value) in enumerate((("lr", "0.1"), ("epochs", "3"), ("seed", "7"))):
        window.fill(
            **{f"hyperparameterList[{index}].parameterName": key, f"hyperparameterList[{index}].parameterValue": value}
        )
    window.submit("Create training")
    expect(window.error_of("trainingName")).not_to_be_empty()
    expect(window.field("hyperparameterList[2].parameterValue")).to_have_value("7")
    window.fill(trainingName=name)
    window.submit("Create training")
    expect(window.toast()).to_contain_text(f"Training {name} requested")
    training = Training(console, page.url.rsplit("/", 1)[1])
    assert len(training.read()["hyperparameterList"]) == 3, training.read()
    training.wait_line("loss")
    page.reload()
    expect(page.locator(".page-title .badge")).to_have_text("RUNNING")
    page.get_by_role("link", name="Log", exact=True).click()
    expect(page.locator("main")).to_contain_text("Watching the log needs JavaScript")
    page.get_by_role("link", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    training.wait("STOPPED")
    window.open("trainings")
    page.get_by_label("State").select_option("STOPPED")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("searchbox").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    page.get_by_role("link", name=name, exact=True).first.click()
    page.get_by_role("link", name="Delete", exact=True).click()
    assert window.heading() == f"Delete training {name}?"
    page.get_by_role("button", name="Delete").click()
    expect(window.toast()).to_contain_text(f"Training {name} deleted")
    page.locator("select[name=theme]").select_option("dark")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    window.log_out()


def test_menus_on_a_narrow_screen_without_javascript(console, windows):
    """Nothing is hidden that only a script could show."""
    user = new_user(console.server)
    window = windows(console.server, user, java_script_enabled=False, viewport={"width": 400, "height": 800})
    window.open()
    expect(window.page.locator("nav.sidebar").get_by_role("link", name="Trainings")).to_be_visible()
