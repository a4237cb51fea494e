#!/usr/bin/env python3
"""How good what the sampler suggests is, beside Optuna's TPESampler() called directly.

Median of the best value after 50 trials, over ten seeds; less is better. Ten seeds are few: two columns of the same
algorithm differ by a third. The sampler is asked over HTTP, as the server asks it, one trial after the other. Runs with
the Python of an environment made from Catalog/locks/optuna-5.0.0.txt.
"""

import argparse
import concurrent.futures
import functools
import http.client
import json
import math
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time
import warnings

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "Python" / "takumi_runtime" / "sampler.py"
TRIALS, TOKEN = 50, "benchmark"

# --- the functions ---------------------------------------------------------------------------------------------------


def sphere(x):
    return sum(v * v for v in x)


def rosenbrock(x):
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def branin(x):
    a, b = x
    valley = b - 5.1 * a * a / (4 * math.pi**2) + 5 * a / math.pi - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10


def hartmann6(x):
    scales = [
        [10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14],
    ]  # fmt: skip
    peaks = [
        [1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381],
    ]  # fmt: skip
    return -sum(
        weight * math.exp(-sum(a * (v - p / 1e4) ** 2 for a, v, p in zip(scale, x, peak)))
        for weight, scale, peak in zip((1, 1.2, 3, 3.2), scales, peaks)
    )


def ackley(x):
    root = math.sqrt(sum(v * v for v in x) / len(x))
    waves = sum(math.cos(2 * math.pi * v) for v in x) / len(x)
    return -20 * math.exp(-0.2 * root) - math.exp(waves) + 20 + math.e


def regression(C, gamma, epsilon, kernel):
    """Share of the variance of the diabetes data that a support-vector regression leaves unexplained."""
    data, target, score, SVR = regression_parts()
    return 1 - score(SVR(C=C, gamma=gamma, epsilon=epsilon, kernel=kernel, max_iter=20_000), data, target, cv=3).mean()


@functools.cache
def regression_parts():
    from sklearn.datasets import load_diabetes
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import scale
    from sklearn.svm import SVR

    data, target = load_diabetes(return_X_y=True)
    return scale(data), target, cross_val_score, SVR


def box(count, low, high):
    return [double(f"x{index}", low, high) for index in range(count)]


def double(name, low, high, log=False):
    return {"name": name, "type": "double", "min": low, "max": high, "step": None, "log": log}


def of_numbers(function):
    return lambda values: function(list(values.values()))


PROBLEMS = {
    "sphere, 5 parameters": (of_numbers(sphere), box(5, -5, 10)),
    "Rosenbrock, 2": (of_numbers(rosenbrock), box(2, -5, 10)),
    "Branin, 2": (of_numbers(branin), [double("x0", -5, 10), double("x1", 0, 15)]),
    "Hartmann6, 6": (of_numbers(hartmann6), box(6, 0, 1)),
    "Ackley, 5": (of_numbers(ackley), box(5, -30, 20)),
    "SVR on diabetes, 4": (
        lambda values: regression(**values),
        [
            double("C", 1e-3, 1e4, log=True),
            double("gamma", 1e-6, 10, log=True),
            double("epsilon", 1e-2, 1e2, log=True),
            {"name": "kernel", "type": "categorical", "choices": ["sigmoid", "rbf", "linear"]},
        ],
    ),
}  # fmt: skip

# --- who suggests ----------------------------------------------------------------------------------------------------


def parse(parameter, text):
    return {"double": float, "int": int, "categorical": str}[parameter["type"]](text)


def takumi(port, problem, seed, strategy="BAYESIAN_OPTIMIZATION"):
    function, space = PROBLEMS[problem]
    settings = {"strategy": strategy, "direction": "MINIMIZE", "seed": seed, "parallel": 1, "space": space}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    best, changed = math.inf, []
    for number in range(TRIALS):
        body = {
            "study": f"{problem} {strategy} {seed}", "settings": settings, "expects": number, "trials": changed,
            "count": 1,
        }  # fmt: skip
        connection.request("POST", "/v1/suggest", json.dumps(body), {"Authorization": f"Bearer {TOKEN}"})
        answer = json.load(connection.getresponse())
        suggestion = answer["suggestions"][0]
        texts = suggestion["parameters"]
        value = function({parameter["name"]: parse(parameter, texts[parameter["name"]]) for parameter in space})
        best, changed = min(best, value), [suggestion | {"state": "COMPLETE", "value": value}]
    return best


def optuna(port, problem, seed):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    function, space = PROBLEMS[problem]

    def objective(trial):
        values = {}
        for parameter in space:
            name = parameter["name"]
            match parameter["type"]:
                case "double":
                    values[name] = trial.suggest_float(name, parameter["min"], parameter["max"], log=parameter["log"])
                case "int":
                    values[name] = trial.suggest_int(name, parameter["min"], parameter["max"])
                case _:
                    values[name] = trial.suggest_categorical(name, parameter["choices"])
        return function(values)

    # Defaults all but the seed, so that a figure can be had again.
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=TRIALS)
    return study.best_value


def cma_es(port, problem, seed):
    return takumi(port, problem, seed, "CMA_ES")


def at_random(port, problem, seed):
    return takumi(port, problem, seed, "RANDOM")


COLUMNS = {"takumi": takumi, "optuna": optuna, "takumi CMA_ES": cma_es, "takumi RANDOM": at_random}


def job(work):
    port, problem, column, seed = work
    warnings.simplefilter("ignore")
    return problem, column, COLUMNS[column](port, problem, seed)


def start_sampler():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, SCRIPT, "--port", str(port)],
        env=os.environ | {"TAKUMI_SAMPLER_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        text=True,
    )
    if not process.stdout.readline().startswith("sampler ready"):
        sys.exit("tuning_quality.py: the sampler does not start")
    return process, port


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options.add_argument("--seeds", type=int, default=10)
    options = options.parse_args()
    # Two busy cores: threads of BLAS would only wait for each other.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process, port = start_sampler()
    begin = time.perf_counter()
    try:
        seeds = range(options.seeds)
        works = [(port, problem, column, seed) for problem in PROBLEMS for column in COLUMNS for seed in seeds]
        with concurrent.futures.ProcessPoolExecutor(max_workers=2) as pool:
            results = list(pool.map(job, works))
    finally:
        process.terminate()
    medians = {
        problem: {
            column: statistics.median(best for p, c, best in results if (p, c) == (problem, column))
            for column in COLUMNS
        }
        for problem in PROBLEMS
    }
    if options.json:
        print(json.dumps({"trials": TRIALS, "seeds": options.seeds, "median_best": medians}, indent=2))
        return
    print(f"| median best after {TRIALS} trials, {options.seeds} seeds | " + " | ".join(COLUMNS) + " |")
    print("| --- |" + " --- |" * len(COLUMNS))
    for problem, row in medians.items():
        print(f"| {problem} | " + " | ".join(f"{value:.4g}" for value in row.values()) + " |")
    print(f"\n{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
