"""A script for `python -m gmprt run`: prints what it sees of itself, as JSON."""

import json
import pickle
import sys

import cli_sibling

import gmprt


class Here:
    """Found again by pickle only if this module is sys.modules["__main__"]."""


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "argv": sys.argv,
                "path0": sys.path[0],
                "file": __file__,
                "package": __package__,
                "goroutine": gmprt.current().id,
                "result": gmprt.go(lambda: 40 + 2).result(),
                "sibling": cli_sibling.VALUE,
                "pickled": type(pickle.loads(pickle.dumps(Here()))) is Here,
                "main": vars(sys.modules["__main__"]) is globals(),
            }
        )
    )
