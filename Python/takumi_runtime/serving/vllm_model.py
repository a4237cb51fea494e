"""Text from vLLM, where the image has it and there is a GPU: its own server, which is asked on this machine."""

import ctypes
import http.client
import importlib.util
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque

import numpy as np

from .calls import instances_of
from .encoders import texts_of
from .errors import BadInput, LoadFailure
from .generation import PARAMETERS, PREDICTED_TOKENS, prompt_of
from .model import Json, Model
from .openai_api import BadRequest

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def is_there():
    import torch

    return torch.cuda.is_available() and importlib.util.find_spec("vllm") is not None


def load(folder, config, options):
    if importlib.util.find_spec("vllm") is None:
        raise LoadFailure("the image has no vLLM; leave the parameter backend out, or make it huggingface")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", folder]
    command += ["--served-model-name", options.name, "--host", "127.0.0.1", "--port", str(port)]
    for name in ("max_model_len", "dtype", "gpu_memory_utilization", "tensor_parallel_size", "quantization"):
        if options.get(name) is not None:
            command += [f"--{name.replace('_', '-')}", options.get(name)]
    if options.flag("trust_remote_code"):
        command.append("--trust-remote-code")
    command += shlex.split(options.get("vllm_args") or "")
    return VLLMModel(Server(command, port), options)


class Server:
    """vLLM's process, which ends with this one, and this one with it."""

    def __init__(self, command, port):
        self.port, self.last_lines = port, deque(maxlen=20)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
        )
        threading.Thread(target=self.copy_output, daemon=True).start()
        while not self.is_healthy():
            if self.process.poll() is not None:
                said = [line for line in self.last_lines if "Error" in line] or list(self.last_lines) or ["no reason"]
                raise LoadFailure(f"vLLM could not load the model: {said[-1].strip()}"[:400])
            time.sleep(0.2)
        threading.Thread(target=self.end_with_it, daemon=True).start()

    def copy_output(self):
        for line in self.process.stdout:
            self.last_lines.append(line)
            sys.stderr.write(line)
            sys.stderr.flush()

    def end_with_it(self):
        self.process.wait()
        print(f"vLLM ended with status {self.process.returncode}", file=sys.stderr, flush=True)
        os._exit(1)

    def is_healthy(self):
        try:
            return self.ask("GET", "/health")[1].status == 200
        except OSError:
            return False

    def ask(self, method, path, body=None):
        """(socket, response)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        # With the response the connection may let go of it.
        return connection.sock, connection.getresponse()


class VLLMModel(Model):
    platform = "vllm"
    generative = True

    def __init__(self, server, options):
        self.server, self.name = server, options.name
        self.predicted_tokens = options.number("max_new_tokens", int, PREDICTED_TOKENS, 1)
        # It joins what comes at the same time by itself.
        self.concurrency = options.number("concurrency", int, 128, least=1)
        self.inputs = [{"name": "input-0", "datatype": "BYTES", "shape": [-1]}]
        self.outputs = [{"name": "output-0", "datatype": "BYTES", "shape": [-1]}]

    def warm_up(self):
        self.predict(["a"], {"max_tokens": 2})

    # MARK: OpenAI's routes

    def openai(self, route, body, stream, exchange, cancelled):
        if not isinstance(body, dict):
            raise BadRequest("The request's body must be an object.")
        connection, response = self.server.ask("POST", f"/v1/{route}", json.dumps(body | {"model": self.name}))
        # Whereupon vLLM stops generating, and reading ends here.
        cancelled.end = lambda: shut(connection)
        with response:
            if response.status != 200:
                raise refusal(response)
            model = body.get("model") or self.name
            try:
                if stream or body.get("stream"):
                    self.stream(response, exchange, model)
                else:
                    exchange.reply(json.loads(response.read()) | {"model": model})
            except (OSError, http.client.HTTPException, ValueError):
                if not cancelled.is_set():
                    raise

    def stream(self, response, exchange, model):
        for line in response:
            text = line.removeprefix(b"data:").strip()
            if line.startswith(b"data:") and text != b"[DONE]":
                exchange.chunk(json.loads(text) | {"model": model})
        exchange.end()

    # MARK: v1 and v2

    def infer(self, call):
        if call.bodies is not None:
            return [self.infer_json(body) for body in call.bodies]
        answers = []
        for request, item in zip(texts_of(call), call.items):
            answered = np.empty(len(request), object)
            answered[:] = self.predict(request, item.get("parameters") or {})
            answers.append({"output-0": answered})
        return answers

    def infer_json(self, body):
        prompts = [prompt_of(instance) for instance in instances_of(body)]
        return Json({"predictions": self.predict(prompts, body.get("parameters") or {})})

    def predict(self, prompts, parameters):
        if not prompts:
            return []
        body = {"model": self.name, "prompt": prompts, "max_tokens": self.predicted_tokens, "temperature": 0}
        body |= {PARAMETERS[name]: value for name, value in parameters.items() if name in PARAMETERS}
        with self.server.ask("POST", "/v1/completions", json.dumps(body))[1] as response:
            if response.status != 200:
                raise BadInput(str(refusal(response)))
            return [choice["text"] for choice in json.loads(response.read())["choices"]]


def shut(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It has ended by itself.
        pass


def refusal(response):
    """vLLM's error as ours."""
    try:
        body = json.loads(response.read())
        error = body.get("error") or body
        return BadRequest(
            error["message"],
            error.get("param"),
            error.get("code"),
            response.status,
            error.get("type") or "invalid_request_error",
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return BadRequest(f"vLLM answered with status {response.status}", status=response.status, kind="server_error")
