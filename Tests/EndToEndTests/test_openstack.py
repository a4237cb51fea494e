"""A real OpenStack Swift as the store of trainings (issue 2, "Real parts")."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from client import API, Training, unique
from harness import Server, environment
from openstack_swift import KEY, SERVICE_TENANT, SERVICE_USER, TENANT, USER, OpenStackSwift

GRANT = f"{SERVICE_TENANT}:{SERVICE_USER}"


@pytest.fixture(scope="module")
def swift(tmp_path_factory):
    swift = OpenStackSwift(tmp_path_factory.mktemp("swift"))
    try:
        yield swift.start()
    finally:
        swift.stop()


@pytest.fixture(scope="module")
def connection(swift):
    connection = swift.connect()
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def api(swift, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("takumi-swift") / "home", swift.configuration())
    try:
        yield API(server.start())
    finally:
        server.close()


@pytest.fixture
def container(swift, connection):
    """A container of the user's that lets the service in."""
    name = unique("data")
    connection.put_container(name, {"X-Container-Read": GRANT, "X-Container-Write": GRANT})
    return name


def create(api: API, swift: OpenStackSwift, connection, container: str, script: str, **fields) -> Training:
    connection.put_object(container, "source/train.py", script)
    folder = f"{swift.account()}/{container}"
    return Training(
        api, api.call("POST", "trainings", json=api.body(folder, **fields))["training"]["trainingId"], folder
    )


SCRIPT = """
import hashlib, json, os
found = {}
for path, _, names in os.walk(os.environ["EM_DATASET_D"]):
    for name in names:
        file = os.path.join(path, name)
        found[os.path.relpath(file, os.environ["EM_DATASET_D"])] = hashlib.md5(open(file, "rb").read()).hexdigest()
print(json.dumps(found))
os.makedirs(os.environ["EM_MODEL_DIR"] + "/sub")
open(os.environ["EM_MODEL_DIR"] + "/sub/m ü.bin", "wb").write(b"m" * 3_000_000)
open(os.environ["EM_CHECKPOINT_DIR"] + "/c", "w").write("c")
"""


