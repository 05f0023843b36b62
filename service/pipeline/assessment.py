"""How far to trust an answer: its figures beside the model's own reference, and the warnings that follow."""

from dataclasses import dataclass, field

from service import explanation
from service.model import Model
from service.pipeline.class_explanation import Evidence
from service.records import Caution, FilterStatistics, Floats, Measure, Method, Range, Scores


@dataclass(frozen=True, slots=True)
class Trust:
    """Figures by name, and warnings."""

    measures: dict[str, Measure] = field(default_factory=dict)
    cautions: tuple[Caution, ...] = ()

    def __add__(self, other: "Trust") -> "Trust":
        return Trust(self.measures | other.measures, (*self.cautions, *other.cautions))


def in_model(model: Model) -> Trust:
    """What every answer of a model says that was not tested, or did not pass."""
    if model.scorecard is None:
        message = "This model version has no scorecard: nobody measured how far its explanations can be trusted."
        return Trust(cautions=(Caution("no-scorecard", message),))
    if not model.scorecard.passed:
        message = f"This model version failed its scorecard: {', '.join(model.scorecard.failed)}; see /model/scorecard."
        return Trust(cautions=(Caution("scorecard-failed", message),))
    return Trust()


def in_domain(model: Model, features: Floats) -> Trust:
    """Whether the image with these features [d] is one of those the model is made for."""
    domain = model.domain
    if domain is None:
        return Trust()
    far = explanation.distance(features, domain)
    measure = Measure(far, Range(0.0, domain.limit), unusual=far > domain.limit)
    return Trust({"domain_distance": measure}, explanation.domain_cautions(far, domain))


def in_filters(
    model: Model, layer: str, maps: Floats, statistics: list[FilterStatistics], scores: Scores
) -> Trust:
    """How the filters of a layer fare, from their maps [h, w, filters] and the statistics of each."""
    ranges = model.manifest.ranges(layer, Method.GRAD_CAM, positive=is_positive(model, scores))
    return Trust(
        explanation.measure(explanation.filter_figures(maps), ranges),
        explanation.filter_cautions(statistics),
    )


def in_heatmap(model: Model, found: Evidence, class_index: int) -> Trust:
    """How the heat lies, and what it is worth; the model's reference is of heatmaps of the positive class."""
    manifest, positive, ranges = (
        model.manifest,
        is_positive(model, found.scores),
        dict[str, Range](),
    )
    if found.layer is not None and class_index == manifest.classes.index(manifest.positive_class):
        ranges = manifest.ranges(found.layer.name, found.method, positive=positive)
    measures = explanation.measure(found.figures, ranges)
    cautions = explanation.heatmap_cautions(found.heatmap, measures, positive=positive)
    return Trust(measures, (*cautions, *explanation.unusual_cautions(measures)))


def is_positive(model: Model, scores: Scores) -> bool:
    """The decision on one image at the model's operating point."""
    index = model.manifest.classes.index(model.manifest.positive_class)
    return bool(scores.probabilities[index] >= model.manifest.threshold)
