"""The embedded object store, over TLS, as OpenStack Swift's own client and the vendor's SDK use it."""

import hashlib
import http.client
import json
import os
import ssl
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import swiftclient

from client import API, unique
from harness import environment

SWIFT = Path(sys.executable).with_name("swift")


@pytest.fixture(scope="module")
def connection(api: API):
    """Logs in as Keystone v2 clients do: the tenant, any user name, an API token as the password."""
    with connect(api, tenant_name="default") as connection:
        yield connection


def connect(api: API, **options):
    """A client without retries, since the first answer is what is tested."""
    login = {"authurl": f"{api.server.tls_url}/v2.0", "auth_version": "2", "user": "anyone", "key": api.token}
    return closing(swiftclient.Connection(**login | options, cacert=str(api.server.ca), retries=0))


@pytest.fixture
def container(connection):
    name = unique("container")
    connection.put_container(name)
    return name


def refused(status: int, action, *arguments, **options):
    with pytest.raises(swiftclient.ClientException) as error:
        action(*arguments, **options)
    assert error.value.http_status == status, error.value


# MARK: - The library


def test_account(connection, api: API):
    url, token = connection.get_auth()
    assert url == f"{api.server.tls_url}/v1/AUTH_{api.storage['tenantId']}"
    headers, containers = connection.get_account()
    assert "easymaker" in [item["name"] for item in containers]
    assert int(headers["x-account-container-count"]) == len(containers)


def test_objects(connection, container):
    content = os.urandom(3 << 20)
    etag = connection.put_object(container, "folder/a b/ü.bin", content, headers={"X-Object-Meta-Color": "blue"})
    headers, body = connection.get_object(container, "folder/a b/ü.bin")
    assert body == content and headers["etag"] == etag and headers["x-object-meta-color"] == "blue"
    assert int(connection.head_object(container, "folder/a b/ü.bin")["content-length"]) == len(content)
    _, part = connection.get_object(container, "folder/a b/ü.bin", headers={"Range": "bytes=10-19"})
    assert part == content[10:20]
    connection.copy_object(container, "folder/a b/ü.bin", f"/{container}/copy")
    assert connection.get_object(container, "copy")[1] == content
    connection.delete_object(container, "copy")
    refused(404, connection.get_object, container, "copy")
    refused(409, connection.delete_container, container)


def test_listing(connection, container):
    names = [f"a/{number:02d}" for number in range(25)] + ["b/x", "c"]
    for name in names:
        connection.put_object(container, name, name)
    listed = [item["name"] for item in connection.get_container(container, full_listing=True, limit=10)[1]]
    assert listed == names
    top = connection.get_container(container, delimiter="/")[1]
    assert [item.get("subdir") or item["name"] for item in top] == ["a/", "b/", "c"]
    page = connection.get_container(container, prefix="a/", marker="a/10", limit=3)[1]
    assert [item["name"] for item in page] == ["a/11", "a/12", "a/13"]
    assert page[0]["bytes"] == 4


def test_upload_that_breaks_off_leaves_nothing(connection, container, api: API):
    def broken():
        yield b"x" * 100_000
        raise OSError("the disk of the client broke")

    with pytest.raises(OSError):
        connection.put_object(container, "broken", broken(), chunk_size=65536)
    connection.close()
    refused(404, connection.head_object, container, "broken")
    # A wrong checksum leaves nothing either.
    refused(422, connection.put_object, container, "wrong", b"x", etag="0" * 32)
    refused(404, connection.head_object, container, "wrong")


def test_tokens(api: API):
    for wrong in ({"key": "tk_wrong", "tenant_name": "default"}, {"tenant_name": "other"}):
        with connect(api, **wrong) as connection, pytest.raises(swiftclient.ClientException):
            connection.get_account()
    with connect(api, os_options={"tenant_id": api.storage["tenantId"]}) as connection:
        connection.get_account()
    # Tempauth, the older way.
    user = f"{api.storage['tenantId']}:anyone"
    with connect(api, authurl=f"{api.server.tls_url}/auth/v1.0", auth_version="1", user=user) as connection:
        connection.get_account()


