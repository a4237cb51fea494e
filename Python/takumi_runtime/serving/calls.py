"""A call of the model server's: several requests of the same form, answered together or one by one."""

import itertools

import numpy as np

from . import tensors
from .codec import dumps, loads
from .errors import BadInput, Refusal, log_traceback, text_of
from .model import Json

# Of a frame; the rest is for its header.
LARGEST_BODY = (1 << 30) - (16 << 20)


class Call:
    """The requests of one call: `arrays` joined along axis 0, or `bodies` with one JSON value each."""

    def __init__(self, header, arrays=None, bodies=None):
        self.protocol = header.get("protocol", "v2")
        self.verb = header.get("verb", "predict")
        self.items = header.get("items") or [{}]
        self.rows = header.get("rows") or [None]
        self.arrays, self.bodies = arrays, bodies

    @classmethod
    def read(cls, header, body):
        if header["form"] == "tensors":
            return cls(header, arrays=tensors.decode(header["inputs"], body))
        ends = list(itertools.accumulate(header["sizes"]))
        try:
            bodies = [loads(body[end - size : end].tobytes()) for end, size in zip(ends, header["sizes"])]
        except ValueError as error:
            raise BadInput(f"Unrecognized request format: {error}") from None
        return cls(header, bodies=bodies)

    @property
    def count(self):
        return len(self.rows) if self.bodies is None else len(self.bodies)

    def only(self, index):
        """The call with one of its requests."""
        one = object.__new__(Call)
        one.protocol, one.verb = self.protocol, self.verb
        one.items = self.items[index : index + 1] or [{}]
        one.arrays, one.bodies, one.rows = self.arrays, self.bodies, [None]
        if self.bodies is not None:
            one.bodies = [self.bodies[index]]
        elif self.count > 1:
            start = sum(self.rows[:index])
            rows = self.rows[index]
            one.rows = [rows]
            one.arrays = {name: array[start : start + rows] for name, array in self.arrays.items()}
        else:
            one.rows = self.rows
        return one

    def each(self):
        return [self.only(index) for index in range(self.count)]


def answer(model, header, body):
    """What to send for an infer call: (header, pieces of the body)."""
    try:
        call = Call.read(header, body)
    except Exception as error:
        count = len(header.get("rows") or header.get("sizes") or [None])
        return items_of(header["call"], None, [error] * count)
    if call.verb == "explain" and not model.explains:
        return items_of(header["call"], call, [Refusal("the model has no explanations", 501)] * call.count)
    try:
        result = model.infer(call)
        if type(result) is dict:
            if joined(call, result):
                entries, pieces = tensors.encode(widened(result) if call.protocol == "v1" else result)
                check_size(pieces)
                return {"call": header["call"], "outputs": entries}, pieces
            result = [result] if call.count == 1 else None
    except Exception as error:
        result = [error] if call.count == 1 else None
    # Once more where several requests failed together, or gave what cannot be split.
    return items_of(header["call"], call, one_by_one(model, call) if result is None else result)


def instances_of(body):
    """What the body of a v1 request has under "instances" or, as KServe also takes it, "inputs"."""
    if not isinstance(body, dict):
        raise BadInput("the request must be an object")
    for key in ("inputs", "instances"):
        if key in body:
            if not isinstance(body[key], list):
                raise BadInput(f'Expected "{key}" to be a list')
            return body[key]
    # In KServe's words and with its status, which is what its models do with such a body.
    raise Refusal("KeyError : 'instances'", 500)


def one_by_one(model, call):
    """So that one bad request fails alone."""
    answers = []
    for one in call.each():
        try:
            result = model.infer(one)
            answers.append(result[0] if type(result) is list else result)
        except Exception as error:
            answers.append(error)
    return answers


def joined(call, outputs):
    """Whether the model server can split the outputs, and make replies of them."""
    if call.protocol == "v1" and (len(outputs) != 1 or call.verb != "predict" or call.bodies is not None):
        return False
    rows = sum(call.rows) if call.rows[0] is not None else -1
    return all(array.ndim and array.shape[0] == rows for array in outputs.values())


def widened(outputs):
    """Numbers of half the width as what JSON's readers have, who do not ask for a type."""
    wide = {}
    for name, array in outputs.items():
        kind = tensors.datatype(array)
        if kind == "FP16":
            array = array.astype(np.float32)
        elif kind == "BF16":
            array = tensors.from_bf16(np.asarray(array).view(np.uint16))
        wide[name] = array
    return wide


def items_of(number, call, answers):
    """The reply with an entry per request."""
    items, body = [], []
    for result in answers:
        try:
            item, pieces = item_of(call, result)
            check_size(body, pieces)
        except Exception as error:
            item, pieces = item_of(call, error)
        items.append(item)
        body += pieces
    return {"call": number, "items": items}, body


def check_size(*bodies):
    if sum(memoryview(piece).nbytes for pieces in bodies for piece in pieces) > LARGEST_BODY:
        raise ValueError("the reply would be larger than 1 GiB")


def item_of(call, result):
    if isinstance(result, Refusal):
        return {"error": str(result), "status": result.status}, []
    if isinstance(result, Exception):
        log_traceback(result)
        return {"error": text_of(result), "status": 500}, []
    if isinstance(result, Json):
        as_it_is = result.content_type and isinstance(result.value, (bytes, bytearray))
        text = bytes(result.value) if as_it_is else dumps(result.value)
        item = {"json": len(text)}
        return ({**item, "contentType": result.content_type} if result.content_type else item), [text]
    if call.protocol == "v1":
        text = dumps(v1_body(call.verb, result))
        return {"json": len(text)}, [text]
    entries, pieces = tensors.encode(result)
    return {"outputs": entries}, pieces


def v1_body(verb, outputs):
    """As TensorFlow Serving has it: the values of the only output, or an object of all outputs for each instance."""
    key = "explanations" if verb == "explain" else "predictions"
    values = {name: plain_values(array) for name, array in widened(outputs).items()}
    if len(values) == 1:
        return {key: next(iter(values.values()))}
    lengths = {array.shape[0] if array.ndim else None for array in outputs.values()}
    if len(lengths) > 1 or None in lengths:
        return {key: values}
    return {key: [dict(zip(values, row)) for row in zip(*values.values())]}


def plain_values(array):
    return tensors.as_texts(array.astype(object)).tolist() if tensors.datatype(array) == "BYTES" else array.tolist()
