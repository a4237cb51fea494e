"""A small client of the API whose assertions say what the server answered."""

import itertools
import json
import os
import time
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import requests

from harness import Server

_numbers = itertools.count(1)


def unique(prefix: str) -> str:
    """A name that nothing else in this session has."""
    return f"{prefix}-{os.getpid() % 10000}-{next(_numbers)}"


class API:
    """The API of one server for one project."""

    def __init__(self, server: Server, token: str | None = None, project: str = "default"):
        self.server = server
        self.project = project
        self.token = token or server.token(project)

    # MARK: Requests

    def request(self, method: str, path: str, *, base: str | None = None, headers=None, **options) -> requests.Response:
        """Any request; a path without a leading slash is one of the project's."""
        root = base or self.server.url
        url = root + path if path.startswith("/") else f"{root}/v1.0/appkeys/{self.project}/{path}"
        headers = {"X-EasyMaker-Token": self.token} if headers is None else headers
        options.setdefault("timeout", 60)
        return requests.request(method, url, headers=headers, verify=str(self.server.ca), **options)

    def call(self, method: str, path: str, **options) -> dict:
        """A request that must succeed; gives the payload without the header."""
        response = self.request(method, path, **options)
        assert response.status_code == 200, f"{method} {path}: {response.status_code} {response.text}"
        body = response.json()
        header = body.pop("header")
        assert header == {"isSuccessful": True, "resultCode": 0, "resultMessage": "SUCCESS"}, header
        return body

    def get(self, path: str, **params) -> dict:
        return self.call("GET", path, params=params)

    def refused(self, method: str, path: str, status: int, **options) -> list[dict]:
        """A request that must be refused with this status; gives the list of `{field, message}`."""
        response = self.request(method, path, **options)
        assert response.status_code == status, f"{method} {path}: {response.status_code}, not {status}: {response.text}"
        body = response.json()
        assert body["header"]["isSuccessful"] is False and body["header"]["resultCode"] == status * 100, body
        assert body["errors"] and all(error["message"] for error in body["errors"]), body
        return body["errors"]

    # MARK: Catalog

    @cached_property
    def images(self) -> dict[str, dict]:
        """By alias."""
        return {image["alias"]: image for image in self.get("images")["imageList"]}

    @cached_property
    def flavors(self) -> dict[str, dict]:
        return {flavor["name"]: flavor for flavor in self.get("flavors")["flavorList"]}

    # MARK: Storage

    @cached_property
    def storage(self) -> dict:
        return self.get("storage")["storage"]

    @property
    def container(self) -> str:
        """The URI of the container that trainings may use."""
        return f"{self.storage['obsUri']}/{self.storage['defaultContainer']}"

    def store(self, method: str, uri: str, status: int | tuple = (200, 201, 202, 204), **options) -> requests.Response:
        """A request to the object store, by the `obs://` URI, in which names are written plainly."""
        headers = {"X-Auth-Token": self.token} | options.pop("headers", {})
        # None stands for no token at all.
        headers = {name: value for name, value in headers.items() if value is not None}
        url = "https" + quote(uri.removeprefix("obs"), safe="/:")
        response = requests.request(method, url, headers=headers, verify=str(self.server.ca), timeout=60, **options)
        wanted = status if isinstance(status, tuple) else (status,)
        assert response.status_code in wanted, f"{method} {uri}: {response.status_code} {response.text}"
        return response

    def upload(self, uri: str, content: str | bytes | Path) -> None:
        """One file, or all files below a folder."""
        if isinstance(content, Path) and content.is_dir():
            for file in sorted(path for path in content.rglob("*") if path.is_file()):
                self.upload(f"{uri}/{file.relative_to(content)}", file)
            return
        data = content.read_bytes() if isinstance(content, Path) else content
        self.store("PUT", uri, data=data.encode() if isinstance(data, str) else data)

    def download(self, uri: str) -> bytes:
        return self.store("GET", uri).content

    def files(self, uri: str) -> list[str]:
        """The names below a folder in the store, relative to it."""
        base = self.storage["obsUri"]
        container, _, prefix = uri.removeprefix(f"{base}/").partition("/")
        prefix = f"{prefix}/" if prefix else ""
        listing = self.store("GET", f"{base}/{container}", params={"prefix": prefix, "format": "json"}).json()
        return [item["name"].removeprefix(prefix) for item in listing]

    # MARK: Resources

    @cached_property
    def experiment(self) -> str:
        """The id of an experiment for trainings that do not care which."""
        return self.create_experiment()

    def create_experiment(self, name: str | None = None, **fields) -> str:
        body = {"experimentName": name or unique("experiment")} | fields
        return self.call("POST", "experiments", json=body)["experiment"]["experimentId"]

    def body(self, folder: str, **fields) -> dict:
        """The body of a small training. `image` and `flavor` take names; a field of None is left out."""
        body = {
            "trainingName": folder.rsplit("/", 1)[-1],
            "experimentId": self.experiment,
            "imageId": self.images[fields.pop("image", "python")]["imageId"],
            "flavorId": self.flavors[fields.pop("flavor", "t2.c1m1")]["id"],
            "instanceCount": 1,
            "sourceDirUri": f"{folder}/source",
            "entryPoint": "train.py",
            "modelUploadUri": f"{folder}/model",
            "checkPointUploadUri": f"{folder}/checkpoint",
            "trainingTypeCode": "NORMAL",
        } | fields
        return {name: value for name, value in body.items() if value is not None}

    def train(self, script: str = "print('hi')", files: dict[str, str | bytes] | None = None, **fields) -> "Training":
        """Uploads a script, and files beside it, to a folder of their own, and creates a training of it."""
        folder = f"{self.container}/runs/{unique('training')}"
        entry = fields.get("entryPoint", "train.py")
        for name, content in {entry: script, **(files or {})}.items():
            self.upload(f"{folder}/source/{name}", content)
        body = self.body(folder, **fields)
        return Training(self, self.call("POST", "trainings", json=body)["training"]["trainingId"], folder)

    def tuning_body(self, folder: str, *parameters: dict, **fields) -> dict:
        """The body of a small tuning: it minimises `loss` over the whole grid, one trial after the other."""
        unused = {"trainingName": None, "trainingTypeCode": None, "instanceCount": None}
        job = self.body(folder, **unused | fields)
        body = {
            "hyperparameterTuningName": folder.rsplit("/", 1)[-1],
            "hyperparameterSpecList": list(parameters),
            "objectiveMetric": {"name": "loss"},
            "objectiveTypeCode": "MINIMIZE",
            "tuningStrategyName": "GRID",
        } | job
        return {name: value for name, value in body.items() if value is not None}

    def tune(self, script: str, *parameters: dict, files: dict[str, str | bytes] | None = None, **fields) -> "Tuning":
        """Uploads a script, and files beside it, to a folder of their own, and creates a tuning of it."""
        folder = f"{self.container}/runs/{unique('tuning')}"
        for name, content in {fields.get("entryPoint", "train.py"): script, **(files or {})}.items():
            self.upload(f"{folder}/source/{name}", content)
        body = self.tuning_body(folder, *parameters, **fields)
        answer = self.call("POST", "hyperparameter-tunings", json=body)["hyperparameterTuning"]
        return Tuning(self, answer["hyperparameterTuningId"], folder)


