"""Errors of a service that cannot answer now. The same request may succeed later."""

from service.errors.base import MammolensError


class Unavailable(MammolensError):
    """The service cannot answer now. `retry_after`: seconds after which a retry makes sense."""

    retry_after: int = 1


class NotReady(Unavailable):
    """The model is not loaded and checked yet."""

    slug = "not-ready"
    title = "Service is starting"
    remedy = "Retry once GET /readyz returns 200."


class Draining(Unavailable):
    """The service is shutting down."""

    slug = "draining"
    title = "Service is shutting down"
    remedy = "Use another instance, or retry when this one has restarted."


class Busy(Unavailable):
    """The queue is full or too long for the request's deadline, or bodies take all their memory.

    `retry_after`: seconds until the requests that are ahead now will have been answered. `reason`:
    `queue`, `deadline` or `memory`.
    """

    slug = "busy"
    title = "Service is overloaded"
    remedy = "Retry after the time in Retry-After."

    def __init__(self, message: str, retry_after: int, reason: str) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.reason = reason


class DeadlinePassed(Unavailable):
    """The deadline passed before there was an answer."""

    slug = "deadline-passed"
    title = "Deadline exceeded"
    remedy = (
        "Send a larger header Request-Timeout (seconds, at most MAMMOLENS_DEADLINE_SECONDS), or "
        "retry when the load is lower."
    )


class Abandoned(Unavailable):
    """The client closed the connection before there was an answer."""

    slug = "abandoned"
    title = "Client disconnected"
    remedy = "Keep the connection open until the response arrives."


class KeysUnavailable(Unavailable):
    """The key file cannot be read, or the provider's keys cannot be fetched."""

    slug = "keys-unavailable"
    title = "Authentication is unavailable"
    remedy = "Retry later. If it persists, ask the operator to check the log of the service."


class AuditUnavailable(Unavailable):
    """The audit cannot be written, so no inference can be answered."""

    slug = "audit-unavailable"
    title = "Audit cannot be written"
    remedy = (
        "Use another instance, or retry later. The operator finds the reason in the log of the "
        "service. It is ready again once a line can be written."
    )


class RateLimited(Unavailable):
    """The caller exceeds its rate. `retry_after`: seconds until the next request is allowed."""

    slug = "rate-limited"
    title = "Rate limit exceeded"
    remedy = "Retry after the time in Retry-After."

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
