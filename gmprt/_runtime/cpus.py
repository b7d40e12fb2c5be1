"""How many CPUs there are: affinity, cgroup limit, GMPRT_MAXPROCS; and for how long one is had.

Go: debug.go GOMAXPROCS.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
import struct
import sys
from pathlib import Path

__all__ = ["default_procs", "num_cpu", "positive", "shorten_slices"]


def num_cpu() -> int:
    """Return the number of CPUs this process may run on (affinity). Go: NumCPU."""
    try:
        return len(os.sched_getaffinity(0)) or 1
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def default_procs() -> int:
    """Return GOMAXPROCS as Go 1.25 and later choose it. Raises: ValueError for a bad setting."""
    setting = os.environ.get("GMPRT_MAXPROCS", "")
    if setting:
        return positive("GMPRT_MAXPROCS", setting)
    cpus = num_cpu()
    limit = _cgroup_limit()
    if limit is None or cpus < 2:
        return cpus
    return min(cpus, max(2, math.ceil(limit)))


def positive(name: str, setting: str) -> int:
    """Parse a setting that must be a positive integer. Raises: ValueError that names it."""
    try:
        value = int(setting)
    except ValueError:
        value = 0
    if value < 1:
        raise ValueError(f"{name} must be a positive integer, not {setting!r}")
    return value


def _cgroup_limit() -> float | None:
    """Return the CPU limit of this process's own cgroup, in CPUs; None if there is none."""
    try:
        entries = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    for entry in entries:
        _, _, rest = entry.partition(":")
        controllers, _, path = rest.partition(":")
        try:
            quota, period = _quota(controllers, path)
            if quota not in ("max", "-1"):
                return int(quota) / int(period)
        except (OSError, ValueError, ZeroDivisionError):
            continue  # not this hierarchy, or not mounted here
    return None


def _quota(controllers: str, path: str) -> tuple[str, str]:
    """Read (quota, period) of a cgroup, v2 or v1. Raises: OSError, ValueError if it has none."""
    if not controllers:
        quota, period = Path(f"/sys/fs/cgroup{path}/cpu.max").read_text(encoding="ascii").split()
        return quota, period
    if "cpu" not in controllers.split(","):
        raise ValueError(controllers)
    root = Path(f"/sys/fs/cgroup/cpu{path}")
    quota = (root / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
    return quota, (root / "cpu.cfs_period_us").read_text(encoding="ascii").strip()


_SLICE_NS = 100_000  # the shortest that Linux gives
_RESET_ON_FORK = 1
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # the number of the system call


def shorten_slices() -> None:
    """Have the system give this thread short time slices, where it can: Linux from 6.12 on.

    Without the GIL the interpreter waits for its locks, and for threads to stop, by giving up the
    CPU, up to forty times. Each time Linux puts the thread one of its slices behind the others, and
    it catches up even while it sleeps: beside two threads that compute, with slices of 3 ms, one
    that had been asleep for 10 ms came back after 70 (benchmarks/latency.py). Where fewer threads
    compute than there are CPUs it changes nothing. Threads and processes that this one starts have
    the system's own slices again.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if number is None or not sys.platform.startswith("linux"):
        return
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    # Below 0 it would not be passed on, with that flag. Real-time and the like is somebody's wish.
    if nice < 0 or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    # struct sched_attr: size, policy, flags, nice, priority, runtime, deadline, period
    attributes = struct.pack(
        "=IIQiIQQQ", 48, os.SCHED_OTHER, _RESET_ON_FORK, nice, 0, _SLICE_NS, 0, 0
    )
    ctypes.CDLL(None).syscall(number, 0, attributes, 0)  # 0: this thread; refused: as it was
