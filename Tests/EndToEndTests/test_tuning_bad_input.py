"""Requests for tunings that cannot be carried out: refused with field, value and remedy, and nothing is made."""

import time

import pytest

from client import API, Tuning, categorical, discrete, double, integer, unique
from test_bad_trainings import NO_ID, tags
from test_tuning import ECHO

COLLECTION = "hyperparameter-tunings"


def space(*parameters: dict) -> dict:
    return {"hyperparameterSpecList": list(parameters)}


def numbered(name: str) -> str:
    return f"hyperparameterSpecList[0].hyperparameter{name}"


def metrics(*names) -> dict:
    return {"metricList": [{"name": name} for name in names]}


RANDOM = {"tuningStrategyName": "RANDOM", "maxTrialCount": 3}
MIN, MAX, STEP, VALUES, SCALE = (
    numbered(name) for name in ("MinValue", "MaxValue", "Step", "SpecifiedValues", "Scale")
)

# The field to blame, the change, and a part of the message where one is worth looking at.
BAD = [
    # What is searched.
    ("hyperparameterSpecList", {"hyperparameterSpecList": None}, "required"),
    ("hyperparameterSpecList", space(), "required"),
    ("hyperparameterSpecList", {"hyperparameterSpecList": "x"}, ""),
    ("hyperparameterSpecList", {"hyperparameterSpecList": {}}, ""),
    ("hyperparameterSpecList", space(*(integer(f"x{n}", 1, 1) for n in range(101))), "100"),
    ("hyperparameterSpecList", space(*(integer(f"x{n}", 1, 100) for n in range(3))), "1000000 combinations"),
    ("hyperparameterSpecList", space(*(integer(f"x{n}", 1, 1000) for n in range(99))), "RANDOM"),
    (numbered("Name"), space(integer("", 1, 2)), "required"),
    (
        numbered("Name"),
        space({"hyperparameterTypeCode": "int"} | integer("n", 1, 2) | {"hyperparameterName": None}),
        "",
    ),
    (numbered("Name"), space(integer("n" * 256, 1, 2)), "255"),
    (numbered("Name"), space(integer("a b", 1, 2)), "a b"),
    (numbered("Name"), space(integer("a=b", 1, 2)), "a=b"),
    (numbered("Name"), space(integer("a\0b", 1, 2)), ""),
    (numbered("Name"), space(integer(5, 1, 2)), ""),
    ("hyperparameterSpecList[1].hyperparameterName", space(integer("x", 1, 2), integer("x", 1, 2)), "twice"),
    ("hyperparameterSpecList[1].hyperparameterName", space(integer("lr", 1, 2), double("LR", 1, 2, 1)), "ignore case"),
    (numbered("TypeCode"), space({"hyperparameterName": "x"}), "int, double, discrete, categorical"),
    (numbered("TypeCode"), space(integer("x", 1, 2) | {"hyperparameterTypeCode": "float"}), "'float'"),
    (numbered("TypeCode"), space(integer("x", 1, 2) | {"hyperparameterTypeCode": "INT"}), "'INT'"),
    (numbered("TypeCode"), space(integer("x", 1, 2) | {"hyperparameterTypeCode": 1}), ""),
    # Ranges.
    (MIN, space(integer("x", 5, 1)), "5 is above hyperparameterMaxValue 1"),
    (MIN, space(double("x", 0.5, 0.1, 0.1)), "0.5 is above"),
    (MIN, space(integer("x", None, 1)), "required"),
    (MAX, space(integer("x", 1, None)), "required"),
    (MAX, space(double("x", 1, "", 1)), "required"),
    (MIN, space(integer("x", "one", 2)), "'one'"),
    (MIN, space(integer("x", 0.5, 2)), "'0.5' is not a whole number"),
    (MAX, space(integer("x", 1, 1e300)), "whole number"),
    (MAX, space(integer("x", 1, 10**30)), "whole number"),
    (MAX, space(integer("x", 1, 2**60)), "whole number"),
    (MAX, space(integer("x", 1, "9" * 2000)), "whole number"),
    (MIN, space(double("x", "nan", 1, 1)), "'nan' is not a number"),
    (MAX, space(double("x", 0, "inf", 1)), "'inf' is not a number"),
    (MIN, space(double("x", "-Infinity", 1, 1)), "'-Infinity'"),
    (MAX, space(double("x", 0, "1e999", 1)), "'1e999' is not a number"),
    (MAX, space(double("x", 0, "1,5", 1)), "'1,5' is not a number"),
    (MAX, space(double("x", 0, "0x10", 1)), "'0x10' is not a number"),
    (MAX, space(integer("x", 0, "0x10")), "'0x10' is not a whole number"),
    (MIN, space(integer("x", True, 2)), ""),
    (MIN, space(integer("x", [1], 2)), ""),
    (MAX, space(double("x", -1.7e308, 1.7e308)) | RANDOM, "too far"),
    (STEP, space(integer("x", 1, 9, 0)), "0 must be above 0"),
    (STEP, space(integer("x", 1, 9, -1)), "-1 must be above 0"),
    (STEP, space(integer("x", 1, 9, 9)), "9 is larger than the range"),
    (STEP, space(integer("x", 1, 9, 0.5)), "'0.5' is not a whole number"),
    (STEP, space(double("x", 0, 1, 0)), "must be above 0"),
    (STEP, space(double("x", 0, 1, 1.5)), "1.5 is larger than the range"),
    (STEP, space(double("x", 0, 1, "inf")), "'inf'"),
    (STEP, space(double("x", 0, 1)), "GRID"),
    ("hyperparameterSpecList", space(double("x", 0, 1, 1e-9)), "combinations"),
    ("hyperparameterSpecList", space(double("x", 0, 1, 5e-324)), "combinations"),
    (SCALE, space(integer("x", 1, 9, scale="ln")), "'ln'"),
    (MIN, space(double("x", 0, 1, scale="log")) | RANDOM, "above 0 for a log scale"),
    (MIN, space(integer("x", -5, 9, scale="log")) | RANDOM, "-5 must be above 0"),
    (STEP, space(double("x", 0.1, 1, 0.1, "log")) | RANDOM, "log scale"),
    (STEP, space(integer("x", 1, 9, 2, "log")) | RANDOM, "log scale"),
    # Lists.
    (VALUES, space(discrete("x", None)), "required"),
    (VALUES, space(categorical("x", "")), "required"),
    (VALUES, space(categorical("x", " ")), "required"),
    (VALUES, space(categorical("x", "a,,b")), "empty value"),
    (VALUES, space(categorical("x", "a,b,")), "empty value"),
    (VALUES, space(categorical("x", "a,b, a")), "twice"),
    (VALUES, space(discrete("x", "1,2,three")), "'three' is not a number"),
    (VALUES, space(discrete("x", "1,nan")), "'nan' is not a number"),
    (VALUES, space(discrete("x", "1,inf")), "'inf' is not a number"),
    (VALUES, space(discrete("x", "1,0x10")), "'0x10' is not a number"),
    (VALUES, space(categorical("x", ",".join(map(str, range(1001))))), "1000"),
    (VALUES, space(categorical("x", "a\0b,c")), "NUL"),
    (VALUES, space(categorical("x", ["a", "b"])), ""),
    (VALUES, space(integer("x", 1, 2) | discrete("x", "1,2") | {"hyperparameterTypeCode": "int"}), "discrete"),
    (MIN, space(categorical("x", "a,b") | {"hyperparameterMinValue": 1}), "categorical"),
    (MAX, space(discrete("x", "1,2") | {"hyperparameterMaxValue": "9"}), "discrete"),
    (STEP, space(discrete("x", "1,2") | {"hyperparameterStep": 1}), "discrete"),
    # The strategy, and its end.
    ("tuningStrategyName", RANDOM | {"tuningStrategyName": "HYPERBAND"}, "GRID, RANDOM, BAYESIAN_OPTIMIZATION"),
    ("tuningStrategyName", RANDOM | {"tuningStrategyName": "grid"}, "'grid'"),
    ("searchStrategyCode", RANDOM | {"searchStrategyCode": "TPE"}, "GAUSSIAN_PROCESS, CMA_ES"),
    ("tuningStrategyName", RANDOM | {"searchStrategyCode": "CMA_ES"}, "give searchStrategyCode alone"),
    ("tuningStrategyRandomState", {"tuningStrategyRandomState": -1}, "4294967295"),
    ("tuningStrategyRandomState", {"tuningStrategyRandomState": 2**32}, "4294967295"),
    ("tuningStrategyRandomState", {"tuningStrategyRandomState": "x"}, ""),
    ("maxTrialCount", {"maxTrialCount": 0}, "1"),
    ("maxTrialCount", {"maxTrialCount": 100_001}, "100000"),
    ("maxTrialCount", {"maxTrialCount": 1.5}, ""),
    ("maxTrialCount", {"maxTrialCount": 10**30}, ""),
    ("maxTrialCount", {"maxTrialCount": 10}, "10 is above the 9 combinations"),
    ("maxTrialCount", {"tuningStrategyName": "RANDOM"}, "required"),
    ("maxTrialCount", {"tuningStrategyName": "GAUSSIAN_PROCESS", "maxTrialCount": 1001}, "at most 1000"),
    ("maxFailedTrialCount", {"maxFailedTrialCount": 0}, ""),
    ("maxFailedTrialCount", {"maxFailedTrialCount": 6, "maxTrialCount": 5}, "6 is above maxTrialCount 5"),
    ("maxFailedTrialCount", {"maxFailedTrialCount": True}, ""),
    ("maxDurationSeconds", {"maxDurationSeconds": 0}, "1"),
    ("maxDurationSeconds", {"maxDurationSeconds": 2_592_001}, "2592000"),
    # Instances.
    ("parallelTrialCount", {"parallelTrialCount": 0}, "1"),
    ("parallelTrialCount", {"parallelTrialCount": 11}, "10"),
    ("parallelTrialCount", {"parallelTrialCount": "2"}, ""),
    ("instanceCount", {"parallelTrialCount": 4, "instanceCount": 6}, "6 is not a multiple of parallelTrialCount 4"),
    ("instanceCount", {"parallelTrialCount": 4, "instanceCount": 2}, "2 is not a multiple"),
    ("instanceCount", {"parallelTrialCount": 4, "instanceCount": 12}, "10"),
    ("instanceCount", {"instanceCount": 0}, "1"),
    # Metrics.
    ("objectiveMetric.name", {"objectiveMetric": None}, "required"),
    ("objectiveMetric.name", {"objectiveMetric": {}}, "required"),
    ("objectiveMetric.name", {"objectiveMetric": {"name": ""}}, "required"),
    ("objectiveMetric.name", metrics("accuracy"), "'loss' is not in metricList"),
    ("objectiveMetric", {"objectiveMetric": "loss"}, ""),
    ("metricList", metrics("loss", *(f"m{n}" for n in range(10))), "10"),
    ("metricList[1].name", metrics("loss", "loss"), "twice"),
    ("metricList[1].name", metrics("loss", ""), "required"),
    ("metricList[1].name", metrics("loss", "m" * 256), "255"),
    ("metricList[0]", {"metricList": ["loss"]}, ""),
    ("objectiveTypeCode", {"objectiveTypeCode": None}, "MINIMIZE or MAXIMIZE"),
    ("objectiveTypeCode", {"objectiveTypeCode": "MINIMISE"}, "'MINIMISE'"),
    ("objectiveGoal", {"objectiveGoal": "high"}, "'high' is not a number"),
    ("objectiveGoal", {"objectiveGoal": "nan"}, "'nan'"),
    ("objectiveGoal", {"objectiveGoal": "1e999"}, "'1e999'"),
    ("objectiveGoal", {"objectiveGoal": [1]}, ""),
    ("objectiveStrategyCode", {"objectiveStrategyCode": "MEAN"}, "MIN, MAX, LATEST"),
    ("metricRegex", {"metricRegex": "("}, "RE2"),
    ("metricRegex", {"metricRegex": ""}, "two groups"),
    ("metricRegex", {"metricRegex": r"loss = (\d+)"}, "two groups"),
    ("metricRegex", {"metricRegex": r"(?:loss) = (?:\d+)"}, "two groups"),
    ("metricRegex", {"metricRegex": r"(loss)(?= )\s(\d+)"}, "RE2"),
    ("metricRegex", {"metricRegex": r"(loss) \1 (\d+)"}, "RE2"),
    ("metricRegex", {"metricRegex": r"(loss)((((a{1000}){1000}){1000}){1000})"}, "RE2"),
    ("metricRegex", {"metricRegex": "(loss)(.)" + "x" * 250}, "255"),
    ("metricRegex", {"metricRegex": 5}, ""),
    # Early stopping.
    ("earlyStoppingAlgorithm", {"earlyStoppingAlgorithm": "MEAN"}, "MEDIAN, MEDIAN_KATIB, ASHA"),
    ("earlyStoppingRuleCode", {"earlyStoppingRuleCode": "MEAN"}, "MEDIAN, MEDIAN_KATIB, ASHA"),
    (
        "earlyStoppingAlgorithm",
        {"earlyStoppingAlgorithm": "MEDIAN_KATIB", "earlyStoppingRuleCode": "ASHA"},
        "give earlyStoppingRuleCode alone",
    ),
    ("earlyStoppingMinTrialCount", {"earlyStoppingAlgorithm": "MEDIAN", "earlyStoppingMinTrialCount": 0}, "1"),
    ("earlyStoppingStartStep", {"earlyStoppingAlgorithm": "MEDIAN", "earlyStoppingStartStep": 0}, "1"),
    ("earlyStoppingStartStep", {"earlyStoppingAlgorithm": "MEDIAN", "earlyStoppingStartStep": 1001}, "1000"),
    # What it has in common with a training.
    ("hyperparameterTuningName", {"hyperparameterTuningName": None}, ""),
    ("hyperparameterTuningName", {"hyperparameterTuningName": "n" * 51}, "50"),
    ("description", {"description": "d" * 256}, "255"),
    ("experimentId", {"experimentId": NO_ID}, NO_ID),
    ("imageId", {"image": "pytorch-notebook"}, ""),
    ("sourceDirUri", {"sourceDirUri": "nas://foreign:/x"}, ""),
    ("entryPoint", {"entryPoint": "absent.py"}, "absent.py"),
    ("modelUploadUri", {"modelUploadUri": None}, ""),
    ("useTorchrun", {"useTorchrun": True}, ""),
    ("timeoutMinutes", {"timeoutMinutes": 59}, ""),
    ("tagList[0].tagKey", {"tagList": tags(("k" * 51, "v"))}, ""),
]


