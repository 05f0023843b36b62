"""Anonymous file in memory, shared with a child process.

Over a pipe a mammogram takes ten times as long.
"""

import os
import pickle
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from multiprocessing.reduction import DupFd
from typing import Any

FileBytes = bytes | memoryview
"""Bytes that are written without another copy of them."""

KEPT_BYTES = 2**25
"""Bytes of the file that are kept between images; few mammograms are larger."""


class SharedFile:
    """A memory file (memfd) that can be sent to a process when it is started."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __reduce__(self) -> tuple[Callable[[Any], "SharedFile"], tuple[Any]]:
        """Duplicate the descriptor into the process that is being started."""
        return _open_shared_file, (DupFd(self._descriptor),)

    def write(self, data: FileBytes) -> None:
        """Write the data at the start of the file."""
        os.pwrite(self._descriptor, data, 0)

    def read(self, length: int) -> bytes:
        """Read the first `length` bytes."""
        return os.pread(self._descriptor, length, 0)

    def unpickle(self, length: int) -> Any:
        """Return the object whose pickle are the first `length` bytes, without a copy of them.

        The other process must be our own.
        """
        with mmap(self._descriptor, length, access=ACCESS_READ) as pickled:
            return pickle.loads(pickled)  # noqa: S301 - of our own process

    def shrink(self) -> None:
        """Free the memory if the file is larger than `KEPT_BYTES`.

        Smaller files are kept: allocating their pages again takes longer than filling them.
        """
        if os.fstat(self._descriptor).st_size > KEPT_BYTES:
            os.ftruncate(self._descriptor, 0)

    def close(self) -> None:
        """Close this process's descriptor."""
        os.close(self._descriptor)


def _open_shared_file(descriptor: Any) -> SharedFile:
    return SharedFile(descriptor.detach())
