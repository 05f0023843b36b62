"""File format of a machine: bits, photometric interpretation, windows and transfer syntax."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from service.records import Pixels
from training.phantoms.transfer import Syntax


@dataclass(frozen=True, slots=True)
class PhantomWindow:
    """VOI LUT by centre and width in stored values (DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.1)."""

    centre: float
    width: float
    function: Literal["LINEAR", "SIGMOID"] = "LINEAR"
    explanation: str = "NORMAL"

    def invert(self, displayed: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the stored values that the window shows as `displayed`, 0..1.

        A sigmoid reaches neither 0 nor 1, so displayed values are clipped to 0.001..0.999 first.
        """
        if self.function == "LINEAR":
            return self.centre - 0.5 + (displayed - 0.5) * (self.width - 1)

        open_ended = np.clip(displayed, 0.001, 0.999)
        stored: NDArray[np.float64] = self.centre + self.width / 4 * np.log(
            open_ended / (1 - open_ended)
        )
        return stored

    def mirror(self, white: int) -> "PhantomWindow":
        """Return the window that shows `white - value` as the negative of `value` in this one."""
        # The centre of a LINEAR window lies half a value above the middle of its ramp, before and
        # after mirroring.
        offset = 1 if self.function == "LINEAR" else 0
        return replace(self, centre=white - self.centre + offset)


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How one machine writes its files.

    `windows` are for MONOCHROME2. The first one shows the image as it was rendered. Without
    windows, the full range of `bits` does. MONOCHROME1 inverts the stored values over the full
    range and mirrors the windows, so that it shows the same image.
    """

    bits: Literal[8, 12, 16] = 12
    photometric: Literal["MONOCHROME1", "MONOCHROME2"] = "MONOCHROME2"
    windows: tuple[PhantomWindow, ...] = (PhantomWindow(2048, 4096),)
    transfer_syntax: Syntax = "explicit"
    manufacturer: str = "Mammolens Phantoms"
    model: str = "Phantom"
    detector_height_mm: float = 290.0

    @property
    def white(self) -> int:
        """Largest value that can be stored."""
        return int(2**self.bits - 1)

    @property
    def bytes_allocated(self) -> int:
        """Bytes per stored value."""
        return -(-self.bits // 8)

    def store(self, pixels: Pixels) -> NDArray[np.unsignedinteger[Any]]:
        """Return displayed pixels, 0 black .. 65535 white, as stored values of 8 or 16 bits."""
        # Every grey is converted once and looked up for each pixel.
        displayed = np.arange(65536) / 65535
        exact = self.windows[0].invert(displayed) if self.windows else displayed * self.white
        stored = np.clip(np.round(exact), 0, self.white)

        if self.photometric == "MONOCHROME1":
            stored = self.white - stored
        table = stored.astype(f"u{self.bytes_allocated}")
        return np.asarray(table[pixels])

    def written_windows(self) -> tuple[PhantomWindow, ...]:
        """Return the windows that apply to the values as they are stored."""
        if self.photometric == "MONOCHROME2":
            return self.windows
        return tuple(window.mirror(self.white) for window in self.windows)
