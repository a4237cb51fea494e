"""Choosing tokens one by one, and following the text that they make."""

import torch
import transformers

from .openai_api import BadRequest, Token

# Below it a temperature picks the likeliest token anyway, and divides by next to nothing.
COLD = 1e-5


class Sampler(transformers.LogitsProcessor):
    """Samples, and leaves generate() no choice but the sampled token.

    Its own sampling takes random numbers from the one source that all threads share, so that no seed would hold.
    """

    def __init__(self, request, device, count):
        self.request, self.count = request, count
        self.generator = torch.Generator(device)
        if request.seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(request.seed & 0x7FFF_FFFF_FFFF_FFFF)
        self.counts = None
        self.chosen = self.logprobs = None

    def __call__(self, input_ids, scores):
        request = self.request
        if request.logprobs is not None:
            self.logprobs = scores.log_softmax(-1)
        scores = self.adjusted(scores)
        if request.temperature < COLD:
            chosen = scores.argmax(-1, keepdim=True)
        else:
            probabilities = self.narrowed(scores / request.temperature).softmax(-1)
            chosen = torch.multinomial(probabilities, 1, generator=self.generator)
        if self.counts is not None:
            self.counts.scatter_add_(1, chosen, torch.ones_like(chosen, dtype=self.counts.dtype))
        self.chosen = chosen.flatten()
        return torch.full_like(scores, -torch.inf).scatter_(1, chosen, 0.0)

    def adjusted(self, scores):
        """With OpenAI's penalties, for what has been generated, and its biases."""
        request = self.request
        if request.bias:
            tokens = [token for token in request.bias if 0 <= token < scores.shape[1]]
            scores = scores.clone()
            scores[:, tokens] += torch.tensor([request.bias[token] for token in tokens], device=scores.device)
        if request.presence_penalty or request.frequency_penalty:
            if self.counts is None:
                self.counts = torch.zeros_like(scores)
            scores = scores - request.frequency_penalty * self.counts - request.presence_penalty * (self.counts > 0)
        return scores

    def narrowed(self, scores):
        request = self.request
        if request.top_k > 0:
            least = scores.topk(min(request.top_k, scores.shape[1])).values[:, -1:]
            scores = scores.masked_fill(scores < least, -torch.inf)
        if request.top_p < 1:
            ordered, order = scores.sort(descending=True)
            probabilities = ordered.softmax(-1)
            # The likeliest stays in any case.
            outside = probabilities.cumsum(-1) - probabilities > request.top_p
            outside[:, 0] = False
            scores = scores.masked_fill(outside.scatter(1, order, outside), -torch.inf)
        return scores


class Follower(transformers.StoppingCriteria):
    """Sees each token as it is generated, passes the text on, and says which choices are finished."""

    def __init__(self, request, sampler, choices, ends, cancelled, send):
        self.request, self.sampler, self.choices = request, sampler, choices
        self.ends = set() if request.ignore_eos else ends
        self.cancelled, self.send = cancelled, send

    def __call__(self, input_ids, scores, **more):
        tokens = input_ids[:, -1].tolist()
        for row, (choice, token) in enumerate(zip(self.choices, tokens)):
            if choice.finish is None:
                entry = self.entry(row, token, choice) if self.request.logprobs is not None else None
                choice.add(token, token in self.ends, entry)
                if self.send is not None and not self.cancelled.is_set():
                    self.pass_on(choice, choice.take())
        done = self.cancelled.is_set()
        finished = [done or choice.finish is not None for choice in self.choices]
        return torch.tensor(finished, device=input_ids.device)

    def entry(self, row, token, choice):
        logprobs = self.sampler.logprobs[row]
        top = best(logprobs, self.request.logprobs, choice.tokenizer)
        return Token(choice.tokenizer.decode([token]), choice.offset + len(choice.text), logprobs[token].item(), top)

    def pass_on(self, choice, piece):
        text, tokens = piece
        if text or tokens:
            self.send(choice.index, text, None, tokens)

    def flush(self, choice):
        """What has been kept back, and how the choice ended."""
        choice.close()
        if self.send is not None:
            text, tokens = choice.take()
            self.send(choice.index, text, choice.finish, tokens if tokens else None)


