"""What a training's program is given, and what is kept of it (SPEC 4, 12.3, 12.4, 12.6)."""

import json

import pytest

from client import API, Training

# Prints everything that the platform told the program, as one line of JSON.
REPORT = """
import json, os, sys
folders = {name: os.listdir(os.environ[name]) for name in os.environ if name.endswith("_DIR") or "_DATASET_" in name}
print(json.dumps({"argv": sys.argv[1:], "cwd": os.getcwd(), "environment": dict(os.environ), "folders": folders}))
"""


def report(training: Training, node: int = 0) -> dict:
    training.wait()
    return json.loads(training.printed(node)[0])


def test_environment_and_arguments(api: API):
    base = f"{api.container}/env"
    api.upload(f"{base}/train/a.csv", "1,2")
    api.upload(f"{base}/train/sub/b.csv", "3,4")
    api.upload(f"{base}/one.txt", "one")
    api.upload(f"{base}/checkpoint/cp.bin", "cp")
    parameters = {
        "lr": "0.1",
        "note": "a  b \"c\" 'd' $HOME {x} \\ 日本",
        "empty": "",
        "Mixed-Case": "-5",
        "lines": "a\nb",
    }
    training = api.train(
        REPORT,
        hyperparameterList=[{"parameterName": name, "parameterValue": value} for name, value in parameters.items()],
        datasetList=[
            {"datasetName": "train", "dataUri": f"{base}/train"},
            {"datasetName": "Test-2", "dataUri": f"{base}/one.txt"},
        ],
        checkPointInputUri=f"{base}/checkpoint",
    )
    seen = report(training)
    environment = seen["environment"]

    assert seen["argv"] == [word for name, value in parameters.items() for word in (f"--{name}", value)]
    em = {name: value for name, value in environment.items() if name.startswith("EM_")}
    assert set(em) == {
        "EM_SOURCE_DIR",
        "EM_ENTRY_POINT",
        "EM_DATASET_TRAIN",
        "EM_DATASET_TEST-2",
        "EM_DATASETS",
        "EM_MODEL_DIR",
        "EM_CHECKPOINT_INPUT_DIR",
        "EM_CHECKPOINT_DIR",
        "EM_HP_LR",
        "EM_HP_NOTE",
        "EM_HP_EMPTY",
        "EM_HP_MIXED-CASE",
        "EM_HP_LINES",
        "EM_HPS",
        "EM_TENSORBOARD_LOG_DIR",
        "EM_REGION",
        "EM_APPKEY",
        "EM_API_URL",
    }
    assert {name: em[f"EM_HP_{name.upper()}"] for name in parameters} == parameters
    assert json.loads(em["EM_HPS"]) == parameters
    assert json.loads(em["EM_DATASETS"]) == {"train": em["EM_DATASET_TRAIN"], "Test-2": em["EM_DATASET_TEST-2"]}
    assert (em["EM_ENTRY_POINT"], em["EM_REGION"], em["EM_APPKEY"]) == ("train.py", "kr1", "default")
    # Beyond SPEC 12.4: without it, the vendor's SDK in a program would ask the vendor's cloud.
    assert em["EM_API_URL"] == api.server.url

    folders = seen["folders"]
    assert sorted(folders["EM_DATASET_TRAIN"]) == ["a.csv", "sub"]
    assert folders["EM_DATASET_TEST-2"] == ["one.txt"]
    assert folders["EM_CHECKPOINT_INPUT_DIR"] == ["cp.bin"]
    assert folders["EM_SOURCE_DIR"] == ["train.py"]
    for name in ("EM_MODEL_DIR", "EM_CHECKPOINT_DIR", "EM_TENSORBOARD_LOG_DIR"):
        assert folders[name] == [], f"{name} is not empty at the start"
    assert seen["cwd"] == em["EM_SOURCE_DIR"]

    assert "SECRET_OF_THE_HOST" not in environment, "variables of the server reach programs"
    assert not [name for name in environment if name.startswith("TAKUMI_")]
    assert "TF_CONFIG" not in environment and "RANK" not in environment


def test_absent_inputs_have_no_variable(api: API):
    seen = report(api.train(REPORT, checkPointUploadUri=None))
    assert "EM_CHECKPOINT_INPUT_DIR" not in seen["environment"]
    assert seen["environment"]["EM_DATASETS"] == "{}" and seen["environment"]["EM_HPS"] == "{}"
    # A program may write checkpoints whether anybody keeps them or not.
    assert seen["folders"]["EM_CHECKPOINT_DIR"] == []


def test_entry_point_in_a_folder(api: API):
    training = api.train(
        "import helper; print(helper.WORD)", {"code/helper.py": "WORD = 'found'"}, entryPoint="code/train.py"
    )
    training.wait()
    assert training.printed() == ["found"]


def test_nodes_of_tensorflow(api: API):
    training = api.train(REPORT, image="tensorflow", instanceCount=2)
    training.wait(timeout=600)
    configs = [json.loads(report(training, node)["environment"]["TF_CONFIG"]) for node in (0, 1)]
    assert [config["task"] for config in configs] == [{"type": "worker", "index": 0}, {"type": "worker", "index": 1}]
    assert configs[0]["cluster"] == configs[1]["cluster"]
    workers = configs[0]["cluster"]["worker"]
    assert len(set(workers)) == 2 and set(configs[0]["cluster"]) == {"worker"}, configs[0]


