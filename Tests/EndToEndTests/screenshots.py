#!/usr/bin/env python3
"""Pictures of every page of the console: `screenshots.py FOLDER [PAGE …]`.

Starts a server of its own with experiments, trainings and tunings in every state, and writes PNG files: each page light and dark
at 1280 px and light at 400 px, and the most important ones in Japanese. With names of pages only those, light at
1280 px: `make screenshots` makes the pictures of docs/console.md so. Needs TAKUMI_BIN, as the tests do.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from client import API
from console import Window, chromium, every_page, fill, settle, site, small_machine
from harness import Server

# The looks of a page: a suffix, the width, the theme.
LOOKS = [("", 1280, "light"), ("-dark", 1280, "dark"), ("-narrow", 400, "light")]
# The pages that are shown in Japanese, too.
JAPANESE = (
    "dashboard",
    "trainings",
    "training-new",
    "training-failed",
    "training-log",
    "storage-container",
    "tuning-new",
    "tuning",
    "tuning-study",
    "endpoint-new",
    "stage",
    "stage-statistics",
)


def take(browser: Browser, api: API, pages: dict[str, str], folder: Path) -> list[Path]:
    """- pages: addresses by name. Gives the files that were written."""
    folder.mkdir(parents=True, exist_ok=True)
    japanese = {name: pages[name] for name in JAPANESE}
    return shoot(browser, api, pages, folder, "en-US", LOOKS) + shoot(
        browser, api, japanese, folder, "ja-JP", [("-ja", 1280, "light")]
    )


def shoot(
    browser: Browser, api: API, pages: dict[str, str], folder: Path, language: str, looks, login: bool = True
) -> list[Path]:
    written = []
    window = Window(browser, api.server, locale=language, reduced_motion="reduce")
    page = window.page

    def shoot_open(name: str) -> None:
        settle(page)
        for suffix, width, theme in looks:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=theme)
            # As tall as the page: what sticks to the window would end in the middle of a picture of the whole page.
            height = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": width, "height": height})
            # Charts take their colours from the page, and are drawn again.
            page.wait_for_timeout(100 if page.locator("canvas").count() else 0)
            written.append(folder / f"{name}{suffix}.png")
            page.screenshot(path=written[-1])

    if login:
        page.goto("/login")
        shoot_open("login")
    window.log_in()
    # The notice of the first log in is not of any page.
    window.open()
    for name, path in pages.items():
        window.open(path, status=None)
        shoot_open(name)
    window.close()
    return written


def main(folder: Path, names: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="takumi-") as home, chromium() as browser:
        nas = Path(home) / "nas"
        (nas / "sets").mkdir(parents=True)
        (nas / "readme.txt").write_text("read me")
        server = Server(Path(home) / "home", small_machine(8) + f"storage:\n  nas:\n    shared: {{path: {nas}}}\n")
        try:
            server.start()
            site(server).call("POST", "/v1.0/users", json={"userName": "hanako", "roles": {"default": "viewer"}})
            api = API(server)
            pages = every_page(api, fill(api))
            if names:
                unknown = [name for name in names if name not in pages]
                if unknown:
                    sys.exit(f"no page is called {', '.join(unknown)}; there are {', '.join(sorted(pages))}")
                folder.mkdir(parents=True, exist_ok=True)
                chosen = {name: pages[name] for name in names}
                written = shoot(browser, api, chosen, folder, "en-US", LOOKS[:1], login=False)
            else:
                written = take(browser, api, pages, folder)
        finally:
            server.close()
    print(f"{len(written)} pictures in {folder}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: screenshots.py FOLDER [PAGE …]")
    main(Path(sys.argv[1]), sys.argv[2:])
