"""Progress of a scoring on standard error: a bar on a terminal, else a line each minute."""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

_LINE_SECONDS = 60.0


class ScoringProgress:
    """Counts images and refusals, and tells the pace and the time left."""

    def __init__(self, total: int, already: int) -> None:
        self._bar = tqdm(
            total=total, initial=already, unit="image", dynamic_ncols=True, disable=None
        )
        self._total = total
        self._already = already
        self._done = already
        self._refused = 0
        self._start = time.monotonic()
        self._told = self._start

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    def count(self, problems: Sequence[Any]) -> None:
        """Count images, each with its problem or None."""
        self._done += len(problems)
        self._refused += sum(problem is not None for problem in problems)
        self._bar.set_postfix(refused=self._refused, refresh=False)
        self._bar.update(len(problems))

        now = time.monotonic()
        if self._bar.disable and now - self._told > _LINE_SECONDS:
            self._told = now
            sys.stderr.write(f"{self._line(now - self._start)}\n")

    def _line(self, seconds: float) -> str:
        """Return a line for a log file, so many seconds after the start."""
        pace = (self._done - self._already) / seconds
        left = tqdm.format_interval((self._total - self._done) / pace)
        return (
            f"{self._done} of {self._total} images, {self._refused} refused, {pace:.1f} a second, "
            f"{left} left"
        )
