"""Trainings in a process that has imported everything: what they take with nothing around them.

Usage: pure.py FOLDER COUNT. Says "ready", waits for a line, and then gives the seconds of each training.
"""

import json
import random
import sys
import time

sys.path.insert(0, sys.argv[1])
from train import train


def one():
    begin = time.perf_counter()
    train(10 ** random.uniform(-4, -1), random.uniform(0.1, 0.95), 10 ** random.uniform(-6, -2), lambda loss: None)
    return time.perf_counter() - begin


one()
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps([one() for _ in range(int(sys.argv[2]))]), flush=True)
