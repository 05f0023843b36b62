"""A fitted image, a model and a method -> a heatmap with the figures that tell how far to trust it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from service import explanation
from service.explanation import METHODS
from service.geometry import IDENTITY, Affine
from service.model import Model
from service.records import ConvLayer, Floats, Heatmap, Mask, Method, ReceptiveField, Scores

_PIXELS = ReceptiveField(height=1, width=1, stride_y=1, stride_x=1, offset_y=0, offset_x=0)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is explained: an image [height, width, 1] on the model's grid, its breast, and the way to the source."""

    image: Floats
    mask: Mask
    to_source: Affine = IDENTITY


@dataclass(frozen=True, slots=True)
class ClassExplanation:
    """The heatmap of a subject by a method, its figures by name, and the model's scores [classes] of it.

    `layer`: None where the method explains the input itself.
    """

    method: Method
    layer: ConvLayer | None
    heatmap: Heatmap
    figures: dict[str, float]
    scores: Scores


def explain_class(
    model: Model, subject: Subject, method: Method, layer: str, class_index: int, *, full: bool
) -> ClassExplanation:
    """The evidence of one method for a class; `layer` is of no consequence to a method that explains the input.

    `full`: with the figures that take many more passes: stability, insertion and deletion.

    Raises:
        UnknownLayer: the model has no such layer.
    """
    if method in METHODS:
        evidence = _layer(model, subject, method, layer, class_index)
    else:
        evidence = _input(model, subject, method, class_index)
    if not full or evidence.heatmap.peak is None:
        return evidence
    figures = evidence.figures | _perturbed(model, subject, evidence, class_index)
    return replace(evidence, figures=figures)


def score(model: Model, image: Floats) -> Scores:
    """The model's scores [classes] and features [d] of one image [height, width, 1]."""
    return _first(model.predict(image[None]))


def margins(model: Model, images: Floats, class_index: int) -> NDArray[np.float64]:
    """The class margins z_c - log sum exp of the other logits [N], in logits."""
    logits = model.predict(images).logits.astype(np.float64)
    with np.errstate(invalid="ignore"):  # a network that has diverged is a state, not an error
        others = np.logaddexp.reduce(np.delete(logits, class_index, axis=1), axis=1)
        return np.asarray(logits[:, class_index] - others)


def _layer(
    model: Model, subject: Subject, method: Method, name: str, class_index: int
) -> ClassExplanation:
    layer = model.manifest.layer(name)
    found = model.layer_gradients(layer.name, subject.image[None], _indices(class_index, 1))
    heatmap, figures = explanation.explain_layer(
        method, found.maps[0], found.gradients[0], layer, subject.mask, subject.to_source
    )
    return ClassExplanation(method, layer, heatmap, figures, _first(found.scores))


def _input(model: Model, subject: Subject, method: Method, class_index: int) -> ClassExplanation:
    values, field, figures = _attribute(model, subject, method, class_index)
    to_source = field.to_input().then(subject.to_source)
    heatmap = explanation.to_heatmap(values, float(np.abs(values).max()), to_source)
    figures |= explanation.heat_figures(heatmap, subject.mask, field)
    return ClassExplanation(method, None, heatmap, figures, score(model, subject.image))


def _attribute(
    model: Model, subject: Subject, method: Method, class_index: int
) -> tuple[Floats, ReceptiveField, dict[str, float]]:
    def gradients(images: Floats) -> Floats:
        return model.input_gradients(images, _indices(class_index, len(images)))

    image, mask, baseline = (
        subject.image,
        subject.mask,
        explanation.blurred(subject.image, subject.mask),
    )
    if method is Method.SMOOTH_GRAD:
        return explanation.smooth_grad(image, mask, gradients), _PIXELS, {}
    if method is Method.OCCLUSION:
        lost, field = explanation.occlusion(
            image, baseline, mask, lambda images: margins(model, images, class_index)
        )
        return lost, field, {}
    values = explanation.integrated_gradients(image, baseline, gradients)
    whole, without = margins(model, np.stack([image, baseline]), class_index)
    error = (
        abs(values.sum(dtype=np.float64) - (whole - without)) / abs(whole - without)
        if whole != without
        else 0.0
    )
    return values, _PIXELS, {"completeness": float(error)}


def _perturbed(
    model: Model, subject: Subject, evidence: ClassExplanation, class_index: int
) -> dict[str, float]:
    method = evidence.method
    grid_to_cell = subject.to_source.then(evidence.heatmap.to_source.inverse())
    copies = explanation.noisy_copies(subject.image, subject.mask)
    if evidence.layer is None:
        others = [
            _input(model, Subject(copy, subject.mask), method, class_index).heatmap
            for copy in copies
        ]
    else:
        found = model.layer_gradients(
            evidence.layer.name, copies, _indices(class_index, len(copies))
        )
        pairs = zip(found.maps, found.gradients, strict=True)
        others = [
            explanation.heatmap(method, maps, gradients, IDENTITY) for maps, gradients in pairs
        ]
    return {
        "stability": explanation.stability(evidence.heatmap, others),
        **explanation.evidence_gaps(
            subject.image,
            explanation.blurred(subject.image, subject.mask),
            subject.mask,
            evidence.heatmap,
            grid_to_cell,
            lambda images: margins(model, images, class_index),
        ),
    }


def _first(scores: Scores) -> Scores:
    return Scores(scores.probabilities[0], scores.logits[0], scores.features[0])


def _indices(class_index: int, count: int) -> NDArray[np.int32]:
    return np.full(count, class_index, np.int32)
