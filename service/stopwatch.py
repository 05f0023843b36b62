"""How long each step took."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Milliseconds spent in each step, in the order in which they were first entered."""

    milliseconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Adds the time of the block to that step."""
        start = time.perf_counter()
        yield
        self.add({name: (time.perf_counter() - start) * 1e3})

    def add(self, milliseconds: Mapping[str, float]) -> None:
        """Adds what was measured elsewhere."""
        for name, spent in milliseconds.items():
            self.milliseconds[name] = self.milliseconds.get(name, 0.0) + spent
