"""LitServe: decode and network in the same worker, batches by LitServe (lightning.ai/docs/litserve/features/batching).

The body is taken as it is, by a FastAPI dependency, where the documentation's examples take JSON with base64 in it.
"""

import os
from typing import Annotated

import litserve
from fastapi import Depends, Request

from benchmarks.load.peers.work import BATCH, DEADLINE_SECONDS, WORKERS, Work
from service.records import Floats


async def body(request: Request) -> bytes:
    """The bytes that were sent."""
    return await request.body()


class Api(litserve.LitAPI):
    """The service's decode, fit and network."""

    def setup(self, device: str) -> None:
        """Loads the bundle, once a worker."""
        del device
        self._work = Work(WORKERS)

    def decode_request(self, request: Annotated[bytes, Depends(body)]) -> Floats:
        """The network's input."""
        return self._work.read(request)

    def batch(self, inputs: list[Floats]) -> list[Floats]:
        """Leaves the images to be stacked by the network's caller."""
        return inputs

    def predict(self, images: list[Floats]) -> list[dict[str, float]]:
        """The probabilities of each."""
        return self._work.predict(images)

    def unbatch(self, output: list[dict[str, float]]) -> list[dict[str, float]]:
        """One answer each already."""
        return output

    def encode_response(self, output: dict[str, float]) -> dict[str, dict[str, float]]:
        """The answer."""
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