def best(logprobs, count, tokenizer):
    if not count:
        return ()
    values, tokens = logprobs.topk(count)
    return [(tokenizer.decode([token]), value) for token, value in zip(tokens.tolist(), values.tolist())]


class Choice:
    """One answer in the making: its tokens, its text, and how much of it is known to stay."""

    def __init__(self, tokenizer, stops, index, offset, before=()):
        self.tokenizer, self.stops, self.index, self.offset = tokenizer, stops, index, offset
        self.ids, self.text, self.tokens, self.finish = list(before), "", [], None
        # Tokens from `context` on are decoded together, since the text of one depends on those before it; those before
        # `decoded` have come out as text, or are the prompt's.
        self.context, self.decoded = 0, len(self.ids)
        self.count = self.sent = self.sent_tokens = 0

    def add(self, token, is_end, entry):
        self.ids.append(token)
        self.count += 1
        if is_end:
            self.finish = "stop"
            return
        if entry is not None:
            self.tokens.append(entry)
        text = self.decode(self.context, None)
        # Half of a character of several tokens; the rest is still to come.
        if not text.endswith("\ufffd"):
            self.append(text)

    def decode(self, start, end):
        return self.tokenizer.decode(self.ids[start:end], skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def append(self, text):
        before = self.decode(self.context, self.decoded)
        self.context, self.decoded = self.decoded, len(self.ids)
        searched = max(0, len(self.text) - max(map(len, self.stops), default=0))
        self.text += text[len(before) :]
        found = [at for stop in self.stops if (at := self.text.find(stop, searched)) >= 0]
        if found:
            self.text = self.text[: min(found)]
            self.tokens = [token for token in self.tokens if token.offset < self.offset + len(self.text)]
            self.finish = "stop"

    def close(self):
        if self.finish is None:
            if self.decoded < len(self.ids):
                self.append(self.decode(self.context, None))
            self.finish = self.finish or "length"

    def take(self):
        """(text, tokens) that have not been passed on, without what might become a stop sequence."""
        end = len(self.text)
        if self.finish is None:
            end -= self.kept_back()
        text, self.sent = self.text[self.sent : end], max(self.sent, end)
        until = self.offset + self.sent
        ready = [token for token in self.tokens[self.sent_tokens :] if self.finish or token.offset < until]
        self.sent_tokens += len(ready)
        return text, ready

    def kept_back(self):
        """The length of the longest end of the text that a stop sequence begins with."""
        for size in range(min(max(map(len, self.stops), default=0) - 1, len(self.text)), 0, -1):
            if any(stop.startswith(self.text[-size:]) for stop in self.stops):
                return size
        return 0


class Echo:
    """A prompt as it comes back in front of its completion."""

    def __init__(self, text, tokens):
        self.text, self.tokens = text, tokens


def prompt_tokens(model, prompt, ids, request):
    """The prompt's text, with how likely its own tokens are where that is asked for."""
    if model.encodes:
        raise BadRequest("'echo' is not supported by encoder-decoder models.", "echo", "unsupported_parameter")
    tokenizer = model.tokenizer
    logprobs = None
    if request.logprobs is not None:
        with torch.inference_mode():
            logprobs = model.module(torch.tensor([ids], device=model.device)).logits[0].float().log_softmax(-1)
    followed, tokens = Choice(tokenizer, [], 0, 0), []
    for at, token in enumerate(ids):
        entry = Token(tokenizer.decode([token]), len(followed.text))
        if logprobs is not None and at:
            # What followed could be expected from what came before.
            entry.logprob = logprobs[at - 1, token].item()
            entry.top = best(logprobs[at - 1], request.logprobs, tokenizer)
        tokens.append(entry)
        followed.add(token, False, None)
    followed.close()
    return Echo(prompt if isinstance(prompt, str) else followed.text, tokens)
