"""Measurement groups of the report: the exam, each breast and each image (PS3.16 TID 1501)."""

from collections.abc import Iterable, Iterator

from highdicom.sr import (
    CodeContentItem,
    ContentSequence,
    FindingSite,
    Measurement,
    MeasurementProperties,
    MeasurementStatisticalProperties,
    NumContentItem,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
)
from highdicom.sr import MeasurementsAndQualitativeEvaluations as MeasurementGroup

from service.objects import report_codes
from service.objects.report_document import algorithm, comments, probability, tracking
from service.objects.report_texts import decided, exam_texts, image_texts, plain
from service.objects.sources import Source
from service.records import ImageFacts, Laterality, LevelDecision, ObjectRequest, RefusedImage


def report_groups(
    request: ObjectRequest, sources: tuple[Source, ...]
) -> Iterator[MeasurementGroup]:
    """Yield the groups, from the exam to its images."""
    results = request.results
    by_position = {source.position: source for source in sources}
    counted = {position for breast in results.breasts.values() for position in breast.images}

    if results.exam is not None:
        refused = any(isinstance(image, RefusedImage) for image in results.images)
        group = _group(request, "exam", "exam", results.exam.decision, every_image=not refused)
        _add(group, comments(exam_texts(results.exam)))
        _add_sources(group, [by_position[position] for position in sorted(counted)])
        yield group

    for side, breast in sorted(results.breasts.items()):
        group = _group(request, f"breast {side}", "breast", breast.decision, side)
        _add(group, comments([decided(breast.decision)]))
        _add_sources(group, [by_position[position] for position in breast.images])
        yield group

    for source in sources:
        facts = source.result.facts
        label = f"image {source.position + 1}: {source.view_name}"
        group = _group(request, label, "image", source.result.decision, facts.laterality)
        _add(group, _view(facts))
        _add(group, comments(image_texts(results, source.result)))
        _add_sources(group, [source])
        yield group


def _group(
    request: ObjectRequest,
    label: str,
    level: str,
    decision: LevelDecision,
    side: Laterality | None = None,
    *,
    every_image: bool = True,
) -> MeasurementGroup:
    """Return a group with a decision of that level, at a breast if its side is known."""
    evaluations = []
    if decision.positive is not None:
        code = report_codes.decision_code(positive=decision.positive, every_image=every_image)
        evaluations.append(QualitativeEvaluation(report_codes.DECISION, code))

    thresholds: dict[str, object] = {}
    if decision.threshold is not None:
        thresholds["threshold"] = f"{decision.threshold:.6g}"
    if decision.threshold_rule is not None:
        thresholds["threshold_rule"] = decision.threshold_rule

    return MeasurementGroup(
        tracking_identifier=tracking(request, "group", label, label=label),
        algorithm_id=algorithm(request, thresholds),
        finding_sites=[finding_site(side)],
        measurements=[_measured(decision, level)],
        qualitative_evaluations=evaluations,
    )


def finding_site(side: Laterality | None) -> FindingSite:
    """Return the breast of that side."""
    return FindingSite(report_codes.BREAST, laterality=report_codes.SIDES[side] if side else None)


def _measured(decision: LevelDecision, level: str) -> Measurement:
    """Return the probability with its rank among cases without cancer."""
    if decision.percentile is None:
        return probability(decision)

    rank = NumContentItem(
        name=report_codes.PERCENTILE,
        value=round(decision.percentile, 4),
        unit=report_codes.PERCENT,
        relationship_type=RelationshipTypeValues.HAS_PROPERTIES,
    )
    population = MeasurementStatisticalProperties(
        [rank], f"Cancer-free validation cases of the model version, level {level}"
    )
    properties = MeasurementProperties(measurement_statistical_properties=population)
    return probability(decision, properties=properties)


def _view(facts: ImageFacts) -> ContentSequence:
    """Return the view as a code with its modifiers, as text if no code exists, else nothing."""
    contains = RelationshipTypeValues.CONTAINS
    if facts.view is None:
        return ContentSequence()
    code = report_codes.view_code(facts.view)
    if code is None:
        text = TextContentItem(report_codes.IMAGE_VIEW, plain(facts.view), contains)
        return ContentSequence([text])

    item = CodeContentItem(report_codes.IMAGE_VIEW, code, contains)
    modifiers = [report_codes.modifier_code(modifier) for modifier in facts.view_modifiers]
    relation = RelationshipTypeValues.HAS_CONCEPT_MOD
    children = [
        CodeContentItem(report_codes.VIEW_MODIFIER, modifier, relation)
        for modifier in modifiers
        if modifier is not None
    ]
    if children:
        item.ContentSequence = ContentSequence(children)
    return ContentSequence([item])


def _add(group: MeasurementGroup, items: ContentSequence) -> None:
    group[0].ContentSequence.extend(items)


def _add_sources(group: MeasurementGroup, sources: Iterable[Source]) -> None:
    """Add references to the images of a group, each once."""
    unique = {source.uid: source.sop_class for source in sources}
    images = [SourceImageForMeasurementGroup(kind, uid) for uid, kind in unique.items()]
    _add(group, ContentSequence(images))