@pytest.fixture(scope="module")
def folder(api: API) -> str:
    folder = f"{api.container}/{unique('bad-tuning')}"
    api.upload(f"{folder}/source/train.py", ECHO)
    return folder


def body(api: API, folder: str, change: dict) -> dict:
    parameters = () if "hyperparameterSpecList" in change else (integer("x", 1, 9),)
    body = api.tuning_body(folder, *parameters, **change)
    if change.get("hyperparameterSpecList", body) is None:
        del body["hyperparameterSpecList"]
    for name, value in change.items():
        # `tuning_body` has values of its own for these.
        if value is None:
            body.pop(name, None)
    return body


def counts(api: API) -> tuple[int, ...]:
    return tuple(api.get(kind, limit=0)["totalCount"] for kind in (COLLECTION, "experiments"))


def label(case) -> str:
    """The field without the list that it is in, and what the message must say, or else the value."""
    field, change, words = case
    return (
        f"{field.removeprefix('hyperparameterSpecList[0].hyperparameter')}-{words or next(iter(change.values()))!s:.40}"
    )


@pytest.mark.parametrize("case", BAD, ids=label)
def test_refused_with_its_field(api: API, folder, case):
    field, change, words = case
    request = body(api, folder, change)
    before = counts(api)
    start = time.monotonic()
    errors = api.refused("POST", COLLECTION, 400, json=request)
    assert time.monotonic() - start < 5
    assert {error.get("field") for error in errors} == {field}, errors
    assert any(words in error["message"] for error in errors), errors
    assert all(10 < len(error["message"]) < 400 and "\n" not in error["message"] for error in errors), errors
    assert counts(api) == before, "a refused request has left something behind"


