"""Observers of a training: they are called after each complete epoch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import keras


@dataclass(frozen=True, slots=True)
class EpochState:
    """A complete epoch: its number from 1, its network and its figures by name.

    `network`: the network up to the softmax, with the weights that were validated.
    """

    number: int
    network: keras.Model
    figures: Mapping[str, float]


class Observer(Protocol):
    """Callable that shows or writes what an epoch has learned.

    It changes neither the network nor the random state of any library: a run with observers reaches
    the same figures as one without.
    """

    def __call__(self, state: EpochState) -> None:
        """Observe a complete epoch.

        Raises:
            OSError: the disk is full.
        """
