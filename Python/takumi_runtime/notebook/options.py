"""What the server says about a notebook on the command line."""

import argparse
import os


def parse(words):
    parser = argparse.ArgumentParser(prog="notebook", allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--boot", required=True, help="the folder that is empty at every start")
    parser.add_argument("--data", required=True, help="the folder that stays")
    parser.add_argument("--name", required=True)
    parser.add_argument("--authority", help="a PEM file: whom to trust besides the usual authorities")
    parser.add_argument("--init-timeout", type=float, default=600, help="seconds for each of the user's scripts")
    options = parser.parse_args(words)
    # Both end up in files and variables that are used from other folders.
    options.boot = os.path.abspath(options.boot)
    options.data = os.path.abspath(options.data)
    return options
