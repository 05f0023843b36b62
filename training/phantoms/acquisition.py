"""How a machine stores a displayed image: bits, photometric interpretation, windows and transfer syntax."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from service.records import Pixels
from training.phantoms.transfer import Syntax


@dataclass(frozen=True, slots=True)
class PhantomWindow:
    """A VOI LUT by centre and width in stored values (DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.1)."""

    centre: float
    width: float
    function: Literal["LINEAR", "SIGMOID"] = "LINEAR"
    explanation: str = "NORMAL"

    def invert(self, displayed: NDArray[np.float64]) -> NDArray[np.float64]:
        """The stored values that the window shows as `displayed`, 0..1.

        A sigmoid reaches neither end: what is darker or brighter than 1 / 1000 from it is stored as if it were that.
        """
        if self.function == "LINEAR":
            return self.centre - 0.5 + (displayed - 0.5) * (self.width - 1)
        open_ended = np.clip(displayed, 0.001, 0.999)
        stored: NDArray[np.float64] = self.centre + self.width / 4 * np.log(
            open_ended / (1 - open_ended)
        )
        return stored

    def mirror(self, white: int) -> "PhantomWindow":
        """The window that shows `white` minus a value as black where this one shows that value as white.

        The centre of a LINEAR window lies half a value above the middle of its ramp, and does so when mirrored, too.
        """
        return replace(self, centre=white - self.centre + (1 if self.function == "LINEAR" else 0))


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One machine's way of writing files.

    `windows` are for MONOCHROME2; the first shows the image as it was rendered, and where there is none the full range
    of `bits` does. MONOCHROME1 inverts the stored values over the full range and mirrors the windows: it shows the
    same.
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
        """The largest value that can be stored."""
        return int(2**self.bits - 1)

    @property
    def bytes_allocated(self) -> int:
        """The bytes that each value takes."""
        return -(-self.bits // 8)

    def store(self, pixels: Pixels) -> NDArray[np.unsignedinteger[Any]]:
        """The stored values of pixels as displayed, 0 black .. 65535 white, in 8 or 16 bits."""
        displayed = pixels / 65535
        exact = self.windows[0].invert(displayed) if self.windows else displayed * self.white
        stored = np.clip(np.round(exact), 0, self.white)
        if self.photometric == "MONOCHROME1":
            stored = self.white - stored
        return np.asarray(stored, f"u{self.bytes_allocated}")

    def written_windows(self) -> tuple[PhantomWindow, ...]:
        """The windows for the values as they are stored."""
        if self.photometric == "MONOCHROME2":
            return self.windows
        return tuple(window.mirror(self.white) for window in self.windows)
