"""Load the model that the settings name, and check it."""

from service import pipeline
from service.model import Bundle, FakeModel, GoldenCase, Model, newest_version
from service.settings import FAKE, Settings


def load_model(settings: Settings) -> Model:
    """Load the newest version of the model, replay its golden case and run every path once.

    Raises:
        BundleError: the bundle is missing or damaged, or does not reproduce its golden case.
    """
    if settings.model == FAKE:
        return FakeModel()

    version = newest_version(settings.model)
    bundle = Bundle.load(version, threads=settings.threads)
    pipeline.replay(bundle, GoldenCase.load(version))
    pipeline.warm(bundle)
    return bundle
