"""Read the windows of a header (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""

import re
from typing import cast

import numpy as np

from service.imaging.dicom.elements import Elements
from service.imaging.dicom.greyscale import VoiFunction, VoiWindow

# Windows that are narrower cannot be used.
_MIN_WIDTHS: dict[VoiFunction, float] = {"LINEAR": 1.0, "LINEAR_EXACT": 1e-9, "SIGMOID": 1e-9}


def read_windows(elements: Elements) -> list[VoiWindow | None]:
    """Read the windows, None for each that cannot be used."""
    centers = elements.numbers("WindowCenter")
    widths = elements.numbers("WindowWidth")
    written = elements.text("VOILUTFunction") or "LINEAR"
    function = cast("VoiFunction", re.sub("[ -]+", "_", written))
    if function not in _MIN_WIDTHS:
        elements.mark("VOILUTFunction")

    # A window with an unknown function is never usable. One without a centre does not count.
    min_width = _MIN_WIDTHS.get(function, np.inf)
    windows: list[VoiWindow | None] = [None] * len(widths)
    for number, (center, width) in enumerate(zip(centers, widths, strict=False)):
        if center is not None and width is not None and width >= min_width:
            windows[number] = VoiWindow(center, width, function)
    return windows
