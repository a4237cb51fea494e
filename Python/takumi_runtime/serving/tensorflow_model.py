"""SavedModels of TensorFlow, answered as TensorFlow Serving answers them."""

import os

from .errors import BadInput, LoadFailure

# Before TensorFlow is imported: its greetings are of no use in a pod's log.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import base64  # noqa: E402

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from .calls import instances_of  # noqa: E402
from .model import Json, Model  # noqa: E402

DATATYPES = {
    "bool": "BOOL",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "float16": "FP16",
    "bfloat16": "BF16",
    "float32": "FP32",
    "float64": "FP64",
    "string": "BYTES",
}
FILES = ("saved_model.pb", "saved_model.pbtxt")
# What the values of a request can bring about in a graph: an index outside of a table, a broken image.
INPUT_ERRORS = (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError)


# MARK: Loading


def load(options):
    folder = find(options)
    threads = int(os.environ.get("OMP_NUM_THREADS") or 0)
    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    for gpu in tf.config.list_physical_devices("GPU"):
        # Else the first pod would take all memory of a GPU that several share.
        tf.config.experimental.set_memory_growth(gpu, True)
    try:
        loaded = tf.saved_model.load(folder)
    except Exception as error:
        raise LoadFailure(f"the SavedModel cannot be loaded: {cause(error, folder)}") from error
    return TensorFlowModel(loaded, options)


def find(options):
    folder = options.folder(lambda folder: saved(folder) or bool(versions(folder)))
    if saved(folder):
        return folder
    numbers = versions(folder)
    if not numbers:
        raise LoadFailure(f"there is no saved_model.pb: {options.listing(folder)}")
    return os.path.join(folder, numbers[-1])


def saved(folder):
    return any(os.path.isfile(os.path.join(folder, name)) for name in FILES)


def versions(folder):
    """Numbered folders below with a SavedModel, the newest last."""
    numbers = [entry.name for entry in os.scandir(folder) if entry.name.isdigit() and entry.is_dir()]
    return sorted((number for number in numbers if saved(os.path.join(folder, number))), key=int)


def cause(error, folder):
    if not os.path.isfile(os.path.join(folder, "variables", "variables.index")):
        return "variables/ with the checkpoint is missing beside saved_model.pb"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


# MARK: Signatures


class Signature:
    def __init__(self, function):
        self.function = function
        # By name: their order differs from process to process.
        self.inputs = dict(sorted(function.structured_input_signature[1].items()))
        outputs = function.structured_outputs
        # Some keep a list.
        named = outputs if isinstance(outputs, dict) else {f"output-{index}": o for index, o in enumerate(outputs)}
        self.outputs = dict(sorted(named.items()))
        specs = [*self.inputs.values(), *self.outputs.values()]
        self.joins = all(spec.shape.rank and spec.shape[0] is None for spec in specs)
        self.texts = [name for name, spec in self.outputs.items() if spec.dtype == tf.string]

    def __call__(self, feed):
        try:
            outputs = self.function(**{name: tf.constant(array) for name, array in feed.items()})
        except INPUT_ERRORS as error:
            raise BadInput(graph_error(error)) from error
        return {name: outputs[name].numpy() for name in self.outputs}

    def feed(self, given):
        """Arrays by name as the signature's inputs."""
        if len(self.inputs) == 1 and len(given) == 1:
            # Names of Keras such as "keras_tensor_12" are nothing that a client should have to know.
            return {name: fit(name, spec, next(iter(given.values()))) for name, spec in self.inputs.items()}
        missing = [name for name in self.inputs if name not in given]
        unknown = [name for name in given if name not in self.inputs]
        if missing or unknown:
            what = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(unknown)}"
            raise BadInput(f"the request {what}; the model's inputs are {', '.join(self.inputs)}")
        return {name: fit(name, spec, given[name]) for name, spec in self.inputs.items()}


