"""The peers that serve models, and nginx: each is started, waited for and ended by its id, one at a time."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from servers import ROOT, free_port, lock_version, peer, wait_http

PEERS = ROOT / "Benchmarks" / "serving_peers"
SKLEARN_LOCK, TORCH_LOCK = "serve-sklearn-1.9.1-cpu.txt", "serve-pytorch-2.13.0-cpu.txt"


def pinned(lock, *packages):
    """Packages in the versions of an image."""
    return [f"{package}=={lock_version(lock, package)}" for package in packages]


def mlserver_bin():
    versions = pinned(SKLEARN_LOCK, "scikit-learn", "joblib", "cloudpickle")
    return peer("mlserver", "mlserver", "mlserver-sklearn", *versions)


def torchserve_bin():
    return peer("torchserve", "torchserve", "torch-model-archiver", "pyyaml", *pinned(TORCH_LOCK, "torch", "numpy"))


def make_models(folder):
    subprocess.run([str(mlserver_bin() / "python"), str(PEERS / "models.py"), str(folder)], check=True)


def make_archive(folder):
    """iris.mar, which TorchServe and Takumi both take."""
    tools = torchserve_bin()
    subprocess.run([str(tools / "python"), "-W", "ignore", str(PEERS / "torch_model.py"), f"{folder}/iris.pt"], check=True)
    (folder / "torch").mkdir()
    subprocess.run(
        [str(tools / "torch-model-archiver"), "--model-name", "iris", "--version", "1.0", "--serialized-file",
         f"{folder}/iris.pt", "--handler", str(PEERS / "torch_handler.py"), "--export-path", f"{folder}/torch"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def running(command, ready, folder, limit=120, **variables):
    """A server of a process group of its own, from its first 200 to its end."""
    with open(f"{folder}/log", "wb") as log:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
            start_new_session=True, env=os.environ | variables)
    try:
        try:
            wait_http(ready, limit)
        except SystemExit as error:
            raise SystemExit(f"{error}; its log:\n{pathlib.Path(folder, 'log').read_text()[-2000:]}") from None
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
                break
        # Children that do not go by themselves when the first process does.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def mlserver(model, implementation="mlserver_sklearn.SKLearnModel"):
    """MLServer, without its pool of processes, which does not start with uvloop 0.23. The addresses for HTTP and gRPC."""
    ports = [free_port() for _ in range(3)]
    name = model.parent.name
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "settings.json").write_text(json.dumps({
            "debug": False, "host": "127.0.0.1", "http_port": ports[0], "grpc_port": ports[1],
            "metrics_port": ports[2], "parallel_workers": 0, "grpc_max_message_length": 1 << 28}))
        pathlib.Path(folder, "model-settings.json").write_text(json.dumps({
            "name": name, "implementation": implementation, "parameters": {"uri": str(model)}}))
        base = f"http://127.0.0.1:{ports[0]}/v2/models/{name}"
        with running([mlserver_bin() / "mlserver", "start", folder], f"{base}/ready", folder):
            yield f"{base}/infer", f"http://127.0.0.1:{ports[1]}/inference.GRPCInferenceService/ModelInfer"


@contextlib.contextmanager
def kserve(model):
    """KServe's server without its log of requests, which would cost it a fifth of its speed."""
    port = free_port()
    python = peer("kserve", "kserve", *pinned(SKLEARN_LOCK, "scikit-learn", "joblib")) / "python"
    logger = {"level": "WARNING", "handlers": ["stderr"], "propagate": False}
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "logging.json").write_text(json.dumps({
            "version": 1, "handlers": {"stderr": {"class": "logging.StreamHandler"}},
            "loggers": {name: logger for name in ("kserve", "kserve.trace", "uvicorn.access")}}))
        command = [python, "-W", "ignore", PEERS / "kserve_server.py", model, "--http_port", port,
                   "--log_config_file", f"{folder}/logging.json"]
        with running(command, f"http://127.0.0.1:{port}/v2/health/ready", folder):
            yield f"http://127.0.0.1:{port}/v1/models/iris:predict"


@contextlib.contextmanager
def torchserve(store):
    """TorchServe, without logs as the others."""
    ports = [free_port() for _ in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        names = ("inference_address", "management_address", "metrics_address")
        lines = [f"{name}=http://127.0.0.1:{port}" for name, port in zip(names, ports)]
        lines += ["default_workers_per_model=1", "service_envelope=kserve", f"model_store={store}", "load_models=iris.mar"]
        pathlib.Path(folder, "config.properties").write_text("\n".join(lines) + "\n")
        pathlib.Path(folder, "log4j2.xml").write_text(
            '<Configuration><Loggers><Root level="off"/></Loggers></Configuration>')
        tools = torchserve_bin()
        command = [tools / "torchserve", "--start", "--foreground", "--ncs", "--disable-token-auth", "--ts-config",
                   f"{folder}/config.properties", "--log-config", f"{folder}/log4j2.xml"]
        # It finds its own Python by name, and writes its process id below TMPDIR.
        variables = {"PATH": f"{tools}:{os.environ['PATH']}", "TMPDIR": folder}
        with running(command, f"http://127.0.0.1:{ports[0]}/ping", folder, **variables):
            yield f"http://127.0.0.1:{ports[0]}/predictions/iris"


NGINX = """
worker_processes {threads};
daemon off;
pid {folder}/pid;
error_log {folder}/log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
}}
"""


@contextlib.contextmanager
def nginx(http, port, path, threads=1):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "conf").write_text(NGINX.format(threads=threads, folder=folder, http=http))
        # As root it would run its workers as a user who may not enter the folder.
        os.chmod(folder, 0o755)
        with running(["nginx", "-c", f"{folder}/conf", "-p", folder], f"http://127.0.0.1:{port}{path}", folder):
            yield


@contextlib.contextmanager
def nginx_upstream(path="/"):
    """A server that answers everything with the same 200."""
    port = free_port()
    http = f"""server {{
        listen 127.0.0.1:{port} backlog=4096;
        default_type application/json;
        location / {{ return 200 '{{"predictions":[0]}}'; }}
    }}"""
    with nginx(http, port, path):
        yield port


@contextlib.contextmanager
def nginx_proxy(upstream, path, threads):
    """nginx as a proxy with connections that it keeps on both sides."""
    port = free_port()
    http = f"""upstream behind {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}"""
    with nginx(http, port, path, threads):
        yield port
