"""What a user of the vendor's SDK does with tunings, beginning with the specs of its own sample.

Run by test_tuning_sdk.py in a process of its own, as sdk_session.py is. Prints one line of JSON with what it saw.
"""

import json
import sys
import time
from pathlib import Path

import easymaker
from easymaker.common.base_model.hyperparameter_tuning_base_model import HyperparameterTuningBaseModel
from easymaker.common.codes import EarlyStoppingAlgorithm, HyperparameterTypeCode, ObjectiveTypeCode, TuningStrategy
from easymaker.common.exceptions import EasyMakerError
from easymaker.sample.sample import training_iris
from easymaker.training.components import HyperparameterSpec, Metric

examples, container = Path(sys.argv[1]), sys.argv[2]
seen: dict = {}

experiment = easymaker.Experiment().create(experiment_name="tuned", description="by the SDK")
for name in ("train", "test"):
    easymaker.upload(f"{container}/tuned/data/{name}", str(examples / "iris/data" / name))
easymaker.upload(f"{container}/tuned/pytorch", str(examples / "iris/train.py"))
easymaker.upload(f"{container}/tuned/tensorflow", str(examples / "iris-tensorflow/train.py"))
easymaker.upload(f"{container}/tuned/python", str(sys.argv[3]))


def image(framework: str) -> str:
    images = easymaker.Training.get_image_list()
    return next(i.image_name for i in images if i.framework_code == framework and i.core_type_code == "CPU")


def tune(name: str, **options) -> easymaker.HyperparameterTuning:
    return easymaker.HyperparameterTuning().run(
        **{
            "hyperparameter_tuning_name": name,
            "description": f"{name} by the SDK",
            "experiment_id": experiment.id,
            "image_name": image(name.partition("-")[0].upper()),
            "instance_type_name": "m2.c1m2",
            "source_dir_uri": f"{container}/tuned/{name.partition('-')[0]}",
            "entry_point": "train.py",
            "dataset_list": [
                easymaker.Dataset(dataset_name=dataset, data_uri=f"{container}/tuned/data/{dataset}")
                for dataset in ("train", "test")
            ],
            "model_upload_uri": f"{container}/tuned/{name}/model",
            "check_point_upload_uri": f"{container}/tuned/{name}/checkpoint",
            "timeout_hours": 1,
            "use_log": True,
            "max_failed_trial_count": 1,
            "tuning_strategy_random_state": 7,
        }
        | options
    )


def shown(tuning: easymaker.HyperparameterTuning) -> dict:
    return {name: value for name, value in json.loads(tuning.model_dump_json(by_alias=False)).items()}


def sample(framework: str) -> dict:
    """What the vendor's sample searches, and how it reads the log."""
    given = vars(getattr(training_iris, framework))
    names = ("hyperparameter_spec_list", "metric_list", "metric_regex", "objective_metric_name", "objective_type_code")
    found = {name: given[name] for name in (*names, "objective_goal")}
    # Fewer epochs: what is searched is not the point here.
    for spec in found["hyperparameter_spec_list"]:
        if spec.hyperparameter_name == "epochs":
            spec.hyperparameter_min_value, spec.hyperparameter_max_value = "3", "5"
    return found


# The SDK looks every ten seconds, so the next one runs meanwhile.
tensorflow = tune(
    "tensorflow", **sample("tensorflow"), max_trial_count=2, tuning_strategy_name=TuningStrategy.RANDOM, wait=False
)
# It waits, as `run` does unless told otherwise, two trials at a time.
pytorch = tune(
    "pytorch",
    **sample("pytorch"),
    parallel_trial_count=2,
    max_trial_count=3,
    tuning_strategy_name=TuningStrategy.BAYESIAN_OPTIMIZATION,
    early_stopping_algorithm=EarlyStoppingAlgorithm.MEDIAN,
    early_stopping_min_trial_count=3,
    early_stopping_start_step=4,
    wait=True,
)
seen["pytorch"] = shown(pytorch)
seen["read"] = shown(easymaker.HyperparameterTuning.get_by_id(pytorch.id))
seen["fields"] = list(HyperparameterTuningBaseModel.__annotations__)
tensorflow.wait(wait_interval_seconds=1)
seen["tensorflow"] = shown(tensorflow)

