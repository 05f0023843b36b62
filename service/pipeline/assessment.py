"""How far to trust an answer: its figures beside the model's own reference, and the warnings that follow."""

from dataclasses import dataclass, field

from service import explanation
from service.model import Model
from service.pipeline.class_explanation import ClassExplanation
from service.records import (
    Diagnostic,
    FilterStatistics,
    Floats,
    Method,
    QualityWarning,
    ReferenceRange,
    Scores,
)


@dataclass(frozen=True, slots=True)
class Assessment:
    """Figures by name, and warnings."""

    measures: dict[str, Diagnostic] = field(default_factory=dict)
    warnings: tuple[QualityWarning, ...] = ()

    def __add__(self, other: "Assessment") -> "Assessment":
        return Assessment(self.measures | other.measures, (*self.warnings, *other.warnings))


def assess_model(model: Model) -> Assessment:
    """What every answer of a model says that was not tested, or did not pass."""
    if model.scorecard is None:
        message = "This model version has no scorecard: nobody measured how far its explanations can be trusted."
        return Assessment(warnings=(QualityWarning("no-scorecard", message),))
    if not model.scorecard.passed:
        message = f"This model version failed its scorecard: {', '.join(model.scorecard.failed)}; see /model/scorecard."
        return Assessment(warnings=(QualityWarning("scorecard-failed", message),))
    return Assessment()


def assess_domain(model: Model, features: Floats) -> Assessment:
    """Whether the image with these features [d] is one of those the model is made for."""
    domain = model.domain
    if domain is None:
        return Assessment()
    far = explanation.distance(features, domain)
    measure = Diagnostic(far, ReferenceRange(0.0, domain.limit), unusual=far > domain.limit)
    return Assessment({"domain_distance": measure}, explanation.domain_warnings(far, domain))


def assess_filters(
    model: Model, layer: str, maps: Floats, statistics: list[FilterStatistics], scores: Scores
) -> Assessment:
    """How the filters of a layer fare, from their maps [h, w, filters] and the statistics of each."""
    ranges = model.manifest.ranges(layer, Method.GRAD_CAM, positive=is_positive(model, scores))
    return Assessment(
        explanation.measure(explanation.filter_figures(maps), ranges),
        explanation.filter_warnings(statistics),
    )


def assess_heatmap(model: Model, found: ClassExplanation, class_index: int) -> Assessment:
    """How the heat lies, and what it is worth; the model's reference is of heatmaps of the positive class."""
    manifest, positive, ranges = (
        model.manifest,
        is_positive(model, found.scores),
        dict[str, ReferenceRange](),
    )
    if found.layer is not None and class_index == manifest.classes.index(manifest.positive_class):
        ranges = manifest.ranges(found.layer.name, found.method, positive=positive)
    measures = explanation.measure(found.figures, ranges)
    warnings = explanation.heatmap_warnings(found.heatmap, measures, positive=positive)
    return Assessment(measures, (*warnings, *explanation.unusual_warnings(measures)))


def is_positive(model: Model, scores: Scores) -> bool:
    """The decision on one image at the model's operating point."""
    index = model.manifest.classes.index(model.manifest.positive_class)
    return bool(scores.probabilities[index] >= model.manifest.threshold)
