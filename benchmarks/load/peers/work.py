"""Work of every peer on an image: the service's own decode, fit and network.

The other parts of the service's answer are left out.
"""

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
"""Processes that work on images. The peers were tried with one and with two."""
BATCH = int(os.environ.get("PEER_BATCH", "8"))
"""Maximum number of images in a batch."""
DEADLINE_SECONDS = 1.0
"""Time after which an answer no longer counts. Every timeout of a peer is set to it."""


class Work:
    """The bundle PEER_BUNDLE, loaded and warm.

    `processes`: number of processes that compute on the same cores, this one included.
    """

    def __init__(self, processes: int) -> None:
        self._bundle = Bundle.load(
            Path(os.environ["PEER_BUNDLE"]), threads=max(1, usable_cores() // processes)
        )
        self._counter = os.open(os.environ["PEER_COUNTER"], os.O_WRONLY | os.O_APPEND)

        height, width, channels = self._bundle.manifest.input_shape
        for size in range(1, BATCH + 1):
            self._bundle.predict(np.zeros((size, height, width, channels), np.float32))

    def read(self, data: bytes) -> Floats:
        """Decode and fit an image file. Return the network's input [height, width, 1]."""
        return read(data, self._bundle.manifest.preprocessing).fitted.image

    def predict(self, images: Sequence[Floats]) -> list[dict[str, float]]:
        """Return the probabilities by class of each image.

        Appends one byte per image to the file PEER_COUNTER.
        """
        probabilities = self._bundle.predict(np.stack(images)).probabilities
        os.write(self._counter, b"." * len(images))

        classes = self._bundle.manifest.classes
        return [dict(zip(classes, map(float, row), strict=True)) for row in probabilities]
