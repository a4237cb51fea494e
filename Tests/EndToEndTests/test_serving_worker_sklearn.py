"""The worker with models of scikit-learn."""

import subprocess
from pathlib import Path

import pytest
import serving_models
from serving_worker import failure, made, rows, start, words, worker  # noqa: F401

IRISES = [[5.1, 3.5, 1.4, 0.2], [6.9, 3.1, 5.1, 2.3], [5.9, 3.0, 4.2, 1.5]]


def test_sklearn_v1(worker):
    iris = worker("sklearn_iris")
    assert iris.infer([rows([5, 3, 1, 0], datatype="INT64", name="instances")], protocol="v1") == [
        {"output-0": ("INT64", [1], [0])}
    ]
    ((status, text),) = iris.infer([rows([5, 3, 1], name="instances")], protocol="v1")
    assert (status, text) == (400, "X has 3 features, but LogisticRegression is expecting 4 features as input.")


def test_sklearn_probabilities(worker):
    for parameters in ({"method": "predict_proba"}, {"predict_proba": "true"}):
        iris = worker("sklearn_iris", **parameters)
        ((datatype, shape, values),) = iris.infer([rows(IRISES[0])])[0].values()
        assert (datatype, shape) == ("FP64", [1, 3])
        assert sum(values) == pytest.approx(1) and values[0] > 0.9


def test_linear_models_are_calculated_as_scikit_learn_does():
    """Python/takumi_runtime/serving/linear.py beside scikit-learn itself, for every class that it knows."""
    script = r"""
import sys, warnings
import numpy as np
from sklearn import linear_model, svm
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from serving import linear

warnings.simplefilter("ignore")
table, three = load_iris(return_X_y=True)
two, names = three > 0, np.array(["setosa", "versicolor", "virginica"])[three]
beyond = table * 1e300
given = [table, table[:1], table[7:12].astype(np.float32), table.astype(np.uint8), np.asfortranarray(table), beyond]
refused = [table[:, :3], table[:0], table[0], np.where(table > 5, np.nan, table), np.where(table > 5, np.inf, table)]

def outcome(call, value):
    try:
        result = call(value)
        return result.dtype, result.shape, result.tobytes()
    except Exception as error:
        return type(error), str(error)

def check(model):
    predict = linear.direct(model)
    assert predict is not None, model
    for value in given + refused:
        assert outcome(predict, value) == outcome(model.predict, value), (model, value.shape, value.dtype)

checked = 0
for kind in sorted(linear.CLASSIFIERS | linear.REGRESSORS):
    kind = getattr(linear_model, kind, None) or getattr(svm, kind)
    targets = [three, two, names] if kind.__name__ in linear.CLASSIFIERS else [three * 1.5]
    if kind.__name__ in ("LinearRegression", "Ridge", "Lasso"):
        targets.append(np.column_stack([three, table[:, 0]]))
    for target in targets:
        check(kind().fit(table, target))
        check(make_pipeline(StandardScaler(), StandardScaler(with_mean=False), kind()).fit(table, target))
        checked += 2
assert linear.direct(make_pipeline(MinMaxScaler(), linear_model.Ridge()).fit(table, three)) is None
assert linear.direct(linear_model.LogisticRegression().fit(table, three).sparsify()) is None
assert linear.direct(type("LogisticRegression", (linear_model.LogisticRegression,), {})().fit(table, three)) is None
# What was put together by hand, for one, without what fitting leaves.
made = linear_model.LogisticRegression()
made.coef_, made.intercept_, made.classes_ = np.eye(3, 4), np.zeros(3), np.arange(3)
assert linear.direct(made) is None and made.predict(table).shape == (150,)
print(checked)
"""
    python = serving_models.python(serving_models.SKLEARN)
    runtime = serving_models.REPOSITORY / "Python" / "takumi_runtime"
    found = subprocess.run([python, "-c", script], cwd=runtime, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "62\n"), found.stderr


def test_sklearn_methods(worker):
    ((_, shape, _),) = worker("sklearn_iris", method="decision_function").infer([rows(*IRISES)])[0].values()
    assert shape == [3, 3]
    assert failure(made("sklearn_iris"), "sklearn", method="transform") == (
        "the model is a LogisticRegression, which has no transform"
    )
    assert failure(made("sklearn_iris"), "sklearn", method="fit").startswith(
        "parameter method is fit; it must be one of"
    )


