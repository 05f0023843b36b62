"""The page of OHIF in a browser: series shown as a person does, and all that is drawn read back."""

import base64
import json
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from pydicom.dataset import Dataset

_VIEWPORT = "cornerstone.getEnabledElements()[0]?.viewport"
_SHOWN = "services.displaySetService.getActiveDisplaySets()"

# Where three corners of the shown image lie on the canvas.
_CORNERS = f"""(() => {{
  const viewport = {_VIEWPORT};
  const image = viewport.getCurrentImageId();
  const {{rows, columns}} = cornerstone.metaData.get("imagePlaneModule", image);
  const place = (point) =>
    viewport.worldToCanvas(cornerstone.utilities.imageToWorldCoords(image, point));
  return {{
    size: [columns, rows],
    corners: [[0, 0], [columns, 0], [0, rows]].map((point) => [...place(point)]),
  }};
}})()"""

_MARKS = """(() => {
  const layer = document.querySelector("svg.svg-layer");
  return {
    outlines: [...layer.querySelectorAll("polyline")].map((line) => line.getAttribute("points")),
    labels: [...layer.querySelectorAll("text")].map(
      (text) => [...text.querySelectorAll("tspan")].map((line) => line.textContent)),
  };
})()"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The image as it is drawn. `samples`: RGB, uint8, one for each pixel of the image.

    `outlines`: polygons in pixels of the image, from its top left corner. `labels`: lines of each.
    """

    samples: NDArray[np.uint8]
    outlines: list[NDArray[np.float64]]
    labels: list[list[str]]


class OhifPage:
    """A page of OHIF with one viewport."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        self._address = address

    def open_study(self, study: str, series: int) -> None:
        """Open a study of so many series, and wait until its first image is drawn."""
        self._page.goto(f"{self._address}/viewer?StudyInstanceUIDs={study}")
        self._page.wait_for_function(
            f"window.services !== undefined && {_SHOWN}.length === {series}"
        )
        self._page.wait_for_function(f"{_VIEWPORT}?.viewportStatus === 'rendered'")

    def show(self, instance: Dataset, image: Dataset) -> None:
        """Show the series of the instance, which is to be drawn as, or over, the image."""
        series = f"{_SHOWN}.find((one) => one.SeriesInstanceUID === '{instance.SeriesInstanceUID}')"
        name = self._page.evaluate(f"{series}.displaySetInstanceUID")
        self._page.locator(f"[id='thumbnail-{name}']").dblclick()

        uid = json.dumps(f"/instances/{image.SOPInstanceUID}/")
        self._page.wait_for_function(
            f"{_VIEWPORT}?.viewportStatus === 'rendered'"
            f" && {_VIEWPORT}.getCurrentImageId?.().includes({uid})"
        )

    def accept(self) -> None:
        """Say yes to what the viewport asks, once it asks: to load a segmentation."""
        button = self._page.locator("[data-cy=yes-hydrate-btn]")
        button.click()
        expect(button).to_have_count(0)

    def wait_for_mark(self) -> None:
        """Wait until a mark with a label is drawn."""
        self._page.locator("svg.svg-layer text").first.wait_for(state="attached")

    def wait_for_color(self) -> None:
        """Wait until something is drawn in colour."""
        self._page.wait_for_function(f"""(() => {{
          const canvas = {_VIEWPORT}.getCanvas();
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          for (let at = 0; at < data.length; at += 4)
            if (Math.abs(data[at] - data[at + 1]) > 40) return true;
          return false;
        }})()""")

    def drawn(self) -> Drawn:
        """Return all that is drawn in the viewport."""
        place = self._page.evaluate(_CORNERS)
        origin, right, below = np.array(place["corners"])
        columns, rows = place["size"]
        to_canvas = np.column_stack([(right - origin) / columns, (below - origin) / rows, origin])

        url = self._page.evaluate(f"{_VIEWPORT}.getCanvas().toDataURL('image/png')")
        png = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
        canvas = cv2.imdecode(png, cv2.IMREAD_COLOR)
        assert canvas is not None
        canvas = cv2.cvtColor(canvas, cv2.COLOR_BGR2RGB)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        samples = cv2.warpAffine(canvas, to_canvas, (columns, rows), flags=flags)

        marks = self._page.evaluate(_MARKS)
        outlines = [_to_image(points, to_canvas) for points in marks["outlines"]]
        return Drawn(samples.astype(np.uint8), outlines, marks["labels"])

    def is_failing(self) -> bool:
        """Whether the page says that something failed. It catches its own exceptions."""
        return bool(self._page.evaluate("/something went wrong/i.test(document.body.innerText)"))


def _to_image(points: str, to_canvas: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points of an outline on the canvas as points of the image."""
    on_canvas = np.array(points.replace(",", " ").split(), float).reshape(-1, 2)
    matrix, origin = to_canvas[:, :2], to_canvas[:, 2]
    return np.asarray(np.linalg.solve(matrix, (on_canvas - origin).T).T, np.float64)
