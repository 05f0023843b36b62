"""Elements that every object shares: identity, series, equipment, times, and the file itself."""

import re
from datetime import timedelta, timezone
from io import BytesIO
from typing import Any

import highdicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes

from service.objects.copied_modules import copy_modules
from service.objects.header_values import readable
from service.objects.sources import Source
from service.objects.uids import instance_uid, series_number, series_uid
from service.records import ImageResult, ObjectRequest

MANUFACTURER = "mammolens"
INTENT = "AI, research only"
_MAX_TEXT = 64  # of a long string (LO)
_OFFSET = re.compile(r"([+-])(0\d|1[0-4])([0-5]\d)")


def source_dataset(source: Source) -> Dataset:
    """Return what highdicom needs of a source image, without its patient.

    highdicom logs some values that it finds odd. `finish` adds patient and study.
    """
    rows, columns = source.shape
    dataset = Dataset()
    dataset.StudyInstanceUID = str(source.header.StudyInstanceUID)
    dataset.SeriesInstanceUID = str(source.header.SeriesInstanceUID)
    dataset.SOPInstanceUID = source.uid
    dataset.SOPClassUID = source.sop_class
    dataset.Modality = "MG"
    dataset.Rows = rows
    dataset.Columns = columns
    for keyword in (
        "PatientID", "PatientName", "PatientBirthDate", "PatientSex",
        "AccessionNumber", "StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName",
    ):  # fmt: skip
        setattr(dataset, keyword, "")
    return dataset


def identity(request: ObjectRequest) -> dict[str, Any]:
    """Return the arguments that every class of highdicom takes: UIDs, series and equipment."""
    return {
        "series_instance_uid": series_uid(request, request.part),
        "series_number": series_number(request.part),
        "sop_instance_uid": instance_uid(request, request.part),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": model_name(request),
        "software_versions": request.software_version[:_MAX_TEXT],
        "device_serial_number": request.results.model.digest[:_MAX_TEXT],
    }


def model_name(request: ObjectRequest) -> str:
    """Return the model and its version, such as demo/1."""
    model = request.results.model
    version = f"/{model.version}"
    return model.name[: _MAX_TEXT - len(version)] + version


def describe(content: str, image: ImageResult | None = None) -> str:
    """Return the description of a series: it says what decision an image has, unless positive."""
    decisions = {True: INTENT, False: f"{INTENT}, decided negative", None: f"{INTENT}, undecided"}
    intent = decisions[image.decision.positive] if image else INTENT
    return f"{intent}: {content}"[:_MAX_TEXT]


def algorithm(request: ObjectRequest) -> highdicom.AlgorithmIdentificationSequence:
    """Return the model, its digest, and the method and level of the heat."""
    results = request.results
    parameters = {
        "digest": results.model.digest,
        "method": str(results.method),
        "layer": results.layer or "input",
        "level": f"{results.level:g}",
    }
    return highdicom.AlgorithmIdentificationSequence(
        name=results.model.name[:_MAX_TEXT],
        version=str(results.model.version),
        family=codes.DCM.ArtificialIntelligence,
        source=MANUFACTURER,
        parameters=parameters,
    )


def references(sources: tuple[Source, ...]) -> Sequence:
    """Return the items that name source images, each once."""
    items = {}
    for source in sources:
        item = Dataset()
        item.ReferencedSOPClassUID = source.sop_class
        item.ReferencedSOPInstanceUID = source.uid
        items[source.uid] = item
    return Sequence(list(items.values()))


def finish(target: Dataset, source: Source, request: ObjectRequest, description: str) -> None:
    """Add patient and study of the source, equipment, times and description of the series.

    Times are in the zone of the source, because its times are copied. Without a zone there, none is
    written: it would hold for the copied times, too.

    Raises:
        NotStorable: the Patient ID of the source is invalid.
    """
    copy_modules(source.header, target)
    for keyword, value in {
        "Manufacturer": MANUFACTURER,
        "ManufacturerModelName": model_name(request),
        "SoftwareVersions": request.software_version[:_MAX_TEXT],
        "DeviceSerialNumber": request.results.model.digest[:_MAX_TEXT],
        "SeriesDescription": description,
    }.items():
        setattr(target, keyword, value)

    zone = _zone(source)
    time = request.time.astimezone(zone) if zone else request.time
    if zone:
        target.TimezoneOffsetFromUTC = time.strftime("%z")[:5]
    date = time.strftime("%Y%m%d")
    clock = time.strftime("%H%M%S.%f")
    for keyword in ("Series", "Content", "InstanceCreation"):
        setattr(target, f"{keyword}Date", date)
        setattr(target, f"{keyword}Time", clock)
    if "DateOfSecondaryCapture" in target:
        target.DateOfSecondaryCapture = date
        target.TimeOfSecondaryCapture = clock
    for item in target.get("ContributingEquipmentSequence", []):
        item.ContributionDateTime = date + clock


def to_bytes(dataset: Dataset) -> bytes:
    """Return the object as a file (PS3.10)."""
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _zone(source: Source) -> timezone | None:
    written = readable(source.header, "TimezoneOffsetFromUTC")
    match = _OFFSET.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        return None

    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-offset if match[1] == "-" else offset)
