"""How many processor cores there are for this process."""

import math
import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def usable_cores(cgroups: Path = _CGROUPS) -> int:
    """The cores this process may use: its affinity, or its container's share if that is less (cgroup v2 and v1)."""
    affine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _share(cgroups)
    return affine if quota is None else max(1, min(affine, math.ceil(quota / period)))


def _share(cgroups: Path) -> tuple[int | None, int]:
    """The microseconds of processor time that a container gets in each period, None for as many as there are."""
    if (limit := cgroups / "cpu.max").exists():
        quota, period = limit.read_text().split()
        return None if quota == "max" else int(quota), int(period)
    if (limit := cgroups / "cpu" / "cpu.cfs_quota_us").exists():
        quota, period = limit.read_text(), limit.with_name("cpu.cfs_period_us").read_text()
        return None if int(quota) < 0 else int(quota), int(period)
    return None, 1
