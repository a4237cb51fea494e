"""The worker with models of Hugging Face that generate text: v1, v2 and OpenAI's routes."""

import json
import re
import time

import pytest
import serving_models as models
from serving_worker import made, start, words, worker  # noqa: F401


def test_text_generation_v1_and_v2(worker):
    gpt2 = worker("gpt2")
    assert gpt2.ready["generative"] is True
    instances = ["the quick brown", {"prompt": "one two", "parameters": {"max_tokens": 3}}]
    assert gpt2.json({"instances": instances}) == [
        {"predictions": [" fox jumps over the lazy dog", " three four five"]}
    ]
    assert gpt2.infer([words("one two", "the")], parameters={"max_new_tokens": 2}) == [
        {"output-0": ("BYTES", [2], [" three four", " quick brown"])}
    ]
    ((status, text),) = gpt2.json({"instances": ["one"], "parameters": {"temperature": 9}})
    assert (status, text) == (400, "Invalid 'temperature': 9 must be at least 0 and at most 2.")


def test_completion(worker):
    body = {"model": "m", "prompt": "one two", "max_tokens": 4, "temperature": 0}
    reply = worker("gpt2").openai("completions", body)
    assert re.fullmatch("cmpl-[0-9a-f]{32}", reply["id"])
    assert abs(reply["created"] - time.time()) < 60
    assert reply["object"] == "text_completion" and reply["model"] == "m"
    assert reply["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}
    assert reply["choices"] == [
        {"index": 0, "text": " three four five six", "finish_reason": "length", "logprobs": None}
    ]


def test_completion_ends_by_itself(worker):
    body = {"prompt": ["one two", "the quick"], "max_tokens": 30, "temperature": 0, "n": 2}
    reply = worker("gpt2").openai("completions", body)
    assert [choice["text"] for choice in reply["choices"]] == [" three four five six seven eight nine ten"] * 2 + [
        " brown fox jumps over the lazy dog"
    ] * 2
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2, 3]
    assert {choice["finish_reason"] for choice in reply["choices"]} == {"stop"}
    # The token that says the end counts.
    assert reply["usage"] == {"prompt_tokens": 4, "completion_tokens": 34, "total_tokens": 38}


def test_completion_of_tokens(worker):
    gpt2 = worker("gpt2")
    text = gpt2.openai(
        "completions", {"prompt": "one two", "max_tokens": 2, "temperature": 0, "logprobs": 0, "echo": True}
    )
    tokens = text["choices"][0]["logprobs"]["tokens"]
    assert tokens == ["one", "two", "three", "four"]
    vocabulary = ["<unk>", "<end>", "<|user|>", "<|assistant|>", "<|system|>", *models.WORDS]
    ids = [vocabulary.index(token) for token in tokens[:2]]
    reply = gpt2.openai("completions", {"prompt": ids, "max_tokens": 2, "temperature": 0})
    assert reply["choices"][0]["text"] == " three four"
    status, error = gpt2.openai("completions", {"prompt": [99999]})
    assert (status, error["param"]) == (400, "prompt")


@pytest.mark.parametrize("stop", ["eight nine", ["xyz", "nine", "eight nine"]])
def test_stop_sequences(worker, stop):
    """None of a stop sequence is passed on, even where it comes in several tokens."""
    gpt2 = worker("gpt2")
    body = {"prompt": "one two", "max_tokens": 30, "temperature": 0, "stop": stop}
    (choice,) = gpt2.openai("completions", body)["choices"]
    wanted = " three four five six seven "
    assert (choice["text"], choice["finish_reason"]) == (wanted, "stop")
    chunks = list(gpt2.stream("completions", body))
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == wanted
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len(chunks) > 3


def test_logprobs_and_echo(worker):
    """Of prompts as well; they are what the choice is made by."""
    gpt2 = worker("gpt2")
    body = {"prompt": "one two", "max_tokens": 2, "temperature": 0, "logprobs": 2, "echo": True}
    (choice,) = gpt2.openai("completions", body)["choices"]
    assert choice["text"] == "one two three four"
    logprobs = choice["logprobs"]
    assert logprobs["tokens"] == ["one", "two", "three", "four"]
    assert logprobs["text_offset"] == [0, 3, 7, 13]
    assert logprobs["token_logprobs"][0] is None and logprobs["top_logprobs"][0] is None
    for token, logprob, top in list(zip(*(logprobs[key] for key in ("tokens", "token_logprobs", "top_logprobs"))))[1:]:
        assert len(top) == 2 and logprob <= 0
        assert max(top, key=top.get) == token and top[token] == logprob
    whole = gpt2.openai("completions", {"prompt": "one two three four", "max_tokens": 0, "logprobs": 0, "echo": True})
    (scored,) = whole["choices"]
    assert scored["logprobs"]["token_logprobs"][1:] == pytest.approx(logprobs["token_logprobs"][1:], abs=1e-4)
    assert (scored["text"], scored["finish_reason"]) == ("one two three four", "length")


