"""The memory of the container, from a folder that looks like the mounted control groups."""

import os
from pathlib import Path

import pytest

from service.host.memory_limit import MemoryLimit, memory_limit

GIBIBYTE = 2**30
MACHINE = MemoryLimit(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), "machine")


def container(size: int) -> MemoryLimit:
    return MemoryLimit(size, "container")


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        # Version 2 in a container: its own group is the root.
        ("0::/", {"memory.max": "104857600"}, container(104857600)),
        ("0::/", {"memory.max": "max"}, MACHINE),
        # Version 2 under systemd: the limit is that of the unit, or of a slice above it.
        ("0::/system.slice/m.service", {"system.slice/m.service/memory.max": "1000"}, 1000),
        (
            "0::/system.slice/m.service",
            {"system.slice/m.service/memory.max": "3000", "system.slice/memory.max": "2000"},
            2000,
        ),
        # Version 1, in a container whose path is that of the host.
        ("4:memory:/docker/abc", {"memory/memory.limit_in_bytes": "5000"}, 5000),
        ("4:cpu,memory:/a", {"memory/a/memory.limit_in_bytes": "6000"}, 6000),
        ("4:memory:/a", {"memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE),
        # Of another group, or of none.
        ("0::/a", {"b/memory.max": "7000"}, MACHINE),
        ("0::/../b", {"memory.max": "8000"}, 8000),
        (None, {"memory.max": "9000"}, 9000),
        (None, {}, MACHINE),
    ],
)
def test_smallest_limit_of_the_groups_counts(
    tmp_path: Path, groups: str | None, files: dict[str, str], expected: MemoryLimit | int
) -> None:
    cgroups = tmp_path / "cgroup"
    for name, content in files.items():
        (cgroups / name).parent.mkdir(parents=True, exist_ok=True)
        (cgroups / name).write_text(content + "\n")
    membership = tmp_path / "self"
    if groups is not None:
        membership.write_text(f"9:name=systemd:/\n{groups}\n")

    limit = memory_limit(cgroups, membership)

    assert limit == (container(expected) if isinstance(expected, int) else expected)


def test_this_machine_has_a_limit() -> None:
    assert 0 < memory_limit().size <= MACHINE.size
