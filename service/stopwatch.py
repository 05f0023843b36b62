"""How long each step took, and when."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Lap:
    """One stay in a step: when it began, in seconds since the epoch, and how long it took."""

    step: str
    start: float
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """The stays in all steps, in the order in which they ended."""

    laps: list[Lap] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Counts the time of the block to that step."""
        start, begin = time.time(), time.perf_counter()
        yield
        self.laps.append(Lap(name, start, (time.perf_counter() - begin) * 1e3))

    def add(self, laps: Iterable[Lap]) -> None:
        """Adds what was measured elsewhere on this machine."""
        self.laps.extend(laps)

    @property
    def milliseconds(self) -> dict[str, float]:
        """Milliseconds spent in each step, in the order in which they were first left."""
        spent: dict[str, float] = {}
        for lap in self.laps:
            spent[lap.step] = spent.get(lap.step, 0.0) + lap.milliseconds
        return spent
