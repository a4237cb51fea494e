"""Requests and replies of OpenAI's completions and chat completions."""

import math
import time
import uuid

# Of OpenAI; a chat goes on for as long as the model's context allows.
COMPLETION_TOKENS = 16
MOST_STOPS, MOST_CHOICES = 16, 128
ROLES = {"system", "developer", "user", "assistant", "tool", "function"}


class BadRequest(Exception):
    """What the client hears, in the fields of OpenAI's errors."""

    def __init__(self, message, param=None, code=None, status=400, kind="invalid_request_error"):
        super().__init__(message)
        self.item = {"message": message, "type": kind, "param": param, "code": code, "status": status}


# MARK: Fields


class Fields:
    """Reads the values of a request, and says which of them are not what they should be."""

    KINDS = {
        int: "an integer",
        float: "a number",
        str: "a string",
        bool: "a boolean",
        list: "an array",
        dict: "an object",
    }

    def __init__(self, body):
        if not isinstance(body, dict):
            raise BadRequest("The request's body must be an object.")
        self.body = body

    def get(self, name, kind, default=None):
        value = self.body.get(name)
        if value is None:
            return default
        fits = isinstance(value, (int, float) if kind is float else kind)
        if not fits or isinstance(value, bool) and kind is not bool:
            raise BadRequest(f"Invalid type for '{name}': expected {self.KINDS[kind]}.", name, "invalid_type")
        return value

    def number(self, name, kind, default, low, high):
        value = self.get(name, kind, default)
        if value is not None and not low <= value <= high:
            most = f" and at most {high}" if high < math.inf else ""
            raise BadRequest(f"Invalid '{name}': {value} must be at least {low}{most}.", name, "invalid_value")
        return value

    def refuse(self, name, *harmless):
        """For what would change the answer, and is not done here."""
        value = self.body.get(name)
        if value not in (None, False, [], {}, *harmless):
            raise BadRequest(f"'{name}' is not supported by this model.", name, "unsupported_parameter")


class Request:
    def __init__(self, route, body, stream):
        fields = Fields(body)
        self.chat = route == "chat/completions"
        self.stream = stream or fields.get("stream", bool, False)
        self.model = fields.get("model", str)
        self.created, self.id = int(time.time()), f"{'chatcmpl' if self.chat else 'cmpl'}-{uuid.uuid4().hex}"
        self.n = fields.number("n", int, 1, 1, MOST_CHOICES)
        self.temperature = fields.number("temperature", float, 1.0, 0, 2)
        self.top_p = fields.number("top_p", float, 1.0, 0, 1)
        # Of vLLM and others: what they have beyond OpenAI's.
        self.top_k = fields.number("top_k", int, 0, -1, math.inf)
        self.repetition_penalty = fields.number("repetition_penalty", float, 1.0, 0.01, 10)
        self.ignore_eos = fields.get("ignore_eos", bool, False)
        self.presence_penalty = fields.number("presence_penalty", float, 0.0, -2, 2)
        self.frequency_penalty = fields.number("frequency_penalty", float, 0.0, -2, 2)
        self.seed = fields.get("seed", int)
        self.stop = self.stops(fields)
        self.bias = self.biases(fields)
        options = fields.get("stream_options", dict, {})
        self.include_usage = bool(options.get("include_usage"))
        self.echo, self.logprobs = False, None
        # Whether fewer tokens than asked for will do where the context has no room for all.
        self.max_tokens_fits = False
        if self.chat:
            self.read_chat(fields)
        else:
            self.read_completion(fields)

    def read_chat(self, fields):
        self.messages = messages_of(fields)
        self.max_tokens = fields.number("max_completion_tokens", int, None, 1, math.inf)
        if self.max_tokens is None:
            self.max_tokens = fields.number("max_tokens", int, None, 1, math.inf)
        if fields.get("logprobs", bool, False):
            self.logprobs = fields.number("top_logprobs", int, 0, 0, 20)
        elif fields.body.get("top_logprobs") is not None:
            raise BadRequest("'top_logprobs' needs 'logprobs' to be true.", "top_logprobs", "invalid_value")
        if fields.body.get("tool_choice") != "none":
            fields.refuse("tools")
            fields.refuse("functions")
        fields.refuse("response_format", {"type": "text"})
        fields.refuse("audio")
        fields.refuse("modalities", ["text"])

    def read_completion(self, fields):
        self.prompts = prompts_of(fields)
        self.echo = fields.get("echo", bool, False)
        self.max_tokens = fields.number("max_tokens", int, COMPLETION_TOKENS, 0 if self.echo else 1, math.inf)
        self.logprobs = fields.number("logprobs", int, None, 0, 20)
        fields.refuse("suffix", "")
        if fields.number("best_of", int, self.n, 1, math.inf) != self.n:
            raise BadRequest(
                "'best_of' other than 'n' is not supported by this model.", "best_of", "unsupported_parameter"
            )

    def stops(self, fields):
        value = fields.body.get("stop")
        stops = [value] if isinstance(value, str) else value or []
        if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
            raise BadRequest(
                "Invalid type for 'stop': expected a string or an array of strings.", "stop", "invalid_type"
            )
        if len(stops) > MOST_STOPS:
            raise BadRequest(f"Invalid 'stop': more than {MOST_STOPS} sequences.", "stop", "invalid_value")
        return [stop for stop in stops if stop]

    def biases(self, fields):
        try:
            return {int(token): float(bias) for token, bias in fields.get("logit_bias", dict, {}).items()}
        except (TypeError, ValueError):
            raise BadRequest(
                "Invalid 'logit_bias': expected numbers by token ids.", "logit_bias", "invalid_value"
            ) from None

    # MARK: Replies

    def envelope(self, name, choices, chunk=False, usage=None):
        if self.chat:
            kind = "chat.completion.chunk" if chunk else "chat.completion"
        else:
            kind = "text_completion"
        reply = {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model or name,
            "choices": choices,
        }
        # A stream's chunks have it only where the client asked for the one at the end.
        if usage is not None or chunk and self.include_usage:
            reply["usage"] = usage
        return reply

    def choice(self, index, text, finish, logprobs):
        choice = {"index": index, "logprobs": self.logprobs_of(logprobs), "finish_reason": finish}
        if self.chat:
            return choice | {"message": {"role": "assistant", "content": text, "refusal": None}}
        return choice | {"text": text}

    def delta(self, index, text, finish, logprobs, first=False):
        choice = {"index": index, "logprobs": self.logprobs_of(logprobs), "finish_reason": finish}
        if not self.chat:
            return choice | {"text": text}
        delta = {"role": "assistant", "content": ""} if first else {}
        return choice | {"delta": delta | ({"content": text} if text else {})}

    def logprobs_of(self, tokens):
        if self.logprobs is None or tokens is None:
            return None
        if self.chat:
            return {"content": [token.for_chat() for token in tokens]}
        return {
            "tokens": [token.text for token in tokens],
            "token_logprobs": [token.logprob for token in tokens],
            "top_logprobs": [token.alternatives() for token in tokens] if self.logprobs else None,
            "text_offset": [token.offset for token in tokens],
        }


