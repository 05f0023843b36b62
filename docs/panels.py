"""Panels of a documentation picture: an image over a caption, arranged in a sheet."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training import phantoms

HEIGHT = 360
"""Height of a panel's image, in pixels."""

_WIDTH = 380
_CAPTION = 90
_GAP = 16
_FONT = ImageFont.load_default(13)


def phantom_file(seed: int, *findings: phantoms.Finding) -> bytes:
    """Return a mediolateral oblique phantom with these findings as a DICOM file."""
    image = phantoms.render_view(
        np.random.default_rng(seed),
        view="MLO",
        findings=findings,
        detector=phantoms.Detector(rows=960, columns=720),
    )
    return phantoms.to_dicom_bytes(image)


def make_panel(picture: Image.Image, lines: Sequence[str]) -> Image.Image:
    """Return a panel of the picture over the lines of a caption."""
    panel = Image.new("RGB", (_WIDTH, HEIGHT + _CAPTION), "white")
    panel.paste(picture, (0, 0))
    draw = ImageDraw.Draw(panel)
    draw.multiline_text((0, HEIGHT + 6), "\n".join(lines), fill="black", font=_FONT)
    return panel


def arrange(panels: Sequence[Image.Image], columns: int) -> Image.Image:
    """Return a sheet of panels, row by row, with a gap around each."""
    cell_width = _WIDTH + _GAP
    cell_height = HEIGHT + _CAPTION + _GAP
    rows = -(-len(panels) // columns)

    sheet = Image.new("RGB", (columns * cell_width + _GAP, rows * cell_height + _GAP), "white")
    for position, panel in enumerate(panels):
        row, column = divmod(position, columns)
        sheet.paste(panel, (_GAP + column * cell_width, _GAP + row * cell_height))

    return sheet
