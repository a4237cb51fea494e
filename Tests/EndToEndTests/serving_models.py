"""Small models made on the spot, each in the image environment that serves it.

A test calls `sklearn_iris(folder)`. What the function says is done by that environment's Python, which runs this file.
"""

import functools
import hashlib
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LOCKS = REPOSITORY / "Catalog" / "locks"

SKLEARN = "serve-sklearn-1.9.1-cpu"
PYTORCH = "serve-pytorch-2.13.0-cpu"
TENSORFLOW = "serve-tensorflow-2.21.0-cpu"
# Has Keras 2, which models are made with and served without.
TENSORFLOW_TRAINING = "tensorflow-train-2.21.0-cpu"
HUGGING_FACE = "serve-huggingface-5.24.0-cpu"


# MARK: Environments


@functools.cache
def environment(lock: str) -> Path:
    """The image environment of a lock, made as a Takumi server makes it, and in the same place."""
    # Not needed, and not to be had, in the environments themselves.
    import fcntl

    from harness import ENVIRONMENTS

    path = LOCKS / f"{lock}.txt"
    folder = ENVIRONMENTS / hashlib.sha256(path.read_bytes()).hexdigest()[:24]
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (folder / ".takumi-ready").exists():
            install(path, folder)
    return folder


def install(lock: Path, folder: Path) -> None:
    variables = dict(os.environ)
    variables.pop("VIRTUAL_ENV", None)
    links = variables.get("UV_FIND_LINKS") or variables.get("PIP_FIND_LINKS")
    variables |= {"UV_FIND_LINKS": links} if links else {}
    variables["PATH"] = f"{Path(sys.executable).parent}:{variables['PATH']}"
    where = [] if links or "+cpu" not in lock.read_text() else ["--torch-backend", "cpu"]
    for command in (
        ["uv", "venv", "--quiet", "--clear", "--python", "3.11", folder],
        ["uv", "pip", "install", "--quiet", "--python", folder / "bin" / "python", "--compile-bytecode", *where]
        + ["--no-deps", "--verify-hashes", "-r", lock],
    ):
        subprocess.run(command, check=True, env=variables)
    (folder / ".takumi-ready").touch()


def python(lock: str) -> Path:
    return environment(lock) / "bin" / "python"


def made_in(lock: str):
    """Lets a function below run in an environment: `maker(folder, *words)`. Returns the folder."""

    def wrap(maker):
        @functools.wraps(maker)
        def make(folder, *words):
            if __name__ == "__main__":
                return maker(Path(folder), *words)
            Path(folder).mkdir(parents=True, exist_ok=True)
            command = [python(lock), __file__, maker.__name__, folder, *words]
            # Threads for matrices this small cost more than they bring.
            variables = os.environ | {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
            run = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=variables)
            assert run.returncode == 0, f"{maker.__name__} failed:\n{run.stdout}{run.stderr}"
            return Path(folder)

        return make

    return wrap


# MARK: scikit-learn


@made_in(SKLEARN)
def sklearn_iris(folder):
    """A classifier of irises: rows of four numbers, classes 0, 1, 2."""
    import joblib
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    joblib.dump(LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)), folder / "model.joblib")


@made_in(SKLEARN)
def sklearn_echo(folder):
    """Gives back the one number of each row."""
    import joblib
    import numpy as np
    from sklearn.linear_model import LinearRegression

    model = LinearRegression()
    model.coef_, model.intercept_, model.n_features_in_ = np.array([1.0]), 0.0, 1
    joblib.dump(model, folder / "model.joblib")


@made_in(SKLEARN)
def sklearn_columns(folder):
    """A pipeline trained on a DataFrame with columns `size` (numbers) and `colour` (texts); its classes are texts."""
    import joblib
    import pandas
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = pandas.DataFrame({"size": [1.0, 2.0, 9.0, 10.0] * 5, "colour": ["red", "green", "red", "green"] * 5})
    columns = ColumnTransformer([("numbers", StandardScaler(), ["size"]), ("words", OneHotEncoder(), ["colour"])])
    model = make_pipeline(columns, LogisticRegression()).fit(frame, ["small", "small", "large", "large"] * 5)
    joblib.dump(model, folder / "model.joblib")


@made_in(SKLEARN)
def sklearn_texts(folder):
    """A pipeline that tells texts apart."""
    import joblib
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts = ["good film", "very good", "bad film", "very bad"] * 4
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)).fit(texts, [1, 1, 0, 0] * 4)
    joblib.dump(model, folder / "model.pkl")


@made_in(SKLEARN)
def sklearn_nan(folder):
    """A classifier that takes missing values: x below 5 is class 0, else class 1, missing is class 1."""
    import joblib
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier

    x = np.array([[float(value)] for value in range(10)] * 10 + [[np.nan]] * 30)
    y = [int(value >= 5) for value in range(10)] * 10 + [1] * 30
    joblib.dump(HistGradientBoostingClassifier(max_iter=20).fit(x, y), folder / "model.joblib")


