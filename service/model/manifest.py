"""The manifest of a bundle, `assets.extra/manifest.json`, and its checksums."""

import hashlib
import re
from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from service.errors import UnknownLayer
from service.host.memory import MEBIBYTE
from service.model.level_facts import Levels
from service.model.manifest_types import Probability, RawPeak, Sentence, Sha256, Slug
from service.model.provenance import Provenance
from service.records import ConvLayer, FitParameters, Method, ReferenceRange

EXTRA = Path("assets.extra")
MANIFEST_FILE = EXTRA / "manifest.json"
GOLDEN_FILE = EXTRA / "golden.npz"
MODEL_CARD_FILE = EXTRA / "MODEL_CARD.md"
SCORECARD_FILE = EXTRA / "scorecard.json"
CURVES_FILE = EXTRA / "curves.json"
DOMAIN_FILE = EXTRA / "domain.npz"
EXPERIMENT_FILE = EXTRA / "experiment.json"

OLDER_SCHEMA = 2
"""Schema version of bundles without taps, made for an earlier fit."""

MAX_BATCH = 16  # images in a call of the model
MAX_MAP_BYTES = 64 * MEBIBYTE
"""Max size of the largest maps of all images in a call of the model.

A pass with gradients keeps maps of about six times this size until it ends (measured on the demo
network and on EfficientNet-Lite0).
"""
_GRADIENT_FACTOR = 6
_FLOAT_BYTES = 4
_USUAL_FILTERS = 16  # of a largest map, for each pixel of the input


class Ranges(BaseModel):
    """Reference ranges of figures by name, over true positive and over true negative images.

    They are kept apart because a heatmap of the positive class differs between the two. Ranges are
    missing if there were too few reference images with that decision.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    positive: dict[str, ReferenceRange]
    negative: dict[str, ReferenceRange]


class Reference(BaseModel):
    """Reference ranges measured on `images` reference images, by layer and method.

    `peaks`: the reference peaks, by layer and method: the median raw peak over true positive
    images. Missing where strength does not tell positive from negative images, and in older
    bundles.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: int = Field(ge=1)
    ranges: dict[str, dict[Method, Ranges]]
    peaks: dict[str, dict[Method, RawPeak]] = Field(default_factory=dict)