# MARK: - What a tuning searches


def _parameter(name: str, type: str, **fields) -> dict:
    body = {f"hyperparameter{field}": value for field, value in fields.items() if value is not None}
    return {"hyperparameterName": name, "hyperparameterTypeCode": type, **body}


def double(name: str, low, high, step=None, scale=None) -> dict:
    return _parameter(name, "double", MinValue=low, MaxValue=high, Step=step, Scale=scale)


def integer(name: str, low, high, step=None, scale=None) -> dict:
    return _parameter(name, "int", MinValue=low, MaxValue=high, Step=step, Scale=scale)


def discrete(name: str, values: str) -> dict:
    return _parameter(name, "discrete", SpecifiedValues=values)


def categorical(name: str, values: str) -> dict:
    return _parameter(name, "categorical", SpecifiedValues=values)


# MARK: - What runs


class Run:
    """Something that is created, runs and ends, by its id."""

    singular: str
    collection: str
    success = "COMPLETE"
    settled: set[str]

    def __init__(self, api: API, id: str, folder: str = ""):
        self.api = api
        self.id = id
        self.folder = folder
        self.path = f"{self.collection}/{id}"

    def read(self) -> dict:
        return self.api.get(self.path)[self.singular]

    def code(self, read: dict | None = None) -> str:
        return (read or self.read())[f"{self.singular}StatusCode"]

    def wait(self, *codes: str, timeout: float = 60) -> dict:
        """Waits for one of the statuses, that of success unless told; fails at once where it settles elsewhere."""
        wanted = codes or (self.success,)
        deadline = time.monotonic() + timeout
        while True:
            seen = self.read()
            code = self.code(seen)
            if code in wanted:
                return seen
            late = time.monotonic() > deadline
            if code in self.settled or late:
                what = f"not within {timeout:g} s" if late else "but settled"
                cause = seen.get("statusReason")
                raise AssertionError(f"{' or '.join(wanted)} {what}: {code}: {cause}; its log:\n{self.tail()}")
            time.sleep(0.1)

    def tail(self) -> str:
        """For whoever reads why a test failed."""
        raise NotImplementedError