# Every type of parameter, over a grid, with a goal; then one that is stopped.
SPECS = [
    HyperparameterSpec(
        hyperparameter_name="x",
        hyperparameter_type_code=HyperparameterTypeCode.INT,
        hyperparameter_min_value="1",
        hyperparameter_max_value="9",
        hyperparameter_step="2",
    ),
    HyperparameterSpec(
        hyperparameter_name="y",
        hyperparameter_type_code=HyperparameterTypeCode.DOUBLE,
        hyperparameter_min_value="0",
        hyperparameter_max_value="0.5",
        hyperparameter_step="0.25",
    ),
    HyperparameterSpec(
        hyperparameter_name="v",
        hyperparameter_type_code=HyperparameterTypeCode.DISCRETE,
        hyperparameter_specified_values="0.10",
        # As the vendor's other sample gives it.
        hyperparameter_step=None,
    ),
    HyperparameterSpec(
        hyperparameter_name="c",
        hyperparameter_type_code=HyperparameterTypeCode.CATEGORICAL,
        hyperparameter_specified_values="sgd,adam",
    ),
]
grid = {
    "hyperparameter_spec_list": SPECS,
    "metric_list": [Metric(name="score")],
    "metric_regex": r"(score)=<([0-9.]+)>",
    "objective_metric_name": "score",
    "objective_type_code": ObjectiveTypeCode.MAXIMIZE,
    "tuning_strategy_name": TuningStrategy.GRID,
    "dataset_list": None,
    "instance_type_name": "t2.c1m1",
}
reached = tune("python-goal", **grid, objective_goal=3.5, parallel_trial_count=2, wait=False)
reached.wait(wait_interval_seconds=1)
seen["goal"] = shown(reached)

stopped = tune("python-stop", **grid | {"entry_point": "slow.py"}, wait=False)
while easymaker.HyperparameterTuning.get_by_id(stopped.id).status != "RUNNING":
    time.sleep(0.2)
try:
    stopped.delete()
except EasyMakerError as error:
    seen["refused"] = str(error)
stopped.stop()
try:
    stopped.wait(wait_interval_seconds=1)
except EasyMakerError as error:
    seen["stopped"] = [str(error), easymaker.HyperparameterTuning.get_by_id(stopped.id).status]

try:
    tune("python-bad", **grid | {"objective_metric_name": "other"}, wait=False)
except EasyMakerError as error:
    seen["bad"] = str(error)

# Made elsewhere, with what this SDK has no words for: what answers may hold is what its enumerations know.
sender = easymaker.easymaker_config.api_sender
own = sender.get_hyperparameter_tuning_by_id(stopped.id)
own |= {
    "hyperparameterTuningName": "own",
    "experimentId": experiment.id,
    "imageId": own["image"]["imageId"],
    "flavorId": own["flavor"]["id"],
    "objectiveMetric": {"name": "score"},
    "maxTrialCount": 1,
    "maxFailedTrialCount": 1,
    "searchStrategyCode": "CMA_ES",
    "tuningStrategyName": "CMA_ES",
    "earlyStoppingAlgorithm": "ASHA",
}
answer = sender.session.post(f"{sender._easymakerApiUrl}/v1.0/appkeys/default/hyperparameter-tunings", json=own)
seen["own"] = answer.json()
for tuning in easymaker.HyperparameterTuning.get_list():
    if tuning.name == "own":
        seen["ownRead"] = shown(tuning)
        try:
            tuning.stop()
        except EasyMakerError:
            pass  # It is over already.
        ended = ("STOPPED", "COMPLETE", "FAIL_HYPERPARAMETER_TUNING")
        while easymaker.HyperparameterTuning.get_by_id(tuning.id).status not in ended:
            time.sleep(0.2)

listed = easymaker.HyperparameterTuning.get_list()
seen["listed"] = [tuning.name for tuning in listed]
for tuning in listed:
    easymaker.HyperparameterTuning.delete_by_id(tuning.id)
easymaker.Experiment.delete_by_id(experiment.id)
seen["left"] = len(easymaker.HyperparameterTuning.get_list())
print("SEEN " + json.dumps(seen))
