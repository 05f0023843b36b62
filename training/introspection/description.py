"""Manifest of a Keras classifier's bundle, and the checks that its network can be explained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import keras
from pydantic import ValidationError

from service.model import Levels, Manifest, Provenance
from service.records import FitParameters
from training.errors import ExportError, NotExplainable
from training.introspection.hooks import operations
from training.introspection.layer_choice import choose_layers, feature_layers
from training.introspection.receptive_field import convolutional_layers
from training.introspection.signatures import class_count

# Channels that oneDNN processes together.
_ONEDNN_BLOCK = 16

_IMAGE_AXES = 4  # [N, height, width, channels]
_SCORE_AXES = 2  # [N, classes]


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """Facts of a bundle that cannot be read from its network.

    `classes`: names of the outputs, in order. `threshold`: calibrated probability of
    `positive_class` from which an image is positive. `threshold_rule`: sentence that says how the
    threshold was chosen. `temperature`: divides the logits. `offset`: log-odds added to the
    positive class after that. `layers`: names of the convolutional layers to explain. If None, all
    of them, or of more than 16 the last one before each change of the grid and one of each stage.
    `default_layer`: the layer explained when a request names none. If None, the deepest.
    `training`, `intended_use`, `limitations`: sentences of the model card. `figures`: measured
    figures by name. `deployment_prevalence`, `levels`, `provenance`: see `Manifest`.
    """

    name: str
    version: int
    classes: Sequence[str]
    positive_class: str
    threshold: float
    threshold_rule: str
    temperature: float
    preprocessing: FitParameters
    layers: Sequence[str] | None
    default_layer: str | None
    training: str
    figures: Mapping[str, float]
    intended_use: str
    limitations: str
    offset: float = 0.0
    deployment_prevalence: float | None = None
    levels: Levels | None = None
    provenance: Provenance | None = None


def describe_model(model: keras.Model, facts: BundleFacts) -> Manifest:
    """Build the manifest of a bundle of `model`, still without its files and its reference ranges.

    `model`: a functional or sequential classifier of one image with one or three channels. A grey
    image is repeated to three channels. Scaling from [0, 1] is left to the model.

    Raises:
        NotExplainable: the network has a form that cannot be followed.
        ExportError: the facts do not fit the network.
    """
    _check_model(model, facts.preprocessing, facts.classes)

    grid = facts.preprocessing.height, facts.preprocessing.width
    layers = choose_layers(convolutional_layers(model, *grid), facts.layers)
    default_layer = facts.default_layer or layers[-1].name

    try:
        return Manifest(
            name=facts.name,
            version=facts.version,
            created=datetime.now(UTC).date(),
            classes=tuple(facts.classes),
            positive_class=facts.positive_class,
            threshold=facts.threshold,
            threshold_rule=facts.threshold_rule,
            temperature=facts.temperature,
            offset=facts.offset,
            deployment_prevalence=facts.deployment_prevalence,
            levels=facts.levels,
            provenance=facts.provenance,
            preprocessing=facts.preprocessing,
            layers=tuple(layers),
            default_layer=default_layer,
            feature_layers=feature_layers(layers) or (default_layer,),
            training=facts.training,
            figures=dict(facts.figures),
            intended_use=facts.intended_use,
            limitations=facts.limitations,
            files={},
        )
    except ValidationError as error:
        complaints = "; ".join(
            f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors()
        )
        raise ExportError(f"The bundle's manifest would not be valid: {complaints}.") from error


def _check_model(model: keras.Model, preprocessing: FitParameters, classes: Sequence[str]) -> None:
    """Check inputs, outputs and layers of the network against the preprocessing and the classes."""
    _check_form(model)

    single = len(model.inputs) == 1 and len(model.outputs) == 1
    if not single or len(model.output_shape) != _SCORE_AXES:
        raise NotExplainable(
            "The network must have one input, the image, and one output, a score per class."
        )
    if len(model.input_shape) != _IMAGE_AXES or model.input_shape[-1] not in (1, 3):
        raise NotExplainable(
            f"The network's input is {model.input_shape}; it must be [N, height, width, 1 or 3]."
        )
    if model.inputs[0].dtype != "float32":
        raise NotExplainable(
            f"The network takes {model.inputs[0].dtype}, but images are float32 from 0 to 1: make "
            "its input with `keras.Input(..., dtype='float32')` and scale it in the network."
        )

    # A size of None takes any image.
    grid = preprocessing.height, preprocessing.width
    sizes = model.input_shape[1:3]
    if any(size not in (None, wanted) for size, wanted in zip(sizes, grid, strict=True)):
        raise ExportError(f"The network takes {sizes} pixels; the preprocessing gives {grid}.")

    if class_count(model) != len(classes):
        raise ExportError(
            f"The network has {class_count(model)} classes, but {len(classes)} names are given."
        )

    _check_layers(model)


def _check_form(model: keras.Model) -> None:
    """Refuse networks whose graph cannot be seen: Keras has none for them."""
    if isinstance(model, keras.Sequential) and not model.built:
        raise NotExplainable(
            f"The Sequential network {model.name!r} has no input yet: begin it with "
            "`keras.Input((height, width, 1))`, train it, and save it again."
        )
    if not hasattr(model, "inputs"):
        raise NotExplainable(
            f"The network is of the class {type(model).__name__}, whose code cannot be followed: "
            "build it functionally with `keras.Model(inputs, outputs)`, or with keras.Sequential."
        )


def _check_layers(model: keras.Model) -> None:
    """Refuse layers that do not compute in float32, or whose gradients crash TensorFlow."""
    reduced = [
        repr(name)
        for name, operation in operations(model)
        if getattr(operation, "compute_dtype", "float32") != "float32"
    ]
    if reduced:
        raise NotExplainable(
            f"These layers do not compute in float32: {', '.join(reduced)}. Build the network with "
            "the policy float32 and give it these weights."
        )

    crashing = [name for name, operation in operations(model) if _breaks_onednn(operation)]
    if crashing:
        raise NotExplainable(
            f"Layer {crashing[0]!r} is a 1 x 1 convolution with strides over fewer than "
            f"{_ONEDNN_BLOCK} channels; TensorFlow cannot compute its gradients safely. Put a "
            "MaxPooling2D of size 1 with its strides before it."
        )


def _breaks_onednn(operation: keras.Operation) -> bool:
    """Return whether TensorFlow's oneDNN would crash the process when differentiating the layer.

    It writes beyond the end of its buffer.
    """
    return (
        isinstance(operation, keras.layers.Conv2D)
        and operation.kernel_size == (1, 1)
        and operation.strides != (1, 1)
        and operation.kernel.shape[2] < _ONEDNN_BLOCK
    )
