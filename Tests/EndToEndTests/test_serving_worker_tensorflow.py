"""The worker with SavedModels of TensorFlow."""

import shutil

from serving_worker import failure, made, rows, words, worker  # noqa: F401


def test_tensorflow_keras(worker):
    linear = worker("tensorflow_linear")
    assert linear.ready["platform"] == "tensorflow_savedmodel"
    assert linear.ready["batch"] is True
    assert linear.ready["inputs"] == [{"name": "keras_tensor", "datatype": "FP32", "shape": [-1, 3]}]
    one, two = rows([1, 2, 3]), rows([0, 0, 1], [1, 0, 0])
    assert [list(answer.values()) for answer in linear.infer([one, two])] == [
        [("FP32", [1, 1], [14])],
        [("FP32", [2, 1], [3, 1])],
    ]
    assert linear.infer([rows([1, 2])]) == [(400, "input keras_tensor has shape [1, 2], but the model takes [-1, 3]")]
    assert linear.json({"instances": [[1, 2, 3], [0, 0, 1]]}) == [{"predictions": [[14], [3]]}]
    assert linear.json({"inputs": [[1, 2, 3]]}) == [{"outputs": [[14]]}]
    assert linear.json({"instances": [{"keras_tensor": [1, 2, 3]}]}) == [{"predictions": [[14]]}]
    assert linear.json({"instances": [[1, 2, None]]}) == [(400, "input keras_tensor takes numbers (FP32)")]


def test_tensorflow_keras_2(worker):
    legacy = worker("tensorflow_keras_2")
    assert [list(answer.values()) for answer in legacy.infer([rows([1, 2, 3])])] == [[("FP32", [1, 1], [14])]]


def test_tensorflow_versions(worker):
    """The newest numbered folder is served, and several requests of JSON are answered together."""
    doubled = worker("tensorflow_versions")
    assert doubled.json({"instances": [{"x": [1, 2]}]}, {"instances": [[3, 4], [5, 6]]}, {"instances": [[3]]}) == [
        {"predictions": [[2, 4]]},
        {"predictions": [[6, 8], [10, 12]]},
        (400, "input x has shape [1, 1], but the model takes [-1, 2]"),
    ]


def test_tensorflow_several_inputs(worker):
    several = worker("tensorflow_several")
    described = {entry["name"]: entry["datatype"] for entry in several.ready["inputs"]}
    assert described == {"word": "BYTES", "times": "INT32"}
    assert several.json(
        {"instances": [{"word": "ab", "times": 2}, {"word": "c", "times": 1}]},
        {"instances": [{"word": {"b64": "/w=="}, "times": 1}]},
    ) == [
        {
            "predictions": [
                {"text": "abab", "length": 4, "raw_bytes": {"b64": "YWI="}},
                {"text": "c", "length": 1, "raw_bytes": {"b64": "Yw=="}},
            ]
        },
        # What is no text comes back as it went in.
        {"predictions": [{"text": {"b64": "/w=="}, "length": 1, "raw_bytes": {"b64": "/w=="}}]},
    ]
    assert several.json({"inputs": {"word": ["ab"], "times": [2]}}) == [
        {"outputs": {"text": ["abab"], "length": [4], "raw_bytes": [{"b64": "YWI="}]}}
    ]
    request = words("ab", name="word") | {"times": ("INT64", [1], [3])}
    assert (
        several.infer([request] * 2)
        == [{"text": ("BYTES", [1], ["ababab"]), "length": ("INT32", [1], [6]), "raw_bytes": ("BYTES", [1], ["ab"])}]
        * 2
    )
    assert several.infer([words("ab", name="word")]) == [
        (400, "the request lacks times; the model's inputs are times, word")
    ]
    fraction = words("ab", name="word") | {"times": ("FP32", [1], [1.5])}
    assert several.infer([fraction]) == [(400, "input times takes whole numbers (INT32)")]
    assert several.json({"instances": [[1, 2]]}) == [
        (400, "the model has several inputs, which must be named: times, word")
    ]


def test_tensorflow_signatures(worker):
    several = worker("tensorflow_several")
    assert several.json({"instances": [1, 2], "signature_name": "look_up"}) == [{"predictions": [2.5, 3.5]}]
    assert several.json({"instances": [99], "signature_name": "look_up"}) == [(400, "indices[0] = 99 is not in [0, 3)")]
    ((status, text),) = several.json({"instances": [1], "signature_name": "no"})
    assert status == 400 and text.startswith("the model has no signature no; its signatures are ")
    look_up = worker("tensorflow_several", signature_name="look_up")
    assert look_up.infer([{"index": ("INT32", [2], [0, 2])}]) == [{"value": ("FP32", [2], [1.5, 3.5])}]
    total = worker("tensorflow_several", signature_name="total")
    assert total.ready["batch"] is False
    assert total.infer([rows([1, 2], [3, 4])]) == [{"total": ("FP32", [], [10])}]
    assert failure(made("tensorflow_several"), "tensorflow", signature_name="no") == (
        "the SavedModel has no signature no; its signatures are look_up, serving_default, total"
    )


def test_tensorflow_files_that_are_no_model(tmp_path):
    assert failure(tmp_path, "tensorflow") == "there is no saved_model.pb: the folder is empty"
    shutil.copytree(made("tensorflow_linear"), tmp_path / "a", ignore=shutil.ignore_patterns("variables"))
    assert failure(tmp_path / "a", "tensorflow") == (
        "the SavedModel cannot be loaded: variables/ with the checkpoint is missing beside saved_model.pb"
    )
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "saved_model.pb").write_bytes(b"nonsense")
    assert failure(tmp_path / "b", "tensorflow").startswith("the SavedModel cannot be loaded: ")
