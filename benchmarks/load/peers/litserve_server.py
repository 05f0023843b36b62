"""LitServe: decode and network in the same worker, batches formed by LitServe.

See lightning.ai/docs/litserve/features/batching. A FastAPI dependency passes the raw body on. The
examples in the documentation send JSON with base64 instead.
"""

import os
from typing import Annotated

import litserve
from fastapi import Depends, Request

from benchmarks.load.peers.work import BATCH, DEADLINE_SECONDS, WORKERS, Work
from service.records import Floats


async def body(request: Request) -> bytes:
    """Return the raw body of the request."""
    return await request.body()


class Api(litserve.LitAPI):
    """API with the service's decode, fit and network."""

    def setup(self, device: str) -> None:
        """Load the bundle, once per worker."""
        del device
        self._work = Work(WORKERS)

    def decode_request(self, request: Annotated[bytes, Depends(body)]) -> Floats:
        """Decode and fit the image file. Return the network's input."""
        return self._work.read(request)

    def batch(self, inputs: list[Floats]) -> list[Floats]:
        """Return the images as a list. `Work.predict` stacks them."""
        return inputs

    def predict(self, images: list[Floats]) -> list[dict[str, float]]:
        """Return the probabilities of each image."""
        return self._work.predict(images)

    def unbatch(self, output: list[dict[str, float]]) -> list[dict[str, float]]:
        """Return the list unchanged. It already holds one answer per image."""
        return output

    def encode_response(self, output: dict[str, float]) -> dict[str, dict[str, float]]:
        """Return the answer."""
        return {"probabilities": output}


if __name__ == "__main__":
    api = Api(max_batch_size=BATCH, batch_timeout=0.005)
    server = litserve.LitServer(
        api,
        accelerator="cpu",
        devices=1,
        workers_per_device=WORKERS,
        timeout=DEADLINE_SECONDS,
        fast_queue=True,
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        generate_client_file=False,
        log_level="warning",
    )
