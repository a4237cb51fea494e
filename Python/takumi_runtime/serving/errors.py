"""What can go wrong, and in which words clients and users hear of it."""

import sys
import traceback


class LoadFailure(Exception):
    """Why the model cannot be served, in one line that its owner can act on."""


class Refusal(Exception):
    """What the client hears as it is, with this status; nothing is wrong with the worker."""

    def __init__(self, text, status=400):
        super().__init__(text)
        # A handler may say anything.
        self.status = status if 400 <= status <= 599 else 500


class BadInput(Refusal):
    """The request's own fault."""


def text_of(error):
    """As KServe words it: the type is told of what a model raised."""
    return str(error) if isinstance(error, Refusal) else f"{type(error).__name__} : {error}"


def one_line(error):
    """An exception that ended the loading, as a cause. The rest of its text is in the traceback."""
    text = " ".join(str(error).split())
    if isinstance(error, LoadFailure):
        return text
    name = type(error).__name__
    text = f"{name}: {text}" if text else name
    return text if len(text) <= 300 else text[:299] + "…"


def blame_input(error, *libraries):
    """`error` as the request's fault, where one of `libraries` raised it while looking at the values it was given.

    A ValueError of the model's own code says nothing of whose fault it is, and stays what it is.
    """
    if not isinstance(error, (ValueError, TypeError)):
        return error
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    module = frame.tb_frame.f_globals.get("__name__", "") if frame else ""
    if module.split(".")[0] not in libraries:
        return error
    # What follows the first line is advice for programmers, or the array in full.
    return BadInput((str(error).splitlines() or [type(error).__name__])[0].rstrip(" :"))


def log(text):
    """A line of the pod's log."""
    print(text, file=sys.stderr, flush=True)


def log_traceback(error):
    traceback.print_exception(error, file=sys.stderr)
    sys.stderr.flush()
