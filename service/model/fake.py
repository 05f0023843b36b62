"""A model of three hand-set filters in NumPy, for running the service without TensorFlow.

Each call takes milliseconds.
"""

import hashlib
from datetime import date

import numpy as np

from service.model.contract import ClassIndices, check_classes, check_images
from service.model.curves import Curves
from service.model.level_facts import QUANTILES, LevelFacts, Levels
from service.model.manifest import Manifest, Ranges, Reference
from service.model.scorecard import Scorecard, ScorecardEntry
from service.records import (
    ConvLayer,
    Domain,
    FitParameters,
    Floats,
    LayerGradients,
    Method,
    ReceptiveField,
    ReferenceRange,
    Scores,
)

_LAYER = "conv2d"
_HEIGHT = 128
_WIDTH = 96
_SIZE = 5  # of the kernels
_STRIDE = 4
_ROWS = (_HEIGHT - _SIZE) // _STRIDE + 1
_COLUMNS = (_WIDTH - _SIZE) // _STRIDE + 1


def _kernels() -> Floats:
    """Return the three kernels [size, size, 3]. Their response to uniform grey is zero.

    They respond to a bright blob, to brightness that increases downwards, and to brightness that
    increases to the right.
    """
    blob = np.full((_SIZE, _SIZE), -1 / 16)
    blob[1:-1, 1:-1] = 1 / 9
    ramp = np.repeat(np.linspace(-0.1, 0.1, _SIZE)[:, None], _SIZE, axis=1)

    return np.stack([blob, ramp, ramp.T], axis=-1).astype(np.float32)


_KERNELS = _kernels()
_WEIGHTS = np.array([[-20.0, 20.0], [2.0, -1.0], [1.0, -2.0]], np.float32)  # [filter, class]
_BIAS = np.array([0.5, 0.0], np.float32)

_RULE = "Set by hand at one half."
_LEVEL = LevelFacts(
    target=_RULE,
    threshold=0.5,
    sensitivity=None,
    specificity=None,
    cases=0,
    with_cancer=0,
    quantiles=tuple(step / (QUANTILES - 1) for step in range(QUANTILES)),
)

