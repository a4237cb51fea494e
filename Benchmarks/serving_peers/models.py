"""Makes the models that are measured, and the requests to them. Run by the Python of MLServer's environment, which has
the versions of scikit-learn and joblib of Takumi's image.

Classes of this file are pickled by value: whoever loads them does not need it.
"""

import json
import pathlib
import sys

import cloudpickle
import joblib
import numpy as np
from mlserver.grpc import dataplane_pb2
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


class Means:
    """The means of an image's channels: hardly any work, so that what is measured is the way there and back."""

    def predict(self, images):
        return images.mean(axis=(2, 3))


class Echo:
    """Gives back the number that it is given, or, where it is given one again, the number below zero."""

    def __init__(self):
        self.seen = set()

    def predict(self, rows):
        answers = []
        for (number,) in rows.tolist():
            answers.append(-1.0 - number if number in self.seen else float(number))
            self.seen.add(number)
        return np.array(answers)


def tensor(shape, datatype, **more):
    return {"name": "input-0", "shape": shape, "datatype": datatype} | more


def main(folder):
    for name in ("iris", "image", "echo"):
        (folder / name).mkdir()
    joblib.dump(LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)), folder / "iris" / "model.joblib")
    for name, model in (("image", Means()), ("echo", Echo())):
        (folder / name / "model.pkl").write_bytes(cloudpickle.dumps(model))
    row = [5.1, 3.5, 1.4, 0.2]
    (folder / "iris-v1.json").write_text(json.dumps({"instances": [row]}))
    (folder / "iris-v2.json").write_text(json.dumps({"inputs": [tensor([1, 4], "FP64", data=row)]}))

    shape = [1, 3, 224, 224]
    image = np.random.default_rng(1).random(shape, np.float32)
    # As many digits as tell one FP32 from the next.
    data = ",".join(str(value) for value in image.ravel())
    text = json.dumps({"inputs": [tensor(shape, "FP32", data=["here"])]}).replace('"here"', data)
    (folder / "image.json").write_text(text)
    header = json.dumps({"inputs": [tensor(shape, "FP32", parameters={"binary_data_size": image.nbytes})]})
    (folder / "image.bin").write_bytes(header.encode() + image.tobytes())
    (folder / "image.header").write_text(str(len(header)))
    request = dataplane_pb2.ModelInferRequest(model_name="image", raw_input_contents=[image.tobytes()])
    request.inputs.add(name="input-0", datatype="FP32", shape=shape)
    message = request.SerializeToString()
    # As gRPC frames a message: not compressed, its length.
    (folder / "image.grpc").write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