def test_access_policy(connection, container, api: API):
    grant = api.storage["serviceAccount"]["accessPolicy"]
    connection.post_container(container, {"X-Container-Read": f"{grant},.r:*", "X-Container-Write": grant})
    headers = connection.head_container(container)
    assert (headers["x-container-read"], headers["x-container-write"]) == (f"{grant},.r:*", grant)
    connection.put_object(container, "public", "x")
    uri = f"{api.storage['obsUri']}/{container}"
    assert api.store("GET", f"{uri}/public", headers={"X-Auth-Token": None}).text == "x"
    # Reading objects is not listing them.
    api.store("GET", uri, 401, headers={"X-Auth-Token": None})
    connection.post_container(container, {"X-Container-Read": ""})
    api.store("GET", f"{uri}/public", 401, headers={"X-Auth-Token": None})
    refused(400, connection.post_container, container, {"X-Container-Write": ".r:*"})
    assert connection.head_container(container)["x-container-write"] == grant


# MARK: - Names that mean harm

TRAPS = [
    "/../../../../../../../../../../tmp/takumi-escaped",
    "/..",
    "/.",
    "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/tmp/takumi-escaped",
    "/..%2f..%2f..%2f..%2f..%2f..%2f..%2ftmp%2ftakumi-escaped",
    "//tmp/takumi-escaped",
    "/a/../../b",
    "/.hidden",
    "/a//b/",
    "/" + "n" * 1024,
    "/" + "/".join(["d"] * 100),
    "/..\\..\\x",
    "/a%0ab",
    "/~root/x",
    "/%F0%9F%A6%84",
]


@pytest.mark.parametrize("path", TRAPS, ids=lambda path: path[:24])
def test_odd_names_are_names(api: API, connection, container, path):
    """Either refused or stored under exactly that name; never a path on the server's disk."""
    url = urlsplit(f"{connection.get_auth()[0]}/{container}")
    token = connection.get_auth()[1]
    context = ssl.create_default_context(cafile=str(api.server.ca))

    def send(method: str, body: bytes | None = None):
        raw = http.client.HTTPSConnection(url.hostname, url.port, context=context, timeout=30)
        raw.request(method, url.path + path, body=body, headers={"X-Auth-Token": token})
        response = raw.getresponse()
        content = response.read()
        raw.close()
        return response.status, content

    status, _ = send("PUT", b"content")
    assert status in (201, 400, 404, 412), status
    if status == 201:
        assert send("GET") == (200, b"content")
        assert len(connection.get_container(container)[1]) == 1
        assert send("DELETE")[0] == 204
    assert connection.get_container(container)[1] == []
    assert not list(Path("/tmp").glob("takumi-escaped*"))
    for name in ("takumi.db", "cli-token", "ca.pem"):
        assert (api.server.home / name).exists()


@pytest.mark.parametrize("name", ["..", ".", "a%2f..%2fb", "%00", "c" * 300])
def test_odd_names_of_containers(api: API, name):
    url = urlsplit(f"https{api.storage['obsUri'].removeprefix('obs')}")
    context = ssl.create_default_context(cafile=str(api.server.ca))
    for account in (url.path, "/v1/AUTH_..", "/v1/AUTH_%2e%2e%2fx"):
        raw = http.client.HTTPSConnection(url.hostname, url.port, context=context, timeout=30)
        raw.request("PUT", f"{account}/{name}", headers={"X-Auth-Token": api.token, "Content-Length": "0"})
        status = raw.getresponse().status
        raw.close()
        assert status in (201, 400, 403, 404, 412), status
        assert status != 201 or account == url.path


# MARK: - The command line


