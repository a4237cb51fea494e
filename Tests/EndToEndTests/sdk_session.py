"""What a user of the vendor's SDK does in a notebook: from an experiment to two models, and away with it all.

Run by test_sdk.py in a process of its own, since the SDK reads its settings from the environment when it is imported.
Prints one line of JSON with what it saw.
"""

import json
import sys
from pathlib import Path

import easymaker
from easymaker.common.exceptions import EasyMakerError

examples, container, work = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
seen: dict = {"version": easymaker.__version__}


def image(framework: str) -> str:
    images = easymaker.Training.get_image_list()
    return next(i.image_name for i in images if i.framework_code == framework and i.core_type_code == "CPU")


experiment = easymaker.Experiment().create(experiment_name="iris", description="from the SDK")
seen["experiment"] = [experiment.experiment_name, experiment.status, experiment.tensorboard_access_uri]
# A second create finds the first.
assert easymaker.Experiment().create(experiment_name="iris").id == experiment.id
assert easymaker.Experiment.get_by_name("iris").id == experiment.id
assert easymaker.Experiment.get_by_id(experiment.id).name == "iris"

for name in ("train", "test"):
    easymaker.upload(f"{container}/sdk/data/{name}", str(examples / "iris/data" / name))
easymaker.upload(f"{container}/sdk/pytorch", str(examples / "iris/train.py"))
easymaker.upload(f"{container}/sdk/tensorflow", str(examples / "iris-tensorflow/train.py"))


def train(framework: str, **options) -> easymaker.Training:
    name = framework.lower()
    return easymaker.Training().run(
        training_name=f"iris-{name}",
        description=f"two nodes of {framework}",
        experiment_id=experiment.id,
        image_name=image(framework),
        instance_type_name="m2.c1m2",
        distributed_node_count=2,
        source_dir_uri=f"{container}/sdk/{name}",
        entry_point="train.py",
        hyperparameter_list=[easymaker.Parameter(parameter_name="epochs", parameter_value="2")],
        dataset_list=[
            easymaker.Dataset(dataset_name=dataset, data_uri=f"{container}/sdk/data/{dataset}")
            for dataset in ("train", "test")
        ],
        model_upload_uri=f"{container}/sdk/{name}/model",
        check_point_upload_uri=f"{container}/sdk/{name}/checkpoint",
        timeout_hours=1,
        use_log=True,
        wait=False,
        **options,
    )


trainings = [train("PYTORCH", use_torchrun=True, nproc_per_node=1), train("TENSORFLOW")]
for training in trainings:
    training.wait()

listed = {training.id: training for training in easymaker.Training.get_list()}
seen["trainings"] = []
for training in trainings:
    read = easymaker.Training.get_by_id(training.id)
    assert listed[training.id].name == read.name and read.experiment.id == experiment.id
    assert [p.parameter_value for p in read.hyperparameter_list] == ["2"] and len(read.dataset_list) == 2
    folder = work / read.name
    easymaker.download(read.model_upload_uri, str(folder), show_progress=False)
    seen["trainings"].append(
        {
            "name": read.name,
            "status": read.status,
            "nodes": read.instance_count,
            "image": read.image.image_name,
            "instance": read.instance_type.name,
            "elapsed": read.elapsed_time_seconds,
            "tensorboard": read.tensorboard_access_uri,
            "files": sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()),
        }
    )

storage = easymaker.ObjectStorage()
seen["size"] = storage.get_object_size(f"{container}/sdk/data/train")
seen["objects"] = storage.find_object_list(f"{container}/sdk/data", file_extensions=[".csv"])

try:
    train("PYTORCH", nproc_per_node=9, use_torchrun=True)
except EasyMakerError as error:
    seen["refused"] = str(error)

for training in trainings:
    training.delete()
easymaker.Experiment.delete_by_id(experiment.id)
storage.delete(f"{container}/sdk")
seen["left"] = [
    len(easymaker.Training.get_list()),
    len(easymaker.Experiment.get_list()),
    len(storage.find_object_list(f"{container}/sdk")),
]
print("SEEN " + json.dumps(seen))
