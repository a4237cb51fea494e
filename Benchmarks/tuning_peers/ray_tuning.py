"""A tuning by Ray Tune, two trials at a time, with Optuna's search, otherwise as Ray sets it.

Usage: ray_tuning.py FOLDER TRIALS STORAGE. Gives the seconds of the tuning, and those of ray.init() before it.
"""

import json
import os
import sys
import time

# Ray prints there too.
answer = os.dup(1)
os.dup2(2, 1)
folder, trials, storage = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": folder}

import optuna
import ray
from ray import tune
from ray.tune.search.optuna import OptunaSearch

optuna.logging.set_verbosity(optuna.logging.CRITICAL)


def trainable(config):
    from train import train

    train(**config, report=lambda loss: tune.report({"loss": loss}))


begin = time.perf_counter()
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
started = time.perf_counter() - begin
tuner = tune.Tuner(
    tune.with_resources(trainable, {"cpu": 1}),
    param_space={
        "lr": tune.loguniform(1e-4, 0.1),
        "momentum": tune.uniform(0.1, 0.95),
        "decay": tune.loguniform(1e-6, 0.01),
    },
    tune_config=tune.TuneConfig(
        metric="loss", mode="min", num_samples=trials, max_concurrent_trials=2, search_alg=OptunaSearch()
    ),
    run_config=tune.RunConfig(storage_path=storage, verbose=0),
)
begin = time.perf_counter()
results = tuner.fit()
seconds = time.perf_counter() - begin
if results.num_errors or len(results) != trials:
    sys.exit(f"{results.num_errors} of {len(results)} trials failed")
os.write(answer, json.dumps({"fit": seconds, "init": started}).encode())
