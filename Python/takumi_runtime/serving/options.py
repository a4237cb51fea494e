"""What the worker is started with."""

import os

from .errors import LoadFailure


def plain(name):
    """`model-id` and `MODEL_ID` mean `model_id`: the variables that they become are the same."""
    return name.lower().replace("-", "_")


class Options:
    def __init__(self, words):
        own, self.parameters = {}, {}
        # Always in pairs: a value may look like an option.
        for name, value in zip(words[::2], words[1::2]):
            if name.startswith("--takumi-"):
                own[name.removeprefix("--takumi-")] = value
            else:
                self.parameters.setdefault(plain(name.removeprefix("--")), value)
        self.framework = own.get("framework", "")
        self.name = own.get("name", "model")
        # None for a model without files.
        self.model_dir = own.get("model-dir")
        self.scratch = own.get("scratch", "")

    def get(self, *names):
        """A model's parameter, under the first of these names that it has; None without one."""
        for name in names:
            value = self.parameters.get(plain(name))
            if value not in (None, ""):
                return value
        return None

    def choice(self, name, choices, default):
        value = self.get(name)
        if value is None:
            return default
        if value not in choices:
            raise LoadFailure(f"parameter {name} is {value}; it must be one of {', '.join(choices)}")
        return value

    def number(self, name, kind, default, least=None):
        value = self.get(name)
        if value is None:
            return default
        try:
            number = kind(value)
        except ValueError:
            raise LoadFailure(f"parameter {name} is {value}, which is not a number") from None
        if least is not None and number < least:
            raise LoadFailure(f"parameter {name} is {value}; it must be at least {least}")
        return number

    def flag(self, name, default=False):
        value = self.get(name)
        if value is None:
            return default
        if value.lower() in ("true", "1", "yes", "on"):
            return True
        if value.lower() in ("false", "0", "no", "off"):
            return False
        raise LoadFailure(f"parameter {name} is {value}; it must be true or false")

    def folder(self, holds):
        """The folder that the model lies in: the given one, or the only one below that `holds(folder)`.

        Uploads often bring a folder along: MODEL_DIR/my-model/model.joblib.
        """
        if not self.model_dir or not os.path.isdir(self.model_dir):
            raise LoadFailure("the model's folder is not there")
        if holds(self.model_dir):
            return self.model_dir
        below = [entry.path for entry in os.scandir(self.model_dir) if entry.is_dir() and holds(entry.path)]
        return below[0] if len(below) == 1 else self.model_dir

    def listing(self, folder):
        """What lies in a folder, for a cause: users see at once that they uploaded something else."""
        names = sorted(os.listdir(folder))
        if not names:
            return "the folder is empty"
        return "the folder has " + ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
