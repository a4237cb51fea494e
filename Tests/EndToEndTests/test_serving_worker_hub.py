"""Where the worker takes models of Hugging Face from, and which it refuses."""

import http.server
import json
import shutil
import threading
from pathlib import Path

import pytest
from serving_worker import failure, made, start


def test_other_formats_are_refused(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(made("bert_mask"), folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    refused = "pytorch_model.bin is not in the safetensors format, the only one that is served"
    assert failure(folder, "bert").startswith(refused)
    (folder / "config.json").unlink()
    assert failure(folder, "bert").startswith(refused)
    (folder / "pytorch_model.bin").unlink()
    assert failure(folder, "bert").startswith("there is no config.json: the folder has ")


def test_tasks():
    assert failure(made("bert_mask"), "bert", task="summarization").startswith(
        "parameter task is summarization; it must be one of sequence_classification, token_classification"
    )
    # The folder does not have what the task needs, which transformers makes up at random, and says so.
    assert failure(made("gpt2"), "gpt2", task="text2text_generation").startswith(
        "the model cannot be loaded for text2text_generation: "
    )


def test_folder_within_a_folder(tmp_path):
    shutil.copytree(made("bert_classifier"), tmp_path / "my-model")
    with start(tmp_path, "bert") as classifier:
        assert classifier.json({"instances": ["good"]}) == [{"predictions": [1]}]


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of huggingface.co as fetching a model takes. No test may depend on the real one."""

    models: dict[str, Path] = {}
    asked: list = []

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, with_body: bool):
        self.asked.append((self.path, self.headers.get("Authorization")))
        parts = self.path.strip("/").split("/")
        named = "/".join(parts[2:4]) if parts[0] == "api" else "/".join(parts[:2])
        if named == "org/gated" and self.headers.get("Authorization") != "Bearer hf_right":
            self.reply(403 if self.headers.get("Authorization") else 401, b"", {"X-Error-Code": "GatedRepo"})
            return
        folder = self.models.get(named)
        if folder is None:
            self.reply(401, b"", {"X-Error-Code": "RepoNotFound"})
        elif "tree" in parts:
            files = [
                {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": "1"}
                for path in folder.iterdir()
            ]
            self.reply(200, json.dumps(files).encode(), {"Content-Type": "application/json"})
        elif parts[0] == "api":
            files = [{"rfilename": path.name, "size": path.stat().st_size} for path in folder.iterdir()]
            about = {"_id": "1", "id": named, "sha": "a" * 40, "private": False, "siblings": files}
            self.reply(200, json.dumps(about).encode(), {"Content-Type": "application/json"})
        else:
            content = (folder / parts[-1]).read_bytes()
            # Contents are told apart by it.
            about = {"ETag": f'"{parts[-1]}"', "X-Repo-Commit": "a" * 40}
            self.reply(200, content if with_body else b"", about, len(content))

    def reply(self, status, body, headers, length=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tmp_path):
    old = tmp_path / "old"
    shutil.copytree(made("bert_classifier"), old)
    (old / "model.safetensors").rename(old / "pytorch_model.bin")
    Hub.models = {"org/bert": made("bert_classifier"), "org/gated": made("bert_classifier"), "org/old": old}
    Hub.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def test_model_by_its_id(hub, tmp_path):
    (tmp_path / "empty").mkdir()

    def by_id(name, **more):
        return {"hf_endpoint": hub, "model_id": name, **more}

    with start(tmp_path / "empty", "bert", **by_id("org/bert")) as classifier:
        assert classifier.json({"instances": ["good", "bad"]}) == [{"predictions": [1, 0]}]
    with start(tmp_path / "empty", "bert", **by_id("org/gated", hf_token="hf_right")) as classifier:
        assert classifier.json({"instances": ["good", "bad"]}) == [{"predictions": [1, 0]}]
    # In any spelling whose variable is the same.
    for spelling in ("MODEL-ID", "hf_model_id"):
        with start(None, "bert", hf_endpoint=hub, **{spelling: "org/bert"}) as classifier:
            assert classifier.json({"instances": ["good", "bad"]}) == [{"predictions": [1, 0]}]
    Hub.asked.clear()
    assert failure(tmp_path / "empty", "bert", **by_id("org/gated")) == (
        "model org/gated is gated: give a token of an account that has access in the parameter hf_token"
    )
    assert failure(tmp_path / "empty", "bert", **by_id("org/gated", token="hf_wrong")) == (
        "model org/gated is gated: the account of the token given has no access to it"
    )
    assert failure(tmp_path / "empty", "bert", **by_id("org/none")) == (
        "Hugging Face has no model org/none, or it is private and needs the parameter hf_token"
    )
    assert failure(tmp_path / "empty", "bert", **by_id("org/old")) == (
        "model org/old has no weights in the safetensors format, the only one served: "
        "its weights are in pytorch_model.bin"
    )
    assert all("resolve" not in path for path, _ in Hub.asked), "nothing was fetched in vain"


def test_hub_out_of_reach(tmp_path):
    cause = failure(tmp_path, "bert", hf_endpoint="http://127.0.0.1:9", model_id="org/bert")
    assert cause.startswith("model org/bert cannot be fetched from Hugging Face: ")
    assert failure(tmp_path, "bert").startswith("there is no config.json: the folder is empty")
    assert failure(None, "bert") == "the model has neither files nor an id; give the id in the parameter model_id"
