"""Values of a file's header, made valid for an object that copies them.

Files in archives hold values that are longer than their type allows, or have another form. An
object with such a value could be refused by an archive.
"""

import math
from collections.abc import Mapping

from pydicom import config
from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.valuerep import MAX_VALUE_LEN, validate_value

_UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Exceptions of pydicom on a value that it cannot convert."""

# Text that may be shortened. A shortened identifier would name something else.
_TEXTS = {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}
_IDENTIFIERS = {
    "AccessionNumber",
    "AdmissionID",
    "CodeValue",
    "CodingSchemeDesignator",
    "IssuerOfPatientID",
    "LocalNamespaceEntityID",
    "PatientID",
    "ServiceEpisodeID",
    "StudyID",
    "UniversalEntityID",
}
_PARAGRAPHS = {"LT", "ST", "UT"}
_LINE_BREAKS = "\t\n\f\r"
_DELETE = "\x7f"
_MAX_NAME = 64
_TERMS: Mapping[str, set[object]] = {
    "PregnancyStatus": {1, 2, 3, 4},
    "PatientSex": {"M", "F", "O"},
    "PatientSexNeutered": {"ALTERED", "UNALTERED"},
    "PatientIdentityRemoved": {"YES", "NO"},
    "QualityControlSubject": {"YES", "NO"},
    "SmokingStatus": {"YES", "NO", "UNKNOWN"},
    "TypeOfPatientID": {"TEXT", "RFID", "BARCODE"},
    "UniversalEntityIDType": {"DNS", "EUI64", "ISO", "URI", "UUID", "X400", "X500"},
}
"""Values that PS3.3 allows."""


def readable(dataset: Dataset, keyword: str) -> object:
    """Return the value of an element, None if it is missing or cannot be read."""
    try:
        return dataset.get(keyword)
    except _UNREADABLE:
        return None


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """Return the values of an element, none if it is missing or one is no number."""
    value = readable(dataset, keyword)
    values = list(value) if isinstance(value, MultiValue) else [value]
    try:
        read = [float(str(each)) for each in values]
    except ValueError:
        return []
    return read if all(math.isfinite(each) for each in read) else []


def valid_copy(dataset: Dataset, keyword: str) -> DataElement | None:
    """Return a copy of an element that is valid, None if there is none.

    Text that is too long is cut, apart from identifiers. Items of sequences lose their private and
    invalid elements, and what they need may be missing then: they are left out.
    """
    try:
        element = dataset[keyword]
    except _UNREADABLE:
        return None

    if dictionary_VR(element.tag) != element.VR:
        return None
    if element.VR == "SQ":
        items = _valid_items(keyword, element.value)
        return DataElement(element.tag, "SQ", Sequence(items)) if items else None
    return _valid_element(element)


def _valid_items(keyword: str, sequence: Sequence) -> list[Dataset]:
    copies = [_valid_item(item) for item in sequence]
    return [item for item in copies if _is_complete(keyword, item)]


def _valid_item(item: Dataset) -> Dataset:
    """Return a copy of the item with its valid elements."""
    copy = Dataset()
    keywords = [keyword for keyword in item.dir() if keyword != "SpecificCharacterSet"]
    for keyword in keywords:
        element = valid_copy(item, keyword)
        if element is not None and not element.is_empty:
            copy.add(element)
    return copy


def _is_complete(keyword: str, item: Dataset) -> bool:
    """Return whether an item has the elements that its kind needs."""
    has_code = any(name in item for name in ("CodeValue", "LongCodeValue", "URNCodeValue"))
    if keyword.endswith("CodeSequence"):
        needs_scheme = "URNCodeValue" not in item
        has_scheme = "CodingSchemeDesignator" in item or not needs_scheme
        return has_code and has_scheme and "CodeMeaning" in item

    if keyword.endswith("IdentificationSequence"):
        has_institution = "InstitutionName" in item or "InstitutionCodeSequence" in item
        return "PersonIdentificationCodeSequence" in item and has_institution
    if keyword.startswith("IssuerOf"):
        is_universal = "UniversalEntityID" in item and "UniversalEntityIDType" in item
        return "LocalNamespaceEntityID" in item or is_universal
    if keyword.startswith("Referenced"):
        return "ReferencedSOPClassUID" in item and "ReferencedSOPInstanceUID" in item
    if keyword == "OtherPatientIDsSequence":
        return "PatientID" in item and "TypeOfPatientID" in item
    return len(item) > 0


def _valid_element(element: DataElement) -> DataElement | None:
    """Return a copy with the values that are valid or can be cut, None if one is neither."""
    keyword = element.keyword
    several = isinstance(element.value, MultiValue | list)
    values = list(element.value) if several else [element.value]
    values = [value for value in values if value not in (None, b"") and str(value)]
    if dictionary_VM(element.tag) == "1" and len(values) > 1:
        if element.VR not in _TEXTS or keyword in _IDENTIFIERS:
            return None
        values = values[:1]

    if element.VR in _TEXTS and keyword not in _IDENTIFIERS:
        values = [_cut(element.VR, str(value)) for value in values]
    if not all(_is_valid(element, value) for value in values):
        return None
    return DataElement(
        element.tag, element.VR, values if len(values) > 1 else (values or [None])[0]
    )


def _cut(vr: str, text: str) -> str:
    """Return the text without control characters, cut to the length that its type allows."""
    kept = _LINE_BREAKS if vr in _PARAGRAPHS else ""
    clean = "".join(char for char in text if char >= " " or char in kept).replace(_DELETE, "")
    if vr == "PN":
        groups = [group[:_MAX_NAME] for group in clean.split("=")[:3]]
        return "=".join(groups).rstrip("=")
    return clean[: MAX_VALUE_LEN.get(vr, len(clean))]


def _is_valid(element: DataElement, value: object) -> bool:
    terms = _TERMS.get(element.keyword)
    if terms and value not in terms:
        return False

    if element.VR in _TEXTS - _PARAGRAPHS and any(char < " " for char in str(value)):
        return False

    # pydicom checks how numbers are written, not what they have become.
    written = str(value) if element.VR in {"DS", "IS"} else value
    try:
        validate_value(element.VR, written, config.RAISE)
    except ValueError:
        return False
    return True
