"""The object `marks`: regions and peaks of an image as a structured report (PS3.16 TID 1410).

It has nothing without geometry. Viewers that meet such a group draw none of the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    FindingSite,
    ImageRegion,
    Measurement,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    SourceImageForRegion,
    TrackingIdentifier,
)
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from service.errors import NotStorable
from service.objects import report_codes
from service.objects.context import describe
from service.objects.region_mask import strongest
from service.objects.report_document import (
    document,
    probability,
    short_algorithm,
    tracking,
)
from service.objects.report_groups import finding_site
from service.objects.sources import Source, read_source
from service.records import HeatRegion, ObjectRequest

Points = NDArray[np.float64]
Mark = PlanarROIMeasurementsAndQualitativeEvaluations

_HALF_PIXEL = 0.5
_DECISIONS = {True: "AI", False: "AI, decided negative", None: "AI, undecided"}


@dataclass(frozen=True, slots=True)
class _Common:
    """Content that all marks of one image share, with the begin of their labels."""

    prefix: str
    site: FindingSite
    algorithm: AlgorithmIdentification
    probability: Measurement


def build_marks(request: ObjectRequest, _data: bytes) -> Dataset:
    """Return the marks of one image. Of a document of several, viewers show the first alone.

    Raises:
        NotStorable: the file has no identity in an archive, or a SOP class that is retired, or the
            image has no region.
    """
    source = read_source(request.results, request.part.position or 0)
    marks = list(_marks(request, source))
    if not marks:
        raise NotStorable("The image has no region to mark.")
    return document(request, marks, (source,), describe("marks", source.result))


def _marks(request: ObjectRequest, source: Source) -> Iterator[Mark]:
    """Yield outline and peak of each region of an image, most heat first.

    An outline has the tracking UID of its segment in `seg`.
    """
    image = source.result
    common = _Common(
        prefix=f"{_DECISIONS[image.decision.positive]}: {source.view_name}",
        site=finding_site(image.facts.laterality),
        algorithm=short_algorithm(request),
        probability=probability(image.decision),
    )

    for number, region in enumerate(strongest(image.regions), 1):
        for kind, points in (
            ("region", outline(region, source.shape)),
            ("peak", peak(region, source.shape)),
        ):
            label = f"{common.prefix} {kind} {number}"
            tracked = tracking(request, kind, source.position, number, label=label)
            yield _mark(common, tracked, _region(source, points))


def _mark(common: _Common, tracked: TrackingIdentifier, region: ImageRegion) -> Mark:
    """Return a group with one outline or point, and the probability of its image."""
    return Mark(
        tracking_identifier=tracked,
        referenced_region=region,
        finding_type=report_codes.REGION,
        finding_sites=[common.site],
        algorithm_id=common.algorithm,
        measurements=[common.probability],
    )


def _region(source: Source, points: Points) -> ImageRegion:
    """Return a closed outline, or a single point, on the source image."""
    image = SourceImageForRegion(source.sop_class, source.uid)
    graphic = "POLYLINE" if len(points) > 1 else "POINT"
    try:
        return ImageRegion(graphic, points, image)
    except KeyError:
        raise NotStorable("The SOP class of the file is retired.") from None


def outline(region: HeatRegion, shape: tuple[int, int]) -> Points:
    """Return the closed outline of a region as (column, row) of DICOM [n, 2]."""
    points = image_points(region.contour, shape)
    return np.vstack([points, points[:1]])


def peak(region: HeatRegion, shape: tuple[int, int]) -> Points:
    """Return the hottest point of a region as (column, row) of DICOM [1, 2]."""
    return image_points([region.peak], shape)


def image_points(points: list[tuple[float, float]], shape: tuple[int, int]) -> Points:
    """Return points (x, y) as (column, row) of DICOM, inside an image of these rows and columns.

    Here 0 is the centre of the first pixel. In DICOM it is the pixel's outer edge (PS3.3 C.18.6).
    """
    rows, columns = shape
    return np.clip(np.asarray(points, np.float64) + _HALF_PIXEL, 0, (columns, rows))
