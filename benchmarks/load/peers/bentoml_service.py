"""BentoML: a service whose workers decode, and one that runs the network (docs.bentoml.com).

The network runs on adaptive batches.
"""

from pathlib import Path
from typing import Annotated

import bentoml
from bentoml.validators import ContentType

from benchmarks.load.peers.work import BATCH, DEADLINE_SECONDS, WORKERS, Work
from service.records import Floats


@bentoml.service(workers=1)
class Network:
    """Service that turns network inputs into probabilities."""

    def __init__(self) -> None:
        self._work = Work(1)

    @bentoml.api(batchable=True, max_batch_size=BATCH, max_latency_ms=int(DEADLINE_SECONDS * 1000))
    def predict(self, images: list[Floats]) -> list[dict[str, float]]:
        """Return the probabilities of each image."""
        return self._work.predict(images)


@bentoml.service(workers=WORKERS, threads=4, traffic={"timeout": DEADLINE_SECONDS})
class Mammograms:
    """Service that turns image files into answers."""

    network = bentoml.depends(Network)

    def __init__(self) -> None:
        self._work = Work(WORKERS)

    @bentoml.api(route="/predict")
    def predict(
        self, image: Annotated[Path, ContentType("application/dicom")], /
    ) -> dict[str, dict[str, float]]:
        """Decode the image and return its probabilities."""
        (probabilities,) = self.network.predict([self._work.read(image.read_bytes())])
        return {"probabilities": probabilities}
