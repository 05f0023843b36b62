"""Explain one class of a fitted image: compute the heatmap, and figures that tell its quality."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from service import explanation
from service.explanation import METHODS
from service.geometry import IDENTITY, Affine
from service.model import Model
from service.pipeline.passes import in_batches
from service.records import ConvLayer, Floats, Heatmap, Mask, Method, ReceptiveField, Scores

# The field of a map whose cells are the input pixels themselves.
_PIXELS = ReceptiveField(height=1, width=1, stride_y=1, stride_x=1, offset_y=0, offset_x=0)


@dataclass(frozen=True, slots=True)
class Subject:
    """The image to explain, on the model's grid.

    `image`: [height, width, 1]. `mask`: the breast. `to_source`: from the grid to source pixels.
    """

    image: Floats
    mask: Mask
    to_source: Affine = IDENTITY


@dataclass(frozen=True, slots=True)
class ClassExplanation:
    """A method's heatmap of a subject, with figures by name and the model's scores [classes].

    `layer`: None for a method that explains the input. `field`: of the heatmap's cells.
    """

    method: Method
    layer: ConvLayer | None
    field: ReceptiveField
    heatmap: Heatmap
    figures: dict[str, float]
    scores: Scores


def explain_class(
    model: Model, subject: Subject, method: Method, layer: str, class_index: int, *, full: bool
) -> ClassExplanation:
    """Explain one class by one method. Methods that explain the input ignore `layer`.

    `full`: also compute stability, insertion and deletion, which take many more passes. They are
    left out for a blank heatmap.

    Raises:
        UnknownLayer: the model has no such layer.
    """
    if method in METHODS:
        explained = _explain_layer(model, subject, method, layer, class_index)
    else:
        explained = _explain_input(model, subject, method, class_index)

    if not full or explained.heatmap.peak is None:
        return explained
    figures = explained.figures | _perturbation_figures(model, subject, explained, class_index)
    return replace(explained, figures=figures)


def score(model: Model, image: Floats) -> Scores:
    """Return the model's scores [classes] and features [d] of one image [height, width, 1]."""
    return _first(model.predict(image[None]))


def margins(model: Model, images: Floats, class_index: int) -> NDArray[np.float64]:
    """Return the class margins z_c - log sum exp of the other logits [N], in logits."""
    logits = model.predict(images).logits.astype(np.float64)

    # The logits of a network that has diverged are not finite. That is reported as a state of the
    # heatmap, not as an error.
    with np.errstate(invalid="ignore"):
        others = np.logaddexp.reduce(np.delete(logits, class_index, axis=1), axis=1)
        return np.asarray(logits[:, class_index] - others)


def _explain_layer(
    model: Model, subject: Subject, method: Method, name: str, class_index: int
) -> ClassExplanation:
    """Explain a layer with one forward and backward pass."""
    layer = model.manifest.layer(name)
    gradients = model.layer_gradients(layer.name, subject.image[None], _indices(class_index, 1))

    heatmap, figures = explanation.explain_layer(
        method, gradients.maps[0], gradients.gradients[0], layer, subject.mask, subject.to_source
    )
    scores = _first(gradients.scores)
    return ClassExplanation(method, layer, layer.receptive_field, heatmap, figures, scores)


def _explain_input(
    model: Model, subject: Subject, method: Method, class_index: int
) -> ClassExplanation:
    """Explain the input itself, with many passes."""
    values, field, figures = _attribute(model, subject, method, class_index)
    to_source = field.to_input().then(subject.to_source)

    heatmap = explanation.to_heatmap(values, float(np.abs(values).max()), to_source)
    figures |= explanation.heat_figures(heatmap, subject.mask, field)
    scores = score(model, subject.image)
    return ClassExplanation(method, None, field, heatmap, figures, scores)


