"""Tells the server how far the notebook is, by a file that is replaced at each change."""

import json
import os
import sys
import time


def own_folder(boot):
    """Where this program keeps what is its own."""
    return os.path.join(boot, ".takumi")


class Status:
    KERNEL_DEATHS = 20

    def __init__(self, boot):
        folder = own_folder(boot)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.path = os.path.join(folder, "status.json")
        self.phase, self.script, self.since = "preparing", None, time.time()
        self.scripts, self.kernel_deaths = [], []
        self.write()

    def enter(self, phase, script=None):
        self.phase, self.script, self.since = phase, script, time.time()
        self.write()

    def add_script(self, name, exit_code, seconds):
        self.scripts.append({"name": text(name), "exitCode": exit_code, "seconds": round(seconds, 3)})
        self.write()

    def add_kernel_death(self, kernel, name, signal_number):
        death = {"kernel": kernel, "name": text(name), "signal": signal_number, "time": time.time()}
        self.kernel_deaths = [*self.kernel_deaths, death][-self.KERNEL_DEATHS :]
        self.write()

    def write(self):
        state = {
            "phase": self.phase,
            "script": None if self.script is None else text(self.script),
            "since": self.since,
            "scripts": self.scripts,
            "kernelDeaths": self.kernel_deaths,
        }
        temporary = f"{self.path}.new"
        try:
            with open(temporary, "w", encoding="utf-8") as file:
                json.dump(state, file)
            os.replace(temporary, self.path)
        except OSError as error:
            # A full disk must not end a notebook: its user has to be able to make room.
            print(f"{self.path} cannot be written: {error.strerror}", file=sys.stderr)


def text(name):
    """A file's name as text: names are bytes, and need not be UTF-8."""
    return os.fsencode(name).decode(errors="replace")
