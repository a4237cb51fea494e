"""TensorBoard of a training and of an experiment: on demand, only for those who are logged in (X-2, T-9, 12.5)."""

import pytest
import requests

from client import API, unique

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
    assert uri.startswith(api.server.tls_url), "TensorBoard belongs to another origin than the API"
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
    for options in ({}, {"headers": {"X-EasyMaker-Token": "tk_wrong"}}, {"cookies": {"takumi_session": "wrong"}}):
        refused = get(api, uri, **options)
        assert refused.status_code == 401, options
        assert "log in" in refused.json()["errors"][0]["message"]
    assert get(api, f"{uri}data/runs").status_code == 401


def test_with_the_link_for_browsers(api: API, trainings):
    """The one-time link logs in once; the session that it gives opens TensorBoard."""
    link = api.server.command("login").stdout.strip()
    browser = requests.Session()
    browser.verify = str(api.server.ca)
    page = browser.get(link, timeout=30)
    assert page.status_code == 200 and browser.cookies, page.text
    cookie = next(iter(browser.cookies))
    assert cookie.has_nonstandard_attr("HttpOnly")
    uri = trainings[1][0].read()["tensorboardAccessUri"]
    # By hand: `requests` keeps cookies by port as browsers do not.
    opened = get(api, uri, cookies={cookie.name: cookie.value})
    assert opened.status_code == 200, opened.text
    assert requests.get(link, timeout=30).status_code == 401, "the link works twice"
    # The cookie cannot change anything: a page elsewhere could make a browser send it.
    cross = api.request(
        "POST", "experiments", headers={}, cookies={cookie.name: cookie.value}, json={"experimentName": "x"}
    )
    assert cross.status_code == 401


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
