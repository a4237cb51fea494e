"""The worker in front of vLLM."""

import time

import psutil
import pytest
from serving_worker import failure, made, start, words

# Stands for vLLM, which runs on GPUs only: its command line, its health, and what a client needs of its routes.
VLLM = """
import http.server, json, sys

arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if arguments.get("--dtype") == "float32":
    raise ValueError("no room for it on this GPU")

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(200, b"")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert body["model"] == arguments["--served-model-name"]
        if body.get("temperature") == 9:
            error = {"message": "temperature is too high", "type": "BadRequestError", "param": "temperature"}
            self.reply(400, json.dumps({"error": error}).encode())
        elif body.get("stream"):
            self.send_response(200)
            self.end_headers()
            for word in body["prompt"].split() if "prompt" in body else iter(lambda: "on", None):
                chunk = {"model": body["model"], "choices": [{"index": 0, "text": word}]}
                try:
                    self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\\n\\n")
                except OSError:
                    print("the client has gone", flush=True)
                    return
            self.wfile.write(b"data: [DONE]\\n\\n")
        else:
            prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
            choices = [{"index": i, "text": f"{prompt}!"} for i, prompt in enumerate(prompts)]
            self.reply(200, json.dumps({"model": body["model"], "choices": choices}).encode())

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(arguments["--port"])), Handler).serve_forever()
"""


@pytest.fixture
def vllm(tmp_path, monkeypatch):
    package = tmp_path / "vllm" / "entrypoints" / "openai"
    package.mkdir(parents=True)
    (package / "api_server.py").write_text(VLLM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_vllm(vllm):
    with start(made("gpt2"), "gpt2", backend="vllm", max_model_len=64) as model:
        assert model.ready["platform"] == "vllm" and model.ready["generative"] is True
        reply = model.openai("completions", {"model": "mine", "prompt": "a"})
        assert reply == {"model": "mine", "choices": [{"index": 0, "text": "a!"}]}
        chunks = model.stream("completions", {"model": "mine", "prompt": "one two three"})
        assert [chunk["choices"][0]["text"] for chunk in chunks] == ["one", "two", "three"]
        status, error = model.openai("completions", {"prompt": "a", "temperature": 9})
        assert (status, error["error"], error["param"]) == (400, "temperature is too high", "temperature")
        assert model.json({"instances": ["a", {"prompt": "b"}]}) == [{"predictions": ["a!", "b!"]}]
        assert model.infer([words("a")]) == [{"output-0": ("BYTES", [1], ["a!"])}]
        # One that never ends by itself.
        model.send({"op": "openai", "call": 70, "route": "chat/completions", "stream": True}, b'{"stream": true}')
        assert model.receive()[0] == {"call": 70, "chunk": True}
        model.send({"op": "cancel", "call": 70})
        while not model.receive()[0].get("end"):
            pass
        deadline = time.monotonic() + 10
        while "the client has gone" not in model.log:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert failure(made("gpt2"), "gpt2", backend="vllm", dtype="float32") == (
        "vLLM could not load the model: ValueError: no room for it on this GPU"
    )


def test_vllm_ends_with_its_worker_and_the_worker_with_it(vllm):
    def server(model):
        (child,) = psutil.Process(model.process.pid).children()
        assert "vllm.entrypoints.openai.api_server" in child.cmdline()
        return child

    with start(made("gpt2"), "gpt2", backend="vllm") as model:
        child = server(model)
        model.process.kill()
        child.wait(10)
    with start(made("gpt2"), "gpt2", backend="vllm") as model:
        server(model).kill()
        assert model.process.wait(10) == 1
        assert "vLLM ended with status -9" in model.log
