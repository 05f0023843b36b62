"""The largest batch of one version of the model, chosen by its measured cost per image."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from service.model import Model

SHARE = 0.05
"""Share of the lowest cost per image by which that of the chosen batch may exceed it."""

_MIN_ROUNDS = 2
_MAX_ROUNDS = 5
_SECONDS = 2.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class BatchLimit:
    """The number of images that a batch may have: `images`, infinite until it is chosen.

    Larger batches cost less per image on some engines and networks, and more on others. They also
    make requests wait for one another, so the smallest batch of nearly the lowest cost is chosen.
    """

    images: float = math.inf

    def choose(self, costs: Mapping[int, float]) -> None:
        """Set the smallest size whose cost per image is within `SHARE` of the lowest.

        Args:
            costs: seconds per image by size. The log tells them.
        """
        bound = (1 + SHARE) * min(costs.values())
        self.images = min(size for size, cost in costs.items() if cost <= bound)

        told = ", ".join(f"{1e3 * cost:.1f} ({size})" for size, cost in costs.items())
        _log.info("batches: at most %d image(s); ms per image by size: %s", self.images, told)


def batch_costs(
    model: Model, longest: int, clock: Callable[[], float] = time.perf_counter
) -> dict[int, float]:
    """Time predictions in batches of up to `longest` images; return seconds per image by size.

    Batches of each size are timed in turn, and the shortest time counts. It takes two rounds, or
    as many more as begin within two seconds, at most five. The model must have run before.
    """
    longest = min(longest, model.manifest.images_per_call)
    costs = dict.fromkeys(sizes_up_to(longest), math.inf)
    images = np.zeros((longest, *model.manifest.input_shape), np.float32)

    start = clock()
    for round_number in range(_MAX_ROUNDS):
        if round_number >= _MIN_ROUNDS and clock() - start > _SECONDS:
            break
        for size in costs:
            begin = clock()
            model.predict(images[:size])
            costs[size] = min(costs[size], (clock() - begin) / size)
    return costs


def sizes_up_to(longest: int) -> list[int]:
    """Return the powers of two below `longest`, and `longest`."""
    powers = (2**exponent for exponent in range(longest.bit_length()))
    return [*(size for size in powers if size < longest), longest]
