"""Secondary Captures: the overlay of one image, and the page of an exam."""

import highdicom
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from service.errors import NotStorable
from service.objects.context import describe, finish, identity, references, source_dataset
from service.objects.pixel_encoding import set_pixels
from service.objects.source_image import copy_lossy_compression, copy_orientation, copy_side
from service.objects.sources import Source, read_source, read_sources
from service.records import ImageResult, LevelDecision, ObjectRequest, PixelSyntax

_MAX_TEXT = 1024  # of a short text (ST)


def build_overlay(request: ObjectRequest, samples: bytes) -> Dataset:
    """Return the overlay of one image, in the matrix of the source.

    Raises:
        NotStorable: see `read_source`.
    """
    source = read_source(request.results, request.part.position or 0)
    if request.picture_shape != source.shape:
        raise ValueError("the overlay has another size than its source")

    target = _capture(request, source)
    content = f"overlay {source.view_name}"
    finish(target, source, request, describe(content, source.result))
    copy_side(source, target)
    copy_orientation(source, target)
    copy_lossy_compression(source, target)

    target.DerivationDescription = _derivation(request, source.result)[:_MAX_TEXT]
    _refer(target, (source,))
    set_pixels(target, samples, source.shape, request.syntax)
    return target


def build_summary(request: ObjectRequest, samples: bytes) -> Dataset:
    """Return the page of the exam, which refers to all its images.

    Raises:
        NotStorable: see `read_sources`.
    """
    sources = read_sources(request.results)
    if not sources:
        raise NotStorable("No image of the exam was answered.")
    if request.picture_shape is None:
        raise ValueError("the summary has no picture")

    target = _capture(request, sources[0])
    finish(target, sources[0], request, describe("summary"))
    target.PatientOrientation = ""
    target.BodyPartExamined = "BREAST"
    _state_sides(sources, target)

    target.DerivationDescription = "Page that states the results of the exam; research only"
    _refer(target, sources)
    set_pixels(target, samples, request.picture_shape, PixelSyntax.RAW)
    return target


def _capture(request: ObjectRequest, source: Source) -> Dataset:
    """Return a Secondary Capture without pixels, patient and study."""
    header = source_dataset(source)
    target = highdicom.sc.SCImage(
        pixel_array=np.zeros((1, 1, 3), np.uint8),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=header.StudyInstanceUID,
        patient_orientation=("P", "F"),  # replaced: highdicom refuses those of oblique views
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **identity(request),
    )
    target.ImageType = ["DERIVED", "SECONDARY"]
    target.BurnedInAnnotation = "YES"
    return target


def _state_sides(sources: tuple[Source, ...], target: Dataset) -> None:
    """State the sides of all images: B is both."""
    sides = {source.result.facts.laterality for source in sources} - {None}
    if sides:
        target.ImageLaterality = "B" if len(sides) > 1 else sides.pop()
    else:
        target.Laterality = ""


def _refer(target: Dataset, sources: tuple[Source, ...]) -> None:
    """Name the source images, and what they were for."""
    purpose = codes.DCM.SourceImageForImageProcessingOperation
    target.SourceImageSequence = references(sources)
    for item in target.SourceImageSequence:
        item.PurposeOfReferenceCodeSequence = [highdicom.sr.CodedConcept.from_code(purpose)]


def _derivation(request: ObjectRequest, image: ImageResult) -> str:
    """Return what was drawn, and the decision of the image."""
    results = request.results
    where = f" of layer {results.layer}" if results.layer else ""
    drawn = f"{results.method}{where} over the image, by {request.results.model.name}"
    return f"{drawn}; {_decided(image.decision)}; research only"


def _decided(decision: LevelDecision) -> str:
    words = {True: "decided positive", False: "decided negative", None: "undecided"}
    threshold = "" if decision.threshold is None else f" at threshold {decision.threshold:.4g}"
    return f"probability {decision.probability:.4g}, {words[decision.positive]}{threshold}"