@made_in(SKLEARN)
def sklearn_own_code(folder):
    """A pickle of a class whose module lies beside it, in a folder of the model's own below."""
    import joblib

    below = folder / "doubling"
    below.mkdir(exist_ok=True)
    (below / "doubling.py").write_text(
        "class Doubling:\n"
        "    def predict(self, X):\n"
        "        if (X < 0).any():\n"
        "            raise ValueError('bad value')\n"
        "        return (X * 2).sum(1)\n"
    )
    sys.path.insert(0, str(below))
    import doubling

    joblib.dump(doubling.Doubling(), below / "anything.pkl")


@made_in(SKLEARN)
def sklearn_of_script(folder):
    """A pickle of a class that the script itself defined."""
    import pickle

    class Mine:
        def predict(self, X):
            return X

    Mine.__module__, Mine.__qualname__ = "__main__", "Mine"
    globals()["Mine"] = Mine
    (folder / "model.pkl").write_bytes(pickle.dumps(Mine()))


# MARK: TensorFlow


@made_in(TENSORFLOW)
def tensorflow_linear(folder):
    """A Keras 3 model as its `export` saves it: y = x0 + 2 x1 + 3 x2."""
    import keras
    import numpy as np

    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    model.layers[0].set_weights([np.array([[1.0], [2.0], [3.0]])])
    model.export(str(folder), verbose=False)


@made_in(TENSORFLOW_TRAINING)
def tensorflow_keras_2(folder):
    """The same model of Keras 2, as its `save` saves it."""
    import numpy as np
    import tf_keras

    model = tf_keras.Sequential([tf_keras.layers.Dense(1, use_bias=False, input_shape=(3,))])
    model.layers[0].set_weights([np.array([[1.0], [2.0], [3.0]])])
    model.save(str(folder), save_format="tf")


@made_in(TENSORFLOW)
def tensorflow_versions(folder):
    """Two versions in numbered folders: the newer one, 10, doubles; the older one, 9, does not."""
    import tensorflow as tf

    class Times(tf.Module):
        def __init__(self, factor):
            self.factor = tf.Variable(factor)

        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
        def __call__(self, x):
            return {"y": x * self.factor}

    for version, factor in (("9", 1.0), ("10", 2.0)):
        model = Times(factor)
        tf.saved_model.save(model, str(folder / version), signatures=model.__call__)


@made_in(TENSORFLOW)
def tensorflow_several(folder):
    """Several inputs, outputs and signatures, texts and bytes among them."""
    import tensorflow as tf

    class Several(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec([None], tf.string, name="word"),
                tf.TensorSpec([None], tf.int32, name="times"),
            ]
        )
        def repeat(self, word, times):
            repeated = tf.map_fn(
                lambda pair: tf.strings.reduce_join(tf.repeat(pair[0], pair[1])),
                (word, times),
                fn_output_signature=tf.string,
            )
            return {"text": repeated, "length": tf.strings.length(repeated), "raw_bytes": word}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="index")])
        def look_up(self, index):
            return {"value": tf.gather(tf.constant([1.5, 2.5, 3.5]), index)}

        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
        def total(self, x):
            return {"total": tf.reduce_sum(x)}

    model = Several()
    signatures = {"serving_default": model.repeat, "look_up": model.look_up, "total": model.total}
    tf.saved_model.save(model, str(folder), signatures=signatures)


# MARK: PyTorch

# y = W x + b with the numbers below: easy to know the answers of.
MODEL = """
import torch

class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x)
"""

# As written for TorchServe: rows under "data" or "body" or as they are, labels from an extra file, a helper of its own.
HANDLER = """
import json
import os

import torch
from ts.torch_handler.base_handler import BaseHandler

from wording import worded


class Handler(BaseHandler):
    def initialize(self, context):
        super().initialize(context)
        with open(os.path.join(context.system_properties["model_dir"], "labels.json")) as file:
            self.labels = json.load(file)

    def preprocess(self, data):
        rows = [row.get("data") or row.get("body") if isinstance(row, dict) else row for row in data]
        if any(row == "boom" for row in rows):
            raise ValueError("bad value")
        return torch.as_tensor(rows, dtype=torch.float32, device=self.device)

    def postprocess(self, data):
        said = {"request": self.context.get_request_id(0), "header": self.context.get_request_header(0, "x-tag")}
        return [{"label": worded(self.labels[index])} | said for index in data.argmax(1).tolist()]

    def get_insights(self, tensor_data, inputs, target=0):
        return (self.model.layer.weight[target] * tensor_data).tolist()
"""

