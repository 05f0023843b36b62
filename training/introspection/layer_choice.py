"""Choice of the layers that a bundle explains, and of those that give an image's features."""

from collections.abc import Sequence

from service.model import gradcam_signature
from service.records import ConvLayer
from training.errors import ExportError, NotExplainable

# Each explained layer adds a signature. For a network of MobileNetV2's depth a signature takes
# 0.2 s of the service's start and 0.5 MB on disk.
_MAX_LAYERS = 16


def choose_layers(layers: Sequence[ConvLayer], names: Sequence[str] | None) -> list[ConvLayer]:
    """Return the layers to explain, in depth order, whatever the order of `names`.

    `layers`: all convolutional layers, in depth order. Without names, all of them are chosen if
    they are few.
    """
    if names is not None:
        chosen = _named(layers, names)
    elif len(layers) <= _MAX_LAYERS:
        chosen = list(layers)
    else:
        chosen = _landmarks(layers)

    # Characters that a signature's name may not hold are replaced, so two layers may collide.
    if len({gradcam_signature(layer.name) for layer in chosen}) < len(chosen):
        raise NotExplainable(
            "Some names of layers differ only in punctuation; use letters and digits."
        )
    return chosen


def feature_layers(layers: Sequence[ConvLayer]) -> tuple[str, ...]:
    """Return the names of the last early and the last middle layer.

    Sources of images differ in texture and contrast. These layers respond to both, while the deep
    layers of a classifier have learned to ignore them.
    """
    last = {layer.stage: layer.name for layer in layers}
    return tuple(last[stage] for stage in ("early", "middle") if stage in last)


def _named(layers: Sequence[ConvLayer], names: Sequence[str]) -> list[ConvLayer]:
    unknown = set(names) - {layer.name for layer in layers}
    if unknown or not names:
        raise ExportError(
            "Not convolutional layers of the network: "
            f"{', '.join(sorted(unknown)) or 'none named'}; "
            f"there are {', '.join(layer.name for layer in layers)}."
        )

    return [layer for layer in layers if layer.name in names]


def _landmarks(layers: Sequence[ConvLayer]) -> list[ConvLayer]:
    """Return the last layer before each change of the grid, and one of each stage at least.

    A stage in which no change of the grid falls has its last layer. A grid changes with its
    strides. An unpadded convolution only takes cells from the edges.
    """
    last_on_grid = {
        (layer.receptive_field.stride_y, layer.receptive_field.stride_x): layer for layer in layers
    }
    last_of_stage = {layer.stage: layer for layer in layers}

    chosen = {layer.name: layer.stage for layer in last_on_grid.values()}
    missing = set(last_of_stage) - set(chosen.values())
    chosen |= {last_of_stage[stage].name: stage for stage in missing}

    return [layer for layer in layers if layer.name in chosen]
