"""Suggests parameters of trials, with Optuna, to one caller on this machine.

Started as `python sampler.py --port N`, with a secret in TAKUMI_SAMPLER_TOKEN. The caller owns the history of every
study. What is in memory here is a copy that it brings up to date with each request, and can make anew at any time: the
answer {"resync": true} asks it to send everything.

An answer depends on the settings, the seed, and the known trials with their states, and on nothing else. The random
numbers of a suggestion come from the seed and its number, so neither a restart nor a repeated request changes what is
suggested. For CMA-ES this holds as long as the caller keeps the attributes of trials, which are its memory.
"""

import os

# Before numpy is imported. The arrays are small and the trials need the cores.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import decimal
import gc
import hashlib
import hmac
import importlib.util
import io
import itertools
import json
import math
import pickle
import random
import signal
import sys
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

# Optuna warns of what is experimental, deprecated or adjusted. What a user must know is checked here instead.
warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.CRITICAL)

KEPT_SECONDS = 3600
LONGEST_BODY = 256 << 20
MOST_SUGGESTIONS = 1000
# From here on an integer is no longer exact as the floating-point number that Optuna computes with.
LARGEST_INTEGER = 1 << 53
# Finite spaces up to this size are searched for a combination that is still untried.
LISTED_COMBINATIONS = 4096
# TPE sees the best and the newest of a long history. It tells good from bad by the 25 best, and weighs old ones least.
TPE_BEST, TPE_NEWEST = 200, 1800
# The cost of a Gaussian process grows with the cube of what it is fitted on.
GP_BEST, GP_NEWEST = 50, 150
# fANOVA gets trials evenly spread over the history, since its cost grows with the square.
IMPORTANCE_TRIALS, IMPORTANCE_TREES, FEWEST_FOR_IMPORTANCE = 200, 32, 5


class BadRequest(Exception):
    """Nonsense of the caller's; the text says what."""


class Resync(Exception):
    """What is known here is not what the caller believes."""


# MARK: Parameters