def test_everything_wrong_is_named_at_once(api: API, folder):
    change = space(integer("x", 9, 1), double("y", 0, 1), categorical("z", "")) | {
        "objectiveTypeCode": "UP",
        "maxTrialCount": 0,
        "metricRegex": "(",
        "earlyStoppingAlgorithm": "NEVER",
        "entryPoint": "../x",
        "experimentName": "never",
        "experimentId": None,
    }
    before = counts(api)
    fields = {error["field"] for error in api.refused("POST", COLLECTION, 400, json=body(api, folder, change))}
    assert fields == {
        MIN,
        "hyperparameterSpecList[1].hyperparameterStep",
        "hyperparameterSpecList[2].hyperparameterSpecifiedValues",
        "objectiveTypeCode",
        "maxTrialCount",
        "metricRegex",
        "earlyStoppingAlgorithm",
        "entryPoint",
    }
    assert counts(api) == before


@pytest.mark.parametrize(
    "field, image, flavor, words",
    [
        ("imageId", "python-notebook", None, "notebook image"),
        ("imageId", "no-such-image", None, "GET /images"),
        ("flavorId", None, "no-such-flavor", "GET /flavors"),
        ("flavorId", "python", "g2.c4m16", "does not fit"),
    ],
)
def test_templates_of_what_no_job_could_have(api: API, field, image, flavor, words):
    names = {"imageId": (api.images, "imageId", image), "flavorId": (api.flavors, "id", flavor)}
    known = {name: there.get(it, {id: it})[id] for name, (there, id, it) in names.items() if it}
    request = {"trainingTemplateName": unique("template")} | known
    errors = api.refused("POST", "training-templates", 400, json=request)
    assert [error["field"] for error in errors] == [field] and words in errors[0]["message"], errors


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "-1e400"])
def test_numbers_that_json_has_not(api: API, folder, number):
    """As numbers, not as texts: no JSON, or too large to be one."""
    text = '{"hyperparameterTuningName": "x", "hyperparameterSpecList": [{"hyperparameterName": "x", '
    text += f'"hyperparameterTypeCode": "double", "hyperparameterMinValue": 0, "hyperparameterMaxValue": {number}}}]}}'
    api.refused("POST", COLLECTION, 400, data=text.encode(), headers={"X-EasyMaker-Token": api.token})