def test_nodes_of_pytorch(api: API):
    training = api.train(REPORT, image="pytorch", instanceCount=2)
    training.wait(timeout=600)
    seen = [report(training, node)["environment"] for node in (0, 1)]
    assert [one["RANK"] for one in seen] == ["0", "1"] and {one["WORLD_SIZE"] for one in seen} == {"2"}
    assert len({(one["MASTER_ADDR"], one["MASTER_PORT"]) for one in seen}) == 1


def test_torchrun(api: API):
    """Two nodes of two processes that really add something up over gloo."""
    script = """
import os, torch, torch.distributed as dist
dist.init_process_group("gloo")
total = torch.tensor([dist.get_rank() + 1.0])
dist.all_reduce(total)
line = f"rank {dist.get_rank()} of {dist.get_world_size()}, local {os.environ['LOCAL_RANK']}, total {total.item():g}"
# The processes of a node share its output, and `print` writes the line's end by itself.
print(line + "\\n", end="", flush=True)
dist.destroy_process_group()
"""
    training = api.train(script, image="pytorch", flavor="m2.c2m4", instanceCount=2, useTorchrun=True, nprocPerNode=2)
    training.wait(timeout=600)
    lines = sorted(training.printed(0) + training.printed(1))
    assert lines == [f"rank {rank} of 4, local {rank % 2}, total 10" for rank in range(4)]


# MARK: - Outputs

OUTPUTS = """
import os, sys
for kind in ("MODEL", "CHECKPOINT"):
    os.makedirs(os.environ[f"EM_{kind}_DIR"] + "/sub")
    for name in ("one.txt", "sub/two.txt"):
        with open(os.environ[f"EM_{kind}_DIR"] + "/" + name, "w") as file:
            file.write(kind + name)
"""


def assert_outputs(training: Training):
    for kind in ("model", "checkpoint"):
        assert training.api.files(f"{training.folder}/{kind}") == ["one.txt", "sub/two.txt"], kind
        for name in ("one.txt", "sub/two.txt"):
            content = training.api.download(f"{training.folder}/{kind}/{name}").decode()
            assert content == kind.upper() + name


def test_outputs_of_a_complete_training(api: API):
    training = api.train(OUTPUTS)
    done = training.wait()
    assert_outputs(training)
    assert done["exitCode"] == 0 and done.get("statusReason") is None
    assert done["elapsedTimeSeconds"] >= 0 and done["startedDatetime"] <= done["endedDatetime"]


def test_outputs_of_a_failed_training_are_kept(api: API):
    training = api.train(OUTPUTS + "sys.exit(7)")
    failed = training.wait("FAIL_TRAIN")
    assert_outputs(training)
    assert failed["exitCode"] == 7
    assert "train.py" in failed["statusReason"] and "7" in failed["statusReason"], failed["statusReason"]


def test_checkpoints_of_a_stopped_training_are_kept(api: API):
    training = api.train(OUTPUTS + "import time; print('saved', flush=True); time.sleep(60)")
    training.wait_line("saved")
    training.stop()
    training.wait("STOPPED")
    assert_outputs(training)


def test_output_to_a_nas(api: API, folders):
    training = api.train(OUTPUTS, modelUploadUri="nas://shared:/outputs/model")
    training.wait()
    assert (folders["shared"] / "outputs/model/sub/two.txt").read_text() == "MODELsub/two.txt"


def test_input_from_a_nas_is_read_only(api: API, folders):
    data = folders["shared"] / "inputs"
    data.mkdir()
    (data / "x.csv").write_text("1")
    script = """
import os
folder = os.environ["EM_DATASET_X"]
print(open(folder + "/x.csv").read())
try:
    open(folder + "/x.csv", "w").write("spoilt")
except OSError as error:
    print("refused", error.errno)
"""
    training = api.train(script, datasetList=[{"datasetName": "x", "dataUri": "nas://shared:/inputs"}])
    training.wait()
    assert training.printed() == ["1", "refused 30"]
    assert (data / "x.csv").read_text() == "1"


def test_program_cannot_change_what_is_stored(api: API):
    """Inputs are links to the store's own files: writing through one would change the stored object."""
    uri = f"{api.container}/read-only/x.csv"
    api.upload(uri, "stored")
    script = """
import os
path = os.environ["EM_DATASET_X"] + "/x.csv"
for action in (lambda: open(path, "a").write("spoilt"), lambda: os.chmod(path, 0o777), lambda: os.remove(path)):
    try:
        action()
        print("changed")
    except OSError as error:
        print("refused")
open(os.environ["EM_SOURCE_DIR"] + "/train.py", "a").write("spoilt")
"""
    training = api.train(script, datasetList=[{"datasetName": "x", "dataUri": f"{api.container}/read-only"}])
    training.wait()
    assert training.printed() == ["refused"] * 3
    assert api.download(uri) == b"stored"
    assert api.download(f"{training.folder}/source/train.py").decode() == script


@pytest.mark.parametrize("name", ["with space", "ünïcode 日本", "a+b&c=d", "-dash", ".hidden"])
def test_odd_names_of_files(api: API, name):
    folder = f"{api.container}/odd/{name}"
    api.upload(f"{folder}/f {name}", "x")
    script = "import os; print(os.listdir(os.environ['EM_DATASET_D']))"
    training = api.train(script, datasetList=[{"datasetName": "d", "dataUri": folder}])
    training.wait()
    assert training.printed() == [str([f"f {name}"])]