class Program(Run):
    """A run of a user's program, with logs."""

    def wait_line(self, text: str, node: int = 0, timeout: float = 60) -> None:
        """Waits until the log has a line that contains the text."""
        deadline = time.monotonic() + timeout
        while not any(text in line for line in self.lines(node)):
            seen = self.read()
            code, cause = self.code(seen), seen.get("statusReason")
            assert code not in self.settled and time.monotonic() < deadline, (
                f"no line '{text}' of node {node}; {code}: {cause}; its log:\n{self.tail(node)}"
            )
            time.sleep(0.05)

    def log(self, **params) -> str:
        """The log as text, each line led by its time."""
        response = self.api.request("GET", f"{self.path}/logs", params=params)
        assert response.status_code == 200, f"{response.status_code} {response.text}"
        return response.text

    def lines(self, node: int = 0, **params) -> list[str]:
        """The lines of a node, without the times."""
        return [line.partition(" ")[2] for line in self.log(node=node, **params).splitlines()]

    def tail(self, node: int = 0) -> str:
        return "\n".join(self.lines(node)[-30:])

    def records(self, **params) -> list[dict]:
        """The log as it is followed: one object a line. Waits until the run has ended."""
        response = self.api.request("GET", f"{self.path}/logs", params={"follow": "true", **params}, stream=True)
        assert response.status_code == 200, f"{response.status_code} {response.text}"
        return [json.loads(line) for line in response.iter_lines() if line]

    def printed(self, node: int = 0) -> list[str]:
        """What the program itself wrote to standard output."""
        return [record["text"] for record in self.records(node=node) if record["stream"] == "stdout"]


class Actions(Run):
    """What a user can do to a run, and read about it, that is no part of another."""

    def stop(self) -> dict:
        return self.api.call("PUT", f"{self.path}/stop")[self.singular]

    def events(self) -> list[dict]:
        return self.api.get(f"{self.path}/events")["eventList"]


class Training(Actions, Program):
    singular, collection = "training", "trainings"
    settled = {"COMPLETE", "STOPPED", "FAIL_TRAIN", "CREATE_FAILED"}


class Trial(Program):
    singular, collection = "trial", "trials"
    success = "SUCCEEDED"
    settled = {"SUCCEEDED", "KILLED", "FAILED", "METRICS_UNAVAILABLE", "EARLY_STOPPED"}

    def reports(self) -> list[tuple[str, str]]:
        """Every report of a metric, as name and value."""
        return [(report["name"], report["value"]) for report in self.api.get(f"{self.path}/reports")["reportList"]]


class Tuning(Actions):
    singular, collection = "hyperparameterTuning", "hyperparameter-tunings"
    settled = {"COMPLETE", "STOPPED", "FAIL_HYPERPARAMETER_TUNING", "CREATE_FAILED"}

    def trials(self) -> list[dict]:
        """By number."""
        found = self.api.get("trials", hyperparameterTuningId=self.id)["trialList"]
        return sorted(found, key=lambda trial: trial["trialNumber"])

    def trial(self, number: int) -> Trial:
        return Trial(self.api, next(t["trialId"] for t in self.trials() if t["trialNumber"] == number), self.folder)

    def codes(self) -> list[str]:
        """The states of the trials, by number."""
        return [trial["trialStatusCode"] for trial in self.trials()]

    def values(self) -> list[tuple[str, ...]]:
        """What was suggested, by number."""
        return [tuple(p["parameterValue"] for p in trial["hyperparameterList"]) for trial in self.trials()]

    def wait_trials(self, count: int, *codes: str, timeout: float = 60) -> None:
        """Waits until so many trials are in these states."""
        deadline = time.monotonic() + timeout
        while sum(code in codes for code in self.codes()) < count:
            code = self.code()
            assert code not in self.settled and time.monotonic() < deadline, (
                f"not {count} trials {' or '.join(codes)}; {code}; {self.tail()}"
            )
            time.sleep(0.05)

    def resume(self, **fields) -> dict:
        return self.api.call("PUT", f"{self.path}/resume", json=fields)[self.singular]

    def tail(self) -> str:
        lines = []
        for trial in self.trials()[-12:]:
            values = {p["parameterName"]: p["parameterValue"] for p in trial["hyperparameterList"]}
            lines.append(f"{trial['trialName']} {values}: {trial['trialStatusCode']}: {trial.get('statusReason')}")
            if trial["trialStatusCode"] in ("FAILED", "METRICS_UNAVAILABLE"):
                lines.append(Trial(self.api, trial["trialId"]).tail())
        return "\n".join(lines)
