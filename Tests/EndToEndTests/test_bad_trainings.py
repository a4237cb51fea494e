"""Requests for trainings that cannot be carried out: refused with the field and the reason, and nothing is created."""

import pytest

from client import API, unique

NO_ID = "00000000-0000-0000-0000-000000000000"
LIMIT = 255


def parameters(*pairs) -> list[dict]:
    return [{"parameterName": name, "parameterValue": value} for name, value in pairs]


def datasets(*pairs) -> list[dict]:
    return [{"datasetName": name, "dataUri": uri} for name, uri in pairs]


def tags(*pairs) -> list[dict]:
    return [{"tagKey": key, "tagValue": value} for key, value in pairs]


@pytest.fixture(scope="module")
def folder(api: API, folders) -> str:
    """A folder in the store from which a training could be made, and NAS directories with traps."""
    folder = f"{api.container}/{unique('bad')}"
    api.upload(f"{folder}/source/train.py", "print('never')")
    api.upload(f"{folder}/source/train.sh", "exit")
    api.upload(f"{folder}/data/x", "x")
    (folders["shared"] / "data").mkdir(exist_ok=True)
    (folders["shared"] / "data/x").write_text("x")
    (folders["foreign"] / "secret").write_text("x")
    trap = folders["shared"] / "trap"
    if not trap.is_symlink():
        trap.symlink_to(folders["foreign"])
    return folder


