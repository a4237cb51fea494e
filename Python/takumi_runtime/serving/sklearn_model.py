"""Models of scikit-learn, and whatever else has been pickled and has its methods."""

import os
import pickle
import sys
import warnings

import numpy as np

from .calls import instances_of
from .errors import BadInput, LoadFailure, blame_input, log
from .linear import direct
from .model import Model
from .tensors import as_texts, datatype, texts

SUFFIXES = (".joblib", ".pkl", ".pickle")
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform")
LIBRARIES = ("sklearn", "numpy", "pandas", "scipy")


# MARK: Loading


def load(options):
    folder = options.folder(lambda folder: bool(pickles(folder)))
    path = choose(options, folder)
    # Classes of the user's own lie beside the pickle.
    sys.path.append(folder)
    return SklearnModel(unpickle(path), options)


def pickles(folder):
    return sorted(name for name in os.listdir(folder) if name.endswith(SUFFIXES))


def choose(options, folder):
    found = pickles(folder)
    named = [f"model{suffix}" for suffix in SUFFIXES if f"model{suffix}" in found]
    if not found:
        raise LoadFailure(f"there is no model.joblib, model.pkl or model.pickle: {options.listing(folder)}")
    if not named and len(found) > 1:
        raise LoadFailure(f"several files may be the model ({', '.join(found)}); name one of them model.joblib")
    return os.path.join(folder, (named or found)[0])


def unpickle(path):
    import joblib

    name = os.path.basename(path)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model = joblib.load(path)
    except ModuleNotFoundError as error:
        raise LoadFailure(
            f"{name} needs the module {error.name}, which the image does not have and the model's folder neither"
        ) from error
    except AttributeError as error:
        if "__main__" in str(error):
            raise LoadFailure(
                f"{name} needs what the training script itself defined ({error}); "
                "define it in a module of its own, and put that file beside the model"
            ) from error
        raise LoadFailure(f"{name} does not fit the versions of this image: {error}") from error
    except (pickle.UnpicklingError, EOFError, KeyError, IndexError, UnicodeDecodeError) as error:
        raise LoadFailure(f"{name} is not a whole pickle: {str(error) or type(error).__name__}") from error
    for line in dict.fromkeys(" ".join(str(warning.message).split()) for warning in said):
        log(f"{name}: {line}")
    return model


def parts(model):
    """The model and what it is made of: steps of pipelines, what columns go through, what a search has found."""
    yield model
    inner = [step for _, step in getattr(model, "steps", None) or []]
    inner += [column[1] for column in getattr(model, "transformers_", None) or []]
    inner += [getattr(model, name, None) for name in ("best_estimator_", "estimator_", "estimator")]
    for part in inner:
        if part is not None and not isinstance(part, (str, type)):
            yield from parts(part)


def columns(model):
    """The fitted ColumnTransformer that names columns, if there is one: it takes nothing but a DataFrame."""
    for part in parts(model):
        for _, _, chosen in getattr(part, "transformers_", None) or []:
            first = chosen[0] if isinstance(chosen, (list, np.ndarray)) and len(chosen) else chosen
            if isinstance(first, str):
                return part
    return None


# MARK: Answering