def test_sampling(worker):
    gpt2 = worker("gpt2")

    def texts(**more):
        body = {"prompt": "one", "max_tokens": 8, "temperature": 2, "n": 4}
        return [choice["text"] for choice in gpt2.openai("completions", body | more)["choices"]]

    assert texts(seed=3) == texts(seed=3) != texts(seed=4)
    assert len(set(texts(seed=3))) > 1
    assert len({tuple(texts()) for _ in range(3)}) == 3
    # Nothing but the likeliest is left, three times over.
    likeliest = texts(temperature=0)
    assert len(set(likeliest)) == 1
    assert texts(top_k=1) == texts(top_p=0) == likeliest
    # The likeliest next token, made impossible.
    vocabulary = ["<unk>", "<end>", "<|user|>", "<|assistant|>", "<|system|>", *models.WORDS]
    assert likeliest[0].startswith(" two")
    assert not texts(temperature=0, logit_bias={vocabulary.index("two"): -100})[0].startswith(" two")
    # With a penalty on what has been said, a sentence is not said twice.
    long = {"temperature": 0, "max_tokens": 20, "ignore_eos": True, "n": 1}
    repeated = texts(**long)[0].split()
    varied = texts(**long, frequency_penalty=2, presence_penalty=2)[0].split()
    assert len(set(varied)) > len(set(repeated))


