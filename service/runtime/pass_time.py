"""Time of a pass of the model, from which the least time of a request is estimated."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from service.errors import TooCostly
from service.model import Model

TRIALS = 5


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
        self.seconds = min(self.seconds, (time.perf_counter() - start) / images)

    def measure(self, model: Model) -> None:
        """Time the prediction of one image. The model must have run before."""
        image = np.zeros((1, *model.manifest.input_shape), np.float32)
        for _ in range(TRIALS):
            with self.time(1):
                model.predict(image)

    def check(self, passes: int, deadline_seconds: float) -> None:
        """Refuse a request of that many passes if it cannot meet its deadline.

        Raises:
            TooCostly: the passes alone take longer, at the shortest time that was measured.
        """
        least = passes * self.seconds
        if math.isfinite(least) and least > deadline_seconds:
            raise TooCostly(passes, least, deadline_seconds)
