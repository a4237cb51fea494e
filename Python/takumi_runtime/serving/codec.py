"""JSON, with orjson where the image has it: it also takes numpy's arrays as they are, and writes NaN as null."""

import json
import math

try:
    import orjson
except ImportError:
    orjson = None


def plain(value):
    """What neither JSON library knows as something that it does: arrays and scalars of any framework, bytes, sets."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode(errors="replace")
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError(f"an object of type {type(value).__name__} is not JSON serializable")


def finite(value):
    """The value with null in place of what JSON has no number for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    if value is None or isinstance(value, (str, int)):
        return value
    return finite(plain(value))


def dumps_slowly(value):
    try:
        return json.dumps(value, default=plain, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        # Of a lone surrogate nothing is left but a question mark.
        return json.dumps(finite(value), ensure_ascii=False).encode(errors="replace")


if orjson:
    OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    loads = orjson.loads

    def dumps(value):
        try:
            return orjson.dumps(value, plain, OPTIONS)
        except TypeError:
            # Integers beyond 64 bits, lone surrogates, arrays in an order of their own.
            return dumps_slowly(value)

else:
    loads, dumps = json.loads, dumps_slowly
