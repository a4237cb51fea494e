"""The worker with PyTorch: handlers written for TorchServe, and models without code."""

import base64
import json
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
import serving_models as models
from serving_worker import failure, made, rows, start, words, worker  # noqa: F401


@pytest.mark.parametrize("name", ["pytorch_mar", "pytorch_loose"])
def test_pytorch_handler(worker, name):
    """TorchServe's contract: files and labels beside the model, rows as KServe's envelopes give them, the context."""
    handler = worker(name)
    assert handler.ready["batch"] is False and handler.ready["explain"] is True

    def going(way, request="1", header=None):
        return {"label": f"going {way}", "request": request, "header": header}

    assert handler.json({"instances": [{"data": [1, 2, 3]}, {"body": [0, 0, 0]}]}, headers={"x-tag": "a"}) == [
        {"predictions": [going("up", header="a"), going("down", header="a")]}
    ]
    tensor = rows([1, 2, 3], [0, 0, 0], datatype="INT64", name="instances")
    assert handler.infer([tensor], protocol="v1") == [{"predictions": [going("up", "0"), going("down", "0")]}]
    # Each input is a row of its own, and its answer the output of the same name.
    (answer,) = handler.infer([{"a": ("FP32", [3], [1, 2, 3]), "b": ("FP32", [3], [0, 0, 0])}])
    assert {name: (kind, shape, json.loads(text)) for name, (kind, shape, (text,)) in answer.items()} == {
        "a": ("BYTES", [1], going("up", "0")),
        "b": ("BYTES", [1], going("down", "0")),
    }
    assert handler.json({"instances": ["boom"]}, {"instances": [[1, 2, 3]]}) == [
        (500, "ValueError : bad value"),
        {"predictions": [going("up")]},
    ]
    assert handler.json({"instances": [{"data": [1, 2, 3]}]}, verb="explain") == [{"explanations": [[1, 4, 9]]}]


def test_pytorch_handler_in_batches(worker):
    """Only where somebody asked for batches are requests joined; each gets what belongs to its own rows."""
    handler = worker("pytorch_mar", batch_size=8)
    assert handler.ready["batch"] is True
    answers = handler.json({"instances": [[1, 2, 3], [0, 0, 0]]}, {"instances": [[0, 0, 0]]})
    assert [[row["label"] for row in answer["predictions"]] for answer in answers] == [
        ["going up", "going down"],
        ["going down"],
    ]


@pytest.mark.parametrize("name", ["pytorch_script", "pytorch_base"])
def test_pytorch_without_code(worker, name):
    """TorchScript without a handler, and with TorchServe's base_handler: tensors in, tensors out."""
    script = worker(name)
    assert script.ready["batch"] is True and script.ready["explain"] is False
    assert script.infer([rows([1, 2, 3]), rows([1, 2, 3], [0, 0, 0])]) == [
        {"output-0": ("FP32", [1, 2], [14, 12])},
        {"output-0": ("FP32", [2, 2], [14, 12, 0, 10])},
    ]
    assert script.infer([rows([1, 2, 3], datatype="INT64", name="instances")], protocol="v1") == [
        {"output-0": ("FP32", [1, 2], [14, 12])}
    ]
    assert script.infer([rows([1, 2])]) == [(400, "mat1 and mat2 shapes cannot be multiplied (1x2 and 3x2)")]
    assert script.json({"instances": [{"x": [1, 2, 3]}]}) == [{"predictions": [[14, 12]]}]
    assert script.json({"instances": [[1], [2, 3]]}) == [(400, "the instances are not of one shape")]
    assert script.infer([words("a")]) == [(400, "the model takes numbers, not texts")]


def test_pytorch_datatypes(worker):
    """All numbers that the protocol has, the halves included, which only come as bytes."""
    script = worker("pytorch_script")
    halves = {"FP16": struct.pack("<3e", 1, 2, 3), "BF16": b"".join(struct.pack("<f", x)[2:] for x in (1, 2, 3))}
    whole = {
        kind: struct.pack(f"<3{code}", 1, 2, 3)
        for kind, code in (
            ("INT8", "b"),
            ("INT16", "h"),
            ("INT32", "i"),
            ("INT64", "q"),
            ("UINT8", "B"),
            ("UINT16", "H"),
            ("UINT32", "I"),
            ("UINT64", "Q"),
            ("FP32", "f"),
            ("FP64", "d"),
        )
    }
    for kind, raw in (halves | whole).items():
        answer = script.infer([{"x": (kind, [1, 3], raw)}])
        assert answer == [{"output-0": ("FP32", [1, 2], [14, 12])}], kind


