"""Time of a pass of the model, from which the least time of a request is estimated."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from service.errors import TooCostly


class PassTime:
    """The shortest time that one version of the model has taken for a forward pass of an image.

    Any thread may time a call. Under load a call takes longer than it would alone, so the shortest
    time is the honest one: a request is refused only if it would be late on an idle service.
    """

    def __init__(self) -> None:
        self.seconds = math.inf

    @contextmanager
    def time(self, images: int) -> Iterator[None]:
        """Time the block, one call of the model with that many images.

        Calls with gradients count, too, because they begin with a forward pass.
        """
        start = time.perf_counter()
        yield
        self.note((time.perf_counter() - start) / images)

    def note(self, seconds: float) -> None:
        """Keep the time of a pass of one image if it is the shortest."""
        self.seconds = min(self.seconds, seconds)

    def check(self, passes: int, deadline_seconds: float) -> None:
        """Refuse a request of that many passes if it cannot meet its deadline.

        Raises:
            TooCostly: the passes alone take longer, at the shortest time that was measured.
        """
        least = passes * self.seconds
        if math.isfinite(least) and least > deadline_seconds:
            raise TooCostly(passes, least, deadline_seconds)
