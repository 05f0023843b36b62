"""Requests of a simulation, and what becomes of them."""

from dataclasses import dataclass
from enum import StrEnum

from service.runtime.engine import Lane


@dataclass(frozen=True, slots=True)
class ImageWork:
    """Processor time of one image in seconds.

    `read`: in a reader process. `model`: in a call of the model. `after`: in the request's thread.
    """

    read: float
    model: float = 0.0
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """Work of a request.

    `transfer`: processor time of its upload and its answer, in seconds. `body_bytes`: of its
    upload. `images`: one, or those of an exam.
    """

    lane: Lane
    images: tuple[ImageWork, ...]
    transfer: float = 0.0
    body_bytes: int = 0

    @property
    def seconds(self) -> float:
        """Processor time of the whole request."""
        return self.transfer + sum(one.read + one.model + one.after for one in self.images)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that arrives at a time. It has to be answered within `deadline` seconds."""

    time: float
    work: Work
    deadline: float


class Status(StrEnum):
    """What becomes of a request: an answer, 429, or 504."""

    ANSWERED = "answered"
    REFUSED = "refused"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    `seconds`: from its arrival to the answer, or the refusal. `waited`: seconds in the queue, None
    for a request that never got a slot.
    """

    arrival: Arrival
    status: Status
    seconds: float
    waited: float | None = None
