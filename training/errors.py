"""Errors of training as one tree, below `service.errors.MammolensError`.

    TrainingError
    ├── BackendError
    ├── CacheError
    ├── ConfigError
    ├── ExportError
    ├── NotEmpty
    ├── NotExplainable
    ├── RunError
    │   └── WeightsError
    ├── ScorecardError
    └── TableError

Each message names the problem and the remedy in one sentence. The command line prints it without a
traceback and exits with code 2.
"""

from service.errors import MammolensError


class TrainingError(MammolensError):
    """Base of all errors of training. `str(error)` is shown in the terminal."""


class BackendError(TrainingError):
    """The command does not run on the chosen backend of Keras."""


class CacheError(TrainingError):
    """The cache lacks images, is damaged or holds others, or images cannot be prepared."""


class ConfigError(TrainingError):
    """The experiment file is missing, is not TOML, or has unknown, missing or mistyped keys."""


class ExportError(TrainingError):
    """The bundle cannot be written as requested."""


class NotEmpty(TrainingError):
    """The output directory already contains files."""


class NotExplainable(TrainingError):
    """The layers, receptive fields or class scores of the network cannot be determined."""


class RunError(TrainingError):
    """The run directory lacks a file, or belongs to another experiment."""


class WeightsError(RunError):
    """A file of first weights cannot be read safely, or does not fit the network."""


class ScorecardError(TrainingError):
    """A scorecard is required, but the model has none or failed it."""


class TableError(TrainingError):
    """The table lacks columns, rows, classes or files, or contains invalid values."""
