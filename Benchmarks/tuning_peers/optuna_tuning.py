"""A tuning by Optuna with a process for each trial, two at a time: the way to tune a script that one has.

Usage: optuna_tuning.py PYTHON SCRIPT TRIALS. Gives the seconds. Or optuna_tuning.py --suggest TRIALS: gives the
milliseconds of some suggestions where so many trials have ended, all of them in memory.
"""

import json
import random
import re
import statistics
import subprocess
import sys
import time

import optuna

optuna.logging.set_verbosity(optuna.logging.CRITICAL)


def tune(python, script, trials):
    def objective(trial):
        values = {
            "lr": trial.suggest_float("lr", 1e-4, 0.1, log=True),
            "momentum": trial.suggest_float("momentum", 0.1, 0.95),
            "decay": trial.suggest_float("decay", 1e-6, 0.01, log=True),
        }
        command = [python, script, *(word for name, value in values.items() for word in (f"--{name}", str(value)))]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return float(re.findall(r"loss = (\S+)", output)[-1])

    study = optuna.create_study(sampler=optuna.samplers.TPESampler())
    begin = time.perf_counter()
    study.optimize(objective, n_trials=trials, n_jobs=2)
    return time.perf_counter() - begin


def suggest(trials, count=11):
    space = {
        "lr": optuna.distributions.FloatDistribution(1e-4, 0.1, log=True),
        "dropout": optuna.distributions.FloatDistribution(0, 0.5),
        "layers": optuna.distributions.IntDistribution(1, 8),
        "optimizer": optuna.distributions.CategoricalDistribution(["sgd", "adam", "rmsprop"]),
    }
    study = optuna.create_study(sampler=optuna.samplers.TPESampler())
    for _ in range(trials):
        values = {
            "lr": 10 ** random.uniform(-4, -1),
            "dropout": random.uniform(0, 0.5),
            "layers": random.randint(1, 8),
            "optimizer": random.choice(["sgd", "adam", "rmsprop"]),
        }
        value = values["lr"] + values["dropout"] + abs(values["layers"] - 3)
        study.add_trial(optuna.trial.create_trial(params=values, distributions=space, value=value))
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        trial = study.ask(space)
        times.append((time.perf_counter() - begin) * 1000)
        study.tell(trial, random.random())
    # The first one also imports and looks at the whole history.
    return statistics.median(times[1:])


if sys.argv[1] == "--suggest":
    print(json.dumps(suggest(int(sys.argv[2]))))
else:
    print(json.dumps(tune(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
