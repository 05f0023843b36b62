from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from service.records import (
    Box,
    ExamResults,
    ImageFacts,
    ImageResult,
    MapState,
    NotCounted,
    QualityWarning,
    RefusedImage,
)
from service.rendering import summary_page
from service.rendering import summary_sheet as colours
from service.rendering.summary_page import draw_sheet
from service.rendering.summary_sheet import RGB, Sheet
from tests.support.exam_results import REFUSED, VIEWS, exam_results, image_result

COMPLETE = [image_result(view, 0.9 if view.startswith("R") else 0.1) for view in VIEWS]
LONG = "extraordinarily " * 60
WORD = "W" * 500
WARNINGS = [QualityWarning(f"code-{number}", f"{number}: {LONG}") for number in range(12)]


def long_results() -> ExamResults:
    """Return results in which every text is far too long."""
    refused = replace(REFUSED, title=LONG, detail=WORD)
    images: list[ImageResult | RefusedImage] = [
        image_result("R-CC", 0.99999, warnings=WARNINGS),
        replace(image_result("L-CC", 0.9), state=MapState.ALL_NEGATIVE),
        image_result("R-MLO", 0.00001),
        image_result("R-CC", 0.9),
        image_result("R-XCCL", 0.9, NotCounted.VIEW),
        replace(
            image_result("L-CC", 0.9, NotCounted.NO_LATERALITY),
            facts=ImageFacts("png", 400, 300, 8),
        ),
        refused,
        refused,
    ]
    results = exam_results(images, None, WARNINGS)
    model = replace(results.model, name=WORD, intended_use=LONG)
    return replace(results, model=model, layer=WORD)


CASES = {
    "complete": exam_results(COMPLETE),
    "negative": exam_results([image_result(view, 0.01) for view in VIEWS]),
    "missing view": exam_results(COMPLETE[:3]),
    "all refused but one": exam_results([COMPLETE[0], *[REFUSED] * 7]),
    "older bundle": exam_results(COMPLETE, None),
    "single image": replace(exam_results(COMPLETE[:1]), exam=None, breasts={}),
    "nothing counts": exam_results(
        [image_result(view, 0.9, NotCounted.MODIFIER) for view in VIEWS * 2]
    ),
    "few that do not count": exam_results([image_result("R-ML", 0.9, NotCounted.VIEW), REFUSED]),
    "eight": exam_results(
        [*COMPLETE, *(image_result("L-CC", 0.3, reason) for reason in list(NotCounted)[:4])]
    ),
    "more than fit": exam_results([*COMPLETE, *[REFUSED] * 28]),
    "more that do not count": exam_results([REFUSED] * 32),
    "long texts": long_results(),
}


def thumbnails(results: ExamResults, shape: tuple[int, int] = (400, 300)) -> dict[int, RGB]:
    return {
        position: np.full((*shape, 3), 90, np.uint8)
        for position, image in enumerate(results.images)
        if isinstance(image, ImageResult)
    }


def overlapping(sheet: Sheet) -> Iterator[tuple[Box, Box]]:
    for one, other in combinations(sheet.boxes, 2):
        is_beside = one.right <= other.left or other.right <= one.left
        is_above = one.bottom <= other.top or other.bottom <= one.top
        if not is_beside and not is_above:
            yield one, other


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        *((name, (400, 300)) for name in CASES),
        *((name, shape) for name in ("eight", "single image") for shape in ((9, 900), (900, 9))),
    ],
)
def test_parts_stay_apart_and_on_the_page(name: str, shape: tuple[int, int]) -> None:
    results = CASES[name]

    sheet = draw_sheet(results, thumbnails(results, shape))

    assert not list(overlapping(sheet))
    for box in sheet.boxes:
        assert 0 <= box.left < box.right <= 1600
        assert 0 <= box.top < box.bottom <= 1200


@pytest.mark.parametrize("name", CASES)
def test_recorded_places_cover_everything_drawn(name: str) -> None:
    results = CASES[name]

    sheet = draw_sheet(results, thumbnails(results))

    ink = np.asarray(sheet.samples().any(axis=2))
    for frame in sheet.frames:
        edge = ink[frame.top : frame.bottom, frame.left : frame.right]
        edge[:2] = edge[-2:] = False
        edge[:, :2] = edge[:, -2:] = False
    for box in sheet.boxes:
        ink[box.top : box.bottom, box.left : box.right] = False
    assert not ink.any()


def test_page_has_its_fixed_size_without_pictures() -> None:
    page = summary_page(CASES["complete"], {})

    assert page.shape == (1200, 1600, 3)
    assert page.dtype == np.uint8


def test_views_hang_with_chest_walls_together() -> None:
    results = CASES["complete"]
    # Each picture has one grey, with a column of its own at the chest wall.
    pictures = {}
    for position, view in enumerate(VIEWS):
        picture = np.full((400, 300, 3), 41 + position, np.uint8)
        picture[:, 280:] = 61 + position
        pictures[position] = picture if view.startswith("R") else picture[:, ::-1].copy()

    page = summary_page(results, pictures)

    def middle(grey: int) -> tuple[float, float]:
        rows, columns = np.nonzero((page == grey).all(axis=2))
        return float(rows.mean()), float(columns.mean())

    walls = {view: middle(61 + position) for position, view in enumerate(VIEWS)}
    breasts = {view: middle(41 + position) for position, view in enumerate(VIEWS)}
    assert breasts["R-CC"][1] < walls["R-CC"][1] < walls["L-CC"][1] < breasts["L-CC"][1]
    assert abs(walls["R-MLO"][1] - walls["L-MLO"][1]) < 40
    assert breasts["L-CC"][0] < breasts["L-MLO"][0]
    assert breasts["R-CC"][0] < breasts["R-MLO"][0]


def test_file_with_other_chest_wall_is_mirrored() -> None:
    image = image_result("L-CC")
    turned = replace(image, facts=replace(image.facts, patient_orientation=("P", "L")))
    picture = np.zeros((400, 300, 3), np.uint8)
    picture[:, :150] = 50
    picture[:, 150:] = 80

    page = summary_page(exam_results([turned]), {0: picture})

    left, right = (np.nonzero((page == grey).all(axis=2))[1].mean() for grey in (80, 50))
    assert left < right


@pytest.mark.parametrize(
    "colour",
    [colours.INK, colours.MUTED, colours.POSITIVE, colours.NEGATIVE, colours.CAUTION],
)
def test_colours_stand_out_on_black(colour: colours.Colour) -> None:
    # The contrast of WCAG 2.2 to black.
    channels = np.array(colour) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])

    assert (luminance + 0.05) / 0.05 >= 4.5
