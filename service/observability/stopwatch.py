"""Timing of the steps of a request."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Lap:
    """One run of a step: its start in seconds since the epoch, and its duration."""

    step: str
    start: float
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Laps of all steps, in the order in which they ended."""

    laps: list[Lap] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block as a lap of that step."""
        start = time.time()
        begin = time.perf_counter()
        yield
        self.laps.append(Lap(name, start, (time.perf_counter() - begin) * 1e3))

    def add(self, laps: Iterable[Lap]) -> None:
        """Add laps that another process of this machine has measured."""
        self.laps.extend(laps)

    @property
    def milliseconds(self) -> dict[str, float]:
        """Total milliseconds of each step, in the order in which the steps first ended."""
        totals: dict[str, float] = {}
        for lap in self.laps:
            totals[lap.step] = totals.get(lap.step, 0.0) + lap.milliseconds
        return totals
