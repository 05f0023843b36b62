"""Observer of the engine: the runtime reports events, metrics count them."""

from typing import Protocol


class EngineObserver(Protocol):
    """Receives events of the engine. Methods may be called from any thread and return at once."""

    def slot_taken(self, lane: str, waited_seconds: float) -> None:
        """Record that a request got its slot."""
        ...

    def request_rejected(self, lane: str, reason: str) -> None:
        """Record that a request was rejected on arrival.

        `reason`: that of `service.errors.Busy`, or `cost`.
        """
        ...

    def request_abandoned(self, lane: str) -> None:
        """Record that a client of this lane disconnected before the response was sent."""
        ...

    def batch_started(self, signature: str, images: int) -> None:
        """Record one call of the model and the number of images in it."""
        ...

    def reader_lost(self, reason: str) -> None:
        """Record that a reader process was lost: by a `signal`, a `timeout` or a `fault`."""
        ...
