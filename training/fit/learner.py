"""Network in training: its phases, its optimiser, and the running mean of its weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from service.records import Floats
from training.config import Experiment
from training.fit.checkpoint import load_checkpoint, save_checkpoint
from training.fit.optimiser import make_optimiser
from training.network_config import Backbone
from training.networks.cnn import logits_model, seed_random_layers
from training.networks.freezing import backbone_layers, freeze
from training.networks.full_precision import computing_in_bfloat16, computing_in_float32


class Learner:
    """Learner of the weights of a network.

    It has two phases if the backbone is frozen at first: each has an optimiser of its own, which
    knows only the weights that are trained. `steps`: number of steps of an epoch.
    """

    def __init__(self, model: keras.Model, experiment: Experiment, steps: int) -> None:
        self.model = model
        self._training = experiment.training
        self._steps = steps

        network = experiment.network
        self._backbone = network if isinstance(network, Backbone) else None
        if self._backbone is not None and self._backbone.frozen_until is not None:
            freeze(model, self._backbone.frozen_until)
        # Layers that are frozen in all epochs stay so when the backbone is thawed.
        self._thawing = [
            layer for layer in self._backbone_layers() if layer.trainable and layer.weights
        ]

        if self._training.precision == "bfloat16":
            computing_in_bfloat16(model)

        # Train up to the logits: the loss of logits is more exact than that of rounded
        # probabilities.
        self._logits = logits_model(model)
        self._first_epoch: int | None = None

    def enter(self, epoch: int) -> None:
        """Begin the phase of an epoch, counted from 0, unless it has begun."""
        first = self._first_epoch_of(epoch)
        if first == self._first_epoch:
            return

        self._first_epoch = first
        for layer in self._thawing:
            layer.trainable = epoch >= self._frozen_epochs

        slow = {variable.path for layer in self._backbone_layers() for variable in layer.variables}
        self._logits.compile(
            optimizer=make_optimiser(
                self._training,
                self._steps,
                first_epoch=first,
                slow=slow,
                rate=1.0 if self._backbone is None else self._backbone.backbone_rate,
            ),
            loss=_loss(self._training.label_smoothing),
        )
        # A checkpoint can restore only variables that exist.
        self._logits.optimizer.build(self._logits.trainable_variables)

    def seed(self, epoch: int) -> None:
        """Seed the random layers for an epoch.

        A checkpoint does not contain their state. Seeding it for each epoch makes a resumed run
        drop the same values.
        """
        seed_random_layers(self._logits, self._training.seed, epoch)

    def step(self, images: Floats, labels: NDArray[np.int32], weights: Floats) -> float:
        """Train on a batch, and return its loss in nats."""
        targets = np.eye(2, dtype=np.float32)[labels] if self._training.label_smoothing else labels
        loss = self._logits.train_on_batch(images, targets, sample_weight=weights)
        return float(np.asarray(loss))

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(self._logits.optimizer.learning_rate)

    @contextmanager
    def averaged(self) -> Iterator[keras.Model]:
        """Give the network the running mean of its weights for a while, if there is one.

        Yields the network up to its logits [N, 2].
        """
        optimiser = self._logits.optimizer
        means = optimiser._model_variables_moving_average if optimiser.use_ema else []  # noqa: SLF001
        variables = self._logits.trainable_variables if means else []
        kept = [np.array(variable) for variable in variables]

        # Copies: JAX deletes the arrays of a step's input, and a mean must outlive it.
        for variable, mean in zip(variables, means, strict=True):
            variable.assign(np.array(mean))
        try:
            yield self._logits
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)

    def save(self, path: Path) -> None:
        """Save weights and optimiser.

        Raises:
            OSError: the disk is full. Nothing was written to `path`.
        """
        save_checkpoint(self._logits, path)

    def restore(self, epoch: int, path: Path) -> None:
        """Go back to the end of an epoch, counted from 0.

        Raises:
            RunError: the checkpoint is missing or damaged.
        """
        self.enter(epoch)
        load_checkpoint(self._logits, path)

    def write(self, path: Path) -> None:
        """Write the network, which computes in float32, with the running mean of its weights."""
        with self.averaged():
            computing_in_float32(self.model).save(path)

    @property
    def _frozen_epochs(self) -> int:
        return 0 if self._backbone is None else self._backbone.frozen_epochs

    def _first_epoch_of(self, epoch: int) -> int:
        """Return the first epoch of the phase of an epoch."""
        return self._frozen_epochs if epoch >= self._frozen_epochs else 0

    def _backbone_layers(self) -> list[keras.Layer]:
        return [] if self._backbone is None else backbone_layers(self.model)


def _loss(label_smoothing: float) -> keras.losses.Loss:
    """Return the cross-entropy of logits."""
    if label_smoothing:
        return keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=label_smoothing
        )
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
