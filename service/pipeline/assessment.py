"""Assess how far to trust an answer: diagnostics beside reference ranges, and warnings."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from service import explanation
from service.model import Model
from service.pipeline.class_explanation import ClassExplanation, reference_layer
from service.records import (
    ConvLayer,
    Diagnostic,
    FilterStatistics,
    Floats,
    HeatScale,
    Method,
    QualityWarning,
    ReferenceRange,
    Scores,
)

NEGATIVE_NOTE = "Decided negative: heat is no finding."


@dataclass(frozen=True, slots=True)
class Assessment:
    """Diagnostics by name, and warnings. Assessments can be added."""

    diagnostics: dict[str, Diagnostic] = field(default_factory=dict)
    warnings: tuple[QualityWarning, ...] = ()

    def __add__(self, other: "Assessment") -> "Assessment":
        return Assessment(self.diagnostics | other.diagnostics, (*self.warnings, *other.warnings))


def assess_model(model: Model) -> Assessment:
    """Return the warnings of a model version.

    They name an older bundle, and a scorecard that is missing, failed or undecided.
    """
    warnings = []
    if model.manifest.is_older:
        message = (
            "This model version was exported for an earlier fit, and its maps may be taken before "
            "batch normalisation and activation; export it again."
        )
        warnings.append(QualityWarning("older-bundle", message))

    if model.scorecard is None:
        message = (
            "This model version has no scorecard: the reliability of its explanations was not "
            "measured."
        )
        warnings.append(QualityWarning("no-scorecard", message))
    elif model.scorecard.failed:
        failed = ", ".join(model.scorecard.failed)
        message = f"This model version failed its scorecard: {failed}; see /model/scorecard."
        warnings.append(QualityWarning("scorecard-failed", message))
    elif model.scorecard.undecided:
        undecided = ", ".join(model.scorecard.undecided)
        message = (
            "The scorecard of this model version is undecided, with too few images for "
            f"{undecided}; see /model/scorecard."
        )
        warnings.append(QualityWarning("scorecard-undecided", message))

    return Assessment(warnings=tuple(warnings))


def assess_domain(model: Model, features: Floats) -> Assessment:
    """Compare the features [d] of an image with those of the model's reference images."""
    domain = model.domain
    if domain is None:
        return Assessment()

    distance = explanation.distance(features, domain)
    reference = ReferenceRange(0.0, domain.limit)
    diagnostic = Diagnostic(distance, reference, distance > domain.limit, "above")

    warnings = explanation.domain_warnings(distance, domain)
    return Assessment({"domain_distance": diagnostic}, warnings)


def assess_filters(
    model: Model, layer: str, maps: Floats, statistics: list[FilterStatistics], scores: Scores
) -> Assessment:
    """Assess the filters of a layer from their maps [h, w, filters] and their statistics."""
    # These figures do not depend on the method, so the ranges of any method hold.
    ranges = model.manifest.ranges(layer, Method.GRAD_CAM, positive=is_positive(model, scores))
    figures = explanation.filter_figures(maps)

    return Assessment(
        explanation.diagnose(figures, ranges), explanation.filter_warnings(statistics)
    )


def assess_heatmap(model: Model, explained: ClassExplanation, class_index: int) -> Assessment:
    """Assess where the heat lies and whether it matters."""
    positive = is_positive(model, explained.scores)

    ranges: dict[str, ReferenceRange] = {}
    layer = reference_layer(model, explained, class_index)
    if layer is not None:
        ranges = model.manifest.ranges(layer, explained.method, positive=positive)

    diagnostics = explanation.diagnose(explained.figures, ranges)
    warnings = explanation.heatmap_warnings(explained.heatmap, diagnostics, positive=positive)
    unusual = explanation.unusual_warnings(diagnostics)
    unsuited = _unsuited_method(explained.method, explained.layer)
    return Assessment(diagnostics, (*unsuited, *warnings, *unusual))


def _unsuited_method(method: Method, layer: ConvLayer | None) -> tuple[QualityWarning, ...]:
    """Return a warning if the method means little at the layer, with those that mean something.

    None is returned for a method that explains the input, or if the bundle does not say.
    """
    if layer is None or layer.methods is None or method in layer.methods:
        return ()

    if layer.methods:
        message = (
            f"At layer {layer.name}, {method} means little: gradients differ from cell to cell "
            f"there. The methods {_enumerate(layer.methods)} mean something."
        )
    else:
        input_methods = [other for other in Method if other not in explanation.METHODS]
        message = (
            f"At layer {layer.name}, no method of a layer means much: the network goes on with "
            f"attention. The methods {_enumerate(input_methods)} explain the input."
        )
    return (QualityWarning("method-unsuited-to-layer", message),)


def _enumerate(methods: Sequence[Method]) -> str:
    *others, last = methods
    return f"{', '.join(others)} and {last}"


def assess_scale(asked: HeatScale | None, used: HeatScale) -> Assessment:
    """Return a warning if the caller asked for the reference scale and there is none."""
    if asked is not HeatScale.REFERENCE or used is HeatScale.REFERENCE:
        return Assessment()

    message = (
        "The model version has no reference peak for this map, so that the heat has the image's "
        "own scale and cannot be compared between images."
    )
    return Assessment(warnings=(QualityWarning("no-reference-peak", message),))


def note_decision(model: Model, scores: Scores) -> str | None:
    """Return the note that goes with the heat of an image decided negative."""
    return None if is_positive(model, scores) else NEGATIVE_NOTE


def is_positive(model: Model, scores: Scores) -> bool:
    """Return the decision on one image at the model's operating point."""
    index = model.manifest.classes.index(model.manifest.positive_class)
    return bool(scores.probabilities[index] >= model.manifest.threshold)
