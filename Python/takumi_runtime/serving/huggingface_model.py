"""Models of Hugging Face: from a folder of safetensors, or by their id."""

import json
import os

from .errors import LoadFailure, log

# Before it is imported: nothing is asked of the network that the model does not need.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch  # noqa: E402
import transformers  # noqa: E402

TASKS = {
    "sequence_classification": "AutoModelForSequenceClassification",
    "token_classification": "AutoModelForTokenClassification",
    "fill_mask": "AutoModelForMaskedLM",
    "text_generation": "AutoModelForCausalLM",
    "text2text_generation": "AutoModelForSeq2SeqLM",
}
GENERATIVE = ("text_generation", "text2text_generation")
# How the names of architectures end, for each task.
ARCHITECTURES = {
    "ForSequenceClassification": "sequence_classification",
    "ForTokenClassification": "token_classification",
    "ForMaskedLM": "fill_mask",
    "ForCausalLM": "text_generation",
    "LMHeadModel": "text_generation",
    "ForConditionalGeneration": "text2text_generation",
    "ForSeq2SeqLM": "text2text_generation",
}
FOREIGN_WEIGHTS = (".bin", ".pt", ".pth", ".h5", ".msgpack", ".ckpt", ".gguf", ".ggml", ".onnx", ".tflite", ".ot")
# What is fetched of a model: weights in the one format that is served, configuration, tokenizer, templates.
WANTED = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken", "*.py"]
DTYPES = ("auto", "float32", "float16", "bfloat16", "float", "half")


def load(options):
    transformers.logging.set_verbosity_error()
    task = options.choice("task", tuple(TASKS), None)
    backend = options.choice("backend", ("auto", "huggingface", "vllm"), "auto")
    folder = find(options)
    check_weights(folder)
    config = read_config(folder, options)
    task = task or task_of(config)
    if task == "text_generation" and backend != "huggingface":
        from . import vllm_model

        if vllm_model.is_there() or backend == "vllm":
            return vllm_model.load(folder, config, options)
    tokenizer, module = read(folder, config, task, options)
    if task in GENERATIVE:
        from .generation import GenerativeModel

        return GenerativeModel(tokenizer, module, options)
    from .encoders import EncoderModel

    return EncoderModel(task, tokenizer, module, options)


# MARK: Where the model is


def find(options):
    """The folder with the model's files; fetched, where only its id is known."""
    model_id = options.get("model_id", "hf_model_id")
    if options.model_dir is not None:
        folder = options.folder(is_model)
        if is_model(folder):
            return folder
        if model_id is None:
            # Else the missing configuration would be told of, where the format is what is wrong.
            check_weights(folder)
            raise LoadFailure(
                f"there is no config.json: {options.listing(folder)}; "
                "upload what save_pretrained writes, or give the model's id in the parameter model_id"
            )
    if model_id is None:
        raise LoadFailure("the model has neither files nor an id; give the id in the parameter model_id")
    return fetch(model_id, options)


def is_model(folder):
    return os.path.isfile(os.path.join(folder, "config.json"))


def check_weights(folder):
    names = sorted(os.listdir(folder))
    if any(name.endswith(".safetensors") for name in names):
        return
    foreign = [name for name in names if name.endswith(FOREIGN_WEIGHTS)]
    if foreign:
        raise LoadFailure(
            f"{foreign[0]} is not in the safetensors format, the only one that is served; "
            "load the model and save it again with save_pretrained"
        )
    if is_model(folder):
        raise LoadFailure("there are no weights: no file ends in .safetensors")


