"""Rule of admission: reject a request that finds the queue full, or that would be late.

It knows neither clock nor thread, so a simulation of the service asks the same rule.
"""

import math

from service.errors import Busy

# Factor on the expected wait: the next requests may take longer than the last ones.
_WAIT_MARGIN = 1.25
_SMOOTHING = 0.1  # weight of the newest image in the moving average


class AdmissionRule:
    """Rule of one lane, and what it knows of the lane's rate.

    `max_waiting`: requests. `images`: of all requests that wait or are in flight, which the lane
    keeps up to date. `interval`: moving average of the seconds between completed images, which is
    the wait that a queued one adds.
    """

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self.interval = 0.0
        self._last_end = 0.0
        self.images = 0

    def check(self, seconds: float, images: int, waiting: int, *, all_taken: bool) -> None:
        """Reject a request that enters the queue now and must be answered within `seconds`.

        `images`: number of them in the request, or the least that it has. `waiting`: requests in
        the queue. `all_taken`: whether no slot is free.

        Raises:
            Busy: the queue is full, or too long for this deadline.
        """
        ahead = self.images
        retry_after = math.ceil(max(1.0, ahead * self.interval))
        if waiting >= self._max_waiting and all_taken:
            raise Busy("The request queue is full.", retry_after, "queue")

        # Everything queued plus this request, at the recent service rate. With nothing ahead the
        # request is tried: that is how a changed rate is measured.
        expected = (ahead + images) * self.interval
        if ahead and expected * _WAIT_MARGIN > seconds:
            message = "The request cannot be answered before its deadline."
            raise Busy(message, retry_after, "deadline")

    def count(self, start: float, end: float, images: int) -> None:
        """Count a request with that many images, which began and ended at these seconds."""
        interval = (end - max(start, self._last_end)) / images
        weight = 1 - (1 - _SMOOTHING) ** images if self._last_end else 1.0

        self.interval += (interval - self.interval) * weight
        self._last_end = end