# The field to blame, and the change. Values may name {folder}, {container}, {account} and {host}, filled in below.
BAD = [
    ("trainingName", {"trainingName": None}),
    ("trainingName", {"trainingName": ""}),
    ("trainingName", {"trainingName": "   "}),
    ("trainingName", {"trainingName": "n" * 51}),
    ("trainingName", {"trainingName": "a/b"}),
    ("trainingName", {"trainingName": "a\nb"}),
    ("trainingName", {"trainingName": "a\0b"}),
    ("trainingName", {"trainingName": 5}),
    ("trainingName", {"trainingName": ["a"]}),
    ("description", {"description": "d" * 256}),
    ("experimentId", {"experimentId": None}),
    ("experimentId", {"experimentId": NO_ID}),
    ("experimentId", {"experimentId": "../x"}),
    ("experimentName", {"experimentId": None, "experimentName": "e" * 51}),
    ("experimentName", {"experimentId": None, "experimentName": "a/b"}),
    ("imageId", {"imageId": None}),
    ("imageId", {"imageId": NO_ID}),
    ("imageId", {"image": "pytorch-notebook"}),
    ("flavorId", {"flavorId": None}),
    ("flavorId", {"flavorId": NO_ID}),
    ("flavorId", {"flavor": "g2.t4.c4m32"}),
    ("flavorId", {"image": "pytorch-gpu", "flavor": "m2.c2m4"}),
    ("flavorId", {"flavor": "r2.c4m32", "instanceCount": 10}),
    ("instanceCount", {"instanceCount": 0}),
    ("instanceCount", {"instanceCount": 11}),
    ("instanceCount", {"instanceCount": -1}),
    ("instanceCount", {"instanceCount": 1.5}),
    ("instanceCount", {"instanceCount": "2"}),
    ("instanceCount", {"instanceCount": 10**30}),
    ("dataStorageSize", {"dataStorageSize": 299}),
    ("dataStorageSize", {"dataStorageSize": 10001}),
    ("timeoutMinutes", {"timeoutMinutes": 59}),
    ("timeoutMinutes", {"timeoutMinutes": 43201}),
    ("trainingTypeCode", {"trainingTypeCode": "TUNING"}),
    ("algorithmId", {"algorithmId": NO_ID}),
    ("useTorchrun", {"useTorchrun": True}),
    ("useTorchrun", {"useTorchrun": True, "image": "tensorflow"}),
    ("useTorchrun", {"useTorchrun": "yes"}),
    ("nprocPerNode", {"useTorchrun": True, "image": "pytorch", "nprocPerNode": 0}),
    ("nprocPerNode", {"useTorchrun": True, "image": "pytorch", "flavor": "m2.c2m4", "nprocPerNode": 3}),
    ("sourceDirUri", {"sourceDirUri": None}),
    ("sourceDirUri", {"sourceDirUri": ""}),
    ("sourceDirUri", {"sourceDirUri": "{folder}/" + "s" * LIMIT}),
    ("sourceDirUri", {"sourceDirUri": "{folder}/absent"}),
    ("sourceDirUri", {"sourceDirUri": "{account}/absent/source"}),
    ("sourceDirUri", {"sourceDirUri": "{folder}/../x"}),
    ("sourceDirUri", {"sourceDirUri": "{folder}/%2e%2e/x"}),
    ("sourceDirUri", {"sourceDirUri": "{folder}//source"}),
    ("sourceDirUri", {"sourceDirUri": "{folder}/a\nb"}),
    ("sourceDirUri", {"sourceDirUri": "obs://elsewhere.example/v1/AUTH_x/c/source"}),
    ("sourceDirUri", {"sourceDirUri": "obs://{host}/v1/AUTH_" + "0" * 32 + "/easymaker/source"}),
    ("sourceDirUri", {"sourceDirUri": "http://{host}/v1/AUTH_x/c/source"}),
    ("sourceDirUri", {"sourceDirUri": "s3://bucket/source"}),
    ("sourceDirUri", {"sourceDirUri": "file:///etc"}),
    ("sourceDirUri", {"sourceDirUri": "/etc"}),
    ("entryPoint", {"entryPoint": None}),
    ("entryPoint", {"entryPoint": ""}),
    ("entryPoint", {"entryPoint": "absent.py"}),
    ("entryPoint", {"entryPoint": "../source/train.py"}),
    ("entryPoint", {"entryPoint": "./train.py"}),
    ("entryPoint", {"entryPoint": "/etc/train.py"}),
    ("entryPoint", {"entryPoint": "a/../train.py"}),
    ("entryPoint", {"entryPoint": "train.sh"}),
    ("entryPoint", {"entryPoint": "-m.py"}),
    ("entryPoint", {"entryPoint": "a\nb.py"}),
    ("entryPoint", {"entryPoint": "e" * 256 + ".py"}),
    ("hyperparameterList", {"hyperparameterList": parameters(*((f"k{n}", "v") for n in range(101)))}),
    ("hyperparameterList", {"hyperparameterList": {"a": "b"}}),
    ("hyperparameterList[0].parameterName", {"hyperparameterList": parameters(("k" * 256, "v"))}),
    ("hyperparameterList[0].parameterName", {"hyperparameterList": parameters(("", "v"))}),
    ("hyperparameterList[0].parameterName", {"hyperparameterList": [{"parameterValue": "v"}]}),
    ("hyperparameterList[0].parameterName", {"hyperparameterList": parameters(("a b", "v"))}),
    ("hyperparameterList[0].parameterName", {"hyperparameterList": parameters(("a=b", "v"))}),
    ("hyperparameterList[0].parameterName", {"hyperparameterList": parameters(("a\0b", "v"))}),
    ("hyperparameterList[1].parameterName", {"hyperparameterList": parameters(("lr", "1"), ("LR", "2"))}),
    ("hyperparameterList[0].parameterValue", {"hyperparameterList": parameters(("k", "v" * 1001))}),
    ("hyperparameterList[0].parameterValue", {"hyperparameterList": parameters(("k", "a\0b"))}),
    ("hyperparameterList[0].parameterValue", {"hyperparameterList": parameters(("k", 5))}),
    ("datasetList", {"datasetList": datasets(*((f"d{n}", "{folder}/data") for n in range(11)))}),
    ("datasetList[0].datasetName", {"datasetList": datasets(("d" * 37, "{folder}/data"))}),
    ("datasetList[0].datasetName", {"datasetList": datasets(("", "{folder}/data"))}),
    ("datasetList[0].datasetName", {"datasetList": datasets(("../x", "{folder}/data"))}),
    ("datasetList[0].datasetName", {"datasetList": datasets(("a/b", "{folder}/data"))}),
    ("datasetList[0].datasetName", {"datasetList": datasets(("..", "{folder}/data"))}),
    ("datasetList[0].datasetName", {"datasetList": datasets(("a=b", "{folder}/data"))}),
    ("datasetList[1].datasetName", {"datasetList": datasets(("x", "{folder}/data"), ("X", "{folder}/data"))}),
    ("datasetList[0].dataUri", {"datasetList": [{"datasetName": "x"}]}),
    ("datasetList[0].dataUri", {"datasetList": datasets(("x", "{folder}/absent"))}),
    ("datasetList[0].dataUri", {"datasetList": datasets(("x", "{folder}/" + "d" * LIMIT))}),
    ("datasetList[1].dataUri", {"datasetList": datasets(("x", "{folder}/data"), ("y", "nas://unknown:/data"))}),
    ("datasetList[0].dataUri", {"datasetList": datasets(("x", "nas://foreign:/secret"))}),
    ("datasetList[0].dataUri", {"datasetList": datasets(("x", "nas://shared:/absent"))}),
    ("datasetList[0].dataUri", {"datasetList": datasets(("x", "nas://shared:/../foreign"))}),
    ("datasetList[0].dataUri", {"datasetList": datasets(("x", "nas://shared:/trap/secret"))}),
    ("datasetList[0].dataUri", {"datasetList": datasets(("x", "nas://shared/data"))}),
    ("checkPointInputUri", {"checkPointInputUri": "{folder}/absent"}),
    ("checkPointUploadUri", {"checkPointUploadUri": "nas://unknown:/x"}),
    ("modelUploadUri", {"modelUploadUri": None}),
    ("modelUploadUri", {"modelUploadUri": ""}),
    ("modelUploadUri", {"modelUploadUri": "{account}/absent/model"}),
    ("modelUploadUri", {"modelUploadUri": "{folder}/../model"}),
    ("modelUploadUri", {"modelUploadUri": "nas://shared:/trap/model"}),
    ("tagList", {"tagList": tags(*((f"k{n}", "v") for n in range(11)))}),
    ("tagList[0].tagKey", {"tagList": tags(("k" * 51, "v"))}),
    ("tagList[0].tagKey", {"tagList": [{"tagValue": "v"}]}),
    ("tagList[1].tagKey", {"tagList": tags(("k", "v"), ("k", "w"))}),
    ("tagList[0].tagValue", {"tagList": tags(("k", "v" * 256))}),
]


