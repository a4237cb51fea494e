"""The vendor's SDK inside a notebook, with nothing but what the notebook's environment gives it (SPEC 2, 14).

The vendor's own sample notebooks cannot be fetched here; `examples/notebooks/iris.ipynb` goes the way of the vendor's guide:
experiment, upload, training, download.
"""

import json

import pytest

import notebooks
from client import API, unique
from harness import Server, eventually
from notebooks import DATA, Notebook
from serving_models import REPOSITORY

SAMPLE = REPOSITORY / "examples" / "notebooks" / "iris.ipynb"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("sdk") / "home", "warmMemoryMiB: 0\n")
    try:
        yield API(server.start())
    finally:
        server.close()


@pytest.fixture(scope="module")
def notebook(api: API) -> Notebook:
    made = notebooks.create(api, flavor="m2.c1m2")
    made.wait()
    return made


def test_the_sample_runs_as_it_is(api, notebook):
    """Every cell, by Jupyter's own tool and a kernel of the notebook's; then what it left behind outside."""
    sample = json.loads(SAMPLE.read_text())
    assert all(not cell.get("outputs") for cell in sample["cells"]), "the sample is published without outputs"
    notebook.lab.write("sample.ipynb", SAMPLE.read_text())
    command = f"cd {DATA} && jupyter nbconvert --to notebook --execute --inplace sample.ipynb 2>&1 | tail -30; echo done > ran"
    with notebook.lab.kernel() as kernel:
        said = kernel.run(f"import subprocess; print(subprocess.run({command!r}, shell=True, text=True, capture_output=True).stdout)")
    done = json.loads(notebook.lab.read("sample.ipynb"))
    outputs = ["".join(json.dumps(output) for output in cell.get("outputs", [])) for cell in done["cells"]]
    text = "\n".join(outputs)
    assert "COMPLETE" in text and "a flower of kind 0" in text and "image/png" in text, f"{said}\n{text[-3000:]}"
    assert '"output_type": "error"' not in text, text[-3000:]

    trainings = api.get("trainings")["trainingList"]
    assert [one["trainingName"] for one in trainings] == ["logistic-regression"], trainings
    assert trainings[0]["experiment"]["experimentName"] == "iris-from-a-notebook"


def test_the_environment_inside(api, notebook):
    """12.4's names, a token that works and is this project's only, TLS that is trusted in both directions."""
    with notebook.lab.kernel() as kernel:
        said = kernel.run(
            "import os, requests, json\n"
            "headers = {'X-EasyMaker-Token': os.environ['EM_TOKEN']}\n"
            "api = os.environ['EM_API_URL']\n"
            "print(json.dumps({\n"
            "  'names': sorted(n for n in os.environ if n.startswith('EM_')),\n"
            "  'own': requests.get(f'{api}/v1.0/appkeys/default/notebooks', headers=headers).status_code,\n"
            "  'foreign': requests.get(f'{api}/v1.0/appkeys/other/notebooks', headers=headers).status_code,\n"
            f"  'store': requests.get('{api.server.tls_url}/healthz').status_code,\n"
            "  'bundle': open(os.environ['REQUESTS_CA_BUNDLE']).read().count('BEGIN CERTIFICATE'),\n"
            "}))"
        )
    seen = json.loads(said.strip().splitlines()[-1])
    assert {"EM_APPKEY", "EM_REGION", "EM_TOKEN", "EM_GROUP_ID", "EM_API_URL"} <= set(seen["names"]), seen
    assert seen["own"] == 200 and seen["store"] == 200, seen
    assert seen["foreign"] in (403, 404), seen
    assert seen["bundle"] > 10, "only the server's own authority is trusted"


def test_the_token_ends_with_the_notebook(api):
    made = notebooks.create(api, notebookName=unique("token"))
    made.wait()
    with made.lab.kernel() as kernel:
        token = kernel.run("import os; print(os.environ['EM_TOKEN'])").strip()
    holder = API(api.server, token)
    assert holder.request("GET", "notebooks").status_code == 200
    made.ask("stop")
    made.wait("STOPPED")
    eventually(lambda: holder.request("GET", "notebooks").status_code == 401, "the token of a stopped notebook works", 10)
