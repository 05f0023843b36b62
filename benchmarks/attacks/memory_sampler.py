"""Resident memory of a service and its reader processes over time."""

import os
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.load.servers import descendants

_INTERVAL_SECONDS = 0.2


class MemorySampler:
    """Samples resident memory five times a second while its block runs.

    `before`, `peak` and `after`: MiB at the start, at most and at the end, of the process and its
    descendants together.
    """

    def __init__(self, process: int) -> None:
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory")
        self.before = 0
        self.peak = 0
        self.after = 0

    def __enter__(self) -> Self:
        """Begin to sample."""
        self.before = self._resident()
        self.peak = self.before
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Stop sampling."""
        self._ended.set()
        self._thread.join()
        self.after = self._resident()

    def _sample(self) -> None:
        while not self._ended.wait(_INTERVAL_SECONDS):
            self.peak = max(self.peak, self._resident())

    def _resident(self) -> int:
        pages = 0
        for process in descendants(self._process):
            with suppress(FileNotFoundError, ProcessLookupError):
                pages += int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
        return (pages * os.sysconf("SC_PAGE_SIZE")) >> 20
