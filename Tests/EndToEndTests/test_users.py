"""Users, roles and projects from the command line and over the API."""

import json
import subprocess

import pytest
import requests

from client import API, unique
from harness import BINARY, Server, environment, eventually

PASSWORD = "correct horse battery"


def user(server: Server, *words: str, **options):
    return run(server, "user", *words, **options)


def tokens(server: Server, *words: str):
    return run(server, "token", *words)


def run(server: Server, *words: str, stdin: str | None = None, **options):
    """A command on the home; gives what it prints, or what it says where it must be refused."""
    result = subprocess.run(
        [BINARY, *words, "--home", str(server.home), "--output", "json"],
        env=environment(),
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=60,
    )
    if options.get("refused"):
        # What no value of an option can mean is told by its parser.
        assert result.returncode in (1, 64), result
        return result.stderr
    assert result.returncode == 0, result
    return json.loads(result.stdout)


def log_in(server: Server, name: str, password: str) -> requests.Response:
    """The log in form, as a browser without scripts sends it."""
    browser = requests.Session()
    page = browser.get(f"{server.url}/login", timeout=30)
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    assert csrf, page.text
    form = {"csrf": csrf, "userName": name, "password": password}
    return browser.post(f"{server.url}/login", data=form, timeout=30, allow_redirects=False)


def test_a_user_from_the_command_line(server: Server):
    name = unique("ann")
    made = user(server, "create", name, "--password-stdin", "--project", "default", stdin=f"{PASSWORD}\n")
    assert made == {"userName": name, "isAdministrator": False, "hasPassword": True, "roles": {"default": "member"}}
    assert log_in(server, name, PASSWORD).status_code == 303
    assert log_in(server, name, "wrong password").status_code == 422
    user(server, "grant", name, "--role", "viewer")
    assert made | {"roles": {"default": "viewer"}} in user(server, "list")
    user(server, "set-password", name, stdin="another password\n")
    assert log_in(server, name, PASSWORD).status_code == 422
    assert log_in(server, name, "another password").status_code == 303
    link = server.command("login", "--user", name).stdout.strip()
    # Who only checks the link does not use it up.
    assert requests.head(link, timeout=30, allow_redirects=False).status_code == 200
    page = requests.get(link, timeout=30)
    assert page.status_code == 200 and name in page.text, page.text[:500]
    user(server, "delete", name)
    assert log_in(server, name, "another password").status_code == 422
    assert name not in json.dumps(user(server, "list"))


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("create", "a b"), None, "may only have letters"),
        (("create", "admin"), None, "taken"),
        (("create", "short", "--password-stdin"), "short\n", "10 to 256 characters"),
        (("create", "nobody", "--password-stdin"), "", "standard input is empty"),
        (("create", "nobody", "--project", "nothing"), None, "no project has the app key 'nothing'"),
        (("create", "nobody", "--project", "default", "--role", "king"), None, "'king' is invalid"),
        (("grant", "admin", "--role", "king"), None, "'king' is invalid"),
        (("grant", "ghost"), None, "no user has the name 'ghost'"),
        (("grant", "admin", "--project", "nothing"), None, "no project has the app key 'nothing'"),
        (("delete", "admin"), None, "the only administrator"),
    ],
)
def test_what_is_refused_says_why(server: Server, words, stdin, said):
    assert said in user(server, *words, stdin=stdin, refused=True)
    assert "nobody" not in json.dumps(user(server, "list")), "half-created"


def test_tokens_are_listed_and_revoked(server: Server):
    secret = server.token("default", "--role", "viewer", "--days", "3")
    api = API(server, token=secret)
    api.get("experiments")
    listed = tokens(server, "list")
    assert secret not in json.dumps(listed), "a list shows secrets"
    [mine] = [token for token in listed if token["role"] == "viewer" and token.get("expiresAt")][:1]
    assert mine["project"] == "default" and mine["user"] == "cli", mine
    assert tokens(server, "revoke", mine["id"]) == {"id": mine["id"]}
    assert mine["id"] not in json.dumps(tokens(server, "list"))
    # Another process revoked it: the server may trust it for five seconds more.
    eventually(lambda: api.request("GET", "experiments").status_code == 401, "the token still works", timeout=10)
    assert "no token has the id" in run(server, "token", "revoke", mine["id"], refused=True)


def test_projects_from_the_command_line(server: Server):
    name = unique("project")
    made = run(server, "project", "create", name)
    assert made["project"] == name and made in run(server, "project", "list")
    for taken, said in ((name, "is taken"), ("a/b c?", "may only have letters"), ("x" * 300, "at most 50")):
        assert said in run(server, "project", "create", taken, refused=True)
    assert {"a/b c?", "x" * 300}.isdisjoint(found["project"] for found in run(server, "project", "list"))


def test_users_over_the_api(server: Server):
    # The token of the local command line administers the server; one of a project does not.
    api = API(server, token=(server.home / "cli-token").read_text())
    name, project = unique("bob"), unique("project")
    made = api.call("POST", "/v1.0/projects", json={"appKey": project})["project"]
    assert made["appKey"] == project and len(made["tenantId"]) == 32
    body = {"userName": name, "password": PASSWORD, "roles": {project: "member"}}
    made = api.call("POST", "/v1.0/users", json=body)["user"]
    assert made["roles"] == {project: "member"} and made["hasPassword"] and not made["isAdministrator"], made
    # A new project can be used at once.
    theirs = API(server, token=server.token(project), project=project)
    theirs.upload(f"{theirs.container}/x", "x")
    changed = api.call("PUT", f"/v1.0/users/{name}", json={"roles": {project: None, "default": "viewer"}})["user"]
    assert changed["roles"] == {"default": "viewer"}, changed
    assert name in [found["userName"] for found in api.call("GET", "/v1.0/users")["userList"]]
    for path, body, field in (
        ("users", {"userName": name}, "userName"),
        ("users", {"userName": "x y"}, "userName"),
        ("users", {"userName": unique("c"), "password": "short"}, "password"),
        ("users", {"userName": unique("c"), "roles": {"default": "king"}}, "roles.default"),
        ("projects", {"appKey": project}, "appKey"),
        ("projects", {"appKey": "a b"}, "appKey"),
        ("projects", {}, "appKey"),
    ):
        answer = api.request("POST", f"/v1.0/{path}", json=body)
        assert answer.status_code in (400, 409) and answer.json()["errors"][0]["field"] == field, answer.text
    api.call("DELETE", f"/v1.0/users/{name}")
    api.refused("DELETE", f"/v1.0/users/{name}", 404)
    member = API(server)
    for method, path in (("GET", "users"), ("POST", "users"), ("GET", "projects"), ("DELETE", "users/admin")):
        member.refused(method, f"/v1.0/{path}", 403, json={})
        member.refused(method, f"/v1.0/{path}", 401, headers={}, json={})
