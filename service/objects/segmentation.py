"""Segmentation of one image: a segment for each region of heat."""

import highdicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes

from service.errors import NotStorable
from service.objects import report_codes
from service.objects.context import algorithm, describe, finish, identity, source_dataset
from service.objects.header_values import numbers, readable
from service.objects.region_mask import label_map, strongest
from service.objects.source_image import copy_lossy_compression, copy_orientation
from service.objects.sources import Source, is_uid, read_source
from service.objects.uids import derived_uid
from service.records import HeatRegion, ObjectRequest

_COLOUR = highdicom.color.CIELabColor(67.0, 43.0, 74.0)  # orange
_SPACINGS = ("ImagerPixelSpacing", "PixelSpacing")
_UNKNOWN_SPACING = [1.0, 1.0]


def build_segmentation(request: ObjectRequest, _samples: bytes) -> Dataset:
    """Return the regions of one image as a binary Segmentation in the matrix of the source.

    Raises:
        NotStorable: see `read_source`, or the image has no region.
    """
    source = read_source(request.results, request.part.position or 0)
    regions = strongest(source.result.regions)
    if not regions:
        raise NotStorable("The heat of the image has no region at this level.")

    image = _placed(source, request)
    target = highdicom.seg.Segmentation(
        source_images=[image],
        pixel_array=label_map(regions, source.shape),
        segmentation_type="BINARY",
        segment_descriptions=_describe(source, regions, request),
        omit_empty_frames=False,
        content_label="AI_REGIONS",
        content_description=_content(source),
        **identity(request),
    )
    content = f"regions {source.view_name}"
    finish(target, source, request, describe(content, source.result))
    copy_orientation(source, target)
    _name_dimensions(target, request)
    return target


def spacing(source: Source) -> list[float] | None:
    """Return the spacing of rows and columns at the detector, else the other one, else None."""
    for keyword in _SPACINGS:
        values = numbers(source.header, keyword)
        if len(values) == 2 and min(values) > 0:  # noqa: PLR2004 - rows and columns
            return values
    return None


def _placed(source: Source, request: ObjectRequest) -> Dataset:
    """Return the source as if it had a place in space.

    Viewers need one: OHIF fails on a Segmentation without it, and drops one whose frame of
    reference is not that of the source.
    """
    image = source_dataset(source)
    copy_lossy_compression(source, image)
    frame = readable(source.header, "FrameOfReferenceUID")
    new = derived_uid(request, "frame", source.position)
    image.FrameOfReferenceUID = frame if is_uid(frame) else new
    image.PositionReferenceIndicator = ""
    image.ImagePositionPatient = [0, 0, 0]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.PixelSpacing = spacing(source) or _UNKNOWN_SPACING
    image.SliceThickness = 1
    return image


def _name_dimensions(target: Dataset, request: ObjectRequest) -> None:
    """Replace the random UID of highdicom, so that the same request gives the same file."""
    uid = derived_uid(request, "dimensions", request.part.position)
    for item in (*target.DimensionOrganizationSequence, *target.DimensionIndexSequence):
        item.DimensionOrganizationUID = uid


def _content(source: Source) -> str:
    """Return the description of the content: 64 characters at most."""
    if spacing(source):
        return "Regions of strong heat; research only"
    return "Regions of strong heat; pixel size unknown, 1 mm is no size"


def _describe(
    source: Source, regions: list[HeatRegion], request: ObjectRequest
) -> list[highdicom.seg.SegmentDescription]:
    descriptions = []
    for number, _ in enumerate(regions, 1):
        uid = derived_uid(request, "region", source.position, number)
        label = describe(f"region {number}", source.result)
        descriptions.append(
            highdicom.seg.SegmentDescription(
                segment_number=number,
                segment_label=label,
                segmented_property_category=codes.SCT.SpatialAndRelationalConcept,
                segmented_property_type=codes.DCM.SelectedRegion,
                algorithm_type="AUTOMATIC",
                algorithm_identification=algorithm(request),
                tracking_uid=uid,
                tracking_id=f"{source.view_name} region {number}",
                anatomic_regions=[codes.SCT.Breast],
                display_color=_COLOUR,
            )
        )
        _add_side(descriptions[-1], source)
    return descriptions


def _add_side(description: Dataset, source: Source) -> None:
    """State the side of the breast, if it is known."""
    side = source.result.facts.laterality
    if side:
        modifier = highdicom.sr.CodedConcept.from_code(report_codes.SIDES[side])
        description.AnatomicRegionSequence[0].AnatomicRegionModifierSequence = Sequence([modifier])