def test_pytorch_function(worker):
    assert worker("pytorch_function").json({"instances": [{"data": [1.0, 2, 3]}, {"data": [0.0, 0, 0]}]}) == [
        {"predictions": [26, 10]}
    ]


def test_pytorch_envelopes(worker, tmp_path):
    """Handlers for TorchServe without KServe's envelope get the body, and answer with a reply for each request."""
    (tmp_path / "handler.py").write_text(
        "def handle(data, context):\n"
        "    if data is not None:\n"
        "        context.set_response_content_type(0, 'text/csv')\n"
        "        return [','.join(row['body']).encode() for row in data]\n"
    )
    with start(tmp_path, "pytorch", service_envelope="none") as bare:
        bare.send(
            {
                "op": "infer",
                "call": 1,
                "form": "json",
                "protocol": "v1",
                "verb": "predict",
                "sizes": [9],
                "items": [{}],
            },
            b'["a","b"]',
        )
        header, body = bare.receive()
        assert header["items"] == [{"json": 3, "contentType": "text/csv"}]
        assert body == b"a,b"
    (tmp_path / "handler.py").write_text(
        "def handle(data, context):\n    return data and [repr(row) for row in data]\n"
    )
    with start(tmp_path, "pytorch", service_envelope="json") as opened:
        assert opened.json({"instances": [{"b64": "/w=="}, {"a": {"b64": "/w=="}}]}) == [
            {"predictions": ["b'\\xff'", "{'a': b'\\xff'}"]}
        ]
    with start(tmp_path, "pytorch", service_envelope="kserve") as rowwise:
        request = rows([1, 2], [3, 4], datatype="INT64") | words("x", "y", name="b")
        assert rowwise.infer([request]) == [
            {"output-0": ("BYTES", [2], ["{'input-0': [1, 2], 'b': 'x'}", "{'input-0': [3, 4], 'b': 'y'}"])}
        ]


# What TorchServe's own envelopes make of a body for the handler.
ENVELOPES = """
import json, sys, types
from ts.torch_handler.request_envelope.kserve import KServeEnvelope
from ts.torch_handler.request_envelope.kservev2 import KServev2Envelope

for line in sys.stdin:
    body = json.loads(line)
    envelope = (KServeEnvelope if "instances" in body else KServev2Envelope)(None)
    envelope.context = types.SimpleNamespace()
    print(json.dumps([repr(row) for row in envelope.parse_input([{"body": body}])]))
"""


def test_pytorch_rows_are_those_of_torchserve(tmp_path):
    (tmp_path / "handler.py").write_text(
        "def handle(data, context):\n    return data and [repr(row) for row in data]\n"
    )
    instances = [[[1, 2], [3, 4]], [[1.5, 2.0]], [{"data": "aGk=", "target": 0}, "text", 3, None]]
    requests = [
        rows([1.5, 2], [3, 4], datatype="FP32", name="a"),
        {"ids": ("INT64", [3], [1, 2, 3])} | words("the text", name="b"),
    ]
    bodies = [{"instances": value} for value in instances]
    for request in requests:
        inputs = [
            {"name": name, "shape": shape, "datatype": kind, "data": values}
            for name, (kind, shape, values) in request.items()
        ]
        bodies.append({"inputs": inputs})
    lines = "\n".join(json.dumps(body) for body in bodies)
    command = [models.python(models.PYTORCH), "-c", ENVELOPES]
    said = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout
    expected = [json.loads(line) for line in said.splitlines() if line.startswith("[")]
    with start(tmp_path, "pytorch") as handler:
        integers = {"instances": ("INT64", [2, 2], [1, 2, 3, 4])}
        assert handler.infer([integers], protocol="v1") == [{"predictions": expected[0]}]
        assert handler.json(*bodies[:3]) == [{"predictions": row} for row in expected[:3]]
        for request, wanted in zip(requests, expected[3:]):
            (answer,) = handler.infer([request])
            assert [values for _, _, values in answer.values()] == [[text] for text in wanted]


def test_pytorch_status_of_a_handler(tmp_path):
    (tmp_path / "handler.py").write_text(
        "from ts.utils.util import PredictionException\n"
        "def handle(data, context):\n"
        "    if data is None:\n"
        "        return\n"
        "    if data[0] == 'raise':\n"
        "        raise PredictionException('not today', 513)\n"
        "    context.set_response_status(int(data[0]), 'in the way', 0)\n"
        "    return ['ignored']\n"
    )
    with start(tmp_path, "pytorch") as handler:
        assert handler.json({"instances": ["raise"]}) == [(513, "not today")]
        assert handler.json({"instances": ["409"]}) == [(409, "in the way")]
        assert handler.json({"instances": ["999"]}) == [(500, "in the way")]
        assert handler.json({"instances": ["201"]}) == [{"predictions": ["ignored"]}]


