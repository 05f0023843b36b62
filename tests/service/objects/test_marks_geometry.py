"""Marks against the heat of explained phantoms: the same places, to a fraction of a pixel."""

from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from service import geometry
from service.imaging import read
from service.model.fake import FakeModel
from service.objects.marks import outline, peak
from service.observability.stopwatch import Stopwatch
from service.pipeline import Explanation, Question, explain
from service.records import HeatRegion, Laterality
from training.phantoms import Acquisition, Detector, render_view, to_dicom_bytes
from training.phantoms.transfer import Syntax

Points = NDArray[np.float64]
Case = tuple[Laterality, Syntax, Detector]

LEVEL = 0.4
CASES: dict[str, Case] = {
    "left": ("L", "explicit", Detector(320, 240)),
    "mirrored": ("R", "explicit", Detector(320, 240)),
    "reduced": ("R", "jpeg2000", Detector(1280, 960)),
}


@cache
def explained(name: str) -> Explanation:
    side, syntax, detector = CASES[name]
    image = render_view(np.random.default_rng(5), laterality=side, detector=detector)
    data = to_dicom_bytes(image, Acquisition(transfer_syntax=syntax))
    return explain(FakeModel(), read, data, Stopwatch(), Question(level=LEVEL))


def shape_of(explanation: Explanation) -> tuple[int, int]:
    facts = explanation.prediction.reading.facts
    return facts.rows, facts.columns


def hot_centre(explanation: Explanation, region: HeatRegion) -> Points:
    """Return the mean (column, row) in DICOM of a region's source pixels at or above the level.

    The centre of DICOM's first pixel is (0.5, 0.5): PS3.3 C.18.6.
    """
    heat = explanation.drawn_heat
    shape = shape_of(explanation)
    values = geometry.interpolate(heat.values, heat.to_source.inverse(), shape)
    hot = (values >= LEVEL * heat.full_value).astype(np.uint8)

    x, y = (round(value) for value in region.peak)
    labels = cv2.connectedComponents(hot)[1]
    rows, columns = np.nonzero(labels == labels[y, x])
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])


def centroid(points: Points) -> Points:
    """Return the centroid of a closed polygon, by the shoelace formula."""
    x, y = points.T
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    centre = [((axis[:-1] + axis[1:]) * cross).sum() / (3 * cross.sum()) for axis in (x, y)]
    return np.array(centre)


@pytest.mark.parametrize("name", CASES)
def test_outlines_lie_on_the_heat(name: str) -> None:
    """The centroids are those of the hot pixels, closer than the half pixel between the systems."""
    explanation = explained(name)

    for region in explanation.regions[:2]:
        centre = centroid(outline(region, shape_of(explanation)))

        assert centre == pytest.approx(hot_centre(explanation, region), abs=0.4)


def test_reduced_file_was_read_reduced() -> None:
    assert explained("reduced").prediction.reading.fitted.reduction > 1


@pytest.mark.parametrize("name", CASES)
def test_peak_lies_on_the_hottest_pixel(name: str) -> None:
    """The map's hottest cell is at the peak, as its own affine map says."""
    explanation = explained(name)
    heat = explanation.drawn_heat
    row, column = np.unravel_index(int(heat.values.argmax()), heat.values.shape)
    x, y = heat.to_source.apply(float(column), float(row))

    hottest = max(explanation.regions, key=lambda region: region.peak_value)
    point = peak(hottest, shape_of(explanation))

    assert point[0] == pytest.approx((x + 0.5, y + 0.5))
