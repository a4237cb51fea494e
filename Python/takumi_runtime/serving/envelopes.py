"""How a handler written for TorchServe is given requests, and what becomes of what it returns.

TorchServe has envelopes for that, and KServe runs it with "kserve" for v1 and "kservev2" for v2. Their classes work on
JSON of one request; these do the same for tensors, and for several requests.
"""

import base64

import numpy as np

from .calls import instances_of
from .codec import dumps
from .errors import BadInput
from .model import Json
from .tensors import datatype

NAMES = ("auto", "kserve", "json", "body", "none")


def chosen(name, protocol):
    """The envelope for a protocol. "auto" is what KServe does."""
    if name == "auto":
        return KServeV1() if protocol == "v1" else KServeV2()
    return {"kserve": KServeV1, "json": JsonEnvelope, "body": Body, "none": Bare}[name]()


def nested(array):
    """An array as lists in lists, with texts where they are texts."""
    if array.dtype != object:
        return array.tolist()
    return np.array([text_or_bytes(element) for element in array.ravel()], object).reshape(array.shape).tolist()


def text_or_bytes(element):
    try:
        return element.decode()
    except (UnicodeDecodeError, AttributeError):
        return element


class KServeV1:
    """The handler gets the instances, one by one in a list, and returns the predictions."""

    def rows(self, call):
        """What the handler is given for one request."""
        if call.bodies is not None:
            return self.opened(instances_of(call.bodies[0]))
        if len(call.arrays) == 1:
            return nested(next(iter(call.arrays.values())))
        # Of v2, where somebody asked for it: the values of a row by the names of their inputs.
        columns = [nested(array) for array in call.arrays.values()]
        if len({len(column) for column in columns}) > 1:
            raise BadInput("the inputs have different numbers of rows")
        return [dict(zip(call.arrays, row)) for row in zip(*columns)]

    def opened(self, instances):
        return instances

    def answer(self, call, result):
        if call.protocol == "v1":
            return Json({"explanations" if call.verb == "explain" else "predictions": result})
        return {"output-0": array_of(result)}


class JsonEnvelope(KServeV1):
    """The same, with bytes in place of {"b64": …}."""

    def opened(self, instances):
        return [self.plain(instance) for instance in instances]

    def plain(self, instance):
        if not isinstance(instance, dict):
            return instance
        if list(instance) == ["b64"]:
            return base64.b64decode(instance["b64"])
        return {name: self.plain(value) if isinstance(value, dict) else value for name, value in instance.items()}


class KServeV2:
    """The handler gets the inputs, each as an object, and returns one value for each: the outputs of the same names."""

    def rows(self, call):
        return [
            {"name": name, "shape": list(array.shape), "datatype": datatype(array), "data": self.data(array)}
            for name, array in call.arrays.items()
        ]

    def data(self, array):
        # Of texts only the first: handlers take it for the text or the image itself.
        if array.dtype == object:
            return text_or_bytes(array.ravel()[0]) if array.size else ""
        return array.tolist()

    def answer(self, call, result):
        if not isinstance(result, (list, tuple)):
            raise TypeError(f"the handler returned a {type(result).__name__}, not a list with a value for each input")
        names = list(call.arrays) + [f"output-{index}" for index in range(len(call.arrays), len(result))]
        return {name: array_of(value) for name, value in zip(names, result)}


class Body:
    """The handler gets the bodies of the requests, one by one in a list, and returns one reply for each."""

    def rows(self, call):
        return [self.row(call.bodies[0] if call.bodies is not None else self.body(call))]

    def row(self, body):
        return body

    def body(self, call):
        if call.protocol == "v1":
            return {"instances": nested(next(iter(call.arrays.values())))}
        inputs = [
            {"name": name, "shape": list(array.shape), "datatype": datatype(array), "data": nested(array.ravel())}
            for name, array in call.arrays.items()
        ]
        return {"inputs": inputs}

    def answer(self, call, result):
        if not isinstance(result, (list, tuple)) or len(result) != 1:
            raise ValueError("number of batch response mismatched")
        if call.protocol == "v1":
            return Json(result[0])
        return {"output-0": array_of(result[0])}


class Bare(Body):
    """As TorchServe does without an envelope: the body is under "body"."""

    def row(self, body):
        return {"body": body}


def array_of(value):
    """What a handler returned, as a tensor; objects, and lists of different lengths, as their JSON."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        return value.float().numpy() if value.is_floating_point() and value.dtype.itemsize == 2 else value.numpy()
    try:
        array = np.asarray([value] if isinstance(value, dict) else value)
    except ValueError:
        array = np.empty(len(value), object)
        array[:] = value
    if array.dtype != object:
        return array
    flat = np.empty(array.size, object)
    flat[:] = [part if isinstance(part, (str, bytes)) else dumps(part) for part in array.ravel()]
    return flat.reshape(array.shape)