def png(value: int) -> str:
    """A picture of 300 by 280 pixels of one grey, in base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"".join(b"\0" + bytes([value] * 900) for _ in range(280)))
    header = struct.pack(">IIBBBBB", 300, 280, 8, 2, 0, 0, 0)
    raw = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return base64.b64encode(raw).decode()


def test_pytorch_image_classifier(worker):
    """TorchServe's own handler, which no image for CPUs has torchvision for."""
    images = worker("pytorch_images")
    (answer,) = images.json({"instances": [{"data": png(250)}, {"data": png(3)}]})
    assert [max(row, key=row.get) for row in answer["predictions"]] == ["bright", "dark"]
    (answer,) = images.infer([words(png(3), name="image")])
    ((_, _, (text,)),) = answer.values()
    assert json.loads(text)["dark"] > 0.9


def test_pytorch_requirements_of_an_archive():
    """Only what the image lacks is installed; not torch once more."""
    folder = made("pytorch_mar", "iniconfig==2.1.0 torch numpy")
    with start(folder, "pytorch") as handler:
        (packages,) = Path(handler.scratch.name, "scratch").glob("packages-*")
        assert {path.name for path in packages.iterdir()} >= {"iniconfig"}
        assert not (packages / "torch").exists() and not (packages / "numpy").exists()
    assert failure(made("pytorch_mar", "no-such-package-of-takumi"), "pytorch").startswith(
        "the archive's requirements.txt could not be installed: error: "
    )


def test_pytorch_weights_and_class(tmp_path):
    """model.py with weights, and no handler; the class is the only one, or the one that is called like the model."""
    for name in ("model.py", "weights.pt"):
        shutil.copy(made("pytorch_loose") / name, tmp_path)
    with start(tmp_path, "pytorch") as module:
        assert module.ready["inputs"] == [{"name": "input-0", "datatype": "FP32", "shape": [-1, 3]}]
        assert module.infer([rows([1, 2, 3])]) == [{"output-0": ("FP32", [1, 2], [14, 12])}]
    with (tmp_path / "model.py").open("a") as file:
        file.write("\n\nclass Other(torch.nn.Module):\n    pass\n")
    assert failure(tmp_path, "pytorch") == (
        "model.py has several modules (Linear, Other); call the model like the one to serve"
    )
    with start(tmp_path, "pytorch", name="Linear") as module:
        assert module.infer([rows([1, 2, 3])]) == [{"output-0": ("FP32", [1, 2], [14, 12])}]
    (tmp_path / "model.py").unlink()
    assert failure(tmp_path, "pytorch") == (
        "weights.pt holds weights only; model.py with the class of the model is missing"
    )


def test_pytorch_files_that_are_no_model(tmp_path):
    assert failure(tmp_path, "pytorch") == (
        "there is neither a .mar archive nor a file of weights (.pt, .pth, .bin, .pt2): the folder is empty"
    )
    (tmp_path / "model.mar").write_bytes(b"nonsense")
    assert failure(tmp_path, "pytorch").startswith("model.mar cannot be unpacked: ")
    loose = tmp_path / "loose"
    shutil.copytree(made("pytorch_loose"), loose)
    shutil.copy(loose / "weights.pt", loose / "more.pt")
    assert failure(loose, "pytorch") == (
        "several files may be the weights (more.pt, weights.pt); name one in the parameter serialized_file"
    )
    with start(loose, "pytorch", serialized_file="weights.pt") as handler:
        assert handler.ready["explain"] is True
    (loose / "more.pt").unlink()
    (loose / "extra" / "labels.json").unlink()
    assert failure(loose, "pytorch").startswith("the handler's initialize failed: FileNotFoundError: ")
    (loose / "handler.py").write_text("import no_such_module")
    assert failure(loose, "pytorch") == (
        "handler.py needs the module no_such_module, which the image does not have; "
        "list its package in requirements.txt"
    )
    (loose / "handler.py").write_text("def handle(:")
    assert failure(loose, "pytorch").startswith("handler.py cannot be imported: SyntaxError: ")
    (loose / "handler.py").write_text("class A: pass")
    assert failure(loose, "pytorch") == (
        "handler.py must have one class with a method handle, or a function handle(data, context); it has none"
    )