def fill(value, places: dict[str, str]):
    if isinstance(value, str):
        for name, place in places.items():
            value = value.replace(f"{{{name}}}", place)
        return value
    if isinstance(value, list):
        return [fill(item, places) for item in value]
    return {name: fill(item, places) for name, item in value.items()} if isinstance(value, dict) else value


def label(case) -> str:
    return f"{case[0]}-{next(iter(case[1].values()))!s:.24}" if isinstance(case, tuple) else None


def places(api: API, folder: str) -> dict[str, str]:
    account = api.storage["obsUri"]
    host = account.removeprefix("obs://").partition("/")[0]
    return {"folder": folder, "container": api.container, "account": account, "host": host}


def counts(api: API) -> tuple[int, int]:
    return tuple(api.get(kind, limit=0)["totalCount"] for kind in ("trainings", "experiments"))


@pytest.mark.parametrize("case", BAD, ids=label)
def test_refused_with_its_field(api: API, folder, case):
    field, change = case
    body = api.body(folder, **fill(change, places(api, folder)))
    before = counts(api)
    errors = api.refused("POST", "trainings", 400, json=body)
    assert field in [error.get("field") for error in errors], errors
    assert len({error.get("field") for error in errors}) == 1, f"other fields are blamed too: {errors}"
    assert all(len(error["message"]) > 10 and "\n" not in error["message"] for error in errors), errors
    assert counts(api) == before, "a refused request has left something behind"


def test_everything_wrong_is_named_at_once(api: API, folder):
    body = api.body(folder, trainingName="", entryPoint="../x", instanceCount=99, timeoutMinutes=1)
    fields = {error["field"] for error in api.refused("POST", "trainings", 400, json=body)}
    assert fields == {"trainingName", "entryPoint", "instanceCount", "timeoutMinutes"}


def test_no_experiment_is_left_by_a_refused_training(api: API, folder):
    name = unique("on-the-spot")
    for change in (
        {"datasetList": datasets(("x", f"{folder}/absent"))},
        {"imageId": NO_ID},
        {"modelUploadUri": "nas://no:/x"},
    ):
        body = api.body(folder, experimentId=None, experimentName=name, **change)
        api.refused("POST", "trainings", 400, json=body)
    assert api.get("experiments", experimentNameList=name)["experimentList"] == []


def test_limits_themselves_are_allowed(api: API, folder):
    """Everything at its very limit, in one training."""
    body = api.body(
        folder,
        trainingName="n" * 50,
        description="d" * 255,
        experimentId=None,
        experimentName=unique("e").ljust(50, "e"),
        hyperparameterList=parameters(*((f"{n:03d}".ljust(255, "k"), "v" * 1000) for n in range(100))),
        datasetList=datasets(*((f"{n}".ljust(36, "d"), f"{folder}/data") for n in range(10))),
        tagList=tags(*((f"{n}".ljust(50, "k"), "v" * 255) for n in range(10))),
        timeoutMinutes=43200,
        dataStorageSize=10000,
    )
    training = api.call("POST", "trainings", json=body)["training"]
    assert training["dataStorageList"] == [{"storageSize": 10000}]
    path = f"trainings/{training['trainingId']}"
    while api.get(path)["training"]["trainingStatusCode"] not in ("COMPLETE", "FAIL_TRAIN", "CREATE_FAILED"):
        pass
    assert api.get(path)["training"]["trainingStatusCode"] == "COMPLETE", api.get(path)


def test_image_that_needs_a_gpu(api: API, folder):
    """Listed with the reason where the machine has none, and refused with it."""
    image = api.images["pytorch-gpu"]
    body = api.body(folder, image="pytorch-gpu", flavor="g2.c4m16")
    if image["isRunnable"]:
        training = api.call("POST", "trainings", json=body)["training"]
        api.request("PUT", f"trainings/{training['trainingId']}/stop")
    else:
        assert "GPU" in image["reason"]
        errors = api.refused("POST", "trainings", 400, json=body)
        assert "no GPU" in errors[0]["message"] and errors[0]["field"] in ("flavorId", "imageId"), errors
