"""The manifest of a Keras classifier's bundle, and the checks that its network can be explained."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import keras
from pydantic import ValidationError

from service.model import Manifest, gradcam_signature
from service.records import ConvLayer, FitParameters
from training.errors import ExportError, NotExplainable
from training.introspection.hooks import operations
from training.introspection.receptive_field import convolutional_layers
from training.introspection.signatures import class_count

# Each explained layer adds a signature: 0.2 s to the service's start and 0.5 MB for a network of MobileNetV2's depth.
_MAX_LAYERS = 16
_ONEDNN_BLOCK = 16


def describe_model(  # noqa: PLR0913 - a bundle states many facts, each by name
    model: keras.Model,
    *,
    name: str,
    version: int,
    classes: Sequence[str],
    positive_class: str,
    threshold: float,
    threshold_rule: str,
    temperature: float,
    preprocessing: FitParameters,
    layers: Sequence[str] | None,
    default_layer: str | None,
    training: str,
    figures: Mapping[str, float],
    intended_use: str,
    limitations: str,
) -> Manifest:
    """The manifest of a bundle of that model, before there are files to list and report to refer to.

    `model`: a functional or sequential classifier of one image with one or three channels; a grey image is repeated to
    three, scaling from [0, 1] is the model's own. `layers`: what can be explained; by default every convolutional
    layer, or of more than 16 the last on each grid. `default_layer`: the deepest by default.

    Raises:
        NotExplainable: the network has a form that cannot be followed.
        ExportError: what is stated does not fit the network.
    """
    _check_model(model, preprocessing, classes)
    chosen = _choose(convolutional_layers(model, preprocessing.height, preprocessing.width), layers)
    default_layer = default_layer or chosen[-1].name
    try:
        return Manifest(
            name=name,
            version=version,
            created=datetime.now(UTC).date(),
            classes=tuple(classes),
            positive_class=positive_class,
            threshold=threshold,
            threshold_rule=threshold_rule,
            temperature=temperature,
            preprocessing=preprocessing,
            layers=tuple(chosen),
            default_layer=default_layer,
            feature_layers=_feature_layers(chosen) or (default_layer,),
            training=training,
            figures=dict(figures),
            intended_use=intended_use,
            limitations=limitations,
            files={},
        )
    except ValidationError as error:
        complaints = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        )
        raise ExportError(f"The bundle's manifest would not be valid: {complaints}.") from error


def _feature_layers(layers: Sequence[ConvLayer]) -> tuple[str, ...]:
    """The last early and the last middle layer.

    What sets one source of images apart from another is texture and contrast, which these respond to; the deep layers
    of a classifier have learned to overlook it.
    """
    last = {layer.stage: layer.name for layer in layers}
    return tuple(last[stage] for stage in ("early", "middle") if stage in last)


def _check_model(model: keras.Model, preprocessing: FitParameters, classes: Sequence[str]) -> None:
    grid = preprocessing.height, preprocessing.width
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(model.output_shape) != 2:  # noqa: PLR2004 - [N, classes]
        raise NotExplainable(
            "The network must have one input, the image, and one output, a score per class."
        )
    if len(model.input_shape) != 4 or model.input_shape[-1] not in (1, 3):  # noqa: PLR2004 - [N, h, w, c]
        raise NotExplainable(
            f"The network's input is {model.input_shape}; it must be [N, height, width, 1 or 3]."
        )
    if any(
        own not in (None, wanted) for own, wanted in zip(model.input_shape[1:3], grid, strict=True)
    ):
        raise ExportError(
            f"The network takes {model.input_shape[1:3]} pixels; the preprocessing gives {grid}."
        )
    if class_count(model) != len(classes):
        raise ExportError(
            f"The network tells {class_count(model)} classes apart; {len(classes)} are named."
        )
    _check_layers(model)


def _check_layers(model: keras.Model) -> None:
    reduced = [
        name
        for name, each in operations(model)
        if getattr(each, "compute_dtype", "float32") != "float32"
    ]
    if reduced:
        raise NotExplainable(
            f"Layer {reduced[0]!r} does not compute in float32; set `layer.dtype_policy = 'float32'`."
        )
    crashing = [name for name, each in operations(model) if _breaks_onednn(each)]
    if crashing:
        raise NotExplainable(
            f"Layer {crashing[0]!r} is a 1 x 1 convolution with strides over fewer than {_ONEDNN_BLOCK} channels; "
            "TensorFlow cannot compute its gradients safely. Put a MaxPooling2D of size 1 with its strides before it."
        )


def _breaks_onednn(operation: keras.Operation) -> bool:
    """Whether TensorFlow's oneDNN writes beyond its buffer when it differentiates the layer: the process crashes."""
    return (
        isinstance(operation, keras.layers.Conv2D)
        and operation.kernel_size == (1, 1)
        and operation.strides != (1, 1)
        and operation.kernel.shape[2] < _ONEDNN_BLOCK
    )


def _choose(found: Sequence[ConvLayer], names: Sequence[str] | None) -> list[ConvLayer]:
    if names is None:
        last_on_its_grid = {(layer.height, layer.width): layer for layer in found}
        chosen = list(found) if len(found) <= _MAX_LAYERS else list(last_on_its_grid.values())
    else:
        unknown = set(names) - {layer.name for layer in found}
        if unknown or not names:
            raise ExportError(
                f"Not convolutional layers of the network: {', '.join(sorted(unknown)) or 'none named'}; "
                f"there are {', '.join(layer.name for layer in found)}."
            )
        chosen = [layer for layer in found if layer.name in names]
    if len({gradcam_signature(layer.name) for layer in chosen}) < len(chosen):
        raise NotExplainable(
            "Names of layers differ in punctuation alone; give them names of letters and digits."
        )
    return chosen
