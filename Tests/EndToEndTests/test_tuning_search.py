"""What is suggested, and how it reaches the program (H-2, H-3, 12.3)."""

import json
import math

import pytest

from client import API, categorical, discrete, double, integer
from test_tuning import ECHO

# Best at x = 0.25, n = 7, kind = b.
HILL = """
import argparse
parser = argparse.ArgumentParser()
for name, kind in (("x", float), ("n", int), ("kind", str)):
    parser.add_argument(f"--{name}", type=kind)
args = parser.parse_args()
print("loss =", (args.x - 0.25) ** 2 + abs(args.n - 7) / 10 + (args.kind != "b"))
"""
SPACE = (double("x", 0, 1), integer("n", 1, 20), categorical("kind", "a,b,c"))

# GAUSSIAN_PROCESS needs PyTorch: its environment takes longer where it is not there yet.
STRATEGIES = ["RANDOM", "BAYESIAN_OPTIMIZATION", "CMA_ES", "GAUSSIAN_PROCESS"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategies(api: API, strategy):
    """Each comes to its end, stays within the bounds, and can be repeated by its random state."""

    def tune(state: int):
        search = {"tuningStrategyName": strategy, "tuningStrategyRandomState": state}
        return api.tune(HILL, *SPACE, **search, maxTrialCount=12 if state else 2)

    first, again, other = tune(7), tune(7), tune(0)
    done = first.wait(timeout=300)
    assert done["hyperparameterTuningStatusReason"] == "MaxTrialsReached" and first.codes() == ["SUCCEEDED"] * 12
    assert done["searchStrategyCode"] == strategy and done["tuningStrategyRandomState"] == 7
    for x, n, kind in first.values():
        assert 0 <= float(x) <= 1 and 1 <= int(n) <= 20 and kind in "abc", (x, n, kind)
    values = [trial["objectiveValue"] for trial in first.trials()]
    assert done["optimalTrial"]["objectiveValue"] == min(values)
    again.wait(timeout=300)
    assert again.values() == first.values(), "the same random state suggests something else"
    other.wait(timeout=300)
    assert other.values()[0] != first.values()[0]


def test_without_a_random_state_one_is_drawn_and_told(api: API):
    tunings = [api.tune(HILL, *SPACE, tuningStrategyName="RANDOM", maxTrialCount=1) for _ in range(2)]
    states = [tuning.wait()["tuningStrategyRandomState"] for tuning in tunings]
    assert states[0] != states[1] and tunings[0].values() != tunings[1].values()


def test_default_strategy(api: API):
    tuning = api.tune(ECHO, double("x", 0, 1), tuningStrategyName="", maxTrialCount=1)
    assert tuning.wait()["searchStrategyCode"] == "BAYESIAN_OPTIMIZATION"


def test_grid_of_every_type(api: API):
    """Every combination once; steps that do not divide the range end before it; a maximum ends it earlier."""
    parameters = (
        double("d", -0.1, 0.3, 0.1),
        integer("i", 1, 8, 3),
        discrete("v", "0.10"),
        categorical("c", "one"),
        double("fixed", 0.5, 0.5, 1),
    )
    tuning = api.tune("print('loss = 1')", *parameters, parallelTrialCount=4, maxTrialCount=15)
    done = tuning.wait()
    assert done["hyperparameterTuningStatusReason"] == "MaxTrialsReached"
    found = tuning.values()
    wanted = {(d, i) for d in (-0.1, 0, 0.1, 0.2, 0.3) for i in (1, 4, 7)}
    assert {(round(float(d), 9), int(i)) for d, i, *_ in found} == wanted and len(found) == 15
    assert {rest for *_, v, c, f in found for rest in [(v, c, float(f))]} == {("0.10", "one", 0.5)}
    # As Katib counts: the minimum and so many steps, in binary.
    assert {d for d, *_ in found} == {repr(min(-0.1 + k * 0.1, 0.3)) for k in range(5)}
    cut = api.tune(ECHO, integer("x", 1, 9), maxTrialCount=2)
    assert cut.wait()["hyperparameterTuningStatusReason"] == "MaxTrialsReached" and cut.values() == [("1",), ("2",)]


TYPED = "0.10, 1e-3 ,5,-2.50,+7,.5"
ODD = 'sgd, adam ,3,3.0,日本,a b,"q",$HOME,--x'


def test_values_reach_the_program_as_they_were_typed(api: API):
    script = """
import json, os, sys
em = {name: value for name, value in os.environ.items() if name.startswith("EM_HP")}
print(json.dumps({"argv": sys.argv[1:], "em": em}))
print("loss = 1")
"""
    parameters = (categorical("opt", ODD), double("Learning-rate", 0.5, 0.5), integer("n", 3, 3), discrete("v", TYPED))
    search = {"tuningStrategyName": "RANDOM", "tuningStrategyRandomState": 1, "maxTrialCount": 30}
    tuning = api.tune(script, *parameters, **search, parallelTrialCount=4)
    tuning.wait()
    typed, odd = ({part.strip() for part in text.split(",")} for text in (TYPED, ODD))
    trials = tuning.trials()
    seen_v, seen_opt = set(), set()
    for trial in trials:
        names = [p["parameterName"] for p in trial["hyperparameterList"]]
        values = [p["parameterValue"] for p in trial["hyperparameterList"]]
        assert names == ["opt", "Learning-rate", "n", "v"], "not in the order of the request"
        seen_opt.add(values[0])
        seen_v.add(values[3])
        assert float(values[1]) == 0.5 and values[2] == "3"
    assert seen_v <= typed and len(seen_v) >= 5, seen_v
    assert seen_opt <= odd and len(seen_opt) >= 7, seen_opt
    for number in (1, 2, 3):
        told = json.loads(tuning.trial(number).printed()[0])
        parts = trials[number - 1]["hyperparameterList"]
        pairs = {p["parameterName"]: p["parameterValue"] for p in parts}
        assert told["argv"] == [word for name, value in pairs.items() for word in (f"--{name}", value)]
        assert told["em"].pop("EM_HPS") and {**told["em"]} == {f"EM_HP_{n.upper()}": v for n, v in pairs.items()}


def test_scales_and_steps(api: API):
    """A logarithmic scale gives every power of ten the same share; a step gives its multiples only."""
    tuning = api.tune(
        "print('loss = 1')",
        double("lr", 1e-6, 1, scale="log"),
        integer("units", 1, 10_000, scale="log"),
        double("drop", 0.1, 0.9, 0.2),
        integer("layers", 2, 10, 4),
        tuningStrategyName="RANDOM",
        tuningStrategyRandomState=3,
        maxTrialCount=30,
        parallelTrialCount=4,
    )
    tuning.wait()
    lr, units, drop, layers = zip(*tuning.values(), strict=True)
    low = sum(float(value) < 1e-3 for value in lr)
    assert 6 <= low <= 24 and all(1e-6 <= float(value) <= 1 for value in lr), lr
    assert 6 <= sum(int(value) < 100 for value in units) <= 24, units
    assert {float(value) for value in drop} <= {0.1, 0.3, 0.5, 0.7, 0.9}, drop
    assert {int(value) for value in layers} == {2, 6, 10}, layers
    assert len({round(math.log10(float(value))) for value in lr}) >= 5


def test_a_finite_space_is_tried_whole_before_anything_twice(api: API):
    tuning = api.tune(
        ECHO, integer("x", 1, 8), tuningStrategyName="BAYESIAN_OPTIMIZATION", maxTrialCount=8, parallelTrialCount=2
    )
    tuning.wait()
    assert {x for (x,) in tuning.values()} == {f"{x}" for x in range(1, 9)}
