"""Tunings by the vendor's Python SDK, unmodified, with the specs and regular expressions of its own sample (K-1)."""

import json
from pathlib import Path

import pytest

from client import API
from harness import REPOSITORY, Server, eventually
from test_sdk import run_python

HERE = Path(__file__).parent
PROGRAMS = {
    "train.py": "import sys; print(f'score=<{float(sys.argv[2]) + float(sys.argv[4])}>')",
    "slow.py": "import time; print('score=<0>', flush=True); time.sleep(120)",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A server with nothing in it, since the session lists everything."""
    server = Server(tmp_path_factory.mktemp("sdk-server") / "home")
    try:
        yield API(server.start())
    finally:
        server.close()


@pytest.fixture(scope="module")
def seen(api: API, tmp_path_factory) -> dict:
    programs = tmp_path_factory.mktemp("programs")
    for name, text in PROGRAMS.items():
        (programs / name).write_text(text)
    variables = {"EM_TOKEN": api.token, "EM_GROUP_ID": "group", "EM_APPKEY": "default", "EM_REGION": "kr1"}
    words = [str(HERE / "tuning_session.py"), str(REPOSITORY / "examples"), api.container, str(programs)]
    output = run_python(api, *words, **variables)
    return json.loads(next(line for line in output.splitlines() if line.startswith("SEEN "))[5:])


def test_pytorch(seen):
    tuning = seen["pytorch"]
    assert (tuning["hyperparameter_tuning_name"], tuning["hyperparameter_tuning_status_code"]) == (
        "pytorch",
        "COMPLETE",
    )
    assert tuning["hyperparameter_tuning_status_reason"] in ("MaxTrialsReached", "GoalReached"), tuning
    assert tuning["successful_trial_count"] + (tuning["failed_trial_count"] or 0) <= 3
    assert tuning["running_trial_count"] == tuning["failed_trial_count"] == 0
    assert tuning["image"]["image_name"] == "Ubuntu 22.04 CPU PyTorch Training"
    assert tuning["experiment"]["experiment_name"] == "tuned"
    best = tuning["optimal_trial"]
    assert best["trial_id"] == tuning["optimal_trial_id"] and best["trial_status_code"] == "SUCCEEDED"
    values = {p["parameter_name"]: p["parameter_value"] for p in best["hyperparameter_list"]}
    assert set(values) == {"lr", "batch_size", "epochs"}
    assert float(values["lr"]) in (0.01, 0.02, 0.03, 0.04, 0.05) and 16 <= int(values["batch_size"]) <= 32, values
    metrics = {metric["trial_metric_name"]: metric for metric in best["trial_metric_list"]}
    assert set(metrics) == {"Validation-accuracy", "Validation-loss"}
    accuracy = metrics["Validation-accuracy"]
    ends = [float(accuracy[f"trial_metric_{which}_value"]) for which in ("min", "latest", "max")]
    assert ends == sorted(ends) and 0 < ends[2] <= 1


def test_every_field_that_the_sdk_knows_is_filled(seen):
    """But the cause of what went well."""
    assert seen["read"] == seen["pytorch"]
    empty = [name for name in seen["fields"] if seen["read"].get(name) is None]
    assert empty == [], empty
    assert seen["read"]["early_stopping_algorithm"] == "MEDIAN" and seen["read"]["early_stopping_start_step"] == 4
    assert seen["read"]["tuning_strategy_random_state"] == 7 and seen["read"]["parallel_trial_count"] == 2
    specs = seen["read"]["hyperparameter_spec_list"]
    assert [spec["hyperparameter_name"] for spec in specs] == ["lr", "batch_size", "epochs"]
    assert [float(specs[0][f"hyperparameter_{which}"]) for which in ("min_value", "max_value", "step")] == [
        0.01,
        0.05,
        0.01,
    ]


def test_tensorflow(seen):
    tuning = seen["tensorflow"]
    assert tuning["hyperparameter_tuning_status_code"] == "COMPLETE" and tuning["successful_trial_count"] == 2
    assert tuning["hyperparameter_tuning_status_reason"] == "MaxTrialsReached"
    metrics = [metric["trial_metric_name"] for metric in tuning["optimal_trial"]["trial_metric_list"]]
    assert metrics == ["loss", "accuracy", "val_loss", "val_accuracy"]


def test_models_of_the_trials(api: API, seen):
    files = api.files(f"{api.container}/tuned/pytorch/model")
    assert "trial-0001/model.pt" in files and "trial-0003/model_state.pt" in files, files
    assert "trial-0002/saved_model.pb" in api.files(f"{api.container}/tuned/tensorflow/model")


def test_goal_over_a_grid_of_every_type(seen):
    tuning = seen["goal"]
    assert tuning["hyperparameter_tuning_status_reason"] == "GoalReached", tuning
    best = tuning["optimal_trial"]
    values = {p["parameter_name"]: p["parameter_value"] for p in best["hyperparameter_list"]}
    assert float(values["x"]) + float(values["y"]) >= 3.5 and values["v"] == "0.10" and values["c"] in ("sgd", "adam")
    assert tuning["objective_goal"] == 3.5 and tuning["max_trial_count"] is None


def test_stop_and_delete(seen):
    assert "stop" in seen["refused"], seen["refused"]
    assert seen["stopped"][1] == "STOPPED"
    assert set(seen["listed"]) == {"pytorch", "tensorflow", "python-goal", "python-stop", "own"}
    assert seen["left"] == 0


def test_options_of_ours_leave_its_lists_readable(seen):
    """What it has no word for stands in fields of ours; in its own the nearest of its words (K-1)."""
    made = seen["own"]["hyperparameterTuning"]
    assert (made["searchStrategyCode"], made["earlyStoppingRuleCode"]) == ("CMA_ES", "ASHA")
    read = seen["ownRead"]
    assert (read["tuning_strategy_name"], read["early_stopping_algorithm"]) == ("BAYESIAN_OPTIMIZATION", "MEDIAN")


def test_refusal_reaches_the_user(seen):
    assert "objectiveMetric.name" in seen["bad"] and "'other'" in seen["bad"], seen["bad"]


def test_everything_is_deleted(api: API, seen):
    assert api.get("trials")["trialList"] == []
    # The sampler is kept for the next tuning; with the server it ends.
    api.server.stop()
    api.server.start()
    left = lambda: [path.name for path in (api.server.home / "workloads").glob("*-*-*")]  # noqa: E731
    eventually(lambda: not left(), lambda: f"left: {left()}", timeout=60)
