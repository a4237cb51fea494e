"""A notebook's life: its boot storage, the user's scripts, JupyterLab. Imports what it needs when it needs it."""

import os
import signal
import sys

from . import scripts, storage
from .options import parse
from .status import Status


def main(words):
    # Until JupyterLab has its own way of ending. Nothing has been started yet that would have to be ended first.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    # A line is in the log when it was printed, not when a buffer is full.
    sys.stdout.reconfigure(line_buffering=True)
    options = parse(words)
    token = take_token()
    status = Status(options.boot)
    storage.prepare(options)
    # Where kernels and terminals begin whose client names no folder, and scripts.
    os.chdir(options.data)
    os.environ["PWD"] = options.data
    scripts.run(options, status)
    status.enter("starting")

    from .server import serve

    serve(options, token, status)


def take_token():
    """Takes Jupyter's token out of the environment, before anything of the user's runs.

    The memory that a process got its variables in is shown to every other of the same user (/proc/PID/environ), so the
    token is overwritten there.
    """
    import ctypes

    library = ctypes.CDLL(None)
    library.getenv.restype = ctypes.c_void_p
    token = os.environ.get("TAKUMI_NOTEBOOK_TOKEN", "")
    address = library.getenv(b"TAKUMI_NOTEBOOK_TOKEN")
    if address:
        ctypes.memset(address, 0, len(os.fsencode(token)))
    os.environ.pop("TAKUMI_NOTEBOOK_TOKEN", None)
    if not token:
        sys.exit("TAKUMI_NOTEBOOK_TOKEN is not set: JupyterLab would be open to everyone on this machine")
    return token
