"""A script that ends in the way its first argument names. It has never heard of gmprt."""

import atexit
import os
import sys
import threading
import time

atexit.register(lambda: print("atexit", flush=True))


def raise_it() -> None:
    raise LookupError("uncaught")


def normal() -> None:
    pass


def exit_3() -> None:
    sys.exit(3)


def exit_none() -> None:
    sys.exit()


def exit_text() -> None:
    sys.exit("a text")


def exit_builtin() -> None:
    raise SystemExit(4)


def os_exit() -> None:
    os._exit(5)


def thread() -> None:
    def late() -> None:
        time.sleep(0.1)
        print("thread", flush=True)

    threading.Thread(target=late).start()


globals()[sys.argv[1]]()
print("end", flush=True)
