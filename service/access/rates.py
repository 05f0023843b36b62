"""How often each caller may ask: a steady rate with a minute's worth at once (GCRA, ITU-T I.371)."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from service.errors import RateLimited

_MAX_CALLERS = 10_000  # remembered; those who have not asked for longest are forgotten


class Rates:
    """So many requests a minute for each caller."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds_each = 60 / per_minute
        self._clock = clock
        self._paid_until: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str) -> None:
        """Counts one request.

        Raises:
            RateLimited: it is one too many; says after how many seconds it would not be.
        """
        now = self._clock()
        paid_until = max(self._paid_until.get(caller, now), now) + self._seconds_each
        wait = paid_until - now - 60
        if wait > 1e-6:  # noqa: PLR2004 - the rounding of the sums
            raise RateLimited("The caller asks more often than is allowed.", math.ceil(wait))
        self._paid_until[caller] = paid_until
        self._paid_until.move_to_end(caller)
        if len(self._paid_until) > _MAX_CALLERS:
            self._paid_until.popitem(last=False)