def test_sklearn_columns(worker):
    columns = worker("sklearn_columns")
    assert columns.ready["inputs"] == [
        {"name": "size", "datatype": "FP64", "shape": [-1]},
        {"name": "colour", "datatype": "BYTES", "shape": [-1]},
    ]
    assert columns.ready["outputs"] == [{"name": "output-0", "datatype": "BYTES", "shape": [-1]}]
    small, large = {"size": 1, "colour": "red"}, {"colour": "green", "size": 11.5}
    assert columns.json({"instances": [small, large]}, {"instances": [large]}, {"instances": [{"size": 1}]}) == [
        {"predictions": ["small", "large"]},
        {"predictions": ["large"]},
        (400, "columns are missing: colour"),
    ]
    # The other forms that KServe has for several rows.
    assert columns.json({"instances": [{"size": [1, 11], "colour": ["red", "red"]}]}) == [
        {"predictions": ["small", "large"]}
    ]
    assert columns.json({"instances": [[small, large]]}) == [{"predictions": ["small", "large"]}]
    assert columns.json({"instances": [[1, "red"], [11, "green"]]}) == [{"predictions": ["small", "large"]}]
    request = {"colour": ("BYTES", [2, 1], ["red", "green"]), "size": ("INT32", [2, 1], [1, 11])}
    assert columns.infer([request, request]) == [{"output-0": ("BYTES", [2], ["small", "large"])}] * 2
    assert columns.infer([{"size": ("FP32", [1], [1])}]) == [(400, "columns are missing: colour")]


def test_sklearn_texts(worker):
    texts = worker("sklearn_texts")
    assert texts.json({"instances": ["good", "bad film"]}, {"instances": ["bad"]}) == [
        {"predictions": [1, 0]},
        {"predictions": [0]},
    ]
    assert texts.infer([words("good", "bad"), words("bad")]) == [
        {"output-0": ("INT64", [2], [1, 0])},
        {"output-0": ("INT64", [1], [0])},
    ]


def test_sklearn_missing_values(worker):
    assert worker("sklearn_nan").json({"instances": [[1], [None], [9.5]]}) == [{"predictions": [0, 1, 1]}]


def test_sklearn_own_code(worker):
    """A class from a module beside the pickle, in a folder below; what it raises is its own error."""
    doubling = worker("sklearn_own_code")
    assert doubling.infer([rows([1, 2]), rows([-1, 0]), rows([3, 4])]) == [
        {"output-0": ("FP64", [1], [6])},
        (500, "ValueError : bad value"),
        {"output-0": ("FP64", [1], [14])},
    ]
    assert "ValueError: bad value" in doubling.log


def test_sklearn_files_that_are_no_model(tmp_path):
    iris = made("sklearn_iris") / "model.joblib"

    def folder(**files: bytes) -> Path:
        made = tmp_path / str(len(list(tmp_path.iterdir())))
        made.mkdir()
        for name, content in files.items():
            (made / name.replace("_", ".")).write_bytes(content)
        return made

    assert failure(folder(model_h5=b""), "sklearn") == (
        "there is no model.joblib, model.pkl or model.pickle: the folder has model.h5"
    )
    assert failure(folder(a_pkl=b"", b_joblib=b""), "sklearn") == (
        "several files may be the model (a.pkl, b.joblib); name one of them model.joblib"
    )
    assert failure(folder(model_pkl=iris.read_bytes()[:500]), "sklearn").startswith("model.pkl is not a whole pickle: ")
    assert failure(folder(model_pkl=b"not a pickle"), "sklearn").startswith("model.pkl is not a whole pickle: ")
    module = made("sklearn_own_code") / "doubling" / "anything.pkl"
    assert failure(folder(x_pkl=module.read_bytes()), "sklearn") == (
        "x.pkl needs the module doubling, which the image does not have and the model's folder neither"
    )
    assert "define it in a module of its own" in failure(made("sklearn_of_script"), "sklearn")


def test_sklearn_of_another_version(tmp_path):
    """Is served, with a line in the log."""
    whole = (made("sklearn_iris") / "model.joblib").read_bytes()
    assert whole.count(b"1.9.1") == 1
    (tmp_path / "model.joblib").write_bytes(whole.replace(b"1.9.1", b"1.8.1"))
    with start(tmp_path, "sklearn") as iris:
        assert iris.infer([rows(IRISES[0])]) == [{"output-0": ("INT64", [1], [0])}]
        assert "from version 1.8.1 when using version 1.9.1" in iris.log
