"""A picture of every page, kept in `.cache/screenshots` for whoever wants to see what the tests saw."""

import shutil

from console import every_page
from harness import REPOSITORY
from screenshots import JAPANESE, LOOKS, take


FOLDER = REPOSITORY / ".cache" / "screenshots"


def test_pictures(browser, gallery, tmp_path):
    """Of each page in each look: a real picture, of the width that it should have, and no two themes alike."""
    api, made = gallery
    pages = every_page(api, made)
    written = take(browser, api, pages, tmp_path)
    expected = len(LOOKS) * (len(pages) + 1) + len(JAPANESE) + 1
    assert len(written) == len(set(written)) == expected, f"{len(written)} pictures, not {expected}"
    for file in written:
        content = file.read_bytes()
        width = int.from_bytes(content[16:20], "big")
        wanted = 400 if file.stem.endswith("-narrow") else 1280
        assert content[:4] == b"\x89PNG" and width == wanted, f"{file.name}: {width} px wide, not {wanted}"
        assert len(content) > 5000, f"{file.name} is blank: {len(content)} bytes"
        if file.stem.endswith(("-dark", "-ja")):
            plain = file.with_name(file.name.replace("-dark", "").replace("-ja", ""))
            assert content != plain.read_bytes(), f"{file.name} looks like {plain.name}"
    # Whole at once: tests that run side by side write the same folder.
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in written:
        shutil.move(file, FOLDER / file.name)
