"""Objects of an exam as OHIF shows them: each on its own image."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.support.archive_uploads import SAMPLE_EXAM, explain_into
from tests.support.browser import Visit, launching, visiting
from tests.support.explained_views import (
    ExplainedView,
    arrange,
    ask_heat,
    is_summary,
)
from tests.support.ohif import viewing
from tests.support.ohif_page import OhifPage
from tests.support.orthanc import archiving
from tests.support.paths import DEMO, ROOT
from tests.support.servers import running

pytestmark = pytest.mark.interop

VIEWS = [file.stem for file in SAMPLE_EXAM]
EVERY_VIEW = pytest.mark.parametrize("name", VIEWS)
SHOTS = Path(os.environ.get("SCREENSHOTS", ROOT / "build" / "screenshots"))

SLACK = 3
"""Pixels by which an edge may be off. OHIF scales the image, and outlines a segment."""


class Shown(NamedTuple):
    """The exam in the viewer."""

    page: OhifPage
    visit: Visit
    views: dict[str, ExplainedView]
    summary: Dataset

    def keep(self, name: str) -> None:
        """Keep a screenshot for people to look at, and check that the page reports no error."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        (SHOTS / f"{name}.png").write_bytes(self.visit.page.screenshot())
        assert not self.page.is_failing(), name


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The sample exam with all its objects, opened in OHIF.

    Negative views, too, are shown, with regions relative to their own peaks.
    """
    folder = tmp_path_factory.mktemp("ohif")
    with (
        running(MAMMOLENS_MODEL=str(DEMO)) as server,
        archiving(folder) as archive,
        viewing(archive) as address,
        launching(webgl=True) as browser,
        visiting(browser, viewport={"width": 1400, "height": 1000}) as visit,
    ):
        sources = [dcmread(file) for file in SAMPLE_EXAM]
        relative = "?scale=image"
        negatives = f"{relative}&negatives=true"
        answers = [ask_heat(server.address, file, relative) for file in SAMPLE_EXAM]
        archive.client.store_instances(sources)
        objects = explain_into(
            archive,
            server.address,
            SAMPLE_EXAM,
            folder / "objects",
            query=f"{negatives}&objects=summary,marks,sc,seg",
        )

        views = dict(zip(VIEWS, arrange(sources, answers, objects), strict=True))
        summary = next(one for one in objects if is_summary(one))
        page = OhifPage(visit.page, address)
        page.open_study(sources[0].StudyInstanceUID, len(sources) + len(objects))
        yield Shown(page, visit, views, summary)

        assert visit.exceptions == []
        assert visit.hosts == {address.removeprefix("http://")}


def test_summary_is_shown_as_sent(shown: Shown) -> None:
    shown.page.show(shown.summary, shown.summary)

    shown.keep("summary")
    assert_same_picture(shown.page.drawn().samples, shown.summary.pixel_array)


@EVERY_VIEW
def test_capture_shows_its_own_image(name: str, shown: Shown) -> None:
    view = shown.views[name]
    shown.page.show(view.source, view.source)
    plain = shown.page.drawn().samples

    shown.page.show(view.capture, view.capture)
    shown.page.wait_for_color()

    shown.keep(f"{name}-sc")
    overlay = shown.page.drawn().samples
    assert_same_picture(overlay, view.capture.pixel_array)
    cold = ~is_colored(overlay)
    assert np.corrcoef(overlay[cold].mean(axis=1), plain[cold].mean(axis=1))[0, 1] > 0.95


@EVERY_VIEW
def test_segments_cover_regions_of_their_image(name: str, shown: Shown) -> None:
    view = shown.views[name]

    shown.page.show(view.segmentation, view.source)
    shown.page.accept()
    shown.page.wait_for_color()

    shown.keep(f"{name}-seg")
    colored = is_colored(shown.page.drawn().samples)
    kernel = np.ones((2 * SLACK + 1, 2 * SLACK + 1), np.uint8)
    outer = cv2.dilate(view.mask(), kernel).astype(bool)
    inner = cv2.erode(view.mask(), kernel).astype(bool)
    assert colored[inner].all()
    assert not colored[~outer].any()


@EVERY_VIEW
def test_marks_outline_regions_of_their_image(name: str, shown: Shown) -> None:
    """A report that is the first object of a page is at times drawn without its marks."""
    view = shown.views[name]
    shown.page.show(view.segmentation, view.source)

    shown.page.show(view.marks, view.source)
    shown.page.wait_for_mark()

    shown.keep(f"{name}-marks")
    drawn = shown.page.drawn()
    assert len(drawn.outlines) == len(view.contours)
    for contour in view.contours:
        assert min(distance(contour + 0.5, outline) for outline in drawn.outlines) < SLACK
    for first, *_ in drawn.labels:
        text = re.fullmatch(r"Probability of cancer: ([\d.]+) %", first)
        assert text, first
        assert float(text[1]) == pytest.approx(view.per_cent, abs=0.01)


def assert_same_picture(drawn: NDArray[np.uint8], sent: NDArray[np.uint8]) -> None:
    """Check that a picture is shown as it is, but for its scaling."""
    difference = np.abs(drawn.astype(float) - sent)
    assert np.median(difference) <= 1
    assert difference.mean() < 4


def is_colored(samples: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the pixels that are not grey."""
    values = samples.astype(int)
    return np.asarray(values.max(axis=2) - values.min(axis=2) > 30)


def distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the distance in pixels of the point farthest from the other outline."""
    between = np.linalg.norm(one[:, None] - other[None], axis=2)
    return float(max(between.min(axis=0).max(), between.min(axis=1).max()))