def graph_error(error):
    """What an operator said, without the lines around it about the graph."""
    lines = [line.strip() for line in error.message.splitlines()]
    at_node = next((index for index, line in enumerate(lines) if line.startswith("[[")), 0)
    return lines[at_node - 1] if at_node else (lines or [str(error)])[0]


def described(specs):
    return [
        {
            "name": name,
            "datatype": DATATYPES.get(spec.dtype.name, spec.dtype.name.upper()),
            "shape": [-1] if spec.shape.rank is None else [-1 if size is None else size for size in spec.shape],
        }
        for name, spec in specs.items()
    ]


# MARK: Values


def fit(name, spec, array):
    """An array in the type and shape of an input."""
    if not spec.shape.is_compatible_with(array.shape):
        wanted = described({name: spec})[0]["shape"]
        raise BadInput(f"input {name} has shape {list(array.shape)}, but the model takes {wanted}")
    texts = array.dtype.kind in "OSU"
    if spec.dtype == tf.string:
        if not texts:
            raise BadInput(f"input {name} takes texts, not numbers")
        return array
    if texts:
        raise BadInput(f"input {name} takes numbers ({DATATYPES.get(spec.dtype.name)}), not texts")
    dtype = spec.dtype.as_numpy_dtype
    if array.dtype == dtype:
        return array
    cast = array.astype(dtype)
    if array.dtype.kind == "f" and cast.dtype.kind in "iu" and not np.array_equal(cast, array):
        raise BadInput(f"input {name} takes whole numbers ({DATATYPES[spec.dtype.name]})")
    return cast


