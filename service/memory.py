"""Memory that is no longer needed: what Python and the C library do with it."""

import ctypes
import gc
from typing import Any

MEBIBYTE = 2**20
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # mallopt(3)
_ARENAS = 2  # each keeps what it has freed, and malloc would make eight for each core
_LARGEST_MMAP_THRESHOLD = 32 * MEBIBYTE  # that glibc takes


def keep_freed(size: int) -> None:
    """Lets this process keep so many bytes that it has freed for what it needs next (glibc; elsewhere nothing happens).

    Otherwise every large array and every large body is given back to the system, which clears each of its pages when it
    is asked for it again: that takes longer than to fill it.
    """
    if mallopt := _from_glibc("mallopt"):
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, min(size, _LARGEST_MMAP_THRESHOLD))
        mallopt(_M_TRIM_THRESHOLD, size)


def settle() -> None:
    """Frees what nothing refers to any more, for after a model was loaded; what is left is taken to stay.

    Python's collector would look through all of a model's objects again and again, and stop every thread for a sixth of
    a second each time (see `gc.freeze`).
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    if trim := _from_glibc("malloc_trim"):
        trim(0)


def _from_glibc(name: str) -> Any:
    """The function, or None where the C library is another."""
    return getattr(ctypes.CDLL(None), name, None)
