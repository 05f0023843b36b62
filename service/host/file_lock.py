"""Exclusive locks of files, which the programs that share a file heed (flock(2))."""

import fcntl
import time

LOCK_SECONDS = 5.0
"""Seconds to wait. Another program that never lets go must not hold every thread."""

_PAUSE_SECONDS = 0.002  # a line of the audit is written in less


def lock(descriptor: int) -> None:
    """Wait until no other program locks the open file, and lock it.

    Raises:
        BlockingIOError: the file stays locked.
        OSError: its file system has no locks.
    """
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
