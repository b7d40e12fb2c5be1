"""A script for `python -m gmprt run`: says that it is there, and parks until it is killed."""

import threading

import gmprt

# A thread that stays: without it, to park here would be a deadlock.
threading.Thread(target=threading.Event().wait, daemon=True).start()
print("parks", flush=True)
gmprt.Chan().recv()
