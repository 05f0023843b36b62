"""What the C library does with memory that was freed."""

import ctypes

MEBIBYTE = 2**20
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt(3)
_LARGEST_MMAP_THRESHOLD = 32 * MEBIBYTE  # that glibc takes


def keep_freed(size: int) -> None:
    """Lets this process keep so many bytes that it has freed for what it needs next (glibc; elsewhere nothing happens).

    Otherwise every large array and every large body is given back to the system, which clears each of its pages when it
    is asked for it again: that takes longer than to fill it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, min(size, _LARGEST_MMAP_THRESHOLD))
        mallopt(_M_TRIM_THRESHOLD, size)
