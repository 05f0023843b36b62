"""Memory that this process may use: the limit of its container, or the machine's memory."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_FILE_V2 = "memory.max"
_FILE_V1 = "memory.limit_in_bytes"


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """Bytes that may be used, and what sets the limit: `container` or `machine`."""

    size: int
    owner: str


def memory_limit(cgroups: Path = _CGROUPS, membership: Path = _MEMBERSHIP) -> MemoryLimit:
    """Return the smallest limit of the cgroups that this process is in, or the machine's memory.

    A limit of any group above counts as well. In a container the path of its group may be that of
    the host, which is not to be seen. Then the root of the mounted groups is the container's own.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    container = min(_limits(cgroups, membership), default=machine)
    if container < machine:
        return MemoryLimit(container, "container")
    return MemoryLimit(machine, "machine")


def _limits(cgroups: Path, membership: Path) -> Iterator[int]:
    for group, base, name in _groups(cgroups, membership):
        for folder in (group, *group.parents):
            limit = folder / name
            with suppress(OSError, ValueError):  # no such group, or no limit (`max`)
                yield int(limit.read_text("ascii"))
            if folder == base:
                break


def _groups(cgroups: Path, membership: Path) -> Iterator[tuple[Path, Path, str]]:
    """Return each group of this process, the root above it and the name of its limit's file.

    See cgroups(7): a line is `0::PATH` (version 2) or `N:CONTROLLERS:PATH` (version 1).
    """
    yield cgroups, cgroups, _FILE_V2
    yield cgroups / "memory", cgroups / "memory", _FILE_V1

    lines = membership.read_text("utf-8").splitlines() if membership.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        inside = path.strip("/")
        if not controllers:
            yield cgroups / inside, cgroups, _FILE_V2
        elif "memory" in controllers.split(","):
            yield cgroups / "memory" / inside, cgroups / "memory", _FILE_V1