def test_chat(worker):
    """With the tokenizer's template, and with none."""
    messages = [{"role": "user", "content": [{"type": "text", "text": "one two"}]}]
    for template in (("template",), ()):
        reply = worker("gpt2", *template).openai(
            "chat/completions", {"model": "m", "messages": messages, "temperature": 0}
        )
        assert reply["object"] == "chat.completion" and reply["id"].startswith("chatcmpl-")
        assert reply["choices"] == [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "three four", "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ]
        assert reply["usage"] == {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7}


def test_chat_stream(worker):
    body = {"model": "m", "messages": [{"role": "user", "content": "one two"}], "temperature": 0, "logprobs": True}
    body |= {"top_logprobs": 1, "stream_options": {"include_usage": True}}
    chunks = list(worker("gpt2", "template").stream("chat/completions", body))
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    *pieces, last = chunks
    assert last["choices"] == [] and last["usage"]["completion_tokens"] == 3
    assert all(chunk["usage"] is None for chunk in pieces)
    deltas = [chunk["choices"][0]["delta"] for chunk in pieces]
    assert deltas == [{"role": "assistant", "content": ""}, {"content": "three"}, {"content": " four"}, {}]
    assert [chunk["choices"][0]["finish_reason"] for chunk in pieces] == [None, None, None, "stop"]
    (entry,) = pieces[1]["choices"][0]["logprobs"]["content"]
    assert entry["token"] == "three" and entry["bytes"] == list(b"three")
    assert entry["top_logprobs"][0]["logprob"] == entry["logprob"]


@pytest.mark.parametrize(
    "route, body, param, text",
    [
        ("completions", {}, "prompt", "Missing required parameter: 'prompt'."),
        ("completions", {"prompt": 1}, "prompt", "Invalid type for 'prompt'"),
        ("completions", {"prompt": []}, "prompt", "Invalid type for 'prompt'"),
        (
            "completions",
            {"prompt": "a", "max_tokens": "5"},
            "max_tokens",
            "Invalid type for 'max_tokens': expected an int",
        ),
        ("completions", {"prompt": "a", "max_tokens": 0}, "max_tokens", "Invalid 'max_tokens': 0 must be at least 1"),
        (
            "completions",
            {"prompt": "a", "max_tokens": 999},
            "prompt",
            "This model's maximum context length is 64 tokens",
        ),
        ("completions", {"prompt": "a", "temperature": 3}, "temperature", "Invalid 'temperature'"),
        ("completions", {"prompt": "a", "temperature": True}, "temperature", "Invalid type for 'temperature'"),
        ("completions", {"prompt": "a", "n": 0}, "n", "Invalid 'n'"),
        ("completions", {"prompt": "a", "stop": 3}, "stop", "Invalid type for 'stop'"),
        ("completions", {"prompt": "a", "best_of": 3}, "best_of", "'best_of' other than 'n' is not supported"),
        ("completions", {"prompt": "a", "suffix": "b"}, "suffix", "'suffix' is not supported"),
        ("completions", {"prompt": "a", "logit_bias": {"x": 1}}, "logit_bias", "Invalid 'logit_bias'"),
        ("chat/completions", {}, "messages", "Missing required parameter: 'messages'."),
        ("chat/completions", {"messages": []}, "messages", "Invalid 'messages'"),
        ("chat/completions", {"messages": [{"role": "x"}]}, "messages[0].role", "Invalid value for 'messages[0].role'"),
        (
            "chat/completions",
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0]",
            "Invalid content in 'messages[0]': parts of type 'image_url' are not supported.",
        ),
        (
            "chat/completions",
            {"messages": [{"role": "user", "content": "a"}], "tools": [{"type": "function"}]},
            "tools",
            "'tools' is not supported",
        ),
        (
            "chat/completions",
            {"messages": [{"role": "user", "content": "a"}], "response_format": {"type": "json_object"}},
            "response_format",
            "'response_format' is not supported",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_bad_openai_requests(worker, route, body, param, text, stream):
    gpt2 = worker("gpt2")
    if stream:
        (item,) = gpt2.stream(route, body)
    else:
        _, item = gpt2.openai(route, body)
    assert (item["status"], item["type"], item["param"]) == (400, "invalid_request_error", param)
    assert item["error"].startswith(text)


def endless(gpt2, call: int, tokens: int = 50):
    body = {"prompt": "one", "max_tokens": tokens, "ignore_eos": True, "stream": True, "n": 1}
    header = {"op": "openai", "call": call, "route": "completions", "stream": True}
    gpt2.send(header, json.dumps(body).encode())


def test_cancelled_stream():
    """A client that goes stops the generation; the worker answers others at once."""
    with start(made("gpt2"), "gpt2", max_model_len=100_000) as gpt2:
        # The model has 64 positions. Beyond them it fails, which is later than it is cancelled.
        endless(gpt2, 1, 60)
        header, _ = gpt2.receive()
        assert header == {"call": 1, "chunk": True}
        gpt2.send({"op": "cancel", "call": 1})
        chunks = 0
        while not (header := gpt2.receive()[0]).get("end"):
            chunks += 1
        assert header == {"call": 1, "end": True}
        assert chunks < 50
        gpt2.send({"op": "cancel", "call": 99})
        assert gpt2.json({"instances": ["one two"], "parameters": {"max_tokens": 1}}) == [{"predictions": [" three"]}]


def test_other_calls_while_text_is_generated(worker):
    """Streams run beside each other, and v1 beside them."""
    gpt2 = worker("gpt2")
    for call in (9001, 9002):
        endless(gpt2, call)
    body = json.dumps({"instances": ["one two"], "parameters": {"max_tokens": 1}}).encode()
    header = {"op": "infer", "call": 9003, "form": "json", "protocol": "v1", "verb": "predict"}
    gpt2.send(header | {"sizes": [len(body)], "items": [{}]}, body)
    order = []
    while len([call for call, ended in order if ended]) < 3:
        header, body = gpt2.receive()
        order.append((header["call"], not header.get("chunk")))
        if header["call"] == 9003:
            assert json.loads(body) == {"predictions": [" three"]}
    calls = [call for call, _ in order]
    first_end = next(index for index, (call, ended) in enumerate(order) if ended and call != 9003)
    assert set(calls[:first_end]) == {9001, 9002, 9003}


def test_sigterm_ends_streams_first():
    with start(made("gpt2"), "gpt2") as gpt2:
        endless(gpt2, 1, 30)
        gpt2.receive()
        gpt2.process.terminate()
        while not (header := gpt2.receive()[0]).get("end"):
            assert header == {"call": 1, "chunk": True}
        assert gpt2.process.wait(10) == 0


def test_text2text_generation(worker):
    t5 = worker("t5")
    assert t5.json({"instances": ["one two", "two"]}) == [{"predictions": ["eins zwei", "zwei"]}]
    reply = t5.openai("completions", {"prompt": "one", "temperature": 0})
    assert reply["choices"][0]["text"] == "eins"
    assert reply["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}
    chunks = t5.stream("chat/completions", {"messages": [{"role": "user", "content": "one two"}], "temperature": 0})
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == "eins zwei"
    status, error = t5.openai("completions", {"prompt": "one", "echo": True})
    assert (status, error["param"]) == (400, "echo")
