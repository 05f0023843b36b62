"""A structured report around its measurement groups: observer, evidence and identity.

It is a Comprehensive SR (PS3.3 A.35.3) of the template Measurement Report (PS3.16 TID 1500).
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence

from highdicom.sr import (
    AlgorithmIdentification,
    ComprehensiveSR,
    ContentSequence,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementProperties,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    RelationshipTypeValues,
    TextContentItem,
    TrackingIdentifier,
)
from highdicom.sr import MeasurementsAndQualitativeEvaluations as MeasurementGroup
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from service.objects import report_codes
from service.objects.context import MANUFACTURER, finish, identity, model_name, source_dataset
from service.objects.report_texts import plain
from service.objects.sources import Source
from service.objects.uids import derived_uid
from service.records import LevelDecision, ObjectRequest

Group = MeasurementGroup | PlanarROIMeasurementsAndQualitativeEvaluations


def document(
    request: ObjectRequest,
    groups: Sequence[Group],
    sources: tuple[Source, ...],
    description: str,
    siblings: Iterable[Dataset] = (),
) -> Dataset:
    """Return the document of these groups. Sources and siblings are its evidence.

    It is complete, because nothing is added to it, and preliminary and unverified, because nobody
    has looked at it.
    """
    evidence = [source_dataset(source) for source in sources]

    # highdicom copies the content several times, which takes seconds for many groups.
    report = ComprehensiveSR(
        evidence=[*evidence, *siblings],
        content=_content(request, groups[:1]),
        is_complete=True,
        is_final=False,
        is_verified=False,
        **identity(request),
    )
    report.ContentSequence = _content(request, groups)[0].ContentSequence
    finish(report, sources[0], request, description)
    return report


def algorithm(
    request: ObjectRequest, parameters: Mapping[str, object] | None = None
) -> AlgorithmIdentification:
    """Return the model version, its digest, how heat was computed, and further parameters."""
    results = request.results
    values = {
        "digest": results.model.digest,
        "method": results.method,
        "layer": results.layer or "input",
        "level": f"{results.level:g}",
        **(parameters or {}),
    }
    return AlgorithmIdentification(
        name=plain(results.model.name),
        version=str(results.model.version),
        parameters=[plain(f"{name}={value}") for name, value in values.items()],
        family=report_codes.FAMILY,
        manufacturer=MANUFACTURER,
    )


def short_algorithm(request: ObjectRequest) -> AlgorithmIdentification:
    """Return the model version and how heat was computed, in few content items."""
    results = request.results
    layer = results.layer or "input"
    parameters = f"method={results.method}, layer={layer}, level={results.level:g}"
    return AlgorithmIdentification(
        name=plain(results.model.name),
        version=str(results.model.version),
        parameters=[plain(parameters)],
    )


def probability(
    decision: LevelDecision, properties: MeasurementProperties | None = None
) -> Measurement:
    """Return the probability of cancer in per cent."""
    return Measurement(
        name=report_codes.PROBABILITY,
        value=round(100 * decision.probability, 4),
        unit=report_codes.PERCENT,
        properties=properties,
    )


def tracking(request: ObjectRequest, *names: object, label: str) -> TrackingIdentifier:
    """Return the identifier of a group: the same names give the same UID."""
    return TrackingIdentifier(uid=derived_uid(request, *names), identifier=label)


def comments(texts: Iterable[str]) -> ContentSequence:
    """Return the texts as content of a group."""
    items = [
        TextContentItem(
            name=report_codes.COMMENT,
            value=plain(text),
            relationship_type=RelationshipTypeValues.CONTAINS,
        )
        for text in texts
    ]
    return ContentSequence(items)


def _content(request: ObjectRequest, groups: Sequence[Group]) -> MeasurementReport:
    """Return the content of a report with these groups."""
    return MeasurementReport(
        observation_context=ObservationContext(observer_device_context=_observer(request)),
        procedure_reported=report_codes.PROCEDURE,
        imaging_measurements=groups,
        title=report_codes.TITLE,
    )


def _observer(request: ObjectRequest) -> ObserverContext:
    """Return the model version as a device, whose UID follows from the bundle's digest."""
    digest = request.results.model.digest
    uid = uuid.uuid5(uuid.NAMESPACE_OID, f"{MANUFACTURER} {digest}")
    attributes = DeviceObserverIdentifyingAttributes(
        uid=f"2.25.{uid.int}",
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=model_name(request),
        serial_number=digest,
    )
    return ObserverContext(
        observer_type=codes.cid270.Device, observer_identifying_attributes=attributes
    )
