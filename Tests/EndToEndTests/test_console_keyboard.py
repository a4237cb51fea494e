"""The console without a mouse: every step by Tab, Enter, Space, arrows and typing."""

from playwright.sync_api import expect

from client import API, unique
from console import Window


def focused(window: Window) -> str:
    """The name of what has the focus, as a screen reader would say it, roughly."""
    return window.page.evaluate(
        """() => {
            const node = document.activeElement;
            const label = node.labels?.[0]?.innerText || node.getAttribute("aria-label") || node.innerText || node.name;
            return (label || node.tagName).trim().replace(/\\s+/g, " ");
        }"""
    )


def tab_to(window: Window, name: str, key: str = "Tab", most: int = 80) -> None:
    """Presses Tab until that has the focus. On the way, the focus can always be seen."""
    seen = []
    for _ in range(most):
        window.page.keyboard.press(key)
        seen.append(focused(window))
        problem = window.page.evaluate(INVISIBLE)
        assert not problem, f"the focus on '{seen[-1]}' cannot be seen: {problem}"
        if seen[-1] == name:
            return
    raise AssertionError(f"no '{name}' on the way of the Tab key: {seen}")


# What is wrong with how the focused element shows that it is: nothing of its outline, border or shadow, or out of view.
INVISIBLE = """() => {
    const node = document.activeElement;
    if (node === document.body) return "nothing has the focus";
    const box = node.getBoundingClientRect();
    const shown = [node, node.parentElement, node.closest("label")].filter(Boolean).some((one) => {
        const style = getComputedStyle(one);
        const isDrawn = style.outlineStyle !== "none" && !/, 0\\)$/.test(style.outlineColor);
        return isDrawn && parseFloat(style.outlineWidth) >= 1;
    });
    if (!shown) return `no outline: ${node.outerHTML.slice(0, 120)}`;
    const visible = node.closest("label")?.getBoundingClientRect() ?? box;
    if (visible.bottom < 0 || visible.top > innerHeight) return `out of view: ${visible.top}`;
    return "";
}"""


def test_a_training_from_log_in_to_log(console, windows):
    """Somebody logs in, makes a training of a program in storage, and follows it to its last line: with keys only."""
    api: API = console
    name, key = unique("keys"), unique("keysource")
    folder = f"{api.container}/{key}"
    api.upload(f"{folder}/train.py", "print('written by keys')")
    window: Window = windows(api.server)
    page, press, write = window.page, window.page.keyboard.press, window.page.keyboard.type
    window.open()
    tab_to(window, "Trainings")
    press("Enter")
    page.wait_for_url("**/trainings")
    tab_to(window, "Create training")
    press("Enter")
    page.wait_for_url("**/trainings/new")
    press("Tab")
    assert focused(window) == "Skip to content", focused(window)
    press("Enter")
    tab_to(window, "Name")
    write(name)
    tab_to(window, "Experiment")
    # The first choice: a new one.
    press("Home")
    tab_to(window, "Name of the new experiment")
    write(name)
    tab_to(window, "Image")
    write("Ubuntu 22.04 CPU Python")
    expect(window.field("imageId")).to_have_value(api.images["python"]["imageId"])
    tab_to(window, "Browse… Source folder")
    press("Enter")
    picker = page.locator("dialog.picker")
    walk_picker(window, api.storage["defaultContainer"], key)
    # From the list to the button of the dialog, and the focus never leaves it.
    tab_to(window, "Use this folder")
    press("Enter")
    expect(picker).to_have_count(0)
    assert focused(window) == "Browse… Source folder", focused(window)
    expect(window.field("sourceDirUri")).to_have_value(folder)
    tab_to(window, "Browse… Entry point")
    press("Space")
    expect(picker.get_by_role("option", name="train.py")).to_have_attribute("aria-selected", "true")
    press("Enter")
    expect(window.field("entryPoint")).to_have_value("train.py")
    tab_to(window, "Key")
    write("epochs")
    tab_to(window, "Value")
    write("3")
    tab_to(window, "Instance type")
    write("t2")
    expect(window.field("flavorId")).to_have_value(api.flavors["t2.c1m1"]["id"])
    tab_to(window, "Create training")
    press("Enter")
    expect(window.toast().or_(page.locator("#form-error"))).to_contain_text(f"Training {name} requested")
    window.wait_state("COMPLETE")
    tab_to(window, "Log")
    press("Enter")
    expect(page.locator(".log-line", has_text="written by keys")).to_be_visible()
    press("/")
    write("BY KEYS")
    press("Enter")
    expect(page.locator(".log-hits")).to_have_text("1 of 1")
    expect(page.locator(".log-line.is-current")).to_contain_text("written by keys")


