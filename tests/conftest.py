"""Shared fixtures: a plain phantom, the service with its stand-in model, and a small bundle."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.api.application import MammolensApp
from service.model import Bundle
from service.records import Pixels
from service.settings import FAKE, Settings
from tests.support.clients import until_ready


@pytest.fixture(scope="session")
def breast() -> Pixels:
    """Plain breast at the left edge on black, with a small bright mass, uint16 [640, 480]."""
    rows, columns = 640, 480
    y, x = np.mgrid[:rows, :columns]

    breast = (x / (0.62 * columns)) ** 2 + ((y - rows / 2) / (0.42 * rows)) ** 2 < 1
    texture = 500 * np.sin(x / 9) * np.cos(y / 13)
    mass = 40_000 * np.exp(-((x - 120) ** 2 + (y - 300) ** 2) / (2 * 8.0**2))

    return np.where(breast, 8_000 + texture + mass, 0).astype(np.uint16)


@pytest.fixture(scope="session")
def mammogram_png(breast: Pixels) -> bytes:
    """The phantom `breast` as a 16-bit PNG."""
    return cv2.imencode(".png", breast)[1].tobytes()


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Restore the loggers after a test of a command that configures them for its process."""
    root = logging.getLogger()
    loggers = [root, *map(logging.getLogger, ("uvicorn", "httpx", "highdicom", "pydicom"))]
    handlers = root.handlers[:]
    levels = [logger.level for logger in loggers]

    yield

    root.handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture(scope="session")
def app() -> MammolensApp:
    return create_app(Settings(model=FAKE, max_upload_bytes=4_000_000, max_pixels=2_000_000))


@pytest.fixture(scope="session")
def client(app: MammolensApp) -> Iterator[TestClient]:
    """Client of the running app, once it is ready."""
    with TestClient(app, raise_server_exceptions=False) as connected:
        until_ready(connected)
        yield connected


@pytest.fixture(scope="session")
def network() -> Any:
    """Untrained Keras classifier like those of `training`, for images of 96 x 72 pixels."""
    import keras  # noqa: PLC0415 - takes seconds, and few tests need it

    keras.utils.set_random_seed(20)

    layers = [keras.Input((96, 72, 1))]
    for number, filters in enumerate((4, 6, 8)):
        name = f"conv2d_{number}" if number else "conv2d"
        layers += [
            keras.layers.Conv2D(
                filters, 5, activation="relu", bias_initializer="normal", name=name
            ),
            keras.layers.MaxPooling2D(),
            keras.layers.Dropout(0.3),
        ]

    layers += [keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    return keras.Sequential(layers)


@pytest.fixture(scope="session")
def bundle_path(network: Any, breast: Pixels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of the untrained `network`, exported as a bundle."""
    from tests.support.bundles import untested_facts  # noqa: PLC0415 - takes seconds
    from training.export.bundle_writer import export_bundle  # noqa: PLC0415 - takes seconds
    from training.introspection.description import describe_model  # noqa: PLC0415 - takes seconds

    facts = untested_facts(
        height=96,
        width=72,
        name="untrained",
        version=1,
        threshold=0.4,
        temperature=1.5,
        training="None: the weights are random.",
        figures={"auc": 0.5},
        limitations="It knows nothing.",
    )
    manifest = describe_model(network, facts)

    out = tmp_path_factory.mktemp("models") / "untrained" / "1"
    return export_bundle(network, out, manifest, golden_pixels=breast)


@pytest.fixture(scope="session")
def bundle(bundle_path: Path) -> Bundle:
    """Bundle of the untrained `network`, loaded."""
    return Bundle.load(bundle_path)


@pytest.fixture(scope="session")
def graphs_path(bundle_path: Path) -> Path:
    """Path of a version of the bundle that has graphs of ONNX, too."""
    from training.export.added_graphs import with_graphs  # noqa: PLC0415 - takes seconds

    return with_graphs(bundle_path, bundle_path.parent / "2", overwrite=False)
