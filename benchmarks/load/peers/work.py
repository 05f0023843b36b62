"""What every peer does with an image: the service's own decode, fit and network, and nothing of its answer's rest."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from service.host.cores import usable_cores
from service.imaging import read
from service.model import Bundle
from service.records import Floats

ROOT = Path(__file__).parents[3]
WORKERS = int(os.environ.get("PEER_WORKERS", "2"))
"""Processes that work on images; the peers were tried with one and with two."""
BATCH = int(os.environ.get("PEER_BATCH", "8"))
"""Images of a batch, at most."""
DEADLINE_SECONDS = 1.0
"""After which an answer is worth nothing: every timeout that a peer has is set to it."""


class Work:
    """The bundle PEER_BUNDLE, warm, in a process that shares the cores with `processes` - 1 others that compute."""

    def __init__(self, processes: int) -> None:
        self._bundle = Bundle.load(
            Path(os.environ["PEER_BUNDLE"]), threads=max(1, usable_cores() // processes)
        )
        self._counter = os.open(os.environ["PEER_COUNTER"], os.O_WRONLY | os.O_APPEND)
        height, width, channels = self._bundle.manifest.input_shape
        for size in range(1, BATCH + 1):
            self._bundle.predict(np.zeros((size, height, width, channels), np.float32))

    def read(self, data: bytes) -> Floats:
        """The network's input [height, width, 1] for an image file."""
        return read(data, self._bundle.manifest.preprocessing).fitted.image

    def predict(self, images: Sequence[Floats]) -> list[dict[str, float]]:
        """The probabilities by class of each image; counted, a byte an image, in the file PEER_COUNTER."""
        found = self._bundle.predict(np.stack(images)).probabilities
        os.write(self._counter, b"." * len(images))
        return [
            dict(zip(self._bundle.manifest.classes, map(float, row), strict=True)) for row in found
        ]
