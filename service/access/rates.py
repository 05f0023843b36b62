"""Rate limit for each caller: a steady rate, with bursts of up to one minute's requests.

Generic cell rate algorithm (GCRA, ITU-T I.371).
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from service.errors import RateLimited

_MAX_CALLERS = 10_000  # beyond it the caller that was last counted longest ago is forgotten
_BURST_SECONDS = 60
_ROUNDING = 1e-6  # seconds by which the rounding of the sums may exceed the burst


class Rates:
    """Rate limit of `per_minute` requests for each caller."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 60 / per_minute
        self._clock = clock
        self._paid_until: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count one request.

        Raises:
            RateLimited: the caller is over its limit. The error gives the seconds to wait.
        """
        now = self._clock()
        paid_until = max(self._paid_until.get(caller, now), now) + self._interval

        wait = paid_until - now - _BURST_SECONDS
        if wait > _ROUNDING:
            raise RateLimited("The caller has exceeded its rate limit.", math.ceil(wait))

        self._paid_until[caller] = paid_until
        self._paid_until.move_to_end(caller)
        if len(self._paid_until) > _MAX_CALLERS:
            self._paid_until.popitem(last=False)