def walk_picker(window: Window, container: str, folder: str) -> None:
    """To a folder in a container by arrows and letters; Backspace goes up again."""
    page, press = window.page, window.page.keyboard.press
    picker, path = page.locator("dialog.picker"), page.locator(".picker-crumbs [aria-current]")
    expect(picker.get_by_role("option", name=container)).to_be_visible()
    expect(picker.get_by_role("listbox")).to_be_focused()
    page.keyboard.type(container[:3])
    expect(picker.locator("[aria-selected=true]")).to_contain_text(container)
    press("Enter")
    expect(path).to_have_text(container)
    expect(picker.get_by_role("option", name=folder)).to_be_visible()
    press("Backspace")
    expect(path).to_have_text("Storage")
    press("ArrowRight")
    expect(path).to_have_text(container)
    for _ in range(200):
        if folder in picker.locator("[aria-selected=true]").inner_text():
            break
        press("ArrowDown")
    press("Enter")
    expect(path).to_have_text(folder)


def test_the_skip_link(console, windows):
    """The first Tab shows it; it leads past the menu, so that the next Tab is in the page itself."""
    window = windows(console.server)
    window.open("trainings/new")
    link = window.page.locator(".skip")
    before = link.bounding_box()
    assert before["y"] + before["height"] <= 0 or before["width"] <= 1, f"it is shown before anybody asks: {before}"
    window.page.keyboard.press("Tab")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport(ratio=1)
    window.page.keyboard.press("Enter")
    window.page.keyboard.press("Tab")
    inside = window.page.evaluate("document.querySelector('main').contains(document.activeElement)")
    assert inside, f"the next Tab leads to {focused(window)}"


def test_a_dialog_keeps_the_focus_and_gives_it_back(console, windows):
    """It opens on the harmless button, Tab stays in it, Escape closes it, and one is where one was."""
    training = console.train("print('hi')")
    training.wait()
    window = windows(console.server)
    page, press = window.page, window.page.keyboard.press
    window.open(training.path)
    tab_to(window, "Delete")
    for close in ("Escape", "Enter"):
        press("Enter")
        dialog = page.locator("dialog[open]")
        expect(dialog).to_be_visible()
        assert focused(window) == "Cancel", focused(window)
        for key in ["Tab"] * 5 + ["Shift+Tab"] * 5:
            press(key)
            # Past the last button browsers go to their own address bar, from where it goes back to the dialog.
            inside = page.evaluate(
                "[document.body, ...document.querySelectorAll('dialog, dialog *')].includes(document.activeElement)"
            )
            assert inside, f"{key} leads out of the dialog, to {focused(window)}"
        page.get_by_role("link", name="Cancel").focus()
        press(close)
        expect(dialog).to_have_count(0)
        assert focused(window) == "Delete", focused(window)
    assert training.read()["trainingStatusCode"] == "COMPLETE"


def test_menus_on_a_narrow_screen(console, windows):
    """The menu of a telephone opens and closes by keys, and says whether it is open."""
    window = windows(console.server, viewport={"width": 400, "height": 800})
    page, press = window.page, window.page.keyboard.press
    window.open()
    toggle = page.get_by_role("button", name="Menu")
    expect(page.locator(".menu").first).to_be_hidden()
    tab_to(window, "Menu")
    press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    tab_to(window, "Project default")
    press("Space")
    expect(page.get_by_role("link", name="other", exact=True)).to_be_visible()
    press("Escape")
    expect(page.get_by_role("link", name="other", exact=True)).to_be_hidden()
    assert "default" in focused(window), focused(window)
    press("Escape")
    expect(toggle).to_have_attribute("aria-expanded", "false")
    expect(toggle).to_be_focused()


def test_uploading_by_keys(console, windows):
    """The buttons for files, which browsers do not offer to keys, are reached and pressed like any other."""
    window = windows(console.server)
    window.open(f"storage/containers/{console.storage['defaultContainer']}/")
    for name, key in (("Upload files", "Enter"), ("Upload folder", "Space")):
        tab_to(window, name)
        window.page.keyboard.press(key)
        assert window.chosen().is_multiple(), f"{name} takes one file only"
