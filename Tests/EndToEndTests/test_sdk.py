"""The vendor's Python SDK, unmodified, pointed at Takumi by its environment (K-1, "Shown by" 2 of issue 2)."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from client import API
from harness import REPOSITORY, Server, environment

HERE = Path(__file__).parent


def run_python(api: API, *words: str, timeout: float = 900, **variables: str) -> str:
    # Nothing but what the SDK documents: its own variables, and that of `requests` for the authority.
    settings = {"EM_API_URL": api.server.url, "REQUESTS_CA_BUNDLE": str(api.server.ca), "PYTHONUNBUFFERED": "1"}
    result = subprocess.run(
        [sys.executable, *words],
        env=environment(**settings, **variables),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert result.returncode == 0, f"{result.stdout[-6000:]}\n{result.stderr[-6000:]}"
    return result.stdout


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A server with nothing in it, since the session lists everything."""
    server = Server(tmp_path_factory.mktemp("sdk-server") / "home")
    try:
        yield API(server.start())
    finally:
        server.close()


@pytest.fixture(scope="module")
def seen(api: API, tmp_path_factory) -> dict:
    output = run_python(
        api,
        str(HERE / "sdk_session.py"),
        str(REPOSITORY / "examples"),
        api.container,
        str(tmp_path_factory.mktemp("sdk")),
        EM_TOKEN=api.token,
        EM_GROUP_ID="group",
        EM_APPKEY="default",
        EM_REGION="kr1",
    )
    return json.loads(next(line for line in output.splitlines() if line.startswith("SEEN "))[5:])


def test_version(seen):
    assert seen["version"] == "2.1.5"


def test_experiment(api: API, seen):
    name, status, uri = seen["experiment"]
    assert (name, status) == ("iris", "ACTIVE") and uri.startswith("https://")


def test_pytorch(seen):
    training = seen["trainings"][0]
    assert (training["name"], training["status"], training["nodes"]) == ("iris-pytorch", "COMPLETE", 2)
    assert training["image"] == "Ubuntu 22.04 CPU PyTorch Training" and training["instance"] == "m2.c1m2"
    assert training["elapsed"] > 0 and training["tensorboard"].startswith("https://")
    assert training["files"] == ["model.pt", "model_state.pt"]


def test_tensorflow(seen):
    training = seen["trainings"][1]
    assert (training["name"], training["status"], training["nodes"]) == ("iris-tensorflow", "COMPLETE", 2)
    assert training["image"] == "Ubuntu 22.04 CPU TensorFlow Training"
    assert "saved_model.pb" in training["files"] and "variables/variables.index" in training["files"], training["files"]


def test_object_storage(seen):
    sizes = [(REPOSITORY / "examples/iris/data" / name).stat().st_size for name in ("train/train.csv", "test/test.csv")]
    assert seen["size"] == sizes[0]
    assert [name.rsplit("/", 1)[1] for name in seen["objects"]] == ["test.csv", "train.csv"]


def test_refusal_reaches_the_user(seen):
    assert "nprocPerNode" in seen["refused"] and "1 to 1" in seen["refused"], seen["refused"]


def test_everything_is_deleted(api: API, seen):
    assert seen["left"] == [0, 0, 0]
    assert not list((api.server.home / "workloads").glob("*-*")), "files of deleted trainings are left"


ACCESS_TOKEN = """
import json, os, sys
import easymaker
from easymaker.common import constants
# The SDK has the vendor's own Keystone as a constant; there is no variable for it.
constants.OBJECT_STORAGE_TOKEN_URL["public"] = sys.argv[1]
easymaker.init(appkey="default", region="kr1", access_token=sys.argv[2])
experiment = easymaker.Experiment().create(experiment_name="by access token")
names = [e.experiment_name for e in easymaker.Experiment.get_list()]
os.environ["EM_TOKEN"] = ""
with open("f.txt", "w") as file:
    file.write("content")
login = {"easymaker_region": "kr1", "username": "anyone", "password": sys.argv[2]}
easymaker.upload(sys.argv[3], "f.txt", **login)
easymaker.download(sys.argv[3], "down", show_progress=False, **login)
easymaker.Experiment.delete_by_id(experiment.id)
print(json.dumps([names, open("down/f.txt").read(), len(easymaker.Training.get_instance_type_list()),
    len(easymaker.Training.get_image_list()), len(easymaker.Training.get_algorithm_list())]))
"""


def test_access_token(api: API, seen, tmp_path, monkeypatch):
    """The other way in: a token given to `init`, and Keystone for the storage."""
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "session.py"
    script.write_text(ACCESS_TOKEN)
    output = run_python(api, str(script), f"{api.server.tls_url}/v2.0/tokens", api.token, f"{api.container}/access")
    names, content, flavors, images, algorithms = json.loads(output.splitlines()[-1])
    assert names == ["by access token"] and content == "content"
    assert flavors == len(api.flavors) and algorithms == 0
    assert images == sum(image["imageTypeCode"] == "TRAINING" for image in api.images.values())


def test_wrong_access_token(api: API, seen):
    script = """
import sys, easymaker
easymaker.init(appkey="default", region="kr1", access_token="wrong")
try:
    easymaker.Experiment.get_list()
except Exception as error:
    print(type(error).__name__, error)
"""
    assert run_python(api, "-c", script).startswith("EasyMakerError")


def test_storage_token_of_the_sdk(api: API):
    """In the form that the SDK parses: with an offset when EM_TOKEN is set."""
    path = "/token/v1.0/appkeys/default/groups/any/iaas-token"
    token = api.call("GET", path)["access"]["token"]
    expires = datetime.strptime(token["expires"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert expires - datetime.now(UTC) > timedelta(hours=1)
    api.refused("GET", path, 401, headers={})
    api.refused("GET", path.replace("default", "other"), 404)
