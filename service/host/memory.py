"""Memory that is no longer needed: settings of the C library and of Python's garbage collector."""

import ctypes
import gc
from contextlib import suppress
from pathlib import Path
from typing import Any

MEBIBYTE = 2**20

# Parameters of mallopt(3).
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_KEPT_BYTES = 64 * MEBIBYTE
_ARENAS = 2  # each keeps the memory it has freed, and the default is eight for each core
_MAX_MMAP_THRESHOLD = 32 * MEBIBYTE  # the largest that glibc accepts


def keep_freed() -> None:
    """Keep up to 64 MiB of freed memory in this process (glibc, no effect elsewhere).

    By default glibc returns every large array and request body to the system. The system then
    clears each page before it hands the page out again, which takes longer than filling it.
    """
    if mallopt := _from_glibc("mallopt"):
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, min(_KEPT_BYTES, _MAX_MMAP_THRESHOLD))
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def yield_to_oom_killer() -> None:
    """Make this process the first that the kernel ends when memory runs out (Linux).

    See proc_pid_oom_score_adj(5). Any process may raise its own score.
    """
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def collect_after_load() -> None:
    """Collect garbage after a model load, then freeze the survivors (see `gc.freeze`).

    Otherwise the collector traverses all objects of the model again and again, and stops every
    thread for a sixth of a second each time.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()

    if trim := _from_glibc("malloc_trim"):
        trim(0)


def _from_glibc(name: str) -> Any:
    """Return the function of the C library, or None if the library is not glibc."""
    return getattr(ctypes.CDLL(None), name, None)
