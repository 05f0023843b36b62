"""Load the model that the settings name, and check it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from service import pipeline
from service.errors import BundleUnloadable, BundleUnreadable
from service.model import (
    Bundle,
    FakeModel,
    GoldenCase,
    Model,
    OnnxBundle,
    SignatureModel,
    newest_version,
)
from service.observability.stopwatch import Stopwatch
from service.settings import FAKE, Settings

_log = logging.getLogger(__name__)

_ENGINES: Mapping[str, type[SignatureModel]] = {"tensorflow": Bundle, "onnx": OnnxBundle}
"""Kinds of bundles by MAMMOLENS_ENGINE."""


def load_model(settings: Settings) -> Model:
    """Load the newest version of the model, replay its golden case and run every path once.

    The log tells the seconds of each step. The first load of a process imports the engine.

    Raises:
        BundleError: the bundle is missing, damaged or unreadable, does not reproduce its golden
            case, or cannot be loaded on this machine.
    """
    if settings.model == FAKE:
        return FakeModel()
    with _as_bundle_errors(settings.model):
        return _load(settings)


def _load(settings: Settings) -> SignatureModel:
    version = newest_version(settings.model)
    stopwatch = Stopwatch()
    with stopwatch.step("load"):
        bundle = _ENGINES[settings.engine].load(version, threads=settings.threads)
    with bundle.on_trial():
        with stopwatch.step("golden case"):
            pipeline.replay(bundle, GoldenCase.load(version))
        with stopwatch.step("first runs"):
            pipeline.warm(bundle)

    manifest = bundle.manifest
    parts = [f"{step} {time / 1e3:.1f} s" for step, time in stopwatch.milliseconds.items()]
    _log.info(
        "loaded: model %s/%d by %s, %s",
        manifest.name,
        manifest.version,
        bundle.engine,
        ", ".join(parts),
    )
    return bundle


@contextmanager
def _as_bundle_errors(model: Path) -> Iterator[None]:
    """Turn errors of the file system, of the import of TensorFlow and of memory into BundleError.

    No image of a caller has been seen, so the reason of a failed import may be told.
    """
    try:
        yield
    except OSError as error:
        raise BundleUnreadable(f"Model {model} cannot be read: {error.strerror}.") from error
    except ImportError as error:
        reason = str(error).partition("\n")[0]
        raise BundleUnloadable(f"TensorFlow cannot be imported: {reason}") from error
    except MemoryError as error:
        raise BundleUnloadable(f"There is not enough memory to load model {model}.") from error
