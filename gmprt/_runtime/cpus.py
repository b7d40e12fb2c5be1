"""How many CPUs there are: affinity, cgroup limit, GMPRT_MAXPROCS. Go: debug.go GOMAXPROCS."""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["default_procs", "num_cpu", "positive"]


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