class Token:
    """A token of an answer with how likely it was, and its alternatives as (text, logprob)."""

    __slots__ = ("logprob", "offset", "text", "top")

    def __init__(self, text, offset, logprob=None, top=()):
        self.text, self.offset, self.logprob, self.top = text, offset, logprob, top

    def for_chat(self):
        def entry(text, logprob):
            return {"token": text, "logprob": logprob, "bytes": list(text.encode())}

        return entry(self.text, self.logprob) | {"top_logprobs": [entry(*alternative) for alternative in self.top]}

    def alternatives(self):
        return None if self.logprob is None else dict(self.top)


def usage(prompt, completion):
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


# MARK: What is asked


def prompts_of(fields):
    """Texts or lists of token ids."""
    prompt = fields.body.get("prompt")
    if prompt is None:
        raise BadRequest("Missing required parameter: 'prompt'.", "prompt", "missing_required_parameter")
    if isinstance(prompt, str):
        return [prompt]

    def are(values, kind):
        return isinstance(values, list) and values and all(type(value) is kind for value in values)

    if are(prompt, int):
        return [prompt]
    if are(prompt, str) or isinstance(prompt, list) and prompt and all(are(part, int) for part in prompt):
        return prompt
    raise BadRequest(
        "Invalid type for 'prompt': expected a string, an array of strings, or arrays of token ids.",
        "prompt",
        "invalid_type",
    )


def messages_of(fields):
    messages = fields.get("messages", list)
    if messages is None:
        raise BadRequest("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    if not messages:
        raise BadRequest("Invalid 'messages': expected at least one message.", "messages", "empty_array")
    return [message_of(message, f"messages[{index}]") for index, message in enumerate(messages)]


def message_of(message, where):
    if not isinstance(message, dict):
        raise BadRequest(f"Invalid type for '{where}': expected an object.", where, "invalid_type")
    role = message.get("role")
    if role not in ROLES:
        raise BadRequest(f"Invalid value for '{where}.role': {role!r}.", f"{where}.role", "invalid_value")
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(part_of(part, where) for part in content)
    if content is not None and not isinstance(content, str):
        raise BadRequest(
            f"Invalid type for '{where}.content': expected a string or an array of parts.",
            f"{where}.content",
            "invalid_type",
        )
    # The newer name of the same.
    return {**message, "role": "system" if role == "developer" else role, "content": content or ""}


def part_of(part, where):
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return part["text"]
    kind = part.get("type") if isinstance(part, dict) else None
    raise BadRequest(f"Invalid content in '{where}': parts of type {kind!r} are not supported.", where, "invalid_value")