class Manifest(BaseModel):
    """The facts of one model version, as the service reads them.

    `schema_version`: 3, or 2 for an older bundle, whose layers do not say where their maps are
    taken.
    `threshold`: of the decision, on the calibrated probability of `positive_class`. `temperature`
    and `offset`: probabilities are softmax(logits / temperature + offset at the positive class).
    The offset holds the prior, and is 0 in older bundles. `deployment_prevalence`: the share of
    images with cancer that the offset is set for. `layers`: those that can be explained, in depth
    order. `feature_layers`: the means of their filters are the features by which an image is
    compared with the reference images. `figures`: measured shares and scores by name. `reference`:
    missing for a model without a scorecard. `levels` and `provenance`: missing if they were
    not measured or not recorded. `files`: the SHA-256 of every file except the manifest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[2, 3] = 3
    name: Slug
    version: int = Field(ge=1)
    created: date
    classes: tuple[Slug, ...] = Field(min_length=2)
    positive_class: Slug
    threshold: Probability
    threshold_rule: Sentence
    temperature: FiniteFloat = Field(gt=0)
    offset: FiniteFloat = 0.0
    deployment_prevalence: FiniteFloat | None = Field(default=None, gt=0, lt=1)
    preprocessing: FitParameters
    layers: tuple[ConvLayer, ...] = Field(min_length=1)
    default_layer: str
    feature_layers: tuple[str, ...] = Field(min_length=1)
    training: Sentence
    figures: dict[str, FiniteFloat]
    reference: Reference | None = None
    levels: Levels | None = None
    provenance: Provenance | None = None
    intended_use: Sentence
    limitations: Sentence
    files: dict[str, Sha256]

    @model_validator(mode="after")
    def _check_references(self) -> Self:
        names = [layer.name for layer in self.layers]
        if len(set(names)) < len(names) or len(set(self.classes)) < len(self.classes):
            raise ValueError("layers must have different names, and so must classes")
        if self.default_layer not in names:
            raise ValueError(f"default_layer {self.default_layer!r} is not among the layers")
        if not set(self.feature_layers) <= set(names):
            raise ValueError("feature_layers must be among the layers")
        if self.positive_class not in self.classes:
            raise ValueError(f"positive_class {self.positive_class!r} is not among the classes")
        if not self.is_older and any(layer.tap[:1] != (layer.name,) for layer in self.layers):
            raise ValueError("each layer needs a tap that begins with the layer")
        if min(self.preprocessing.height, self.preprocessing.width) < 1:
            raise ValueError("preprocessing needs a height and a width of at least one pixel")
        if self.levels is not None and self.levels.image.threshold != self.threshold:
            raise ValueError("the threshold of levels.image must be the threshold of the manifest")
        return self

    @property
    def is_older(self) -> bool:
        """Whether the bundle was made for an earlier fit and does not say its layers' taps."""
        return self.schema_version == OLDER_SCHEMA

    @property
    def positive_index(self) -> int:
        """Index of the positive class among the classes."""
        return self.classes.index(self.positive_class)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape (height, width, 1) of a model input."""
        return self.preprocessing.height, self.preprocessing.width, 1

    @property
    def largest_map_bytes(self) -> int:
        """Size of an image's largest map.

        It is that of the layers, or one of 16 filters at the input's resolution if that is larger,
        because the layers need not include the network's first ones.
        """
        pixels = self.preprocessing.height * self.preprocessing.width
        sizes = [layer.height * layer.width * layer.filters for layer in self.layers]
        return _FLOAT_BYTES * max(_USUAL_FILTERS * pixels, *sizes)

    @property
    def images_per_call(self) -> int:
        """Number of images that a call of the model may have: 16, or fewer for large maps."""
        return max(1, min(MAX_BATCH, MAX_MAP_BYTES // self.largest_map_bytes))

    @property
    def call_bytes(self) -> int:
        """The most that a call of the model keeps, one with gradients."""
        return _GRADIENT_FACTOR * self.images_per_call * self.largest_map_bytes

    @property
    def features(self) -> int:
        """Number of features of an image."""
        return sum(self.layer(name).filters for name in self.feature_layers)

    def ranges(self, layer: str, method: Method, *, positive: bool) -> dict[str, ReferenceRange]:
        """Return the reference ranges of a method's figures at a layer, for that decision.

        None are returned if none were measured.
        """
        if self.reference is None:
            return {}
        ranges = self.reference.ranges.get(layer, {}).get(method)
        if ranges is None:
            return {}
        return ranges.positive if positive else ranges.negative

    def reference_peak(self, layer: str, method: Method) -> float | None:
        """Return the reference peak of a method's maps at a layer, or None if there is none."""
        if self.reference is None:
            return None
        return self.reference.peaks.get(layer, {}).get(method)

    def layer(self, name: str) -> ConvLayer:
        """Return the layer of that name.

        Raises:
            UnknownLayer: there is no such layer. The error lists the layers that exist.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise UnknownLayer([layer.name for layer in self.layers])


def gradcam_signature(layer: str) -> str:
    """Return the name of the signature that explains a layer."""
    return "gradcam_" + re.sub(r"[^A-Za-z0-9_]", "_", layer)


def graph_file(signature: str) -> Path:
    """Return the file of a signature's graph of ONNX, relative to the bundle."""
    return Path("onnx", f"{signature}.onnx")


def checksums(bundle: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a bundle except its manifest.

    The keys are relative POSIX paths, in sorted order.
    """
    files = sorted(file.relative_to(bundle) for file in bundle.rglob("*") if file.is_file())
    return {file.as_posix(): _sha256(bundle / file) for file in files if file != MANIFEST_FILE}


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
