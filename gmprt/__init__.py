"""gmprt: Go's scheduler for Python.

    import gmprt

    def worker(jobs, results):
        for job in jobs:                        # until the channel is closed
            results.send(job * job)

    jobs, results = gmprt.Chan(), gmprt.Chan()
    for _ in range(4):
        gmprt.go(worker, jobs, results)

    def feed():
        for n in range(10):
            jobs.send(n)
        jobs.close()

    gmprt.go(feed)
    print(sum(results.recv() for _ in range(10)))
    page = gmprt.syscall(urlopen, "http://localhost/").read()   # blocks nobody else

The map: `_runtime/` is the scheduler (its `__init__` is the door, with the picture); `chan.py`,
over `hchan.py`, and `selectgo.py` are channels and select, `timer.py` is timers and tickers;
`context.py`, over `contexttree.py`, `sync/`, `errgroup.py` and `singleflight.py` are Go's packages
of those names; `traceback.py` and `metrics.py` look inside; `__main__.py` is `python -m gmprt run`.
docs/design.md explains.

Importing it starts nothing: the runtime starts with the first `go`, `run` or wait.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import context as context
from . import errgroup as errgroup
from . import singleflight as singleflight
from . import sync as sync
from ._runtime import Canceled as Canceled
from ._runtime import ContextDone as ContextDone
from ._runtime import DeadlineExceeded as DeadlineExceeded
from ._runtime import DeadlockError as DeadlockError
from ._runtime import G as G
from ._runtime import GoroutineExit as GoroutineExit
from ._runtime import blocking as blocking
from ._runtime import current as current
from ._runtime import excepthook as excepthook
from ._runtime import go as go
from ._runtime import goexit as goexit
from ._runtime import gomaxprocs as gomaxprocs
from ._runtime import gosched as gosched
from ._runtime import lock_os_thread as lock_os_thread
from ._runtime import num_cpu as num_cpu
from ._runtime import num_goroutine as num_goroutine
from ._runtime import run as run
from ._runtime import sleep as sleep
from ._runtime import syscall as syscall
from ._runtime import unlock_os_thread as unlock_os_thread
from .chan import Chan as Chan
from .chantypes import ChanClosed as ChanClosed
from .chantypes import EndOfChan as EndOfChan
from .chantypes import RecvChan as RecvChan
from .chantypes import SendChan as SendChan
from .chantypes import WouldBlock as WouldBlock
from .metrics import stats as stats
from .selectgo import Case as Case
from .selectgo import Selected as Selected
from .selectgo import on_recv as on_recv
from .selectgo import on_send as on_send
from .selectgo import select as select
from .timer import Ticker as Ticker
from .timer import Timer as Timer
from .timer import after as after
from .timer import after_func as after_func
from .traceback import stack as stack

if TYPE_CHECKING:
    from . import leaks as leaks

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import `gmprt.leaks` when it is first used: from then on goroutines are counted."""
    if name == "leaks":
        return import_module("gmprt.leaks")
    raise AttributeError(f"module 'gmprt' has no attribute {name!r}")


__all__ = [
    "Canceled",
    "Case",
    "Chan",
    "ChanClosed",
    "ContextDone",
    "DeadlineExceeded",
    "DeadlockError",
    "EndOfChan",
    "G",
    "GoroutineExit",
    "RecvChan",
    "Selected",
    "SendChan",
    "Ticker",
    "Timer",
    "WouldBlock",
    "after",
    "after_func",
    "blocking",
    "context",
    "errgroup",
    "current",
    "excepthook",
    "go",
    "goexit",
    "gomaxprocs",
    "gosched",
    "leaks",
    "lock_os_thread",
    "num_cpu",
    "num_goroutine",
    "on_recv",
    "on_send",
    "run",
    "select",
    "singleflight",
    "sleep",
    "stack",
    "stats",
    "sync",
    "syscall",
    "unlock_os_thread",
]