_MANIFEST = Manifest(
    name="fake",
    version=1,
    created=date(2025, 1, 1),
    classes=("no_cancer", "cancer"),
    positive_class="cancer",
    threshold=0.5,
    threshold_rule=_RULE,
    temperature=1.0,
    preprocessing=FitParameters(height=_HEIGHT, width=_WIDTH),
    layers=(
        ConvLayer(
            _LAYER,
            _ROWS,
            _COLUMNS,
            3,
            "early",
            ReceptiveField(_SIZE, _SIZE, _STRIDE, _STRIDE, _SIZE // 2, _SIZE // 2),
            tap=(_LAYER,),
            # The head adds up all cells alike.
            methods=(
                Method.GRAD_CAM,
                Method.GRAD_CAM_PLUS_PLUS,
                Method.HIRES_CAM,
                Method.LAYER_CAM,
                Method.XGRAD_CAM,
                Method.EIGEN_CAM,
            ),
        ),
    ),
    default_layer=_LAYER,
    feature_layers=(_LAYER,),
    training="None: three filters set by hand.",
    figures={},
    reference=Reference(
        images=1,
        ranges={
            _LAYER: {
                Method.GRAD_CAM: Ranges(
                    positive={"entropy": ReferenceRange(low=0.0, high=0.95)},
                    negative={"entropy": ReferenceRange(low=0.0, high=0.95)},
                )
            }
        },
        peaks={_LAYER: {Method.GRAD_CAM: 0.008}},
    ),
    levels=Levels(image=_LEVEL, breast=_LEVEL, exam=_LEVEL),
    intended_use="A fake that stands in for a model while software is developed and tested.",
    limitations="It knows nothing of mammograms; its probabilities mean nothing.",
    files={},
)


_UNTESTED = "This stand-in for a model was set by hand and never tested."
_SCORECARD = Scorecard(
    created=_MANIFEST.created,
    images=1,
    lines=(
        ScorecardEntry(
            name="auc", value=None, asked="at least 0.7", verdict="fail", meaning=_UNTESTED
        ),
    ),
)
# Close to the distribution of its features on phantoms.
_DOMAIN = Domain(
    mean=np.array([0.006, 0.013, 0.008], np.float32),
    whitening=np.diag([900, 500, 700]).astype(np.float32),
    limit=5.0,
)


class FakeModel:
    """Convolution, ReLU, global average pooling and a linear head, with hand-written gradients."""

    manifest: Manifest = _MANIFEST
    digest: str = hashlib.sha256(_MANIFEST.model_dump_json().encode()).hexdigest()
    scorecard: Scorecard | None = _SCORECARD
    curves: Curves | None = None
    domain: Domain | None = _DOMAIN

    def predict(self, images: Floats) -> Scores:
        """Return probabilities and logits [N, 2], and the means of the three filters [N, 3]."""
        check_images(images, self.manifest)
        return _scores(_maps(images), self.manifest)

    def activations(self, images: Floats) -> dict[str, Floats]:
        """Return the maps [N, h, w, 3] of the only layer."""
        check_images(images, self.manifest)
        return {_LAYER: _maps(images)}

    def layer_gradients(self, layer: str, images: Floats, classes: ClassIndices) -> LayerGradients:
        """Return the layer's maps, and the margin's gradients with respect to them."""
        self.manifest.layer(layer)
        check_images(images, self.manifest)
        check_classes(classes, images, self.manifest)

        maps = _maps(images)
        scores = _scores(maps, self.manifest)
        return LayerGradients(maps, _map_gradients(maps, classes), scores)

    def input_gradients(self, images: Floats, classes: ClassIndices) -> Floats:
        """Return the margin's gradients [N, height, width, 1] with respect to the pixels."""
        check_images(images, self.manifest)
        check_classes(classes, images, self.manifest)

        maps = _maps(images)
        before_relu = _map_gradients(maps, classes) * (maps > 0)

        # Transposed convolution: each kernel position adds to the pixels that it was applied to.
        gradients = np.zeros_like(images)
        for row, column in np.ndindex(_SIZE, _SIZE):
            rows = _taps(row, _ROWS)
            columns = _taps(column, _COLUMNS)
            gradients[:, rows, columns, 0] += before_relu @ _KERNELS[row, column]
        return gradients


def _taps(first: int, cells: int) -> slice:
    """Return the pixels that row or column `first` of a kernel is applied to, one per cell."""
    return slice(first, first + _STRIDE * cells, _STRIDE)


def _maps(images: Floats) -> Floats:
    """Return the layer's maps after ReLU."""
    windows = np.lib.stride_tricks.sliding_window_view(images[..., 0], (_SIZE, _SIZE), axis=(1, 2))
    responses: Floats = np.einsum("nyxij,ijk->nyxk", windows[:, ::_STRIDE, ::_STRIDE], _KERNELS)
    return np.maximum(responses, 0)


def _scores(maps: Floats, manifest: Manifest) -> Scores:
    """Apply the head: global average pooling, a linear layer, calibration, softmax."""
    features = maps.mean(axis=(1, 2))
    logits = features @ _WEIGHTS + _BIAS

    calibrated = logits / np.float32(manifest.temperature)
    calibrated[:, manifest.positive_index] += manifest.offset
    exponentials = np.exp(calibrated - calibrated.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    return Scores(probabilities, logits, features)


def _map_gradients(maps: Floats, classes: ClassIndices) -> Floats:
    """Return the gradients of the margin z_c - z_other with respect to the maps.

    The head is linear, so all cells of a filter have the same gradient.
    """
    margin_weights = _WEIGHTS[:, classes] - _WEIGHTS[:, 1 - classes]
    per_cell = margin_weights.T[:, None, None, :] / (_ROWS * _COLUMNS)
    return np.broadcast_to(per_cell, maps.shape).astype(np.float32)
