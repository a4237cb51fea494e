"""TensorBoard of a training and of an experiment: on demand, only for those who are logged in (X-2, T-9, 12.5)."""

import pytest
import requests

from client import API, unique

APPS_COOKIE = "__Host-takumi_apps"

SCRIPT = """
import os
from torch.utils.tensorboard import SummaryWriter
with SummaryWriter(os.environ["EM_TENSORBOARD_LOG_DIR"]) as writer:
    for step in range(3):
        writer.add_scalar("loss", 1 / (step + 1), step)
"""


@pytest.fixture(scope="module")
def trainings(api: API):
    experiment = api.create_experiment()
    made = [
        api.train(SCRIPT, image="pytorch", flavor="m2.c1m2", experimentId=experiment, trainingName=unique(name))
        for name in ("one", "two")
    ]
    for training in made:
        training.wait(timeout=600)
    # The first start of all installs TensorBoard.
    get(api, made[0].read()["tensorboardAccessUri"], timeout=300, **with_token(api))
    return experiment, made


def get(api: API, uri: str, timeout: float = 30, **options) -> requests.Response:
    return requests.get(uri, verify=str(api.server.ca), timeout=timeout, allow_redirects=False, **options)


def with_token(api: API) -> dict:
    return {"headers": {"X-EasyMaker-Token": api.token}}


def test_of_a_training(api: API, trainings):
    uri = trainings[1][0].read()["tensorboardAccessUri"]
    assert uri.startswith(f"{api.server.apps_url}/"), "TensorBoard belongs to another origin than API and console"
    page = get(api, uri, **with_token(api))
    assert page.status_code == 200 and "<html" in page.text.lower(), page.text[:500]
    data = get(api, f"{uri}data/plugin/scalars/tags", **with_token(api))
    assert data.status_code == 200, data.text
    # Compressed or not, as the client asks: both must come whole.
    for encoding in ("identity", "gzip"):
        headers = with_token(api)["headers"] | {"Accept-Encoding": encoding}
        runs = get(api, f"{uri}data/runs", headers=headers)
        assert runs.json() == ["."] and runs.headers.get("Content-Encoding", "identity") == encoding, runs.headers
    assert [set(tags) for tags in data.json().values()] == [{"loss"}], data.json()


def test_of_an_experiment(api: API, trainings):
    experiment, made = trainings
    uri = api.get(f"experiments/{experiment}")["experiment"]["tensorboardAccessUri"]
    assert get(api, uri, **with_token(api)).status_code == 200
    runs = get(api, f"{uri}data/runs", **with_token(api)).json()
    names = [training.read()["trainingName"] for training in made]
    assert len(runs) == 2 and all(any(run.startswith(name) for run in runs) for name in names), (runs, names)


def test_without_a_login(api: API, trainings):
    uri = trainings[1][0].read()["tensorboardAccessUri"]
    for options in ({}, {"headers": {"X-EasyMaker-Token": "tk_wrong"}}, {"cookies": {APPS_COOKIE: "wrong"}}):
        refused = get(api, uri, **options)
        assert refused.status_code == 401, options
        assert "log in" in refused.json()["errors"][0]["message"]
    assert get(api, f"{uri}data/runs").status_code == 401


def logged_in(api: API) -> requests.Session:
    """A browser with the session that the one-time link gives."""
    link = api.server.command("login").stdout.strip()
    browser = requests.Session()
    page = browser.get(link, timeout=30)
    assert page.status_code == 200 and browser.cookies, page.text
    assert requests.get(link, timeout=30).status_code == 401, "the link works twice"
    return browser