def test_limits_themselves_are_allowed(api: API, folder):
    """Everything at its very limit."""
    names = [f"{n:03d}".ljust(255, "k") for n in range(100)]
    request = api.tuning_body(
        folder,
        categorical(names[0], ",".join(f"{n:04d}".ljust(100, "v") for n in range(1000))),
        integer(names[1], -(2**53), 2**53),
        double(names[2], -1e300, 1e300),
        double(names[3], 5e-324, 1e-300, scale="log"),
        *(integer(name, 1, 1) for name in names[4:]),
        hyperparameterTuningName="n" * 50,
        description="d" * 255,
        metricList=[{"name": "loss"}] + [{"name": f"{n}".ljust(255, "m")} for n in range(9)],
        metricRegex="(loss) = (.)" + "x?" * 121 + "y",
        tuningStrategyName="RANDOM",
        tuningStrategyRandomState=2**32 - 1,
        maxTrialCount=100_000,
        maxFailedTrialCount=1,
        maxDurationSeconds=2_592_000,
        parallelTrialCount=10,
        instanceCount=10,
        objectiveGoal=-1e308,
        earlyStoppingAlgorithm="MEDIAN",
        earlyStoppingMinTrialCount=100_000,
        earlyStoppingStartStep=1000,
    )
    tuning = Tuning(api, api.call("POST", COLLECTION, json=request)["hyperparameterTuning"]["hyperparameterTuningId"])
    # Its program reports nothing that this expression takes.
    failed = tuning.wait("FAIL_HYPERPARAMETER_TUNING")
    assert "metricRegex" in failed["statusReason"], failed["statusReason"]
    assert len(tuning.trials()[0]["hyperparameterList"]) == 100


