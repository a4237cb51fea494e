"""Tensors of the Open Inference Protocol: their datatypes, and their bytes."""

import struct

import numpy as np

from .errors import BadInput

TYPES = {
    "BOOL": np.dtype(np.bool_),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
NAMES = {dtype: name for name, dtype in TYPES.items()}


class BF16(np.ndarray):
    """The upper halves of 32-bit floating-point numbers, as uint16: numpy has no such type."""


def datatype(array):
    """The protocol's name of an array's type; None where it has none."""
    if isinstance(array, BF16):
        return "BF16"
    name = NAMES.get(array.dtype)
    if name is None:
        if array.dtype.kind in "OSU":
            return "BYTES"
        # Of ml_dtypes, which TensorFlow's arrays are of.
        if array.dtype.name == "bfloat16":
            return "BF16"
    return name


# MARK: Reading


def decode(entries, body):
    """The arrays of a body, by name, without copying where they lie as numpy needs them."""
    arrays, offset = {}, 0
    for entry in entries:
        size, kind = entry["size"], entry["datatype"]
        raw = body[offset : offset + size]
        offset += size
        dtype = TYPES.get(kind)
        if dtype is not None:
            array = raw.view(dtype) if (offset - size) % dtype.itemsize == 0 else raw.copy().view(dtype)
        elif kind == "BF16":
            array = from_bf16(raw.copy().view("<u2"))
        elif kind == "BYTES":
            array = decode_bytes(raw.tobytes())
        else:
            raise BadInput(f"datatype {kind} of input {entry['name']} is unknown")
        try:
            arrays[entry["name"]] = array.reshape(entry["shape"])
        except ValueError as error:
            raise BadInput(f"input {entry['name']}: {error}") from None
    return arrays


def from_bf16(halves):
    return (halves.astype(np.uint32) << 16).view(np.float32)


def decode_bytes(raw):
    elements, offset, end = [], 0, len(raw)
    while offset < end:
        (size,) = struct.unpack_from("<I", raw, offset)
        offset += 4
        elements.append(raw[offset : offset + size])
        offset += size
    array = np.empty(len(elements), object)
    array[:] = elements
    return array


def texts(array):
    """Elements of BYTES as texts."""
    return [element.decode(errors="replace") if type(element) is bytes else str(element) for element in array.ravel()]


def as_texts(array):
    """An array of BYTES as one of texts; others as they are."""
    if array.dtype != object:
        return array
    decoded = np.empty(array.size, object)
    decoded[:] = texts(array)
    return decoded.reshape(array.shape)


# MARK: Writing


def encode(outputs):
    """Arrays by name as (entries of a header, pieces of a body)."""
    entries, pieces = [], []
    for name, array in outputs.items():
        kind = datatype(array)
        if kind is None:
            raise TypeError(f"output {name} is of type {array.dtype}, which the protocol has no datatype for")
        if kind == "BYTES":
            piece = encode_bytes(array)
        else:
            piece = np.ascontiguousarray(array)
            if kind == "BF16":
                piece = piece.view(np.ndarray).view(np.uint16)
            elif kind == "BOOL":
                piece = piece.view(np.uint8)
        size = len(piece) if kind == "BYTES" else piece.nbytes
        entries.append({"name": name, "datatype": kind, "shape": array.shape, "size": size})
        if size:
            pieces.append(piece)
    return entries, pieces


def encode_bytes(array):
    parts = []
    for element in array.ravel().tolist():
        if not isinstance(element, bytes):
            element = str(element).encode()
        parts.append(struct.pack("<I", len(element)))
        parts.append(element)
    return b"".join(parts)
