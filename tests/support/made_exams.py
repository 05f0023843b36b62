"""Answers of POST /exam/pixels about made images, so that each pixel and each heat is known."""

import copy
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, Route, expect

from tests.support.viewer_page import choose_files, payload

Samples = NDArray[np.uint16]
Matrix = list[list[float]]

_BOUNDARY = "mammolens"
IDENTITY: Matrix = [[1, 0, 0], [0, 1, 0]]


@dataclass(frozen=True)
class MadeHeat:
    """The drawn heat of an image: the value of a sample s is s / 65535 * `maximum`."""

    samples: Samples
    to_source: Matrix
    peak: tuple[float, float]
    maximum: float = 1.0
    full_value: float = 1.0
    regions: tuple[Sequence[tuple[float, float]], ...] = ()


@dataclass(frozen=True)
class MadeImage:
    """An image as the page gets it. The members are those of the answer's `pixels`."""

    samples: Samples
    heat: MadeHeat
    side: str = "R"
    view: str = "CC"
    orientation: tuple[str, str] | None = None
    presets: tuple[dict[str, Any], ...] = (
        {"name": None, "function": "LINEAR_EXACT", "center": 127.5, "width": 255.0, "table": None},
    )
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False
    padding: tuple[int, int] | None = None
    to_source: Matrix = field(default_factory=lambda: IDENTITY)
    spacing_mm: tuple[float, float] | None = (0.1, 0.1)
    plane: str | None = "detector"
    positive: bool = True
    state: str = "ok"
    warnings: tuple[str, ...] = ()

    @property
    def source_shape(self) -> tuple[int, int]:
        """Rows and columns of the file."""
        rows, columns = self.samples.shape
        return round(rows * self.to_source[1][1]), round(columns * self.to_source[0][0])


Served = tuple[str, dict[str, Any]]
"""Address of a service, and its answer about one image."""


def show(page: Page, viewer: Served, *images: MadeImage) -> None:
    """Open the viewer with images, wait for their views, and go to the current one."""
    address, template = viewer
    answer_with(page, template, images)
    open_made(page, address, len(images))
    expect(page.get_by_role("img", name="probability of")).to_have_count(len(images))
    page.locator("figure[aria-current]").focus()


def made(samples: Samples, **facts: Any) -> MadeImage:
    """Return an image. Its heat is a cold one unless another is given."""
    cold = MadeHeat(np.zeros((2, 2), np.uint16), [[1, 0, 0], [0, 1, 0]], (0, 0))
    return MadeImage(**{"samples": samples, "heat": cold, **facts})


def answer_with(page: Page, template: dict[str, Any], images: Sequence[MadeImage]) -> None:
    """Answer the page's requests about exams with made images.

    `template`: an answer of POST /exam with one image. The rest of it is kept.
    """
    body = _body(template, images)
    content_type = f"multipart/form-data; boundary={_BOUNDARY}"

    def fulfil(route: Route) -> None:
        route.fulfill(body=body, content_type=content_type)

    page.route("**/exam/pixels*", fulfil)


def open_made(page: Page, address: str, count: int) -> None:
    """Open the viewer and give it so many files, which are not looked at."""
    page.goto(f"{address}/viewer")
    choose_files(page, [payload(f"{number}.dcm", b"made") for number in range(count)])


def _body(template: dict[str, Any], images: Sequence[MadeImage]) -> bytes:
    answer = copy.deepcopy(template)
    answer["images"] = [_answered(template["images"][0], image) for image in images]
    answer["pixels"] = [_pixels(image) for image in images]

    parts = [_part("answer", json.dumps(answer).encode())]
    for index, image in enumerate(images):
        parts.append(_part(f"pixels-{index}", _packed(image.samples), "samples.gz"))
        parts.append(_part(f"heat-{index}", _packed(image.heat.samples), "heat.gz"))
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


def _packed(samples: Samples) -> bytes:
    return gzip.compress(samples.astype("<u2").tobytes(), compresslevel=1)


def _part(name: str, content: bytes, file_name: str | None = None) -> bytes:
    named = "" if file_name is None else f'; filename="{file_name}"'
    kind = "application/json" if file_name is None else "application/gzip"
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n'
    return f"{head}Content-Type: {kind}\r\n\r\n".encode() + content + b"\r\n"


def _answered(template: dict[str, Any], image: MadeImage) -> dict[str, Any]:
    answered = copy.deepcopy(template)
    rows, columns = image.source_shape
    is_mirrored = image.orientation is not None and (
        image.orientation[0] == ("A" if image.side == "R" else "P")
    )
    wall = {"R": "right", "L": "left"} if not is_mirrored else {"R": "left", "L": "right"}
    answered["image"] |= {
        "rows": rows,
        "columns": columns,
        "laterality": image.side,
        "view": image.view,
        "patient_orientation": image.orientation,
        "pixel_spacing_mm": image.spacing_mm,
        "pixel_spacing_plane": image.plane,
        "chest_wall": wall[image.side],
        "breast_box": {"left": 0, "top": 0, "right": columns, "bottom": rows},
    }
    answered["prediction"]["positive"] = image.positive

    heat = image.heat
    x, y = heat.peak
    answered["heat"] |= {
        "state": image.state,
        "peak": {"value": heat.maximum, "row": 0, "column": 0, "x": x, "y": y},
        "regions": [{"contour": contour, "peak": heat.peak} for contour in heat.regions],
    }
    warnings = [{"code": code, "message": "Made for a test."} for code in image.warnings]
    answered |= {"warnings": warnings, "counted": True, "not_counted": None}
    return answered


def _pixels(image: MadeImage) -> dict[str, Any]:
    rows, columns = image.samples.shape
    heat = image.heat
    padding = image.padding
    values = image.slope * image.samples + image.intercept
    return {
        "rows": rows,
        "columns": columns,
        "to_source": image.to_source,
        "slope": image.slope,
        "intercept": image.intercept,
        "lowest": float(values.min()),
        "highest": float(values.max()),
        "padding": None if padding is None else {"first": padding[0], "last": padding[1]},
        "inverted": image.inverted,
        "presets": image.presets,
        "heat": {
            "rows": heat.samples.shape[0],
            "columns": heat.samples.shape[1],
            "to_source": heat.to_source,
            "maximum": heat.maximum,
            "full_value": heat.full_value,
        },
    }
