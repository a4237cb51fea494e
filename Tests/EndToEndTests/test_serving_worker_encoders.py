"""The worker with models of Hugging Face that classify texts and words."""

import pytest
import serving_models as models
from serving_worker import rows, words, worker  # noqa: F401


def test_sequence_classification(worker):
    classifier = worker("bert_classifier")
    assert classifier.ready["batch"] is True
    assert classifier.ready["inputs"] == [{"name": "input-0", "datatype": "BYTES", "shape": [-1]}]
    assert classifier.ready["outputs"] == [{"name": "output-0", "datatype": "INT64", "shape": [-1]}]
    assert classifier.json({"instances": ["very good film", "bad"]}, {"instances": [{"text": "good"}]}) == [
        {"predictions": [1, 0]},
        {"predictions": [1]},
    ]
    assert classifier.infer([words("very good film", "bad"), words("good")]) == [
        {"output-0": ("INT64", [2], [1, 0])},
        {"output-0": ("INT64", [1], [1])},
    ]
    assert classifier.json({"instances": [3]}, {"instances": ["good"]}) == [
        (400, "each instance must be a text, or an object with one under 'text'"),
        {"predictions": [1]},
    ]
    assert classifier.json({"instances": []}) == [{"predictions": []}]
    ((status, text),) = classifier.infer([rows([1, 2])])
    assert (status, text) == (400, "input input-0 must be of type BYTES: the model takes texts")
    # Beyond what the model takes, a text is cut.
    assert classifier.json({"instances": ["good " * 200]}) == [{"predictions": [1]}]


def test_sequence_classification_with_probabilities(worker):
    classifier = worker("bert_classifier", return_probabilities="true")
    (answer,) = classifier.json({"instances": ["good"]})
    (row,) = answer["predictions"]
    assert row.keys() == {"0", "1"} and row["1"] > 0.9 and sum(row.values()) == pytest.approx(1, abs=1e-3)
    ((kind, shape, values),) = classifier.infer([words("good", "bad")])[0].values()
    assert (kind, shape) == ("FP32", [2, 2]) and values[1] > 0.9 and values[2] > 0.9


def test_token_classification(worker):
    """No token of padding is answered in v1; in v2 rows are as long as the longest of their own request."""
    tagger = worker("bert_tagger")
    sentence = models.SENTENCES[0]
    assert tagger.json({"instances": [sentence, "one"]}, {"instances": ["one two"]}) == [
        {"predictions": [[[0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]], [[0, 0, 0]]]},
        {"predictions": [[[0, 0, 0, 0]]]},
    ]
    long, short = tagger.infer([words(sentence), words("one two")])
    assert long == {"output-0": ("INT64", [1, 1, 11], [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0])}
    assert short == {"output-0": ("INT64", [1, 1, 4], [0, 0, 0, 0])}


def test_fill_mask(worker):
    mask = worker("bert_mask")
    assert mask.json({"instances": ["one two [MASK] four five six seven eight nine ten"]}, {"instances": ["one"]}) == [
        {"predictions": ["three"]},
        (400, "each text must have the mask [MASK]"),
    ]
    assert mask.infer([words("the quick brown [MASK] jumps over the lazy dog")]) == [
        {"output-0": ("BYTES", [1], ["fox"])}
    ]
