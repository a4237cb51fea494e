"""PyTorch models, with TorchServe's contract for handlers, and without a handler."""

import importlib
import inspect
import logging
import os
import sys
import warnings

# As before torch 2.6, which TorchServe's handlers are written for: theirs are whole pickles, too. The files are as
# trusted as the handler that lies beside them.
os.environ.setdefault("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
warnings.filterwarnings("ignore", message="Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")

import torch  # noqa: E402

from . import archive, envelopes  # noqa: E402
from .errors import LoadFailure  # noqa: E402
from .handlers import HandlerModel  # noqa: E402
from .modules import ModuleModel, load_module  # noqa: E402
from .torchserve import Context  # noqa: E402
from .transforms import StandIn  # noqa: E402

BUILT_IN = ("base_handler", "image_classifier", "text_classifier", "object_detector", "image_segmenter")


def load(options):
    envelope = options.choice("service_envelope", envelopes.NAMES, "auto")
    # Where handlers' own lines go, as with TorchServe.
    logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
    folder, manifest = archive.unpack(options)
    sys.path.insert(0, folder)
    os.chdir(folder)
    config = configuration(folder, manifest["model"].get("configFile"))
    batch_size = options.number("batch_size", int, int(config.get("batchSize") or 1), least=1)
    gpu = 0 if torch.cuda.is_available() else None
    name = manifest["model"].get("handler")
    if not name:
        device = torch.device("cpu" if gpu is None else "cuda:0")
        return ModuleModel(load_module(folder, manifest["model"], device, options.name), device, options)
    context = Context(options.name, folder, manifest, batch_size, gpu, config)
    entry, handler = find_handler(name)
    initialize(entry, handler, context)
    return HandlerModel(entry, handler, context, envelope, options)


def configuration(folder, name):
    if not name:
        return {}
    import yaml

    try:
        with open(os.path.join(folder, name)) as file:
            config = yaml.safe_load(file)
    except yaml.YAMLError as error:
        raise LoadFailure(f"{name} is not YAML: {error}") from error
    return config if isinstance(config, dict) else {}


# MARK: Handlers


def find_handler(name):
    """(what is called with data and context, the object that it belongs to or None for a function)."""
    path, _, function = name.partition(":")
    module_name = os.path.basename(path).removesuffix(".py")
    module = import_handler(module_name)
    function = function or "handle"
    if callable(getattr(module, function, None)):
        return getattr(module, function), None
    found = [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__ and callable(getattr(kind, "handle", None))
    ]
    # Base classes of the user's own, of those that are further derived.
    found = [kind for kind in found if not any(other is not kind and issubclass(other, kind) for other in found)]
    if len(found) != 1:
        names = ", ".join(kind.__name__ for kind in found) or "none"
        raise LoadFailure(
            f"{module_name}.py must have one class with a method handle, or a function {function}(data, context); "
            f"it has {names}"
        )
    handler = found[0]()
    return handler.handle, handler


def import_handler(name):
    if not os.path.isfile(f"{name}.py") and not os.path.isdir(name):
        if name in BUILT_IN:
            return import_built_in(name)
        raise LoadFailure(f"the handler {name}.py is missing in the model's files")
    # Its first lines tell what of ONNX, TensorRT and OpenVINO is not there.
    logging.getLogger("ts.torch_handler.base_handler").setLevel(logging.ERROR)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise LoadFailure(
            f"{name}.py needs the module {error.name}, which the image does not have; "
            "list its package in requirements.txt"
        ) from error
    except Exception as error:
        raise LoadFailure(f"{name}.py cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        logging.getLogger("ts.torch_handler.base_handler").setLevel(logging.NOTSET)


def import_built_in(name):
    logging.getLogger("ts.torch_handler.base_handler").setLevel(logging.ERROR)
    try:
        with StandIn():
            return importlib.import_module(f"ts.torch_handler.{name}")
    except ImportError as error:
        raise LoadFailure(f"TorchServe's handler {name} cannot be used in this image: {error}") from error


def initialize(entry, handler, context):
    try:
        if handler is None:
            entry(None, context)
        elif hasattr(handler, "initialize"):
            handler.initialize(context)
    except LoadFailure:
        raise
    except Exception as error:
        text = " ".join(str(error).split())
        raise LoadFailure(f"the handler's initialize failed: {type(error).__name__}: {text}"[:400]) from error