def array_of(name, spec, value):
    """A value of JSON as an array."""
    try:
        if spec.dtype == tf.string:
            array = np.array(decoded(value), dtype=object)
            encoded = np.empty(array.size, object)
            encoded[:] = [element.encode() if isinstance(element, str) else element for element in array.ravel()]
            if not all(isinstance(element, bytes) for element in encoded):
                raise BadInput(f"input {name} takes texts")
            return encoded.reshape(array.shape)
        array = np.array(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise BadInput(f"input {name} is not a regular array: {error}") from None
    if array.dtype.kind not in "biuf":
        raise BadInput(f"input {name} takes numbers ({DATATYPES.get(spec.dtype.name)})")
    return array


def decoded(value):
    """The value with bytes in place of {"b64": …}."""
    if isinstance(value, list):
        return [decoded(part) for part in value]
    if isinstance(value, dict) and list(value) == ["b64"]:
        return base64.b64decode(value["b64"])
    return value


def shown(name, array):
    """An output as a value of JSON. Bytes that are no text are in base64, as are all of outputs called *_bytes."""
    if array.dtype != object:
        # Of ml_dtypes; JSON's numbers hold what they hold.
        return array.astype(np.float32) if array.dtype.name == "bfloat16" else array

    def text(element):
        if not name.endswith("_bytes"):
            try:
                return element.decode()
            except UnicodeDecodeError:
                pass
        return {"b64": base64.b64encode(element).decode()}

    def nested(part):
        return [nested(inner) for inner in part] if isinstance(part, list) else text(part)

    return nested(array.tolist())


# MARK: Answering


class TensorFlowModel(Model):
    platform = "tensorflow_savedmodel"

    def __init__(self, loaded, options):
        # Kept: the variables go with it.
        self.loaded = loaded
        self.signatures = {name: Signature(function) for name, function in loaded.signatures.items()}
        names = [name for name in self.signatures if name != "__saved_model_init_op"]
        wanted = options.get("signature_name")
        if not names:
            raise LoadFailure(
                "the SavedModel has no signature; save it with `signatures=`, or with a Keras model's export"
            )
        if wanted is None:
            wanted = "serving_default" if "serving_default" in names or len(names) > 1 else names[0]
        if wanted not in names:
            raise LoadFailure(
                f"the SavedModel has no signature {wanted}; its signatures are {', '.join(sorted(names))}"
            )
        self.signature = self.signatures[wanted]
        self.batch = self.signature.joins
        self.inputs, self.outputs = described(self.signature.inputs), described(self.signature.outputs)

    def warm_up(self):
        feed = {}
        for name, spec in self.signature.inputs.items():
            shape = [size or 1 for size in spec.shape] if spec.shape.rank is not None else [1]
            if spec.dtype == tf.string:
                feed[name] = np.full(shape, b"", dtype=object)
            else:
                feed[name] = np.zeros(shape, spec.dtype.as_numpy_dtype)
        self.signature(feed)

    def infer(self, call):
        if call.bodies is not None:
            return self.infer_json(call)
        outputs = self.signature(self.signature.feed(call.arrays))
        if call.protocol == "v1" and self.signature.texts:
            return self.split(outputs, call.rows, "predictions")
        return outputs

    def infer_json(self, call):
        requests = [Request(self, body) for body in call.bodies]
        if len(requests) == 1:
            return [Json(requests[0].reply(requests[0].signature(requests[0].feed)))]
        first = requests[0]
        if any(request.signature is not first.signature or request.key != first.key for request in requests):
            raise ValueError("the requests are of different forms")
        feed = {name: np.concatenate([request.feed[name] for request in requests]) for name in first.feed}
        rows = [len(next(iter(request.feed.values()))) for request in requests]
        return self.split(first.signature(feed), rows, first.key)

    def split(self, outputs, rows, key):
        if any(array.shape[:1] != (sum(rows),) for array in outputs.values()) and len(rows) > 1:
            raise ValueError("the requests cannot be told apart in the outputs")
        answers, start = [], 0
        for count in rows:
            part = {name: array[start : start + count] for name, array in outputs.items()} if len(rows) > 1 else outputs
            answers.append(Json(body_of(part, key)))
            start += count
        return answers


class Request:
    """A body in one of TensorFlow Serving's formats: rows under "instances", columns under "inputs"."""

    def __init__(self, model, body):
        if not isinstance(body, dict):
            raise BadInput("the request must be an object")
        name = body.get("signature_name")
        self.signature = model.signature if name is None else model.signatures.get(name)
        if self.signature is None:
            raise BadInput(f"the model has no signature {name}; its signatures are {', '.join(model.signatures)}")
        self.key = "outputs" if "inputs" in body else "predictions"
        specs = self.signature.inputs
        given = self.columns(body["inputs"], specs) if "inputs" in body else self.rows(instances_of(body), specs)
        unknown = [name for name in given if name not in specs]
        if unknown:
            raise BadInput(f"the request has {', '.join(unknown)}; the model's inputs are {', '.join(specs)}")
        self.feed = self.signature.feed({name: array_of(name, specs[name], value) for name, value in given.items()})

    def columns(self, value, specs):
        named = isinstance(value, dict) and list(value) != ["b64"]
        return value if named else self.only(value, specs)

    def rows(self, instances, specs):
        named = [isinstance(instance, dict) and list(instance) != ["b64"] for instance in instances]
        if not any(named):
            return self.only(instances, specs)
        names = list(instances[0]) if named[0] else []
        if any(not is_named or set(row) != set(names) for row, is_named in zip(instances, named)):
            raise BadInput("the instances must be objects with the same inputs")
        return {name: [row[name] for row in instances] for name in names}

    def only(self, value, specs):
        if len(specs) != 1:
            raise BadInput(f"the model has several inputs, which must be named: {', '.join(specs)}")
        return {next(iter(specs)): value}

    def reply(self, outputs):
        return body_of(outputs, self.key)


def body_of(outputs, key):
    values = {name: shown(name, array) for name, array in outputs.items()}
    if len(values) == 1:
        return {key: next(iter(values.values()))}
    sizes = {array.shape[0] if array.ndim else None for array in outputs.values()}
    if key == "outputs" or len(sizes) > 1 or None in sizes:
        return {key: values}
    return {key: [dict(zip(values, row)) for row in zip(*values.values())]}
