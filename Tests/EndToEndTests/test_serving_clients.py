"""Other projects' clients against our endpoints, over TLS (E-8, 12.10)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import serving_models
from client import API
from deploy import create_endpoint, create_model, resource
from harness import REPOSITORY, environment

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of the clients' environment."""
    folder = REPOSITORY / ".cache" / "clients"
    python = folder / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    if not python.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", "3.11", folder], check=True)
    # Quick where everything is there.
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", python, "-r", HERE / "serving_clients.txt"], check=True
    )
    return python


def ask(python: Path, api: API, which: str, url: str, model: str) -> dict:
    words = [python, HERE / "serving_clients.py", which, url, model, api.server.ca]
    run = subprocess.run(words, capture_output=True, text=True, timeout=300, env=environment())
    assert run.returncode == 0, f"{which} failed:\n{run.stdout}\n{run.stderr}"
    return json.loads(next(line for line in run.stdout.splitlines() if line.startswith("SEEN "))[5:])


@pytest.fixture(scope="module")
def iris(api, tmp_path_factory):
    model = create_model(api, "SKLEARN", serving_models.sklearn_iris(tmp_path_factory.mktemp("iris")))
    endpoint = create_endpoint(api, resource(model))
    endpoint.wait(timeout=300)
    yield endpoint, model
    endpoint.delete()


def test_triton(api, iris, python):
    endpoint, model = iris
    seen = ask(python, api, "triton", endpoint.url, model.name)
    assert seen["live"] and seen["ready"] and seen["modelReady"] and not seen["otherReady"]
    assert seen["metadata"]["name"] == model.name and seen["metadata"]["inputs"][0]["shape"] == [-1, 4]
    assert seen["json"] == seen["binary"] == [1, 0]
    status, message = seen["refused"]
    assert status == "400" and "3 features" in message, seen["refused"]


def test_triton_over_grpc(api, iris, python):
    endpoint, model = iris
    pod = endpoint.default.read()["endpointModelList"][0]["podList"][0]
    seen = ask(python, api, "grpc", pod["grpcAddress"], model.name)
    assert seen["live"] and seen["ready"] and seen["modelReady"] and seen["metadata"]["name"] == model.name
    assert seen["answer"] == [1, 0] and seen["big"] == 300_000
    (shape_code, shape_text), (name_code, name_text) = seen["refused"]
    assert shape_code == "StatusCode.INVALID_ARGUMENT" and "3 features" in shape_text
    assert name_code == "StatusCode.NOT_FOUND" and name_text == "Model with name other does not exist."


def test_kserve(api, iris, python):
    endpoint, model = iris
    seen = ask(python, api, "kserve", endpoint.url, model.name)
    assert seen == {"v1Ready": True, "v1": {"predictions": [1, 0]}, "v2Ready": True, "v2": [1, 0], "live": True}


def test_openai(api, python, tmp_path_factory):
    folder = serving_models.gpt2(tmp_path_factory.mktemp("gpt2"))
    model = create_model(
        api, "HUGGING_FACE", folder, parameterList=[{"parameterName": "task", "parameterValue": "text_generation"}]
    )
    endpoint = create_endpoint(api, resource(model, cpu="1", memory="2Gi"))
    endpoint.wait(timeout=600)
    seen = ask(python, api, "openai", endpoint.url, model.name)
    assert seen["models"] == [model.name]
    assert seen["text"] and seen["streamed"] == seen["text"] and seen["chunks"] > 1
    # It has learned sentences of a few words, and says where one ends.
    assert 1 <= seen["usage"]["completion_tokens"] <= 8 and seen["finish"] == "stop"
    assert seen["usage"]["total_tokens"] == seen["usage"]["completion_tokens"] + seen["usage"]["prompt_tokens"]
    assert seen["chat"] == ["assistant", seen["chatStreamed"]]
    status, body = seen["refused"]
    assert status == 400 and body["param"] == "max_tokens" and body["type"] == "invalid_request_error"
    endpoint.delete()