def fetch(model_id, options):
    import huggingface_hub
    from huggingface_hub import errors

    token = options.get("hf_token", "token") or os.environ.get("HF_TOKEN") or None
    revision = options.get("model_revision", "revision")
    # Where the one who started us keeps such things, if it does.
    cache = None if os.environ.get("HF_HOME") or os.environ.get("HF_HUB_CACHE") else f"{options.scratch}/huggingface"
    try:
        files = huggingface_hub.HfApi(token=token).model_info(model_id, revision=revision).siblings
        names = [file.rfilename for file in files]
        if not any(name.endswith(".safetensors") for name in names):
            foreign = next((name for name in names if name.endswith(FOREIGN_WEIGHTS)), None)
            what = f"its weights are in {foreign}" if foreign else "it has no weights"
            raise LoadFailure(f"model {model_id} has no weights in the safetensors format, the only one served: {what}")
        log(f"Fetching {model_id} from Hugging Face")
        return huggingface_hub.snapshot_download(
            model_id, revision=revision, token=token, cache_dir=cache, allow_patterns=WANTED
        )
    except errors.GatedRepoError as error:
        reason = (
            "the account of the token given has no access to it"
            if token
            else "give a token of an account that has access in the parameter hf_token"
        )
        raise LoadFailure(f"model {model_id} is gated: {reason}") from error
    except errors.RevisionNotFoundError as error:
        raise LoadFailure(f"model {model_id} has no revision {revision}") from error
    except errors.RepositoryNotFoundError as error:
        reason = (
            "or the token given has no access to it" if token else "or it is private and needs the parameter hf_token"
        )
        raise LoadFailure(f"Hugging Face has no model {model_id}, {reason}") from error
    except errors.HFValidationError as error:
        raise LoadFailure(f"{model_id} is not the id of a model: {error}") from error
    except (errors.HfHubHTTPError, OSError) as error:
        text = " ".join(str(error).split())
        raise LoadFailure(f"model {model_id} cannot be fetched from Hugging Face: {text}"[:300]) from error
    except Exception as error:
        # What the HTTP library in use calls a network that is not there.
        if isinstance(error, LoadFailure):
            raise
        text = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise LoadFailure(f"model {model_id} cannot be fetched from Hugging Face: {text}"[:300]) from error


# MARK: Loading


def read_config(folder, options):
    trusted = options.flag("trust_remote_code")
    with open(os.path.join(folder, "config.json")) as file:
        try:
            raw = json.load(file)
        except ValueError as error:
            raise LoadFailure(f"config.json is not JSON: {error}") from error
    if raw.get("auto_map") and not trusted and raw.get("model_type") not in transformers.CONFIG_MAPPING:
        raise LoadFailure("the model brings code of its own; set the parameter trust_remote_code to true to run it")
    try:
        return transformers.AutoConfig.from_pretrained(folder, trust_remote_code=trusted)
    except Exception as error:
        text = " ".join(str(error).split())
        raise LoadFailure(f"config.json cannot be used: {text}"[:300]) from error


def task_of(config):
    architecture = (getattr(config, "architectures", None) or [""])[0]
    for ending, task in ARCHITECTURES.items():
        if architecture.endswith(ending):
            return task
    raise LoadFailure(
        f"the task cannot be told from the architecture {architecture or 'in config.json, which has none'}; "
        f"give one of {', '.join(TASKS)} in the parameter task"
    )


def read(folder, config, task, options):
    """(tokenizer, module)"""
    more = {"trust_remote_code": options.flag("trust_remote_code")}
    side = {"padding_side": "left"} if task == "text_generation" else {}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **side, **more)
    except Exception as error:
        text = " ".join(str(error).split())
        raise LoadFailure(f"the tokenizer cannot be loaded: {text}"[:300]) from error
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    kind = getattr(transformers, TASKS[task])
    # On a GPU its weights are read to where they stay.
    placed = {"device_map": {"": 0}} if device.type == "cuda" and has_accelerate() else {}
    try:
        module = kind.from_pretrained(
            folder, config=config, dtype=dtype_of(config, task, device, options), use_safetensors=True, **placed, **more
        )
    except Exception as error:
        text = " ".join(str(error).split())
        raise LoadFailure(f"the model cannot be loaded for {task}: {text}"[:400]) from error
    return tokenizer, module.to(device).eval()


def has_accelerate():
    import importlib.util

    return importlib.util.find_spec("accelerate") is not None


def dtype_of(config, task, device, options):
    name = options.choice("dtype", DTYPES, "auto")
    name = {"float": "float32", "half": "float16"}.get(name, name)
    if name != "auto":
        return getattr(torch, name)
    # CPUs are slow at half the width, where they can at all.
    if device.type == "cpu" or task not in GENERATIVE:
        return torch.float32
    saved = getattr(config, "dtype", None)
    if saved in (torch.float16, torch.bfloat16):
        return saved
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
