"""Processor cores that this process may use."""

import math
import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")

# Read by the libraries that NumPy calls: OpenBLAS, Intel's MKL and Apple's Accelerate.
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def bound_blas() -> None:
    """Limit NumPy's linear algebra to one thread in this process and those it starts.

    It has an effect only before NumPy is imported, and leaves a variable that is set as it is.
    Requests run beside one another, so several threads for each only wait for a core. They spin
    while they wait, and a decomposition then takes many times as long as on one thread.
    """
    for variable in _BLAS_THREADS:
        os.environ.setdefault(variable, "1")


def usable_cores(cgroups: Path = _CGROUPS) -> int:
    """Return the cores of this process: its affinity, or the quota of its cgroup if less."""
    affinity = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    quota, period = _quota(cgroups)
    if quota is None:
        return affinity
    return max(1, min(affinity, math.ceil(quota / period)))


def _quota(cgroups: Path) -> tuple[int | None, int]:
    """Return the container's quota and period of processor time in microseconds.

    The quota is None if it is unlimited.
    """
    # cgroup v2
    if (limit := cgroups / "cpu.max").exists():
        quota, period = limit.read_text().split()
        return None if quota == "max" else int(quota), int(period)

    # cgroup v1
    if (limit := cgroups / "cpu" / "cpu.cfs_quota_us").exists():
        quota = limit.read_text()
        period = limit.with_name("cpu.cfs_period_us").read_text()
        return None if int(quota) < 0 else int(quota), int(period)

    return None, 1
