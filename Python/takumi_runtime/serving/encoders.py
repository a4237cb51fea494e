"""Classification of texts and of their tokens, and masked words; answered as KServe's runtime for Hugging Face does."""

import itertools

import numpy as np
import torch

from .calls import instances_of
from .errors import BadInput
from .model import Json, Model
from .tensors import texts

# Keys that instances may have where they are objects.
KEYS = ("text", "inputs", "input", "data", "sequence", "text_input")


def texts_of(call):
    """The texts of each request."""
    if call.bodies is not None:
        return [[text_of(instance) for instance in instances_of(body)] for body in call.bodies]
    if len(call.arrays) != 1:
        raise BadInput(f"the model takes one input of texts; the request has {', '.join(call.arrays)}")
    ((name, array),) = call.arrays.items()
    if array.dtype != object:
        raise BadInput(f"input {name} must be of type BYTES: the model takes texts")
    flat = texts(array)
    if call.count == 1:
        return [flat]
    width = array[0].size if len(array) else 0
    ends = list(itertools.accumulate(count * width for count in call.rows))
    return [flat[start:end] for start, end in zip([0, *ends], ends)]


def text_of(instance):
    if isinstance(instance, str):
        return instance
    if isinstance(instance, dict):
        for key in KEYS:
            if isinstance(instance.get(key), str):
                return instance[key]
    raise BadInput(f"each instance must be a text, or an object with one under {KEYS[0]!r}")


class EncoderModel(Model):
    platform = "huggingface"
    batch = True

    def __init__(self, task, tokenizer, module, options):
        self.task, self.tokenizer, self.module = task, tokenizer, module
        self.device = module.device
        self.max_length = options.number("max_model_len", int, options.number("max_length", int, None, 1), 1)
        if self.max_length is None:
            self.max_length = longest(tokenizer, module.config)
        self.add_special_tokens = not options.flag("disable_special_tokens")
        self.token_type_ids = True if options.flag("return_token_type_ids") else None
        self.probabilities = options.flag("return_probabilities")
        self.logits = options.flag("return_raw_logits")
        if tokenizer.pad_token is None:
            # Padding is masked: which token it is does not matter.
            tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
            module.config.pad_token_id = tokenizer.pad_token_id
        self.inputs = [{"name": "input-0", "datatype": "BYTES", "shape": [-1]}]
        self.outputs = [self.described()]

    def described(self):
        kind, shape = (
            "FP32",
            {"sequence_classification": [-1, self.module.config.num_labels]}.get(self.task, [-1, -1, -1]),
        )
        if not (self.probabilities or self.logits):
            kind = "BYTES" if self.task == "fill_mask" else "INT64"
            shape = [-1, 1, -1] if self.task == "token_classification" else [-1]
        return {"name": "output-0", "datatype": kind, "shape": shape}

    def warm_up(self):
        self.forward([self.tokenizer.mask_token or "a" if self.task == "fill_mask" else "a text"])

    # MARK: Answering

    def infer(self, call):
        requests = texts_of(call)
        flat = [text for request in requests for text in request]
        if not flat:
            return [self.nothing(call)] * call.count
        ids, lengths, logits = self.forward(flat)
        answers, start = [], 0
        for request in requests:
            end = start + len(request)
            answers.append(self.reply(call, ids[start:end], lengths[start:end], logits[start:end]))
            start = end
        return answers

    def nothing(self, call):
        return Json({"predictions": []}) if call.protocol == "v1" else {"output-0": np.empty((0,), np.int64)}

    def forward(self, flat):
        """(token ids, number of tokens, logits) of texts, on the CPU."""
        batch = self.tokenizer(
            flat,
            max_length=self.max_length,
            add_special_tokens=self.add_special_tokens,
            return_token_type_ids=self.token_type_ids,
            return_tensors="pt",
            padding=True,
            truncation=self.max_length is not None,
        )
        lengths = batch["attention_mask"].sum(1).tolist()
        with torch.inference_mode():
            logits = self.module(**batch.to(self.device), return_dict=True).logits
        return batch["input_ids"].cpu(), lengths, logits.float().cpu()

    def reply(self, call, ids, lengths, logits):
        if call.protocol == "v1":
            return Json({"predictions": getattr(self, self.task)(ids, lengths, logits)})
        if self.task == "fill_mask" and not (self.probabilities or self.logits):
            words = np.empty(len(ids), object)
            words[:] = self.fill_mask(ids, lengths, logits)
            return {"output-0": words}
        # The padding of this request, and not of those that it was joined with.
        logits = logits[:, : max(lengths)] if logits.ndim == 3 else logits
        if self.probabilities and not self.logits:
            logits = logits.softmax(-1)
        if self.probabilities or self.logits:
            return {"output-0": logits.numpy()}
        chosen = logits.argmax(-1)
        return {"output-0": (chosen[:, None] if chosen.ndim == 2 else chosen).numpy()}

    def numbered(self, values):
        """Classes by their numbers, as probabilities or as they are."""
        if not self.logits:
            values = [round(value, 4) for value in values.softmax(-1).tolist()]
        else:
            values = values.tolist()
        return {str(index): value for index, value in enumerate(values)}

    def sequence_classification(self, ids, lengths, logits):
        if self.probabilities or self.logits:
            return [self.numbered(row) for row in logits]
        return logits.argmax(-1).tolist()

    def token_classification(self, ids, lengths, logits):
        rows = [row[:length] for row, length in zip(logits, lengths)]
        if self.probabilities or self.logits:
            return [[self.numbered(token) for token in row] for row in rows]
        return [[row.argmax(-1).tolist()] for row in rows]

    def fill_mask(self, ids, lengths, logits):
        answers = []
        for row, scores in zip(ids, logits):
            at = (row == self.tokenizer.mask_token_id).nonzero().flatten()
            if not len(at):
                raise BadInput(f"each text must have the mask {self.tokenizer.mask_token}")
            if self.probabilities or self.logits:
                values = scores[at] if self.logits else scores[at].softmax(-1)
                answers.append([[{str(index): value} for index, value in enumerate(mask)] for mask in values.tolist()])
            else:
                answers.append(self.tokenizer.decode(scores[at].argmax(-1)))
        return answers


def longest(tokenizer, config):
    """How many tokens the model takes; None where that is not known."""
    limits = [getattr(config, "max_position_embeddings", None), getattr(tokenizer, "model_max_length", None)]
    known = [limit for limit in limits if limit and limit < 1 << 24]
    return min(known) if known else None