def test_training(api: API, swift, connection, container, tmp_path):
    """Source, datasets and outputs there: plain objects, large ones of both kinds, names that need care."""
    # The segments of large objects lie in a container of their own, which the service must be let into as well.
    connection.put_container(f"{container}_segments", {"X-Container-Read": GRANT})
    files = {"plain.csv": b"1,2\n", "sub dir/ü & more.bin": os.urandom(200_000), "empty": b""}
    for name, content in files.items():
        connection.put_object(container, f"data/{name}", content)
    for kind in ("slo", "dlo"):
        content = os.urandom(700_000)
        (tmp_path / f"{kind}.bin").write_bytes(content)
        files[f"{kind}.bin"] = content
        login = ["-A", f"{swift.url}/auth/v1.0", "-U", f"{TENANT}:{USER}", "-K", KEY, "--os-cacert", str(swift.ca)]
        upload = ["upload", container, f"{kind}.bin", "--object-name", f"data/{kind}.bin", "--segment-size", "300000"]
        result = subprocess.run(
            [Path(sys.executable).with_name("swift"), *login, *upload, *(["--use-slo"] if kind == "slo" else [])],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert result.returncode == 0, result.stderr
    uri = f"{swift.account()}/{container}"
    training = create(
        api, swift, connection, container, SCRIPT, datasetList=[{"datasetName": "d", "dataUri": f"{uri}/data"}]
    )
    training.wait()
    assert json.loads(training.printed()[0]) == {
        name: hashlib.md5(content).hexdigest() for name, content in files.items()
    }
    assert connection.get_object(container, "model/sub/m ü.bin")[1] == b"m" * 3_000_000
    assert connection.get_object(container, "checkpoint/c")[1] == b"c"


def test_large_folder_over_several_pages(api: API, swift, connection, container):
    for number in range(120):
        connection.put_object(container, f"many/{number:03d}", str(number))
    script = "import os; print(len(os.listdir(os.environ['EM_DATASET_D'])))"
    uri = f"{swift.account()}/{container}/many"
    training = create(api, swift, connection, container, script, datasetList=[{"datasetName": "d", "dataUri": uri}])
    training.wait()
    assert training.printed() == ["120"]


def test_container_without_a_policy(api: API, swift, connection):
    """The refusal names the account to let in."""
    name = unique("closed")
    connection.put_container(name)
    connection.put_object(name, "source/train.py", "print('x')")
    folder = f"{swift.account()}/{name}"
    errors = api.refused("POST", "trainings", 400, json=api.body(folder))
    assert errors[0]["field"] == "sourceDirUri" and GRANT in errors[0]["message"], errors
    connection.post_container(name, {"X-Container-Read": GRANT})
    errors = api.refused("POST", "trainings", 400, json=api.body(folder))
    assert errors[0]["field"] == "modelUploadUri" and GRANT in errors[0]["message"], errors
    connection.post_container(name, {"X-Container-Write": GRANT})
    create(api, swift, connection, name, "print('x')").wait()


@pytest.mark.parametrize(
    "field, path",
    [
        ("sourceDirUri", "absent/source"),
        ("sourceDirUri", "CONTAINER/absent"),
        ("modelUploadUri", "absent/model"),
        ("checkPointInputUri", "CONTAINER/absent"),
    ],
)
def test_what_does_not_exist(api: API, swift, connection, container, field, path):
    connection.put_object(container, "source/train.py", "")
    uri = f"{swift.account()}/{path.replace('CONTAINER', container)}"
    body = api.body(f"{swift.account()}/{container}", **{field: uri})
    errors = api.refused("POST", "trainings", 400, json=body)
    assert errors[0]["field"] == field, errors


def test_stop_while_it_downloads(api: API, swift, connection, container):
    connection.put_object(container, "data/x", b"x" * 40_000_000)
    uri = f"{swift.account()}/{container}/data"
    training = create(
        api, swift, connection, container, "print('never')", datasetList=[{"datasetName": "d", "dataUri": uri}]
    )
    training.stop()
    training.wait("STOPPED", timeout=15)
    assert training.printed() == []


def test_expired_token_is_renewed(api: API, swift, connection, container):
    """Tempauth keeps tokens in memcached: with that restarted, none of them is known any more."""
    create(api, swift, connection, container, "print('before')").wait()
    swift.stop_one("memcached")
    swift.start()
    connection.get_auth()
    create(api, swift, connection, container, "print('after')").wait()


def test_store_goes_away_during_a_training(api: API, swift, connection, container):
    """Its model cannot be stored: the training fails with that cause, and the server goes on."""
    script = "import os, time; open(os.environ['EM_MODEL_DIR'] + '/m', 'w').write('m'); print('up'); time.sleep(2)"
    training = create(api, swift, connection, container, script, checkPointUploadUri=None)
    training.wait_line("up")
    swift.stop_one("object")
    try:
        failed = training.wait("FAIL_TRAIN", timeout=90)
    finally:
        swift.start()
    assert "model" in failed["statusReason"] and swift.host in failed["statusReason"], failed["statusReason"]
    assert failed["exitCode"] == 0
    create(api, swift, connection, container, "print('next')").wait()


def test_store_that_is_away(api: API, swift, connection, container):
    """A request that needs it is refused with the host, in the time of a cup of coffee; all else works meanwhile."""
    connection.put_object(container, "source/train.py", "")
    swift.stop_one("proxy")
    try:
        start = time.monotonic()
        errors = api.refused("POST", "trainings", 503, json=api.body(f"{swift.account()}/{container}"))
        assert time.monotonic() - start < 20
        assert errors[0]["field"] == "sourceDirUri" and swift.host in errors[0]["message"], errors
        api.train("print('embedded')").wait()
    finally:
        swift.start()
    create(api, swift, connection, container, "print('back')").wait()


@pytest.mark.parametrize(
    "change, hint",
    [
        ({"password": "wrong"}, "refused"),
        ({"caFile": None}, "certificate"),
    ],
)
def test_configuration_that_does_not_work(make_server, swift, connection, container, change, hint):
    """Wrong password, unknown authority: a sentence with the remedy, and a server that goes on and ends well."""
    connection.put_object(container, "source/train.py", "")
    api = API(make_server(config=swift.configuration(**change)))
    response = api.request("POST", "trainings", json=api.body(f"{swift.account()}/{container}"))
    assert response.status_code in (400, 503) and hint.lower() in response.text.lower(), response.text
    assert response.json()["errors"][0]["field"] == "sourceDirUri"
    api.train("print('embedded')").wait()
    assert api.server.stop() == 0


def test_server_ends_well_after_it_used_the_store(api: API, swift, connection, container):
    create(api, swift, connection, container, "print('x')").wait()
    assert api.server.stop() == 0
    api.server.start()


def test_another_takumi_as_the_store(make_server):
    """Keystone v2 as the way in: the object store of one server serves the trainings of another."""
    store = API(make_server("store"))
    host = store.storage["obsUri"].removeprefix("obs://").partition("/")[0]
    config = f"""
storage:
  swift:
    - {{host: "{host}", authKind: keystone2, authURL: "{store.server.tls_url}/v2.0", tenant: default, user: any,
       password: {store.token}, caFile: {store.server.ca}}}
"""
    api = API(make_server("takumi", config))
    folder = f"{store.container}/{unique('remote')}"
    store.upload(f"{folder}/source/train.py", SCRIPT)
    store.upload(f"{folder}/data/x", "content")
    body = api.body(folder, datasetList=[{"datasetName": "d", "dataUri": f"{folder}/data"}])
    training = Training(api, api.call("POST", "trainings", json=body)["training"]["trainingId"], folder)
    training.wait()
    assert store.download(f"{folder}/model/sub/m ü.bin") == b"m" * 3_000_000