def test_resume_with_nonsense(api: API):
    tuning = api.tune(ECHO, integer("x", 1, 9), maxTrialCount=1)
    tuning.wait()
    for value in (1, 0, -1, 1.5, "2", 100_001, 10**30, None):
        errors = api.refused("PUT", f"{tuning.path}/resume", 400, json={"maxTrialCount": value})
        assert errors[0]["field"] == "maxTrialCount", errors
    for field in ("maxFailedTrialCount", "maxDurationSeconds"):
        errors = api.refused("PUT", f"{tuning.path}/resume", 400, json={"maxTrialCount": 2, field: 0})
        assert errors[0]["field"] == field, errors
    errors = api.refused("PUT", f"{tuning.path}/resume", 400, json={"maxTrialCount": 10})
    assert errors[0]["field"] == "maxTrialCount" and "9" in errors[0]["message"], errors
    for data in (b"", b"[]", b"null", b"{"):
        api.refused("PUT", f"{tuning.path}/resume", 400, data=data)
    assert tuning.codes() == ["SUCCEEDED"] and tuning.read()["maxTrialCount"] == 1


# MARK: - Those who may not


@pytest.mark.parametrize("path", [COLLECTION, "trials"])
@pytest.mark.parametrize("id", [NO_ID, "x", "..%2f..%2fetc", "%00", "x" * 3000])
def test_what_does_not_exist(api: API, path, id):
    api.refused("GET", f"{path}/{id}", 404)
    below = ("importance", "events") if path == COLLECTION else ("logs", "metrics", "reports")
    for page in below:
        api.refused("GET", f"{path}/{id}/{page}", 404)
    if path == COLLECTION:
        for action in ("stop", "resume"):
            api.refused("PUT", f"{path}/{id}/{action}", 404, json={"maxTrialCount": 5})
        api.refused("DELETE", f"{path}/{id}", 404)


