"""Checkpoints of training: weights and optimiser state on disk."""

from pathlib import Path
from tempfile import TemporaryFile

import keras

from training.errors import RunError

# HDF5 adds its tables to the values.
_TABLES = 1 << 20


def save_checkpoint(learner: keras.Model, path: Path) -> None:
    """Save the weights and the state of the optimiser.

    Raises:
        OSError: the disk is full. Nothing was written to `path`.
    """
    # HDF5 crashes the process in the end if it meets a full disk, so plain bytes meet it before.
    size = sum(variable.numpy().nbytes for variable in _variables(learner))
    with TemporaryFile(dir=path.parent) as reserved:
        reserved.write(bytes(size + _TABLES))
        reserved.flush()

    learner.save_weights(path)


def load_checkpoint(learner: keras.Model, path: Path) -> None:
    """Load weights and optimiser state into a learner whose optimiser is built.

    Raises:
        RunError: the file is missing or damaged.
    """
    try:
        learner.load_weights(path)
    except (OSError, RuntimeError, LookupError, ValueError) as error:
        raise RunError(
            f"The checkpoint {path} is missing or damaged: delete the run directory, or choose "
            "another with --run."
        ) from error


def _variables(learner: keras.Model) -> list[keras.Variable]:
    """Return the variables of the network and of its optimiser."""
    return [*learner.variables, *learner.optimizer.variables]
