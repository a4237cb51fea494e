"""A module of PyTorch that answers tensors with tensors, without a handler's code in between."""

import importlib
import inspect
import os
import re

import numpy as np
import torch

from .calls import instances_of
from .errors import BadInput, LoadFailure
from .model import Model
from .tensors import BF16, datatype

# What a tensor of the wrong shape or with impossible values makes PyTorch say.
WRONG_INPUT = re.compile(
    r"shapes cannot be multiplied|size mismatch|sizes? of tensor|Expected .*(input|[Tt]ensor|dimension|batch)"
    r"|expected input|index out of range|[Dd]imension|must match|invalid for input of size|Kernel size can't be greater"
    r"|missing \d+ required positional|takes \d+ positional"
)


# MARK: Loading


def load_module(folder, model, device, name):
    """The module of a model without a handler: model.py with weights, TorchScript, a whole module, or an export."""
    weights = model.get("serializedFile")
    path = os.path.join(folder, weights) if weights else None
    if model.get("modelFile"):
        module = kind_in(model["modelFile"], name)()
        if path:
            fill(module, torch.load(path, map_location=device), weights)
    elif path is None:
        raise LoadFailure("the model has neither a handler nor a file of weights")
    else:
        module = load_whole(path, device)
    return module.to(device).eval() if hasattr(module, "eval") else module


def kind_in(file, name):
    """The class of the model: the only module in the file, or the one that is called like the model."""
    source = importlib.import_module(file.removesuffix(".py"))
    kinds = {
        kind.__name__: kind
        for _, kind in inspect.getmembers(source, inspect.isclass)
        if issubclass(kind, torch.nn.Module) and kind.__module__ == source.__name__
    }
    if len(kinds) == 1 or name in kinds:
        return kinds.get(name) or next(iter(kinds.values()))
    if not kinds:
        raise LoadFailure(f"{file} has no class derived from torch.nn.Module")
    raise LoadFailure(f"{file} has several modules ({', '.join(kinds)}); call the model like the one to serve")


def fill(module, loaded, weights):
    if isinstance(loaded, torch.nn.Module):
        loaded = loaded.state_dict()
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    try:
        module.load_state_dict(loaded)
    except (RuntimeError, AttributeError, TypeError) as error:
        text = " ".join(str(error).split())
        raise LoadFailure(f"{weights} does not fit model.py: {text}"[:400]) from error


def load_whole(path, device):
    name = os.path.basename(path)
    if path.endswith(".pt2"):
        return torch.export.load(path).module()
    try:
        return torch.jit.load(path, map_location=device)
    except RuntimeError:
        # Not TorchScript; what it is, the next attempt tells.
        pass
    try:
        loaded = torch.load(path, map_location=device)
    except ModuleNotFoundError as error:
        raise LoadFailure(f"{name} needs the module {error.name}: put its file beside it, as model.py") from error
    except AttributeError as error:
        raise LoadFailure(f"{name} needs a class that is not there ({error}); put it into model.py") from error
    except Exception as error:
        raise LoadFailure(f"{name} is neither TorchScript nor a file of torch.save: {error}"[:300]) from error
    if isinstance(loaded, torch.nn.Module):
        return loaded
    raise LoadFailure(f"{name} holds weights only; model.py with the class of the model is missing")


# MARK: Values


class Converter:
    """Arrays to tensors as a module takes them, and back."""

    def __init__(self, module, device):
        self.device = device
        parameters = getattr(module, "parameters", lambda: [])()
        self.dtype = next((p.dtype for p in parameters if p.is_floating_point()), torch.get_default_dtype())
        # Numbers of JSON without a point come as integers. They are meant as such where they look something up.
        inner = module.modules() if hasattr(module, "modules") else []
        self.keeps_integers = any(
            "Embedding" in (type(part).__name__, getattr(part, "original_name", "")) or hasattr(part, "embedding_dim")
            for part in inner
        )

    def tensor(self, array, whole=None):
        """`whole`: whether integers stay integers; as the module seems to want it where that is None."""
        tensor = torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
        integers = array.dtype.kind in "iu"
        if tensor.is_floating_point() or integers and not (self.keeps_integers if whole is None else whole):
            return tensor.to(self.dtype)
        return tensor.long() if integers and self.keeps_integers else tensor

    def outputs(self, result):
        """What a module returned as arrays by name."""
        if isinstance(result, torch.Tensor):
            return {"output-0": array_of(result)}
        if isinstance(result, dict):
            return {str(name): array_of(value) for name, value in result.items() if isinstance(value, torch.Tensor)}
        return {f"output-{index}": array_of(value) for index, value in enumerate(result)}


