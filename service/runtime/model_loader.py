"""Load the model that the settings name, and check it."""

import logging

from service import pipeline
from service.model import Bundle, FakeModel, GoldenCase, Model, newest_version
from service.observability.stopwatch import Stopwatch
from service.settings import FAKE, Settings

_log = logging.getLogger(__name__)


def load_model(settings: Settings) -> Model:
    """Load the newest version of the model, replay its golden case and run every path once.

    The log tells the seconds of each step. The first load of a process imports TensorFlow.

    Raises:
        BundleError: the bundle is missing or damaged, or does not reproduce its golden case.
    """
    if settings.model == FAKE:
        return FakeModel()

    version = newest_version(settings.model)
    stopwatch = Stopwatch()
    with stopwatch.step("load"):
        bundle = Bundle.load(version, threads=settings.threads)
    with stopwatch.step("golden case"):
        pipeline.replay(bundle, GoldenCase.load(version))
    with stopwatch.step("first runs"):
        pipeline.warm(bundle)

    manifest = bundle.manifest
    parts = [f"{step} {time / 1e3:.1f} s" for step, time in stopwatch.milliseconds.items()]
    _log.info("loaded: model %s/%d, %s", manifest.name, manifest.version, ", ".join(parts))
    return bundle