FUNCTION = """
import os

import torch

model = None


def handle(data, context):
    global model
    if model is None:
        path = os.path.join(context.system_properties["model_dir"], context.manifest["model"]["serializedFile"])
        model = torch.jit.load(path)
    if data is None:
        return None
    return [model(torch.tensor([row["data"]])).sum().item() for row in data]
"""


def linear():
    import torch

    names = {}
    exec(MODEL, names)
    model = names["Linear"]()
    with torch.no_grad():
        model.layer.weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.0, 1.0]]))
        model.layer.bias.copy_(torch.tensor([0.0, 10.0]))
    return model


def scripted():
    import torch

    return torch.jit.trace(linear(), torch.zeros(1, 3))


def script_bytes():
    import torch

    return saved(scripted(), torch.jit.save)


def mar(path, manifest, files):
    """A model archive, as torch-model-archiver makes them."""
    import json
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("MAR-INF/MANIFEST.json", json.dumps({"runtime": "python", "model": manifest}))


def saved(what, save):
    import io

    buffer = io.BytesIO()
    save(what, buffer)
    return buffer.getvalue()


def extras():
    return {"labels.json": '["up", "down"]', "wording.py": "def worded(label):\n    return f'going {label}'\n"}


@made_in(PYTORCH)
def pytorch_mar(folder, requirements=""):
    """A .mar with a model file, a handler and extra files; the parts of `requirements` in its requirements.txt."""
    import torch

    manifest = {"modelName": "linear", "modelFile": "model.py", "serializedFile": "weights.pt", "modelVersion": "1.0"}
    manifest |= {"handler": "handler.py"} | ({"requirementsFile": "requirements.txt"} if requirements else {})
    files = {"model.py": MODEL, "handler.py": HANDLER, "weights.pt": saved(linear().state_dict(), torch.save)}
    files |= extras() | ({"requirements.txt": "\n".join(requirements.split())} if requirements else {})
    mar(folder / "linear.mar", manifest, files)


@made_in(PYTORCH)
def pytorch_loose(folder):
    """The same model as loose files: weights, model.py, handler.py and extra/."""
    import torch

    torch.save(linear().state_dict(), folder / "weights.pt")
    (folder / "model.py").write_text(MODEL)
    (folder / "handler.py").write_text(HANDLER)
    (folder / "requirements.txt").write_text("something-that-is-not-to-be-installed-twice\n")
    (folder / "extra").mkdir(exist_ok=True)
    for name, content in extras().items():
        (folder / "extra" / name).write_text(content)


@made_in(PYTORCH)
def pytorch_script(folder):
    """TorchScript without a handler."""
    scripted().save(folder / "model.pt")


@made_in(PYTORCH)
def pytorch_base(folder):
    """A .mar with TorchServe's own base_handler, and nothing else than TorchScript."""
    manifest = {"modelName": "linear", "serializedFile": "linear.pt", "handler": "base_handler"}
    mar(folder / "linear.mar", manifest, {"linear.pt": script_bytes()})


@made_in(PYTORCH)
def pytorch_function(folder):
    """A .mar whose handler is a function."""
    manifest = {"modelName": "linear", "serializedFile": "linear.pt", "handler": "service:handle"}
    files = {"linear.pt": script_bytes(), "service.py": FUNCTION}
    mar(folder / "linear.mar", manifest, files)


@made_in(PYTORCH)
def pytorch_images(folder):
    """A .mar with TorchServe's own image_classifier: class "bright" or "dark" by the mean of the image."""
    import torch

    class Brightness(torch.nn.Module):
        def forward(self, images):
            mean = images.mean((1, 2, 3))
            return torch.stack([mean, -mean, mean * 0 - 9, mean * 0 - 9, mean * 0 - 9], 1)

    manifest = {"modelName": "brightness", "serializedFile": "model.pt", "handler": "image_classifier"}
    labels = '{"0": "bright", "1": "dark", "2": "a", "3": "b", "4": "c"}'
    script = torch.jit.trace(Brightness(), torch.zeros(1, 3, 224, 224))
    mar(folder / "brightness.mar", manifest, {"model.pt": saved(script, torch.jit.save), "index_to_name.json": labels})


# MARK: Hugging Face

SENTENCES = ["the quick brown fox jumps over the lazy dog", "one two three four five six seven eight nine ten"]
WORDS = sorted(
    {word for sentence in SENTENCES for word in sentence.split()} | {"good", "bad", "film", "very", "eins", "zwei"}
)
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|> {{ m.content }} {% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def word_tokenizer(folder, special, **roles):
    """A tokenizer whose tokens are words. `roles` are its special tokens' roles."""
    import tokenizers
    import transformers

    words = [*special, *WORDS]
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({word: at for at, word in enumerate(words)}, special[0]))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    if "cls_token" in roles:
        frame = [(token, words.index(token)) for token in (roles["cls_token"], roles["sep_token"])]
        made.post_processor = tokenizers.processors.BertProcessing(frame[1], frame[0])
    elif "</s>" in special:
        made.post_processor = tokenizers.processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token=special[0], **roles)
    tokenizer.save_pretrained(folder)
    return tokenizer