def test_from_the_console(api: API, trainings):
    """The console's button leads to the other origin with a ticket; a cookie of that origin's own opens TensorBoard."""
    browser = logged_in(api)
    made = trainings[1][0]
    button = browser.get(
        f"{api.server.url}/projects/default/{made.path}/tensorboard", allow_redirects=False, timeout=30
    )
    place = button.headers["Location"]
    uri = made.read()["tensorboardAccessUri"]
    assert button.status_code == 303 and place.startswith(f"{uri}?takumi_ticket="), place
    entered = get(api, place)
    assert entered.status_code == 303 and uri.endswith(entered.headers["Location"]), entered.headers
    cookie = next(cookie for cookie in entered.cookies if cookie.name == APPS_COOKIE)
    assert cookie.secure and cookie.has_nonstandard_attr("HttpOnly"), cookie
    assert get(api, place).status_code == 401, "a ticket works twice"
    with_cookie = {"cookies": {cookie.name: cookie.value}}
    assert get(api, uri, **with_cookie).status_code == 200
    # Neither origin's cookie is worth anything at the other, and neither can change anything over the API.
    session = next(iter(browser.cookies))
    assert get(api, uri, cookies={session.name: session.value}).status_code == 401
    for name, value in ((session.name, session.value), (cookie.name, cookie.value)):
        api.refused("POST", "experiments", 401, headers={}, cookies={name: value}, json={"experimentName": "x"})
        api.refused("GET", "experiments", 401, headers={}, cookies={name: value})
    assert get(api, f"{api.server.apps_url}/projects/default", **with_cookie).status_code == 404
    # A program's own POST works, another site's does not.
    tags = f"{uri}data/plugin/scalars/scalars_multirun"
    own, foreign = ({"Origin": origin} for origin in (api.server.apps_url, "https://elsewhere.example"))
    assert requests.post(tags, verify=str(api.server.ca), headers=own, timeout=30, **with_cookie).status_code < 500
    assert requests.post(tags, verify=str(api.server.ca), headers=foreign, timeout=30, **with_cookie).status_code == 403


def test_without_a_cookie_a_browser_comes_by_the_console(api: API, trainings):
    uri = trainings[1][0].read()["tensorboardAccessUri"]
    answer = get(api, uri, headers={"Accept": "text/html"})
    assert answer.status_code == 303 and answer.headers["Location"].startswith(f"{api.server.url}/apps?to="), answer
    browser = logged_in(api)
    back = browser.get(answer.headers["Location"], allow_redirects=False, timeout=30)
    assert back.headers["Location"].startswith(f"{uri}?takumi_ticket="), back.headers
    for place in ("//elsewhere.example/", "https://elsewhere.example/", "/\\elsewhere.example"):
        answer = browser.get(f"{api.server.url}/apps", params={"to": place}, allow_redirects=False, timeout=30)
        assert answer.headers["Location"].startswith(f"{api.server.apps_url}/?"), answer.headers


def test_a_query_survives_the_way_by_the_console(api: API, trainings):
    uri = trainings[1][0].read()["tensorboardAccessUri"]
    answer = get(api, f"{uri}?darkMode=true&a=%20b", headers={"Accept": "text/html"})
    back = logged_in(api).get(answer.headers["Location"], allow_redirects=False, timeout=30)
    entered = get(api, back.headers["Location"])
    assert uri.endswith(entered.headers["Location"].split("?")[0]), entered.headers
    assert entered.headers["Location"].endswith("/?darkMode=true&a=%20b"), entered.headers


def test_with_a_token_in_the_query(api: API, trainings):
    """For clients that know no headers; anybody else's token is not let in."""
    uri = trainings[1][0].read()["tensorboardAccessUri"]
    assert get(api, f"{uri}data/runs?token={api.token}").json() == ["."]
    assert get(api, f"{uri}data/runs?token=tk_wrong").status_code == 401


def test_what_is_wrong_is_said_to_a_browser_in_plain_words(api: API, trainings):
    uri = trainings[1][0].read()["tensorboardAccessUri"].replace("/trainings/", "/nothing/")
    page = get(api, uri, headers={"Accept": "text/html", "X-EasyMaker-Token": api.token})
    assert page.status_code == 404 and page.headers["Content-Type"].startswith("text/html"), page.headers
    assert "there is no such page" in page.text and "<script" not in page.text, page.text


def test_of_what_does_not_exist(api: API, trainings):
    uri = trainings[1][0].read()["tensorboardAccessUri"]
    missing = uri.replace(trainings[1][0].id, "00000000-0000-0000-0000-000000000000")
    assert get(api, missing, **with_token(api)).status_code == 404
    assert get(api, uri.replace("/default/", "/other/"), **with_token(api)).status_code == 404


def test_of_a_deleted_training(api: API):
    training = api.train("import os; open(os.environ['EM_TENSORBOARD_LOG_DIR'] + '/x', 'w').write('x')")
    uri = training.wait()["tensorboardAccessUri"]
    assert get(api, uri, **with_token(api)).status_code == 200
    api.call("DELETE", training.path)
    assert get(api, uri, **with_token(api)).status_code == 404
    assert not [path for path in (api.server.home / "tensorboard").rglob("*") if training.id[:8] in path.name]
