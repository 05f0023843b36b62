"""What can go wrong before or between the steps of training, each with the remedy in its one sentence.

    MammolensError (service.errors)
    └── TrainingError
        ├── ConfigError      an experiment file that cannot be read as one
        ├── TableError       a table, or the files it names, that cannot be trained on
        ├── CacheError       images that `prepare` has not prepared
        ├── RunError         a run directory that does not hold what the step needs
        ├── NotExplainable   a network of a form whose layers, receptive fields or class scores cannot be told
        ├── ExportError      a bundle that cannot be written as asked
        └── ScorecardError   a model without a scorecard, or one that failed it

The command line prints them without a traceback and ends with exit code 2.
"""

from service.errors import MammolensError


class TrainingError(MammolensError):
    """Base of every error of training; `str(error)` is for the person at the terminal."""


class ConfigError(TrainingError):
    """The experiment file is absent, is no TOML, or has unknown, missing or mistyped keys."""


class TableError(TrainingError):
    """The table lacks columns, rows, classes or files, or holds values that mean nothing."""


class CacheError(TrainingError):
    """An image of the table is not in the cache."""


class RunError(TrainingError):
    """The run directory lacks a file, or belongs to another experiment."""


class NotExplainable(TrainingError):
    """The network has a form whose layers, receptive fields or class scores cannot be told."""


class ExportError(TrainingError):
    """The bundle cannot be written as asked."""


class ScorecardError(TrainingError):
    """A scorecard is required, and the model has none or failed it."""