def test_trials_are_made_and_deleted_by_their_tuning_only(api: API):
    tuning = api.tune(ECHO, integer("x", 1, 1))
    tuning.wait()
    trial = tuning.trial(1)
    api.refused("POST", "trials", 405, json={})
    api.refused("PUT", trial.path, 405, json={"trialName": "x"})
    api.refused("DELETE", trial.path, 405)
    assert trial.read()["trialStatusCode"] == "SUCCEEDED"


def test_viewer_and_others_projects(make_server):
    server = make_server()
    ours = API(server)
    tuning = ours.tune(ECHO, integer("x", 1, 2))
    tuning.wait()
    trial = tuning.trial(1)
    viewer = API(server, server.token("default", "--role", "viewer"))
    assert Tuning(viewer, tuning.id).read() == tuning.read() and Tuning(viewer, tuning.id).trials() == tuning.trials()
    request = ours.tuning_body(tuning.folder, integer("x", 1, 2))
    viewer.refused("POST", COLLECTION, 403, json=request)
    viewer.refused("PUT", tuning.path, 403, json={"description": "x"})
    for action in ("stop", "resume"):
        viewer.refused("PUT", f"{tuning.path}/{action}", 403, json={"maxTrialCount": 5})
    viewer.refused("DELETE", tuning.path, 403)

    server.command("project", "create", "other")
    theirs = API(server, project="other")
    assert theirs.get(COLLECTION)["hyperparameterTuningList"] == theirs.get("trials")["trialList"] == []
    assert theirs.get("trials", hyperparameterTuningId=tuning.id)["trialList"] == []
    pages = [f"{tuning.path}{page}" for page in ("", "/events", "/importance")]
    for path in pages + [f"{trial.path}{page}" for page in ("", "/logs", "/metrics", "/reports")]:
        theirs.refused("GET", path, 404)
    for action in ("stop", "resume"):
        theirs.refused("PUT", f"{tuning.path}/{action}", 404, json={"maxTrialCount": 5})
    theirs.refused("DELETE", tuning.path, 404)
    assert theirs.refused("POST", COLLECTION, 400, json=request)
    ours.refused("GET", tuning.path, 401, headers={})
    assert tuning.codes() == ["SUCCEEDED"] * 2
