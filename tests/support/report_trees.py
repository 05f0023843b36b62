"""Content trees of structured reports, read with pydicom and checked against their templates."""

from collections.abc import Iterator, Mapping
from functools import cache

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

CONTEXT_GROUPS: Mapping[str, tuple[str, ...]] = {
    "Observer Type": ("cid270",),
    "Procedure reported": ("cid6050",),
    "Finding Site": ("cid4031",),
    "Laterality": ("cid244",),
    "Finding": ("cid6014",),
    "Algorithm Family": ("cid7162",),
    "Image View": ("cid4014",),
    "Image View Modifier": ("cid4015",),
    "CAD Processing and Findings Summary": ("cid6047",),
    "Summary of Detections": ("cid6042",),
}
"""Context groups of the values of coded content items, by the meaning of their concept name."""

# Concepts of the templates that pydicom's dictionaries do not have.
OTHER_CODES = {("C0034375", "UMLS"), ("en-US", "RFC5646")}


def items(parent: Dataset) -> Iterator[Dataset]:
    """Yield the content items below an item, depth first."""
    for item in parent.get("ContentSequence", ()):
        yield item
        yield from items(item)


def name_of(item: Dataset) -> str:
    """Return the meaning of an item's concept name, empty if it has none."""
    names = item.get("ConceptNameCodeSequence")
    return str(names[0].CodeMeaning) if names else ""


def children(parent: Dataset, name: str) -> list[Dataset]:
    """Return the items directly below an item that have that name."""
    return [item for item in parent.get("ContentSequence", ()) if name_of(item) == name]


def groups(document: Dataset) -> list[Dataset]:
    """Return the measurement groups."""
    (measurements,) = children(document, "Imaging Measurements")
    return list(measurements.ContentSequence)


def group(document: Dataset, label: str) -> Dataset:
    """Return the measurement group with that tracking identifier."""
    (match,) = [one for one in groups(document) if texts(one, "Tracking Identifier") == [label]]
    return match


def texts(parent: Dataset, name: str) -> list[str]:
    """Return the texts directly below an item that have that name."""
    return [str(item.TextValue) for item in children(parent, name)]


def coded(parent: Dataset, name: str) -> list[str]:
    """Return the meanings of the coded values directly below an item that have that name."""
    return [str(item.ConceptCodeSequence[0].CodeMeaning) for item in children(parent, name)]


def number(parent: Dataset, name: str) -> tuple[float, str]:
    """Return the number of that name, and its unit."""
    (item,) = children(parent, name)
    value = item.MeasuredValueSequence[0]
    return float(value.NumericValue), str(value.MeasurementUnitsCodeSequence[0].CodeValue)


def images(parent: Dataset, name: str) -> list[str]:
    """Return the SOP Instance UIDs of the references directly below an item with that name."""
    return [
        str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
        for item in children(parent, name)
    ]


def evidence(document: Dataset) -> set[str]:
    """Return the SOP Instance UIDs of the evidence of the current procedure."""
    return {
        str(instance.ReferencedSOPInstanceUID)
        for study in document.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }


def referenced(document: Dataset) -> set[str]:
    """Return the SOP Instance UIDs that the content tree refers to."""
    return {
        str(reference.ReferencedSOPInstanceUID)
        for item in items(document)
        for reference in item.get("ReferencedSOPSequence", ())
    }


def template_faults(document: Dataset) -> set[str]:
    """Return the mandatory rows of TID 1500, 1001, 1204, 1501 and 1410 that are not there."""
    faults = set()
    template = document.ContentTemplateSequence[0]
    if (template.MappingResource, template.TemplateIdentifier) != ("DCMR", "1500"):
        faults.add("root template")
    if _code(document.ConceptNameCodeSequence[0]) not in codes.cid7021:
        faults.add("title")

    for name in (
        "Language of Content Item and Descendants",
        "Observer Type",
        "Device Observer UID",
        "Procedure reported",
        "Imaging Measurements",
    ):
        if len(children(document, name)) != 1:
            faults.add(name)
    if not groups(document):
        faults.add("no group")
    for one in groups(document):
        faults |= _group_faults(one)

    uids = [children(one, "Tracking Unique Identifier")[0].UID for one in groups(document)]
    if len(set(uids)) != len(uids):
        faults.add("tracking UIDs repeat")
    return faults


def _group_faults(one: Dataset) -> set[str]:
    faults = {
        name
        for name in (
            "Tracking Identifier",
            "Tracking Unique Identifier",
            "Finding Site",
            "Algorithm Name",
            "Algorithm Version",
            "Probability of cancer",
        )
        if len(children(one, name)) != 1
    }
    template = one.ContentTemplateSequence[0].TemplateIdentifier
    regions = children(one, "Image Region")
    if name_of(one) != "Measurement Group" or template not in {"1501", "1410"}:
        faults.add("group template")
    if (template == "1410") != (len(regions) == 1):
        faults.add("region of template")
    for region in regions:
        (source,) = region.ContentSequence
        if (source.RelationshipType, source.ValueType) != ("SELECTED FROM", "IMAGE"):
            faults.add("source of region")
    return faults


def unknown_codes(document: Dataset) -> set[tuple[str, str]]:
    """Return the codes that pydicom's dictionaries do not have, or have with another meaning."""
    return {
        (str(code.CodeValue), str(code.CodingSchemeDesignator))
        for item in items(document)
        for code in _codes(item)
        if not _is_known(code)
    }


def misplaced_codes(document: Dataset) -> set[tuple[str, str]]:
    """Return names and values of coded items whose value is not in the context group."""
    return {
        (name_of(item), str(item.ConceptCodeSequence[0].CodeMeaning))
        for item in items(document)
        if item.ValueType == "CODE" and name_of(item) in CONTEXT_GROUPS
        if not any(
            _code(item.ConceptCodeSequence[0]) in getattr(codes, name)
            for name in CONTEXT_GROUPS[name_of(item)]
        )
    }


def _codes(item: Dataset) -> Iterator[Dataset]:
    yield from item.get("ConceptNameCodeSequence", ())
    yield from item.get("ConceptCodeSequence", ())
    for value in item.get("MeasuredValueSequence", ()):
        yield from value.MeasurementUnitsCodeSequence


def _code(code: Dataset) -> Code:
    return Code(str(code.CodeValue), str(code.CodingSchemeDesignator), str(code.CodeMeaning))


@cache
def _known_codes() -> set[tuple[str, str, str]]:
    """Return value, scheme and meaning of every code of pydicom's dictionaries.

    The meaning is without the kind of concept that SNOMED CT puts behind it in brackets.
    """
    return {
        (code.value, code.scheme_designator, code.meaning.casefold().partition(" (")[0])
        for scheme in (codes.DCM, codes.SCT, codes.UCUM)
        for code in scheme.concepts.values()
    }


def _is_known(code: Dataset) -> bool:
    value = (str(code.CodeValue), str(code.CodingSchemeDesignator))
    meaning = str(code.CodeMeaning).casefold()
    return value in OTHER_CODES or (*value, meaning) in _known_codes()
