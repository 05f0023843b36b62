"""What is known of the image that a request is about, from when its bytes are there until it is answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from anyio import to_thread
from fastapi import Request

from service.audit import Audit
from service.model import Model
from service.stopwatch import Lap


@dataclass(slots=True)
class Inference:
    """One image before one model; in the request's scope as `inference`.

    `image`: the keyed hash of its bytes, `-` where no audit is kept. `laps`: the steps, once it has been answered.
    """

    model: Model
    image: str
    laps: Sequence[Lap] = ()


async def begin(request: Request, data: bytes, model: Model) -> None:
    """Notes that the model looks at this image from here on: it will be audited, whatever becomes of it."""
    audit: Audit | None = request.app.state.audit
    image = "-" if audit is None else await to_thread.run_sync(audit.fingerprint, data)
    request.scope["inference"] = Inference(model, image)