def swift(api: API, *words: str, cwd: Path | None = None) -> str:
    login = [
        "--auth-version",
        "2",
        "-A",
        f"{api.server.tls_url}/v2.0",
        "-U",
        "anyone",
        "-K",
        api.token,
        "--os-tenant-name",
        "default",
        "--os-cacert",
        str(api.server.ca),
    ]
    result = subprocess.run(
        [SWIFT, *login, *words], env=environment(), cwd=cwd, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, f"swift {words}: {result.stdout}{result.stderr}"
    return result.stdout


def test_command_line(api: API, connection, tmp_path):
    name = unique("cli")
    source, down = tmp_path / "up", tmp_path / "down"
    (source / "folder").mkdir(parents=True)
    (source / "folder/one.txt").write_text("one")
    big = os.urandom(5 << 20)
    (source / "big.bin").write_bytes(big)
    swift(api, "upload", name, "folder", "big.bin", "--segment-size", str(2 << 20), cwd=source)
    assert swift(api, "list", name).split() == ["big.bin", "folder/one.txt"]
    assert len(connection.get_container(f"{name}_segments")[1]) == 3
    swift(api, "download", name, "--output-dir", str(down))
    assert (down / "big.bin").read_bytes() == big and (down / "folder/one.txt").read_text() == "one"
    swift(api, "post", name, "--read-acl", "tenant:user", "--meta", "Color:blue")
    assert "tenant:user" in swift(api, "stat", name)
    # With a large object go its segments.
    swift(api, "delete", name)
    refused(404, connection.head_container, name)
    assert connection.get_container(f"{name}_segments")[1] == []


@pytest.mark.parametrize("kind", ["--use-slo", "--no-use-slo"])
def test_large_objects_reach_a_training_whole(api: API, tmp_path, kind):
    data = os.urandom(1 << 20)
    (tmp_path / "data.bin").write_bytes(data)
    folder = unique("large")
    options = [
        "--segment-size",
        str(300_000),
        "--object-name",
        f"{folder}/data.bin",
        "--segment-container",
        "easymaker",
    ]
    # Without SLO the tool makes a manifest by prefix.
    options += ["--use-slo"] if kind == "--use-slo" else []
    swift(api, "upload", "easymaker", "data.bin", *options, cwd=tmp_path)
    script = """
import hashlib, os
folder = os.environ["EM_DATASET_D"]
print([(name, hashlib.md5(open(f"{folder}/{name}", "rb").read()).hexdigest()) for name in sorted(os.listdir(folder))])
"""
    training = api.train(script, datasetList=[{"datasetName": "d", "dataUri": f"{api.container}/{folder}"}])
    training.wait()
    assert training.printed() == [str([("data.bin", hashlib.md5(data).hexdigest())])]


# MARK: - The vendor's SDK


def test_object_in_parts_as_the_sdk_makes_it(api: API, tmp_path):
    """From 2 GB on it splits an upload and writes a manifest by prefix; here from 1 MB on, by its own constants."""
    data = os.urandom(1_500_000)
    (tmp_path / "big.bin").write_bytes(data)
    uri = f"{api.container}/{unique('parts')}"
    script = """
import json, sys
from easymaker.storage.objectstorage import ObjectStorage
storage = ObjectStorage()
storage.MULTIPART_UPLOAD_FILE_SIZE_THRESHOLD, storage.MULTIPART_UPLOAD_CHUNK_SIZE = 1_000_000, 800_000
uri, folder = sys.argv[1:]
storage.upload(uri, folder + "/big.bin")
objects = storage.find_object_list(uri)
storage.download(uri + "/big.bin", folder + "/down", show_progress=False)
print(json.dumps(objects))
"""
    variables = environment(
        EM_API_URL=api.server.url,
        EM_TOKEN=api.token,
        EM_GROUP_ID="group",
        EM_APPKEY="default",
        EM_REGION="kr1",
        REQUESTS_CA_BUNDLE=str(api.server.ca),
    )
    result = subprocess.run(
        [sys.executable, "-c", script, uri, str(tmp_path)], env=variables, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr
    objects = [name.rsplit("/", 1)[1] for name in json.loads(result.stdout.splitlines()[-1])]
    assert objects == ["big.bin", "001", "002"]
    assert (tmp_path / "down/big.bin").read_bytes() == data
    script = "import os; f = os.environ['EM_DATASET_D']; print(sorted(os.listdir(f)), os.path.getsize(f + '/big.bin'))"
    training = api.train(script, datasetList=[{"datasetName": "d", "dataUri": uri}])
    training.wait()
    assert training.printed() == ["['big.bin'] 1500000"]
