"""Bundle of MobileNetV2 with random weights, to measure the cost of such a network.

Its predictions mean nothing.

    python -m benchmarks.backbone    # creates build/backbone/1 if missing, prints its path
"""

from pathlib import Path

from benchmarks.load.servers import ROOT
from service.imaging import Limits, decode
from service.records import FitParameters

_GRID = FitParameters(height=256, width=192)  # as in the demo


def backbone() -> Path:
    """Create the bundle if it does not exist. Return its directory."""
    path = ROOT / "build" / "backbone" / "1"
    if not path.exists():
        _export(path)
    return path


def _export(path: Path) -> None:
    """Build the network and export it to `path`."""
    import keras  # noqa: PLC0415 - takes seconds, not needed if the bundle exists

    from benchmarks.untrained import untrained_facts  # noqa: PLC0415 - takes seconds
    from training.export.bundle_writer import export_bundle  # noqa: PLC0415 - takes seconds
    from training.introspection.description import describe_model  # noqa: PLC0415 - takes seconds

    # MobileNetV2 on inputs of 0..1, with random weights.
    keras.utils.set_random_seed(1)
    inputs = keras.Input((_GRID.height, _GRID.width, 3))
    network = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_tensor=inputs * 2 - 1
    )
    pooled = keras.layers.GlobalAveragePooling2D()(network.output)
    model = keras.Model(network.input, keras.layers.Dense(2, activation="softmax")(pooled))

    manifest = describe_model(model, untrained_facts("backbone", _GRID))
    mammogram = decode((ROOT / "docs" / "sample.dcm").read_bytes(), Limits())
    export_bundle(model, path, manifest, golden_pixels=mammogram.pixels)


if __name__ == "__main__":
    print(backbone())
