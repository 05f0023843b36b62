"""The canvases of the viewer, read back as a person sees them."""

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, expect

Colours = NDArray[np.int64]
Point = tuple[float, float]

_AFTER_FRAMES = """(canvas) => new Promise((done) => {
  const wait = (frames) => frames ? requestAnimationFrame(() => wait(frames - 1)) : done(%s);
  wait(4);
})"""


def view(page: Page, number: int = 0) -> Locator:
    """Return the canvas of a view: 0 is the first."""
    return page.locator("canvas.mammogram").nth(number)


def pixels_of(canvas: Locator) -> Colours:
    """Return the colours [height, width, 3] of a canvas that is drawn in full."""
    canvas.evaluate(_AFTER_FRAMES % "null")
    expect(canvas).to_have_attribute("data-detail", "full")
    address = canvas.evaluate(_AFTER_FRAMES % "canvas.toDataURL()")
    content = base64.b64decode(address.partition(",")[2])
    return np.asarray(Image.open(BytesIO(content)).convert("RGB"), np.int64)


def plain_pixels(page: Page) -> Colours:
    """Return the colours of the first view without heat, which is shown before and after."""
    page.keyboard.press("h")
    pixels = pixels_of(view(page))
    page.keyboard.press("h")
    return pixels


def double_click_at(canvas: Locator, point: Point) -> None:
    """Double click on a point (x, y) of the canvas."""
    canvas.dblclick(position={"x": point[0], "y": point[1]})


def centroid(weights: NDArray[np.float64]) -> Point:
    """Return the mean place (x, y) of weights [height, width], in pixel edges: 0.5 is the first."""
    rows, columns = np.indices(weights.shape)
    total = weights.sum()
    return (
        float(((columns + 0.5) * weights).sum() / total),
        float(((rows + 0.5) * weights).sum() / total),
    )
