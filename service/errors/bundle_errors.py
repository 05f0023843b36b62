"""Errors of a model bundle. Each stops the start of the service, or the swap to a new version."""

from service.errors.base import MammolensError


class BundleError(MammolensError):
    """The model bundle cannot be served."""

    slug = "model-refused"
    title = "New model version rejected"
    remedy = "Repair the bundle as the detail says, then reload. The previous version stays in use."


class BundleMissing(BundleError):
    """There is no bundle at the given path."""


class BundleDamaged(BundleError):
    """A file is missing, altered or unreadable, or a signature is missing."""


class BundleMismatch(BundleError):
    """The bundle loads, but does not reproduce its golden case."""