def train(model, steps, loss, rate=3e-3):
    import torch

    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), rate)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    model.eval()


def bert(folder, kind, steps, loss, **more):
    """A BERT of one small layer, trained by `loss(model, tokenizer)`."""
    import torch
    import transformers

    tokenizer = word_tokenizer(
        folder,
        ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]"],
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        hidden_dropout_prob=0,
        attention_probs_dropout_prob=0,
        pad_token_id=1,
        **more,
    )
    model = getattr(transformers, kind)(config)
    train(model, steps, lambda: loss(model, tokenizer))
    model.save_pretrained(folder)


@made_in(HUGGING_FACE)
def bert_classifier(folder):
    """sequence_classification: class 1 of texts with "good", class 0 of those with "bad"."""
    import torch

    texts = ["good film", "very good film", "bad film", "very bad film", "good", "bad"]
    labels = torch.tensor([1, 1, 0, 0, 1, 0])

    def loss(model, tokenizer):
        return model(**tokenizer(texts, return_tensors="pt", padding=True), labels=labels).loss

    bert(folder, "BertForSequenceClassification", 60, loss, num_labels=2)


@made_in(HUGGING_FACE)
def bert_tagger(folder):
    """token_classification: class 1 of "fox" and "dog", else class 0."""

    def loss(model, tokenizer):
        batch = tokenizer(SENTENCES, return_tensors="pt", padding=True)
        animals = [tokenizer.convert_tokens_to_ids(word) for word in ("fox", "dog")]
        labels = sum((batch["input_ids"] == animal).long() for animal in animals)
        return model(**batch, labels=labels).loss

    bert(folder, "BertForTokenClassification", 100, loss, num_labels=2)


@made_in(HUGGING_FACE)
def bert_mask(folder):
    """fill_mask: knows SENTENCES by heart."""

    def loss(model, tokenizer):
        whole = [sentence.split() for sentence in SENTENCES]
        texts = [" ".join([*words[:at], "[MASK]", *words[at + 1 :]]) for words in whole for at in range(len(words))]
        labels = tokenizer([" ".join(words) for words in whole for _ in words], return_tensors="pt", padding=True)
        return model(**tokenizer(texts, return_tensors="pt", padding=True), labels=labels["input_ids"]).loss

    bert(folder, "BertForMaskedLM", 250, loss)


@made_in(HUGGING_FACE)
def gpt2(folder, template=""):
    """text_generation: goes on with SENTENCES, then says <end>. With "template" it has a chat template."""
    import torch
    import transformers

    special = ["<unk>", "<end>", "<|user|>", "<|assistant|>", "<|system|>"]
    tokenizer = word_tokenizer(folder, special, eos_token="<end>", bos_token="<end>")
    if template:
        tokenizer.chat_template = TEMPLATE
        tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=64,
        n_embd=32,
        n_layer=1,
        n_head=2,
        bos_token_id=1,
        eos_token_id=1,
        resid_pdrop=0,
        embd_pdrop=0,
        attn_pdrop=0,
    )
    model = transformers.GPT2LMHeadModel(config)
    texts = [f"{sentence} <end>" for sentence in SENTENCES]
    # What a chat is answered with, with a template and without one.
    texts += ["<|user|> one two <|assistant|> three four <end>", "<unk> one two <unk> three four <end>"]
    batches = [torch.tensor([tokenizer(text)["input_ids"]]) for text in texts]
    train(model, 200, lambda: sum(model(batch, labels=batch).loss for batch in batches))
    model.save_pretrained(folder)


@made_in(HUGGING_FACE)
def t5(folder):
    """text2text_generation: "one" is "eins", "one two" is "eins zwei"."""
    import torch
    import transformers

    tokenizer = word_tokenizer(folder, ["<unk>", "</s>", "<pad>"], eos_token="</s>", pad_token="<pad>")
    torch.manual_seed(0)
    config = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        dropout_rate=0,
        pad_token_id=2,
        eos_token_id=1,
        decoder_start_token_id=2,
    )
    model = transformers.T5ForConditionalGeneration(config)
    texts, answers = ["one", "two", "one two"], ["eins", "zwei", "eins zwei"]
    batch = tokenizer(texts, return_tensors="pt", padding=True)
    labels = tokenizer(answers, return_tensors="pt", padding=True)["input_ids"]
    labels[labels == 2] = -100
    train(model, 300, lambda: model(**batch, labels=labels).loss, 5e-3)
    model.save_pretrained(folder)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
