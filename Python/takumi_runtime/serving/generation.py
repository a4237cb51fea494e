"""Text from transformers' models: OpenAI's routes, and v1 and v2."""

import threading

import numpy as np
import torch
import transformers

from .calls import instances_of
from .encoders import KEYS, texts_of
from .errors import BadInput
from .model import Json, Model
from .openai_api import BadRequest, Request, usage
from .sampling import Choice, Follower, Sampler, prompt_tokens

# How many tokens of a prompt its continuation is decoded with.
PREFIX = 6
# Where nothing says how long a text may become.
DEFAULT_CONTEXT = 2048
PREDICTED_TOKENS = 64
# What the parameters of v1 and v2 are called in OpenAI's requests.
PARAMETERS = {"max_new_tokens": "max_tokens", "max_tokens": "max_tokens", "stop_sequences": "stop"}
PARAMETERS |= {name: name for name in ("temperature", "top_p", "top_k", "seed", "stop", "repetition_penalty")}


class GenerativeModel(Model):
    platform = "huggingface"
    generative = True

    def __init__(self, tokenizer, module, options):
        self.tokenizer, self.module, self.device = tokenizer, module, module.device
        self.name = options.name
        self.encodes = module.config.is_encoder_decoder
        self.concurrency = options.number("concurrency", int, 4, least=1)
        self.context = options.number("max_model_len", int, options.number("max_length", int, None, 1), 1)
        if self.context is None:
            self.context = context_of(tokenizer, module.config, self.encodes)
        self.predicted_tokens = options.number("max_new_tokens", int, PREDICTED_TOKENS, 1)
        self.add_special_tokens = not options.flag("disable_special_tokens")
        # Tokenizers are changed by some of their own calls.
        self.lock = threading.Lock()
        known = module.generation_config.eos_token_id
        known = known if isinstance(known, list) else [known]
        self.ends = {token for token in [*known, tokenizer.eos_token_id] if token is not None}
        self.padding = tokenizer.pad_token_id
        if self.padding is None:
            self.padding = next(iter(self.ends), 0)
        self.inputs = [{"name": "input-0", "datatype": "BYTES", "shape": [-1]}]
        self.outputs = [{"name": "output-0", "datatype": "BYTES", "shape": [-1]}]

    def warm_up(self):
        self.predict("a", {"max_tokens": 2})

    # MARK: v1 and v2

    def infer(self, call):
        if call.bodies is not None:
            return [self.infer_json(body) for body in call.bodies]
        answers = []
        for request, item in zip(texts_of(call), call.items):
            answered = np.empty(len(request), object)
            answered[:] = [self.predict(text, item.get("parameters") or {}) for text in request]
            answers.append({"output-0": answered})
        return answers

    def infer_json(self, body):
        common = body.get("parameters") if isinstance(body, dict) else None
        predictions = []
        for instance in instances_of(body):
            own = instance.get("parameters") if isinstance(instance, dict) else None
            predictions.append(self.predict(prompt_of(instance), {**(common or {}), **(own or {})}))
        return Json({"predictions": predictions})

    def predict(self, text, parameters):
        """What follows a text; the likeliest, unless a temperature is given."""
        body = {"max_tokens": self.predicted_tokens, "temperature": 0}
        body |= {PARAMETERS[name]: value for name, value in parameters.items() if name in PARAMETERS}
        try:
            request = Request("completions", body | {"prompt": text}, False)
            # Only a number that the client chose can be too large.
            request.max_tokens_fits = "max_tokens" not in parameters and "max_new_tokens" not in parameters
            (choices, _, _), *_ = self.generate(request, threading.Event(), None)
        except BadRequest as error:
            raise BadInput(str(error)) from error
        return choices[0].text

    # MARK: OpenAI's routes

    def openai(self, route, body, stream, exchange, cancelled):
        request = Request(route, body, stream)
        if request.stream:
            self.stream(request, exchange, cancelled)
            return
        replies, prompt, completion = [], 0, 0
        for choices, echoed, count in self.generate(request, cancelled, None):
            prompt += count
            for choice in choices:
                completion += choice.count
                text = choice.text if echoed is None else echoed.text + choice.text
                tokens = choice.tokens if echoed is None else echoed.tokens + choice.tokens
                replies.append(request.choice(len(replies), text, choice.finish or "length", tokens))
        if not cancelled.is_set():
            exchange.reply(request.envelope(self.name, replies, usage=usage(prompt, completion)))

    def stream(self, request, exchange, cancelled):
        def send(index, text, finish, tokens, first=False):
            choice = request.delta(index, text, finish, tokens, first)
            exchange.chunk(request.envelope(self.name, [choice], chunk=True))

        def started(base, echoed):
            for index in range(request.n):
                if request.chat:
                    send(base + index, "", None, None, first=True)
                elif echoed is not None:
                    send(base + index, echoed.text, None, echoed.tokens)

        prompt = completion = 0
        for choices, _, count in self.generate(request, cancelled, send, started):
            prompt += count
            completion += sum(choice.count for choice in choices)
        if request.include_usage and not cancelled.is_set():
            exchange.chunk(request.envelope(self.name, [], chunk=True, usage=usage(prompt, completion)))
        exchange.end()

    # MARK: Generating

    def generate(self, request, cancelled, send, started=lambda base, echoed: None):
        """Generates `n` choices for each prompt. Yields (choices, the echoed prompt, its number of tokens).

        `send(index, text, finish, tokens)` hears of each piece.
        """
        prompts = [self.chat_tokens(request.messages)] if request.chat else [self.tokens(p) for p in request.prompts]
        stops = list(request.stop)
        if request.chat and not self.tokenizer.chat_template and not self.encodes:
            stops.append("\nUser:")
        limits = [self.limit(request, len(ids)) for ids in prompts]
        for number, (ids, limit) in enumerate(zip(prompts, limits)):
            base = number * request.n
            inputs = torch.tensor([ids], device=self.device)
            echoed = prompt_tokens(self, request.prompts[number], ids, request) if request.echo else None
            started(base, echoed)
            offset = len(echoed.text) if echoed else 0
            # A completion goes on where the prompt ends, maybe with a space; an answer begins anew.
            before = [] if request.chat or self.encodes else ids[-PREFIX:]
            choices = [Choice(self.tokenizer, stops, base + index, offset, before) for index in range(request.n)]
            if limit:
                self.run(request, inputs.repeat(request.n, 1), limit, choices, cancelled, send)
            yield choices, echoed, len(ids)
            if cancelled.is_set():
                return

    def run(self, request, inputs, limit, choices, cancelled, send):
        sampler = Sampler(request, self.device, len(choices))
        follower = Follower(request, sampler, choices, self.ends, cancelled, send)
        config = transformers.GenerationConfig(
            max_new_tokens=limit,
            min_new_tokens=limit if request.ignore_eos else None,
            # What is sampled has been decided before: see Sampler.
            do_sample=False,
            num_beams=1,
            use_cache=True,
            repetition_penalty=request.repetition_penalty,
            pad_token_id=self.padding,
            eos_token_id=sorted(self.ends) or None,
        )
        with torch.inference_mode():
            self.module.generate(
                inputs,
                attention_mask=torch.ones_like(inputs),
                generation_config=config,
                logits_processor=transformers.LogitsProcessorList([sampler]),
                stopping_criteria=transformers.StoppingCriteriaList([follower]),
            )
        for choice in choices:
            if not cancelled.is_set():
                follower.flush(choice)

    # MARK: Prompts

    def tokens(self, prompt):
        if isinstance(prompt, list):
            size = len(self.tokenizer)
            if not all(0 <= token < size for token in prompt):
                raise BadRequest(
                    f"Invalid 'prompt': token ids must be from 0 to {size - 1}.", "prompt", "invalid_value"
                )
            return prompt
        with self.lock:
            ids = self.tokenizer(prompt, add_special_tokens=self.add_special_tokens)["input_ids"]
        if not ids:
            start = self.tokenizer.bos_token_id
            ids = [next(iter(self.ends), self.padding) if start is None else start]
        return ids

    def chat_tokens(self, messages):
        if not self.tokenizer.chat_template:
            return self.tokens(self.plain_chat(messages))
        try:
            with self.lock:
                text = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
                return self.tokenizer(text, add_special_tokens=False)["input_ids"]
        except Exception as error:
            # Templates refuse what the model was not trained on, such as two messages of a user in turn.
            raise BadRequest(f"The model's chat template refuses the messages: {error}", "messages") from error

    def plain_chat(self, messages):
        """For models without a template, which were trained on texts, or to make one text of another."""
        if self.encodes:
            return "\n".join(message["content"] for message in messages)
        lines = [f"{message['role'].capitalize()}: {message['content']}" for message in messages]
        return "\n".join([*lines, "Assistant:"])

    def limit(self, request, count):
        """How many tokens to generate at most."""
        wanted = request.max_tokens
        if self.encodes:
            # Prompt and answer have a context each.
            if self.context and count > self.context:
                raise too_long(self.context, count, 0, request)
            most = self.context or DEFAULT_CONTEXT
            return min(wanted or most, most)
        context = self.context or max(DEFAULT_CONTEXT, count + (wanted or 0))
        if wanted is not None and request.max_tokens_fits:
            wanted = min(wanted, max(1, context - count))
        if count + (1 if wanted is None else wanted) > context:
            raise too_long(context, count, wanted or 0, request)
        return context - count if wanted is None else wanted


def too_long(context, prompt, completion, request):
    where = "messages" if request.chat else "prompt"
    return BadRequest(
        f"This model's maximum context length is {context} tokens. However, you requested {prompt + completion} tokens "
        f"({prompt} in the {where}, {completion} in the completion). "
        f"Please reduce the length of the {where} or completion.",
        where,
        "context_length_exceeded",
    )


def context_of(tokenizer, config, encodes):
    # T5 has a number of positions in its configuration, and no limit in truth.
    names = (
        ("max_position_embeddings",) if encodes else ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len")
    )
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    found = next((getattr(text, name) for name in names if isinstance(getattr(text, name, None), int)), None)
    return found if found and found < 1 << 24 else None


def prompt_of(instance):
    if isinstance(instance, str):
        return instance
    if isinstance(instance, dict):
        for key in ("prompt", *KEYS):
            if isinstance(instance.get(key), str):
                return instance[key]
    raise BadInput("each instance must be a text, or an object with one under 'prompt'")