def array_of(tensor):
    tensor = torch.as_tensor(tensor).detach().cpu()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(np.uint16).view(BF16)
    return tensor.numpy()


def blame(error):
    """An error of PyTorch's as the request's fault, where it speaks of shapes and the like."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    if not lines or not isinstance(error, (RuntimeError, IndexError, TypeError)):
        return error
    # TorchScript has its own traceback above what went wrong.
    scripted = "Traceback of TorchScript" in str(error)
    said = lines[-1].removeprefix("RuntimeError: ") if scripted else lines[0]
    if WRONG_INPUT.search(str(error)):
        return BadInput(said)
    return RuntimeError(said) if scripted else error


def columns(call):
    """A call's values by the names of the module's inputs; the name is None where there is only one."""
    if call.bodies is None:
        if any(array.dtype == object for array in call.arrays.values()):
            raise BadInput("the model takes numbers, not texts")
        return dict(call.arrays) if len(call.arrays) > 1 else {None: next(iter(call.arrays.values()))}
    instances = instances_of(call.bodies[0])
    if instances and all(isinstance(instance, dict) for instance in instances):
        names = list(instances[0])
        if any(set(instance) != set(names) for instance in instances):
            raise BadInput("the instances must be objects with the same inputs")
        if len(names) == 1:
            return {None: regular([instance[names[0]] for instance in instances])}
        return {name: regular([instance[name] for instance in instances]) for name in names}
    return {None: regular(instances)}


def regular(values):
    try:
        array = np.array(values)
    except ValueError:
        raise BadInput("the instances are not of one shape") from None
    if array.dtype.kind not in "biuf":
        raise BadInput("the model takes numbers")
    return array


def input_shape(options):
    """The parameter input_shape, such as 3,224,224, with the rows in front."""
    text = options.get("input_shape")
    if text is None:
        return None
    try:
        sizes = [int(part) for part in text.strip("[]() ").split(",")]
    except ValueError:
        raise LoadFailure(f"parameter input_shape is {text}; it must be sizes such as 3,224,224") from None
    return sizes if sizes[0] == -1 else [-1, *sizes]


# MARK: Answering


class ModuleModel(Model):
    platform = "pytorch"
    batch = True

    def __init__(self, module, device, options):
        self.module, self.device = module, device
        self.converter = Converter(module, device)
        self.shape = input_shape(options) or self.guessed()
        self.names = self.parameters()
        if self.shape:
            kind = "INT64" if self.converter.keeps_integers else "FP32"
            self.inputs = [{"name": "input-0", "datatype": kind, "shape": self.shape}]

    def guessed(self):
        """From the first layer, where it is a linear one."""
        if self.converter.keeps_integers or not hasattr(self.module, "modules"):
            return None
        leaves = (part for part in self.module.modules() if not list(part.children()))
        width = getattr(next(leaves, None), "in_features", None)
        return [-1, width] if isinstance(width, int) else None

    def parameters(self):
        try:
            return list(inspect.signature(self.module.forward).parameters)
        except (TypeError, ValueError, AttributeError):
            return []

    def warm_up(self):
        if self.shape and self.shape.count(-1) == 1:
            outputs = self.run({None: np.zeros([1, *self.shape[1:]], np.float32)})
            self.outputs = [
                {"name": name, "datatype": datatype(array), "shape": [-1, *array.shape[1:]]}
                for name, array in outputs.items()
            ]

    def infer(self, call):
        return self.run(columns(call))

    def run(self, given):
        tensors = {name: self.converter.tensor(array) for name, array in given.items()}
        try:
            with torch.inference_mode():
                if len(tensors) > 1 and all(name in self.names for name in tensors):
                    result = self.module(**tensors)
                else:
                    result = self.module(*tensors.values())
        except Exception as error:
            blamed = blame(error)
            raise blamed from (error if blamed is not error else None)
        return self.converter.outputs(result)
