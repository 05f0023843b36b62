"""Errors of a model bundle. Each stops the start of the service, or the swap to a new version."""

from pathlib import Path
from typing import Self

from service.errors.base import MammolensError


class BundleError(MammolensError):
    """The model bundle cannot be served.

    The message names the path of the bundle, for the operator.
    """

    slug = "model-refused"
    title = "New model version rejected"
    remedy = "Repair the bundle as the detail says, then reload. The previous version stays in use."

    def for_callers(self, model: Path) -> Self:
        """Return the error with the name of the model's folder in place of its path."""
        if not model.name:
            return self
        return type(self)(str(self).replace(str(model), model.name))


class BundleMissing(BundleError):
    """There is no bundle at the given path."""


class BundleDamaged(BundleError):
    """A file is missing, altered or unreadable, or a signature is missing."""


class BundleUnreadable(BundleDamaged):
    """The file system cannot read the bundle now. It may later, without a change of a file."""


class GraphsMissing(BundleError):
    """The bundle has no graphs for the engine that is asked for."""


class BundleUnloadable(BundleError):
    """The engine cannot be imported, or memory does not suffice for the bundle."""


class BundleMismatch(BundleError):
    """The bundle loads, but does not reproduce its golden case."""