def _attribute(
    model: Model, subject: Subject, method: Method, class_index: int
) -> tuple[Floats, ReceptiveField, dict[str, float]]:
    """Return the method's signed map [h, w], the field of its cells, and its own figures."""

    def gradients_of(images: Iterable[Floats]) -> Iterator[Floats]:
        for batch in in_batches(model.manifest, images):
            yield from model.input_gradients(batch, _indices(class_index, len(batch)))

    def margins_of(images: Iterable[Floats]) -> NDArray[np.float64]:
        return margins_in_batches(model, images, class_index)

    image = subject.image
    mask = subject.mask
    baseline = explanation.blurred(image, mask)

    if method is Method.SMOOTH_GRAD:
        return explanation.smooth_grad(image, mask, gradients_of), _PIXELS, {}

    if method is Method.OCCLUSION:
        losses, field = explanation.occlusion(image, baseline, mask, margins_of)
        return losses, field, {}

    values = explanation.integrated_gradients(image, baseline, gradients_of)
    with_detail, without_detail = margins_of([image, baseline])
    error = _completeness_error(values, with_detail, without_detail)
    return values, _PIXELS, {"completeness": error}


def _completeness_error(values: Floats, with_detail: float, without_detail: float) -> float:
    """Return the relative error of the attributions' sum, or 0 for equal margins."""
    if with_detail == without_detail:
        return 0.0
    difference = with_detail - without_detail
    return float(abs(values.sum(dtype=np.float64) - difference) / abs(difference))


def _perturbation_figures(
    model: Model, subject: Subject, explained: ClassExplanation, class_index: int
) -> dict[str, float]:
    """Return stability, insertion and deletion of a heatmap."""

    def margins_of(images: Iterable[Floats]) -> NDArray[np.float64]:
        return margins_in_batches(model, images, class_index)

    noisy_heatmaps = _noisy_heatmaps(model, subject, explained, class_index)
    stability = explanation.stability(explained.heatmap, noisy_heatmaps)

    grid_to_cell = subject.to_source.then(explained.heatmap.to_source.inverse())
    baseline = explanation.blurred(subject.image, subject.mask)
    gaps = explanation.evidence_gaps(
        subject.image, baseline, subject.mask, explained.heatmap, grid_to_cell, margins_of
    )
    return {"stability": stability, **gaps}


def _noisy_heatmaps(
    model: Model, subject: Subject, explained: ClassExplanation, class_index: int
) -> list[Heatmap]:
    """Return heatmaps of noisy copies of the image, with the method and layer of `explained`."""
    method = explained.method
    copies = explanation.noisy_copies(subject.image, subject.mask)

    if explained.layer is None:
        subjects = [Subject(copy, subject.mask) for copy in copies]
        return [_explain_input(model, noisy, method, class_index).heatmap for noisy in subjects]

    heatmaps = []
    for batch in in_batches(model.manifest, copies):
        indices = _indices(class_index, len(batch))
        results = model.layer_gradients(explained.layer.name, batch, indices)
        pairs = zip(results.maps, results.gradients, strict=True)
        heatmaps += [explanation.heatmap(method, *pair, IDENTITY) for pair in pairs]
    return heatmaps


def reference_layer(model: Model, explained: ClassExplanation, class_index: int) -> str | None:
    """Return the layer with whose reference figures a heatmap is compared.

    None for heatmaps of the input and for those of another class than the positive one: the model
    has no reference figures of these.
    """
    manifest = model.manifest
    if explained.layer is None or manifest.classes[class_index] != manifest.positive_class:
        return None
    return explained.layer.name


def margins_in_batches(
    model: Model, images: Iterable[Floats], class_index: int
) -> NDArray[np.float64]:
    """Return the class margins [N] of any number of images [height, width, 1]."""
    batches = in_batches(model.manifest, images)
    return np.concatenate([margins(model, batch, class_index) for batch in batches])


def _first(scores: Scores) -> Scores:
    """Return the scores of the first image of a batch."""
    return Scores(scores.probabilities[0], scores.logits[0], scores.features[0])


def _indices(class_index: int, count: int) -> NDArray[np.int32]:
    """Return the class index once for each image of a batch."""
    return np.full(count, class_index, np.int32)
