"""Starts the kernel of an environment that may lack ipykernel: installs it first, then.

Run by that environment's Python, whatever its version: nothing newer than Python 3.6 may stand here.
"""

import os
import subprocess
import sys


def main(words):
    if not available():
        reason = install()
        if reason:
            sys.exit(
                f"The kernel of {sys.prefix} cannot start: ipykernel could not be installed ({reason}). "
                f"Run: uv pip install --python {sys.executable} ipykernel"
            )
    # As Jupyter would have started it: what the kernel reports of itself is the same.
    os.execv(sys.executable, [sys.executable, "-m", "ipykernel_launcher"] + words)


def available():
    try:
        import ipykernel_launcher  # noqa: F401
    except ImportError:
        return False
    except BaseException:
        pass
    return True


def install():
    """Returns why it could not be done, in one line."""
    # With pip, which %pip in a notebook uses, where there is none.
    packages = ["ipykernel"]
    try:
        import pip  # noqa: F401
    except ImportError:
        packages.append("pip")
    reason = "neither uv nor pip is there"
    for command in (
        ["uv", "pip", "install", "--quiet", "--python", sys.executable] + packages,
        [sys.executable, "-m", "pip", "install", "--quiet", "ipykernel"],
    ):
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
            )
        except OSError:
            continue
        if done.returncode == 0:
            return None
        lines = done.stdout.decode("utf-8", "replace").split("\n")
        lines = [line.strip(" \t\r\u00d7\u2570\u2500\u25b6\u2502") for line in lines]
        reason = " ".join(line for line in lines if line)[:400] or f"{command[0]} gave no reason"
        break
    return reason


# This folder, whose modules are another program's.
del sys.path[0]
main(sys.argv[1:])