class Parameter:
    """One dimension of a space: its distribution, and its values as texts."""

    def __init__(self, raw):
        self.name, kind = field(raw, "name", str), field(raw, "type", str)
        self.count = math.inf
        if not self.name:
            raise BadRequest("a parameter has no name")
        if kind == "categorical":
            self.choices = field(raw, "choices", list)
            if not self.choices or not all(isinstance(choice, str) for choice in self.choices):
                raise BadRequest(f"parameter {self.name}: choices must be one text or more")
            if len(set(self.choices)) < len(self.choices):
                raise BadRequest(f"parameter {self.name}: a choice occurs twice")
            self.distribution = CategoricalDistribution(self.choices)
            self.indices = {choice: index for index, choice in enumerate(self.choices)}
            self.count = len(self.choices)
            self.text, self.parse, self.nth = str, self.parse_choice, self.choices.__getitem__
            return
        if kind not in ("double", "int"):
            raise BadRequest(f"parameter {self.name}: type must be double, int or categorical")
        low, high, step, log = (raw.get(key) for key in ("min", "max", "step", "log"))
        for key, value in (("min", low), ("max", high), ("step", step)):
            if value is not None or key != "step":
                self.check_number(key, value, kind == "int")
        if log not in (None, False, True):
            raise BadRequest(f"parameter {self.name}: log must be true or false")
        if low > high:
            raise BadRequest(f"parameter {self.name}: min is greater than max")
        if step is not None and step <= 0:
            raise BadRequest(f"parameter {self.name}: step must be greater than 0")
        if log and low <= 0:
            raise BadRequest(f"parameter {self.name}: min must be greater than 0 for a logarithmic scale")
        if log and step is not None and (kind == "double" or step != 1):
            raise BadRequest(f"parameter {self.name}: a logarithmic scale takes no step")
        if kind == "int":
            low, high, step = int(low), int(high), int(step or 1)
            self.count = (high - low) // step + 1
            # Optuna would warn of a maximum that no step meets.
            self.distribution = IntDistribution(low, low + (self.count - 1) * step, log=bool(log), step=step)
            self.text, self.parse = lambda value: str(int(value)), self.parse_int
            self.nth = lambda index: low + index * step
            return
        low, high = float(low), float(high)
        if not math.isfinite(high - low):
            raise BadRequest(f"parameter {self.name}: max is too far from min")
        # Scales turned to and fro can leave the bounds by the last digit.
        self.parse, self.text = self.parse_double, lambda value: repr(min(max(float(value), low), high))
        if step is None:
            self.distribution = FloatDistribution(low, high, log=bool(log))
            self.count = 1 if low == high else math.inf
            self.nth = lambda index: low
            return
        first, width = decimal.Decimal(repr(low)), decimal.Decimal(repr(float(step)))
        self.count = int((decimal.Decimal(repr(high)) - first) // width) + 1
        # Decimal: steps of 0.1 from 0 are 0.3, not 0.30000000000000004.
        self.nth = lambda index: float(first + index * width)
        self.distribution = FloatDistribution(low, self.nth(self.count - 1), step=float(step))
        self.text = lambda value: repr(self.nth(round((value - low) / float(step))))

    def check_number(self, key, value, whole):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise BadRequest(f"parameter {self.name}: {key} must be a number")
        if whole and (value != int(value) or abs(value) > LARGEST_INTEGER):
            raise BadRequest(f"parameter {self.name}: {key} must be an integer of at most 53 bits")

    def parse_choice(self, text):
        if text not in self.indices:
            raise ValueError
        return text

    def parse_int(self, text):
        value = int(text)
        if not self.distribution.low <= value <= self.distribution.high:
            raise ValueError
        return value

    def parse_double(self, text):
        value = float(text)
        # NaN is not between anything.
        if not self.distribution.low <= value <= self.distribution.high:
            raise ValueError
        return value


def field(raw, key, kind):
    value = raw.get(key) if isinstance(raw, dict) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadRequest(f"{key} is missing or of the wrong type")
    return value


# MARK: What samplers see


class History(optuna.storages.BaseStorage):
    """The trials that one suggestion is made from, as Optuna's storage.

    InMemoryStorage copies every trial deeply on its way in, and can take none out again. Here trials are made once, are
    never changed, and share their distributions. What samplers set belongs to the trial being suggested; nothing else
    is ever written.
    """

    def __init__(self, direction, trials):
        self.direction, self.trials, self.attributes = direction, trials, {}

    def get_all_trials(self, study_id, deepcopy=True, states=None):
        return [trial for trial in self.trials if states is None or trial.state in states]

    def set_trial_system_attr(self, trial_id, key, value):
        self.attributes[key] = value

    def get_study_id_from_name(self, study_name):
        return 0

    def get_study_name_from_id(self, study_id):
        return "study"

    def get_study_directions(self, study_id):
        return [self.direction]

    def get_study_user_attrs(self, study_id):
        return {}

    def get_study_system_attrs(self, study_id):
        return {}

    def get_trial(self, trial_id):
        return next(trial for trial in self.trials if trial.number == trial_id)

    def refuse(self, *values, **named):
        raise NotImplementedError("a history is only read")

    create_new_study = delete_study = get_all_studies = set_study_user_attr = set_study_system_attr = refuse
    create_new_trial = set_trial_param = set_trial_state_values = set_trial_intermediate_value = refuse
    set_trial_user_attr = get_trial_id_from_study_id_trial_number = refuse


def frozen(number, state, values, distributions, parameters, attributes, reports):
    return FrozenTrial(
        number, state, None, None, None, parameters, distributions, {}, attributes, reports, number, values=values
    )


# MARK: Studies


class Study:
    """What is known of a study: the settings, and every trial 0, 1, 2 …"""

    def __init__(self, settings):
        self.lock = threading.Lock()
        self.used = time.monotonic()
        self.settings = settings
        self.strategy = field(settings, "strategy", str)
        if self.strategy not in ("RANDOM", "GRID", "BAYESIAN_OPTIMIZATION", "GAUSSIAN_PROCESS", "CMA_ES"):
            raise BadRequest(f"strategy {self.strategy} is unknown")
        direction = field(settings, "direction", str)
        if direction not in ("MINIMIZE", "MAXIMIZE"):
            raise BadRequest("direction must be MINIMIZE or MAXIMIZE")
        self.direction = StudyDirection[direction]
        self.sign = 1 if direction == "MINIMIZE" else -1
        self.seed = field(settings, "seed", int)
        # Nothing else depends on it: TPE and the Gaussian process keep away from whatever is running.
        if field(settings, "parallel", int) < 1:
            raise BadRequest("parallel must be at least 1")
        self.parameters = [Parameter(raw) for raw in field(settings, "space", list)]
        self.names = [parameter.name for parameter in self.parameters]
        self.by_name = {parameter.name: parameter for parameter in self.parameters}
        if not self.names or len(set(self.names)) < len(self.names):
            raise BadRequest("space must have one parameter or more, of different names")
        self.distributions = {parameter.name: parameter.distribution for parameter in self.parameters}
        # By name, as Optuna does: the order of columns decides which random number goes where.
        self.varying = {
            name: self.distributions[name] for name in sorted(self.names) if not self.distributions[name].single()
        }
        self.discrete = any(
            parameter.count < math.inf and parameter.name in self.varying and hasattr(parameter.distribution, "step")
            for parameter in self.parameters
        )
        self.axes = self.grid() if self.strategy == "GRID" else None
        self.combinations = math.prod(
            (len(axis) for axis in self.axes) if self.axes else (parameter.count for parameter in self.parameters)
        )
        self.states, self.trials = [], []
        # Which trials have a combination of a finite space, and where the untried ones begin.
        self.tried, self.cursor = {}, 0

    def grid(self):
        grid = field(self.settings, "grid", dict)
        if set(grid) != set(self.names):
            raise BadRequest("grid must have the parameters of space")
        axes = [grid[name] for name in self.names]
        for parameter, axis in zip(self.parameters, axes):
            if not isinstance(axis, list) or not axis or not all(isinstance(text, str) for text in axis):
                raise BadRequest(f"grid of {parameter.name} must be one text or more")
            if len(set(axis)) < len(axis):
                raise BadRequest(f"grid of {parameter.name} has a value twice")
        return axes

    # MARK: Trials

    def check(self, raw):
        """A trial as the caller sends it, as (number, state of its own, combination, what samplers see)."""
        number, state = field(raw, "number", int), field(raw, "state", str)
        texts, value, step = field(raw, "parameters", dict), raw.get("value"), raw.get("step")
        attributes = raw.get("attributes")
        attributes = {} if attributes is None else attributes
        if state not in ("RUNNING", "COMPLETE", "PRUNED", "FAIL", "KILLED"):
            raise BadRequest(f"trial {number}: state {state} is unknown")
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise BadRequest(f"trial {number}: value must be a number or null")
        if step is not None and (isinstance(step, bool) or not isinstance(step, int)):
            raise BadRequest(f"trial {number}: step must be an integer or null")
        if not isinstance(attributes, dict):
            raise BadRequest(f"trial {number}: attributes must be an object")
        if len(texts) != len(self.names):
            raise BadRequest(f"trial {number}: parameters must be those of space")
        values = {}
        for parameter in self.parameters:
            name = parameter.name
            try:
                text = texts[name]
                if not isinstance(text, str):
                    raise TypeError
                # A grid's values are what the user wrote, and need not be on the steps of the space.
                values[name] = text if self.axes else parameter.parse(text)
            except (KeyError, TypeError, ValueError):
                raise BadRequest(f"trial {number}: {name} = {texts.get(name)!r} is not in the space") from None
        combination = self.combination_of(values) if self.combinations < math.inf else None
        # NaN is no value: nothing can be ranked by it.
        value = None if value is None or math.isnan(value) else float(value)
        return number, state, combination, self.seen(number, state, values, value, step, attributes)

    def seen(self, number, state, values, value, step, attributes):
        reports = {}
        if state == "KILLED" or state == "COMPLETE" and value is None:
            state = "FAIL"
        if state == "PRUNED" and value is not None:
            # TPE ranks them behind the complete ones: longer runs first, then by value. The others would ignore them,
            # and come back to where a trial was just found hopeless. To them its best value so far is its value.
            if self.strategy in ("CMA_ES", "GAUSSIAN_PROCESS"):
                state = "COMPLETE"
            reports = {step or 0: value}
        if any(":optimizer:" in key for key in attributes):
            try:
                optimizer_in(attributes)
            except Exception as error:
                raise BadRequest(f"trial {number}: attributes hold no optimizer: {one_line(error)}") from None
        finished = state in ("COMPLETE", "PRUNED") and value is not None
        return frozen(
            number,
            TrialState[state],
            [value] if finished else None,
            self.distributions,
            values,
            attributes,
            reports,
        )

    def apply(self, raw_trials, expects):
        """Takes over what is new or changed: all of it, or nothing."""
        checked = sorted((self.check(raw) for raw in raw_trials), key=lambda trial: trial[0])
        known = len(self.trials)
        numbers = [trial[0] for trial in checked]
        if len(set(numbers)) < len(numbers):
            raise BadRequest("a trial occurs twice")
        if numbers and not 0 <= numbers[0] <= numbers[-1] < expects:
            raise BadRequest("the number of a trial is not below expects")
        added = [number for number in numbers if number >= known]
        if known > expects or added != list(range(known, expects)):
            raise Resync
        for number, state, combination, trial in checked:
            if number < known:
                self.untry(number)
                self.states[number], self.trials[number] = state, trial
            else:
                self.states.append(state)
                self.trials.append(trial)
            # What was ended before it could say anything is tried again.
            if combination is not None and state != "KILLED":
                self.tried.setdefault(combination, set()).add(number)

    def untry(self, number):
        if self.combinations == math.inf:
            return
        combination = self.combination_of(self.trials[number].params)
        numbers = self.tried.get(combination, set())
        numbers.discard(number)
        if not numbers:
            self.tried.pop(combination, None)
            self.cursor = 0

    def combination_of(self, values):
        if self.axes:
            return tuple(values[name] for name in self.names)
        return tuple(parameter.text(values[parameter.name]) for parameter in self.parameters)

    # MARK: Suggestions

    def suggest(self, count):
        """Returns suggestions, and whether there are fewer than wanted since no others are left."""
        if self.strategy == "GRID":
            suggestions = [
                {"number": len(self.trials) + k, "parameters": dict(zip(self.names, texts)), "attributes": {}}
                for k, texts in enumerate(itertools.islice(self.untried(), count))
            ]
            return suggestions, len(suggestions) < count or self.cursor >= self.combinations
        warm_up(self.strategy)
        suggestions, pending = [], []
        for number in range(len(self.trials), len(self.trials) + count):
            values, attributes = self.next(number, pending)
            texts = {parameter.name: parameter.text(values[parameter.name]) for parameter in self.parameters}
            # As the caller will send it back, so that one request for two is like two requests for one.
            values = {parameter.name: parameter.parse(texts[parameter.name]) for parameter in self.parameters}
            pending.append(frozen(number, TrialState.RUNNING, None, self.distributions, values, attributes, {}))
            suggestions.append({"number": number, "parameters": texts, "attributes": attributes})
        return suggestions, False

    def next(self, number, pending):
        """Values for one trial. In a finite space not those of a trial that was, if it is cheap to avoid.

        RANDOM draws up to ten times, TPE and CMA-ES three times. Then a random one of the untried is taken, of spaces
        small enough to be listed. Not by CMA-ES, whose samples must follow its distribution. A Gaussian process, which
        is expensive, does not draw again. When all are tried, repeating goes on: the objective may be noisy, and max
        trials is the caller's limit.
        """
        taken = {self.combination_of(trial.params) for trial in pending} if self.combinations < math.inf else ()
        exhausted = len(self.tried.keys() | taken) >= self.combinations
        draws = {"RANDOM": 10, "GAUSSIAN_PROCESS": 1}.get(self.strategy, 3)
        for attempt in range(1 if exhausted else draws):
            values, attributes = self.draw(number, attempt, pending)
            if self.combinations == math.inf or exhausted:
                return values, attributes
            combination = self.combination_of(values)
            if combination not in self.tried and combination not in taken:
                return values, attributes
        if self.strategy != "CMA_ES" and self.combinations <= LISTED_COMBINATIONS:
            left = [texts for texts in self.untried() if texts not in taken]
            texts = random.Random(self.random_seed(number, draws)).choice(left)
            return {parameter.name: parameter.parse(text) for parameter, text in zip(self.parameters, texts)}, {}
        return values, attributes

    def untried(self):
        """Combinations that no trial has, the last parameter changing fastest. Lists nothing: a grid can be huge."""
        axes = self.axes or [[p.text(p.nth(index)) for index in range(p.count)] for p in self.parameters]
        began = True
        for index in range(self.cursor, self.combinations):
            texts, rest = [], index
            for axis in reversed(axes):
                rest, place = divmod(rest, len(axis))
                texts.append(axis[place])
            texts = tuple(reversed(texts))
            if texts not in self.tried:
                began = False
                yield texts
            elif began:
                self.cursor = index + 1

    def random_seed(self, number, attempt):
        digest = hashlib.sha256(f"{self.seed}:{number}:{attempt}".encode()).digest()
        return int.from_bytes(digest[:4], "big")

    def draw(self, number, attempt, pending):
        sampler, space = self.sampler(self.random_seed(number, attempt))
        history = History(self.direction, self.visible() + pending)
        # Optuna's Study caches trials per thread, hence a new one each time; it costs microseconds.
        study = optuna.study.Study("study", history, sampler, optuna.pruners.NopPruner())
        trial = frozen(number, TrialState.RUNNING, None, {}, {}, {}, {})
        # What Optuna's Trial does with its sampler, without looking through all trials for the space, which is known.
        values = dict(sampler.sample_relative(study, trial, space)) if space else {}
        for name in self.names:
            if name not in values:
                values[name] = (
                    sampler.sample_independent(study, trial, name, self.distributions[name])
                    if name in self.varying
                    else self.by_name[name].nth(0)
                )
        # The others keep a copy of the parameters there, for processes that share a database.
        return values, without_garbage(history.attributes) if self.strategy == "CMA_ES" else {}

    def sampler(self, seed):
        """A new sampler for every suggestion: it must not carry anything over from former ones."""
        if self.strategy == "RANDOM":
            return optuna.samplers.RandomSampler(seed=seed), {}
        if self.strategy == "BAYESIAN_OPTIMIZATION":
            return tpe(seed), self.varying
        if self.strategy == "GAUSSIAN_PROCESS":
            return optuna.samplers.GPSampler(seed=seed, warn_independent_sampling=False), self.varying
        numeric = {
            name: distribution
            for name, distribution in self.varying.items()
            if not isinstance(distribution, CategoricalDistribution)
        }
        sampler = optuna.samplers.CmaEsSampler(
            seed=seed,
            # For categorical parameters, which CMA-ES knows nothing of.
            independent_sampler=tpe(seed),
            # Keeps integers and steps from freezing at one value.
            with_margin=self.discrete,
            warn_independent_sampling=False,
        )
        return sampler, numeric

    def visible(self):
        if self.strategy == "BAYESIAN_OPTIMIZATION":
            return self.best_and_newest(TPE_BEST, TPE_NEWEST)
        if self.strategy == "GAUSSIAN_PROCESS":
            return self.best_and_newest(GP_BEST, GP_NEWEST)
        return self.trials

    def best_and_newest(self, best, newest):
        if len(self.trials) <= best + newest:
            return self.trials
        older = self.trials[:-newest]
        complete = [trial for trial in older if trial.state == TrialState.COMPLETE]
        complete.sort(key=lambda trial: self.sign * trial.values[0])
        kept = complete[:best] + [trial for trial in older if trial.state == TrialState.RUNNING]
        return sorted(kept, key=lambda trial: trial.number) + self.trials[-newest:]

    # MARK: Importance

    def complete(self):
        return [
            trial
            for state, trial in zip(self.states, self.trials)
            if state == "COMPLETE" and trial.values and math.isfinite(trial.values[0])
        ]

    def importance(self, trials):
        """Returns the importances of parameters for complete trials, or None and why there are none."""
        if len(trials) < FEWEST_FOR_IMPORTANCE:
            return None, f"fewer than {FEWEST_FOR_IMPORTANCE} trials are complete"
        if len(trials) > IMPORTANCE_TRIALS:
            trials = [trials[k * len(trials) // IMPORTANCE_TRIALS] for k in range(IMPORTANCE_TRIALS)]
        if self.axes:
            trials = self.measured(trials)
        for name, distribution in trials[0].distributions.items():
            # One that the space holds fast is not to blame: its share is 0.
            if not distribution.single() and len({trial.params[name] for trial in trials}) == 1:
                return None, f"parameter {name} has the same value in all trials"
        if len({trial.values[0] for trial in trials}) == 1:
            return None, "all trials have the same result"
        study = optuna.study.Study("study", History(self.direction, trials))
        evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=IMPORTANCE_TREES, seed=0)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
        return {name: float(share) for name, share in found.items()}, None

    def measured(self, trials):
        """Trials of a grid, whose values are texts, with numbers where they are."""
        distributions, columns = {}, []
        for name, axis in zip(self.names, self.axes):
            try:
                numbers = {text: float(text) for text in axis}
                distributions[name] = FloatDistribution(min(numbers.values()), max(numbers.values()))
            except ValueError:
                numbers = {text: text for text in axis}
                distributions[name] = CategoricalDistribution(axis)
            columns.append((name, numbers))
        return [
            frozen(
                trial.number,
                trial.state,
                trial.values,
                distributions,
                {name: numbers[trial.params[name]] for name, numbers in columns},
                {},
                {},
            )
            for trial in trials
        ]


def tpe(seed):
    return optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)


class OptimizerPickle(pickle.Unpickler):
    """CMA-ES keeps its state as a pickle, which Optuna loads: it may hold that state and nothing that runs."""

    allowed = {
        ("cmaes._cma", "CMA"),
        ("cmaes._cmawm", "CMAwM"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
        ("numpy.random._pickle", "__randomstate_ctor"),
        ("numpy.random._pickle", "__bit_generator_ctor"),
        ("numpy.random._mt19937", "MT19937"),
        ("_codecs", "encode"),
    }

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is not part of an optimizer")
        return super().find_class(module, name)


def optimizer_in(attributes):
    """The state of CMA-ES that a trial's attributes hold, and the name that its parts begin with."""
    parts = {key: part for key, part in attributes.items() if ":optimizer:" in key}
    name = next(iter(parts)).rsplit(":", 1)[0]
    text = "".join(parts[f"{name}:{index}"] for index in range(len(parts)))
    return OptimizerPickle(io.BytesIO(bytes.fromhex(text))).load(), name


def without_garbage(attributes):
    """Attributes that are the same, byte for byte, whenever the same trial is suggested.

    cmaes 0.13.1 makes the array of `_funhist_values`, which Optuna does not use, of whatever was in memory. And a
    pickle tells equal names from identical ones, which they are or are not depending on where an optimizer comes from.
    """
    if not any(":optimizer:" in key for key in attributes):
        return attributes
    optimizer, name = optimizer_in(attributes)
    inner = getattr(optimizer, "_cma", optimizer)
    inner._funhist_values.fill(0)
    for part in {id(optimizer): optimizer, id(inner): inner}.values():
        part.__dict__ = {sys.intern(name): value for name, value in part.__dict__.items()}
    kept = {key: value for key, value in attributes.items() if ":optimizer:" not in key}
    return kept | {f"{name}:0": pickle.dumps(optimizer).hex()}


warm_lock = threading.Lock()
warmed = set()


def warm_up(strategy):
    """Imports, beside the first suggestions, which are random ones, what the strategy needs for later ones."""
    modules = {"GAUSSIAN_PROCESS": ("torch", "scipy.optimize", "scipy.stats.qmc"), "CMA_ES": ("cmaes",)}.get(strategy)
    if not modules:
        return
    if importlib.util.find_spec(modules[0]) is None:
        raise BadRequest(f"{strategy} needs {modules[0]}, which is not installed here")
    with warm_lock:
        if strategy in warmed:
            return
        warmed.add(strategy)

    def load():
        for module in modules:
            importlib.import_module(module)

    threading.Thread(target=load, daemon=True).start()


def one_line(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300]


# MARK: Requests


class Studies:
    def __init__(self, kept_seconds):
        self.lock, self.studies, self.kept_seconds = threading.Lock(), {}, kept_seconds

    def up_to_date(self, body):
        """The study of a request, locked, with its trials applied."""
        identifier, settings = field(body, "study", str), field(body, "settings", dict)
        expects, trials = field(body, "expects", int), field(body, "trials", list)
        if expects < 0:
            raise BadRequest("expects must not be negative")
        with self.lock:
            study = self.studies.get(identifier)
        if len(trials) == expects:
            # All of them: whatever was here does not matter.
            study = Study(settings)
            study.lock.acquire()
            try:
                study.apply(trials, expects)
            except Resync:
                raise BadRequest("the numbers of all trials must be 0, 1, 2 …") from None
            with self.lock:
                self.studies[identifier] = study
            return study
        if study is None or study.settings != settings:
            # Nonsense is told before all trials are asked for.
            Study(settings)
            raise Resync
        study.lock.acquire()
        study.used = time.monotonic()
        try:
            study.apply(trials, expects)
        except BaseException:
            study.lock.release()
            raise
        return study

    def suggest(self, body):
        count = field(body, "count", int)
        if not 0 <= count <= MOST_SUGGESTIONS:
            raise BadRequest(f"count must be from 0 to {MOST_SUGGESTIONS}")
        study = self.up_to_date(body)
        try:
            suggestions, exhausted = study.suggest(count)
        finally:
            study.lock.release()
        return {"suggestions": suggestions, "exhausted": exhausted}

    def importance(self, body):
        study = self.up_to_date(body)
        try:
            trials = study.complete()
        finally:
            study.lock.release()
        # It takes seconds, during which the study gets its suggestions.
        importances, reason = study.importance(trials)
        return {"importances": importances, **({"reason": reason} if reason else {})}

    def forget(self, body):
        with self.lock:
            return {"forgotten": self.studies.pop(field(body, "study", str), None) is not None}

    def forget_unused(self):
        with self.lock:
            oldest = time.monotonic() - self.kept_seconds
            self.studies = {key: study for key, study in self.studies.items() if study.used >= oldest}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Head and body of an answer leave in one piece.
    wbufsize = -1

    def do_GET(self):
        if self.path == "/healthz":
            self.answer(200, {"status": "ok"})
        elif self.is_admitted():
            self.answer(404, {"error": f"{self.path} is unknown"})

    def is_admitted(self):
        given = self.headers.get("Authorization", "").encode()
        if hmac.compare_digest(given, f"Bearer {self.server.token}".encode()):
            return True
        # A body that was not read must not be taken for the next request.
        self.close_connection = True
        self.answer(401, {"error": "the token is missing or wrong"})
        return False

    def do_POST(self):
        actions = {
            "/v1/suggest": self.server.studies.suggest,
            "/v1/importance": self.server.studies.importance,
            "/v1/forget": self.server.studies.forget,
        }
        if not self.is_admitted():
            return
        try:
            length = int(self.headers["Content-Length"])
        except (TypeError, ValueError):
            length = -1
        if not 0 <= length <= LONGEST_BODY:
            self.close_connection = True
            return self.answer(411 if length < 0 else 413, {"error": "the body's length is missing or too great"})
        data = self.rfile.read(length)
        if self.path not in actions:
            return self.answer(404, {"error": f"{self.path} is unknown"})
        try:
            try:
                body = json.loads(data)
            except ValueError as error:
                raise BadRequest(f"the body is not JSON: {one_line(error)}") from None
            if not isinstance(body, dict):
                raise BadRequest("the body is not an object")
            self.answer(200, actions[self.path](body))
        except Resync:
            self.answer(200, {"resync": True})
        except BadRequest as error:
            self.answer(400, {"error": str(error)})
        except (OverflowError, decimal.InvalidOperation):
            self.answer(400, {"error": "a number is too great"})
        except ConnectionError:
            self.close_connection = True
        except Exception as error:
            self.answer(500, {"error": one_line(error)})

    def answer(self, status, body):
        data = json.dumps(body, allow_nan=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, *values):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def service_actions(self):
        self.studies.forget_unused()

    def handle_error(self, request, client_address):
        # A caller that went away is no news.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    options = argparse.ArgumentParser(description="Suggests parameters of trials.")
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--keep", type=float, default=KEPT_SECONDS, help="seconds until an unused study is dropped")
    options = options.parse_args()
    token = os.environ.pop("TAKUMI_SAMPLER_TOKEN", "")
    if not token:
        sys.exit("sampler.py: TAKUMI_SAMPLER_TOKEN is not set")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    server = Server(("127.0.0.1", options.port), Handler)
    server.token, server.studies = token, Studies(options.keep)
    # What was imported stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    print(f"sampler ready on port {server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=min(60, options.keep))


if __name__ == "__main__":
    main()
