"""sync: what goroutines share besides channels, as in Go's package sync.

All of it works between goroutines of any M and foreign threads, mixed. Wait queues are FIFO. A file
each: mutex.py, rwmutex.py, cond.py, once.py, pool.py, waitgroup.py, and semaphore.py, which is
golang.org/x/sync's.

Locks: one of rank SYNC an object, held for a few bytecodes.
"""

from .cond import Cond as Cond
from .mutex import Mutex as Mutex
from .once import Once as Once
from .once import once_func as once_func
from .once import once_value as once_value
from .pool import Pool as Pool
from .queue import Locker as Locker
from .rwmutex import RLocker as RLocker
from .rwmutex import RWMutex as RWMutex
from .semaphore import Semaphore as Semaphore
from .waitgroup import WaitGroup as WaitGroup

__all__ = [
    "Cond",
    "Locker",
    "Mutex",
    "Once",
    "Pool",
    "RLocker",
    "RWMutex",
    "Semaphore",
    "WaitGroup",
    "once_func",
    "once_value",
]
