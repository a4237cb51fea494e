"""The worker's life: loads the model, says that it is ready, answers until the model server goes."""

import gc
import importlib
import os
import re
import signal
import sys

from .calls import answer
from .codec import loads
from .errors import LoadFailure, log, log_traceback, one_line
from .link import Link
from .options import Options

FRAMEWORKS = {
    "SKLEARN": "sklearn_model",
    "PYTORCH": "pytorch_model",
    "TENSORFLOW": "tensorflow_model",
    "HUGGING_FACE": "huggingface_model",
}


def load(options):
    module = FRAMEWORKS.get(options.framework)
    if module is None:
        raise LoadFailure(f"framework {options.framework} cannot be served; those that can are {', '.join(FRAMEWORKS)}")
    return importlib.import_module(f"takumi_serving.{module}").load(options)


def ready(model):
    return {
        "op": "ready",
        "platform": model.platform,
        "batch": model.batch,
        "explain": model.explains,
        "generative": model.generative,
        "inputs": model.inputs,
        "outputs": model.outputs,
    }


# As the model server writes it: what clients say comes after it.
BEGIN = re.compile(
    rb'\{"op":"(infer|openai)","call":(\d+)'
    rb'(?:,"protocol":"\w+","verb":"\w+","form":"\w+","(?:rows|sizes)":\[([\d,]+)\])?'
)


def refusal(header):
    """The answer to a call whose header is not JSON to us; None where it does not even say which call it is."""
    if (begin := BEGIN.match(header)) is None:
        return None
    item = {"error": "the request's parameters cannot be read", "status": 400}
    return {"call": int(begin[2]), "items": [item] * ((begin[3] or b"").count(b",") + 1)}


def serve(link, model):
    threads = None
    if model.generative:
        from .threads import Threads

        threads = Threads(link, model)
    while (frame := link.receive()) is not None:
        try:
            header = loads(frame[0])
        except ValueError as error:
            log(f"A call cannot be read and is refused: {error}")
            if (reply := refusal(frame[0])) is not None:
                link.send(reply)
            continue
        if threads is not None:
            threads.take(header, frame[1])
        elif header["op"] == "infer":
            link.send(*answer(model, header, frame[1]))
    # Where the model server has gone instead of asking to stop, nobody waits for what is left.
    if threads is not None and link.stopping:
        threads.finish()


def main(words):
    # A line of a handler's is in the log when it was printed, not when a buffer is full.
    sys.stdout.reconfigure(line_buffering=True)
    # The model server ends its worker itself; Ctrl-C in a terminal reaches both.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    link = Link(os.environ["TAKUMI_WORKER_SOCKET"])
    try:
        model = load(Options(words))
    except BaseException as error:
        if not isinstance(error, LoadFailure) or error.__cause__ is not None:
            log_traceback(error)
        link.send({"op": "failed", "cause": one_line(error)})
        leave(1)
    try:
        model.warm_up()
    except Exception as error:
        log(f"A request made up for warming up failed, which need not mean anything: {one_line(error)}")
    # What is there now stays; collecting garbage among it would make single requests slow.
    gc.freeze()
    signal.signal(signal.SIGTERM, lambda *_: link.stop_receiving())
    try:
        link.send(ready(model))
        serve(link, model)
    except (BrokenPipeError, ConnectionResetError):
        # The model server has gone, and nobody waits for answers.
        pass
    leave(0)


def leave(status):
    """Without the frameworks' own clean-up, which takes long, and hangs where a thread still computes."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
