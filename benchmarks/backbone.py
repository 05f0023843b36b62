"""A bundle on MobileNetV2 with random weights, for what such a network costs and not for what it says.

python -m benchmarks.backbone    # prints the bundle's directory, build/backbone/1, which is made if it is not there
"""

from pathlib import Path

from benchmarks.load.servers import ROOT
from service.imaging import Limits, decode
from service.records import FitParameters

_GRID = FitParameters(height=256, width=192)  # the demo's


def backbone() -> Path:
    """The bundle's directory."""
    path = ROOT / "build" / "backbone" / "1"
    if not path.exists():
        _export(path)
    return path


def _export(path: Path) -> None:
    import keras  # noqa: PLC0415 - seconds where the bundle is there

    from training.export.bundle_writer import export_bundle  # noqa: PLC0415 - takes seconds
    from training.introspection.description import (  # noqa: PLC0415 - takes seconds
        BundleFacts,
        describe_model,
    )

    keras.utils.set_random_seed(1)
    inputs = keras.Input((_GRID.height, _GRID.width, 3))
    network = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_tensor=inputs * 2 - 1
    )
    pooled = keras.layers.GlobalAveragePooling2D()(network.output)
    model = keras.Model(network.input, keras.layers.Dense(2, activation="softmax")(pooled))
    facts = BundleFacts(
        name="backbone",
        version=1,
        classes=("no_cancer", "cancer"),
        positive_class="cancer",
        threshold=0.5,
        threshold_rule="Set by hand.",
        temperature=1.0,
        preprocessing=_GRID,
        layers=None,
        default_layer=None,
        training="None: the weights are random.",
        figures={},
        intended_use="Measuring how long it takes.",
        limitations="It knows nothing.",
    )
    manifest = describe_model(model, facts)
    mammogram = decode((ROOT / "docs" / "sample.dcm").read_bytes(), Limits())
    export_bundle(model, path, manifest, golden_pixels=mammogram.pixels)


if __name__ == "__main__":
    print(backbone())