class SklearnModel(Model):
    platform = "sklearn"
    batch = True

    def __init__(self, model, options):
        default = "predict_proba" if options.flag("predict_proba") else "predict"
        self.method = options.choice("method", METHODS, default)
        self.call = getattr(model, self.method, None)
        if self.method == "predict":
            self.call = direct(model) or self.call
        if not callable(self.call):
            kind = type(model).__name__
            raise LoadFailure(f"the model is a {kind}, which has no {self.method}")
        self.model = model
        names = getattr(model, "feature_names_in_", None)
        self.names = None if names is None else [str(name) for name in names]
        self.width = getattr(model, "n_features_in_", None)
        self.columns = columns(model)
        first = next(iter(getattr(model, "steps", None) or [(None, model)]))[1]
        self.takes_texts = hasattr(first, "analyzer") or hasattr(first, "build_analyzer")
        self.pandas = None
        if self.names:
            import pandas

            self.pandas = pandas
        # One thread for a request: the model server already runs as many as there are cores, and the threads that
        # joblib would start for each call cost more than they bring.
        jobs = options.number("n_jobs", int, 1)
        for part in parts(model):
            if getattr(part, "n_jobs", None) is not None:
                part.n_jobs = jobs
        # Said for every array, while arrays are how clients send what was trained on a DataFrame.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        self.inputs = self.describe()

    def describe(self):
        if self.takes_texts:
            return [{"name": "input-0", "datatype": "BYTES", "shape": [-1]}]
        if self.columns is not None and self.names:
            words = self.word_columns()
            return [
                {"name": name, "datatype": "BYTES" if name in words else "FP64", "shape": [-1]} for name in self.names
            ]
        return [{"name": "input-0", "datatype": "FP64", "shape": [-1, self.width]}] if self.width else []

    def word_columns(self):
        """Columns whose values are texts, with one that occurs, as far as encoders tell."""
        words = {}
        for _, part, chosen in self.columns.transformers_:
            chosen = [chosen] if isinstance(chosen, str) else chosen
            for inner in parts(part):
                for name, values in zip(chosen, getattr(inner, "categories_", None) or []):
                    if len(values) and isinstance(values[0], str):
                        words[str(name)] = values[0]
        return words

    def warm_up(self):
        if self.takes_texts:
            outputs = self.outputs_of(["a text"])
        elif self.columns is not None and self.names:
            words = self.word_columns()
            outputs = self.outputs_of(self.pandas.DataFrame([{name: words.get(name, 0.0) for name in self.names}]))
        elif self.width:
            outputs = self.outputs_of(np.zeros((1, self.width)))
        else:
            return
        self.outputs = [
            {"name": name, "datatype": datatype(array), "shape": [-1, *array.shape[1:]]}
            for name, array in outputs.items()
        ]

    def infer(self, call):
        if call.bodies is None:
            return self.outputs_of(self.table(call.arrays))
        return self.infer_json(call)

    def outputs_of(self, table):
        try:
            result = self.call(table)
        except Exception as error:
            blamed = blame_input(error, *LIBRARIES)
            raise blamed from (error if blamed is not error else None)
        if type(result) is np.ndarray and result.dtype != object:
            return {"output-0": result}
        # One array for each of several targets.
        several = result if isinstance(result, list) and result and isinstance(result[0], np.ndarray) else [result]
        return {f"output-{index}": dense(part) for index, part in enumerate(several)}

    # MARK: What the model is given

    def table(self, arrays):
        """Tensors as what the model takes: an array, texts, or a DataFrame of named columns."""
        if len(arrays) == 1:
            ((name, array),) = arrays.items()
            if self.takes_texts and array.dtype == object:
                return texts(array)
            if name not in (self.names or []):
                array = as_texts(array)
                return array if self.columns is None else self.frame_of_rows(array)
        return self.frame_of_columns(arrays)

    def frame_of_rows(self, array):
        if self.names is None or array.ndim > 2:
            return array
        if array.ndim == 1:
            array = array[:, None]
        if array.shape[1] != len(self.names):
            raise BadInput(f"each row has {array.shape[1]} values, but the model has {len(self.names)} columns")
        frame = self.pandas.DataFrame(array, columns=self.names)
        return frame.infer_objects() if array.dtype == object else frame

    def frame_of_columns(self, arrays):
        self.check_columns(arrays)
        flat = {}
        for name, array in arrays.items():
            if array.ndim > 2 or array.ndim == 2 and array.shape[1] != 1:
                raise BadInput(f"input {name} must be one column, of shape [rows] or [rows, 1]")
            flat[name] = as_texts(array.reshape(-1))
        if len({len(column) for column in flat.values()}) > 1:
            raise BadInput("the inputs have different numbers of rows")
        if self.names:
            flat = {name: flat[name] for name in self.names}
        pandas = self.with_pandas()
        return pandas.DataFrame(flat) if pandas else np.column_stack(list(flat.values()))

    def check_columns(self, given):
        missing = [name for name in self.names or [] if name not in given]
        if missing:
            raise BadInput(f"columns are missing: {', '.join(missing)}")

    def with_pandas(self):
        if self.pandas is None:
            try:
                import pandas
            except ImportError:
                return None
            self.pandas = pandas
        return self.pandas

    # MARK: JSON

    def infer_json(self, call):
        """All instances of all requests in one prediction, since making a DataFrame takes longer than a prediction."""
        instances = [instances_of(body) for body in call.bodies]
        table = self.table_of([instance for group in instances for instance in group])
        outputs = self.outputs_of(table)
        counts = [len(group) for group in instances]
        if any(array.shape[:1] != (sum(counts),) for array in outputs.values()):
            if call.count > 1:
                raise ValueError("the requests cannot be told apart in the prediction")
            counts = [next(iter(outputs.values())).shape[0]]
        answers, start = [], 0
        for count in counts:
            answers.append({name: array[start : start + count] for name, array in outputs.items()})
            start += count
        return answers

    def table_of(self, instances):
        first = instances[0] if instances else None
        if isinstance(first, list) and first and isinstance(first[0], dict):
            # As KServe has it, an instance may also be several rows.
            instances = [row for instance in instances for row in instance]
            first = instances[0]
        if isinstance(first, dict):
            return self.frame_of_objects(instances)
        if isinstance(first, str) and self.takes_texts:
            return instances
        try:
            array = np.array(instances, dtype=object)
        except ValueError:
            raise BadInput("the instances are not of one shape") from None
        if any(isinstance(value, (list, dict)) for value in array.flat):
            raise BadInput("the instances are not of one shape")
        if self.columns is not None:
            return self.frame_of_rows(array)
        # null is a missing value; texts stay texts, even where they look like numbers.
        return array if any(isinstance(value, str) for value in array.flat) else array.astype(np.float64)

    def frame_of_objects(self, instances):
        if not all(isinstance(instance, dict) for instance in instances):
            raise BadInput("the instances must be all objects or none")
        self.check_columns(instances[0])
        pandas = self.with_pandas()
        if pandas is None:
            names = self.names or list(instances[0])
            return np.array([[instance.get(name) for name in names] for instance in instances])
        # Several rows, again: {"a": [1, 2], "b": [3, 4]}.
        if instances[0] and all(isinstance(value, list) for value in instances[0].values()):
            frame = pandas.concat([pandas.DataFrame(instance) for instance in instances], ignore_index=True)
        else:
            frame = pandas.DataFrame(instances)
        self.check_columns(frame.columns)
        return frame[self.names] if self.names else frame


def dense(part):
    array = part.toarray() if hasattr(part, "toarray") else np.asarray(part)
    if array.dtype == object and array.size and not isinstance(array.flat[0], (str, bytes)):
        # Numbers that were trained on as objects.
        return np.array(array.tolist())
    return array
