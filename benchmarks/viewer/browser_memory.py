"""Memory of the browser that this process has started."""

import os
from pathlib import Path

from benchmarks.load.servers import descendants

_MIB = 2**20


def resident_mib() -> float:
    """Return the resident memory of the Chromium processes below this one, in MiB.

    Memory that processes share is divided among them (proportional set size).
    """
    browsers = [process for process in descendants(os.getpid()) if _is_browser(process)]
    return sum(_proportional_bytes(process) for process in browsers) / _MIB


def peak_mib() -> float:
    """Return the largest resident memory that one of these processes has ever had, in MiB."""
    browsers = [process for process in descendants(os.getpid()) if _is_browser(process)]
    return max(_peak_bytes(process) for process in browsers) / _MIB


def _peak_bytes(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return 1024 * int(line.split()[1])


def _is_browser(process: int) -> bool:
    return b"chromium" in Path(f"/proc/{process}/cmdline").read_bytes()


def _proportional_bytes(process: int) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("Pss:"))
    return 1024 * int(line.split()[1])
