"""A requirements.txt beside the program is installed before it runs (T-2)."""

import io
import zipfile

import pytest

from client import API, unique
from harness import Server, eventually

NAME = "takumi_probe-1.0-py3-none-any.whl"
SCRIPT = "import takumi_probe; print(takumi_probe.WORD)"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A server with environments of its own: these tests make some that nobody needs again."""
    folder = tmp_path_factory.mktemp("requirements")
    server = Server(folder / "home", variables={"TAKUMI_ENVIRONMENTS": str(folder / "environments")})
    try:
        yield API(server.start())
    finally:
        server.close()


def wheel(word: str) -> bytes:
    """A package `takumi_probe` with one word in it."""
    content = io.BytesIO()
    info = "takumi_probe-1.0.dist-info"
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("takumi_probe.py", f"WORD = {word!r}\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: takumi-probe\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return content.getvalue()


def test_a_file_named_by_a_relative_path(api: API):
    training = api.train(SCRIPT, {"requirements.txt": f"./wheels/{NAME}\n", f"wheels/{NAME}": wheel("installed")})
    training.wait(timeout=180)
    assert training.printed() == ["installed"]


def test_the_same_text_and_another_file(api: API):
    """The text does not say all: the file that it names can have changed."""
    for word in ("first", "second"):
        training = api.train(SCRIPT, {"requirements.txt": f"# again\n./{NAME}\n", NAME: wheel(word)})
        training.wait(timeout=180)
        assert training.printed() == [word]


def test_a_second_file_of_requirements(api: API):
    files = {"requirements.txt": "-r more/base.txt\n", "more/base.txt": f"./{NAME}\n", NAME: wheel("nested")}
    for name in (NAME, f"more/{NAME}"):
        files[name] = wheel("nested")
    training = api.train(SCRIPT, files)
    training.wait(timeout=180)
    assert training.printed() == ["nested"]


def test_a_package_of_the_index(api: API):
    training = api.train(
        "import tomli_w; print(tomli_w.dumps({'a': 1}).strip())", {"requirements.txt": "tomli-w==1.2.0\n"}
    )
    training.wait(timeout=180)
    assert training.printed() == ["a = 1"]


def test_what_cannot_be_installed(api: API):
    training = api.train("print('never')", {"requirements.txt": "./wheels/absent-1.0-py3-none-any.whl\n"})
    failed = training.wait("CREATE_FAILED", timeout=180)
    assert "requirements.txt" in failed["statusReason"] and "absent" in failed["statusReason"], failed["statusReason"]
    assert "exitCode" not in failed and training.printed() == []


def test_what_is_no_list_of_requirements(api: API):
    training = api.train("print('never')", {"requirements.txt": "this is = not a requirement\n"})
    cause = training.wait("CREATE_FAILED", timeout=180)["statusReason"]
    assert "requirements.txt" in cause, cause


def test_stopped_while_packages_are_installed(api: API):
    """A stop must not wait for an installation."""
    training = api.train("print('never')", source_package("import time; time.sleep(120)"))
    eventually(
        lambda: "requirements.txt" in (training.read().get("statusReason") or ""), "the installation begins", timeout=60
    )
    training.stop()
    training.wait("STOPPED", timeout=15)
    assert training.printed() == []


def test_what_is_installed_cannot_read_the_servers_secrets(api: API):
    """Installing a package from source runs its code: it must be confined as the program itself is."""
    home = api.server.home
    secret = f"open({str(home / 'cli-token')!r}).read()"
    witness = home / "written-by-a-package"
    code = f"""
import sys
try:
    {secret}
    sys.exit("the package has read the token of the server's administrator")
except OSError:
    pass
try:
    open({str(witness)!r}, "w").close()
except OSError:
    pass
"""
    training = api.train("import takumi_probe; print(takumi_probe.WORD)", source_package(code))
    training.wait(timeout=180)
    assert training.printed() == ["built"]
    assert not witness.exists(), "the package has written to the server's home"


def source_package(code: str) -> dict[str, str | bytes]:
    """A package whose build, with a backend of its own, runs some code first."""
    backend = f"""
{code}
def build_wheel(directory, settings=None, metadata=None):
    name = {NAME!r}
    open(directory + "/" + name, "wb").write({wheel("built")!r})
    return name
"""
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    return {
        "requirements.txt": f"# {unique('source')}\n./package\n",
        "package/pyproject.toml": project,
        "package/backend.py": backend,
    }
