"""From stored to displayed grey values: DICOM's greyscale pipeline (PS3.4 N.2) as one lookup table.

Every step of it, modality transform, VOI transform and the inversion of MONOCHROME1, is a function of the stored value
alone: it is worked out once for each value that a pixel can hold, not once for each pixel.

The MONOCHROME1 twin of an image holds v_min + v_max - v for each value v of the stored range. It is displayed the
same, to the bit, when its window is centred at v_min + v_max - c for SIGMOID and LINEAR_EXACT, and at
v_min + v_max + 1 - c for LINEAR, whose ramp is centred half a grey value below c (PS3.3 C.11.2.1.2.1).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.records import WHITE, Mask, Pixels

_NEARLY_BLACK = 0.05  # of white

VoiFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]

_Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Storage:
    """How a pixel's value lies in the bits allocated to it (PS3.5 8.1.1)."""

    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool

    @property
    def range(self) -> tuple[int, int]:
        """The smallest and the largest value that can be stored."""
        lowest = -(2 ** (self.bits_stored - 1)) if self.signed else 0
        return lowest, lowest + 2**self.bits_stored - 1

    def values(self) -> _Values:
        """The stored value of every bit pattern, float64 [2 ** bits_allocated]."""
        patterns = np.arange(2**self.bits_allocated) >> (self.high_bit + 1 - self.bits_stored)
        unsigned = patterns & (2**self.bits_stored - 1)
        negative = unsigned >> (self.bits_stored - 1) if self.signed else np.zeros_like(unsigned)
        values: _Values = (unsigned - (negative << self.bits_stored)).astype(np.float64)
        return values


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A Modality LUT (PS3.3 C.11.1.1) or VOI LUT (C.11.2.1.1): `entries` of `bits` for inputs from `first` on."""

    first: int
    bits: int
    entries: NDArray[np.int64]

    @property
    def maximum(self) -> int:
        """The largest output."""
        return int(2**self.bits - 1)

    def apply(self, values: _Values) -> _Values:
        """The entries for the values; for those outside the table, its first or last."""
        index = np.clip(np.rint(values) - self.first, 0, self.entries.size - 1).astype(np.intp)
        outputs: _Values = np.minimum(self.entries[index], self.maximum).astype(np.float64)
        return outputs


@dataclass(frozen=True, slots=True)
class VoiWindow:
    """A window and the shape of its ramp (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""

    center: float
    width: float
    function: VoiFunction

    def apply(self, values: _Values) -> _Values:
        """The values' places in the window, 0..1."""
        center, width = self.center, self.width
        if self.function == "LINEAR":
            center, width = center - 0.5, width - 1
        if width == 0:
            return (values > center).astype(np.float64)
        with np.errstate(over="ignore"):  # of a very narrow window all values are at its ends
            place = (values - center) / width
        if self.function == "SIGMOID":
            # 1 / (1 + exp(-4 place)), in a form that neither overflows nor favours one tail
            return (1.0 + np.tanh(2.0 * place)) / 2.0
        return np.clip(place + 0.5, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a file says of its grey values; `padding`: the stored values, first and last, that fill up the image.

    Padding is displayed black, whatever the transforms make of it (PS3.3 C.7.5.1.1.2).
    """

    storage: Storage
    slope: float
    intercept: float
    modality_lut: LookupTable | None
    voi: VoiWindow | LookupTable | None
    inverted: bool
    padding: tuple[int, int] | None

    def display_table(self) -> Pixels:
        """The displayed grey value, 0 black .. 65535 white, of every bit pattern: uint16 [2 ** bits_allocated]."""
        stored = self.storage.values()
        unit = self._displayed(stored)
        unit[self._is_padding(stored)] = 0.0
        # A half is rounded the same way in an image and its MONOCHROME1 twin, whatever the last bits of the floats are.
        return np.rint(np.round(unit * WHITE, 6)).astype(np.uint16)

    @property
    def is_smooth(self) -> bool:
        """Whether neighbouring stored values look alike, so that their means may stand for them.

        They do not where padding is displayed black that would be something else by its value.
        """
        if self.padding is None:
            return True
        stored = self.storage.values()
        padding = self._displayed(stored)[self._is_padding(stored)]
        return bool(np.all(padding < _NEARLY_BLACK))

    def _is_padding(self, stored: _Values) -> Mask:
        first, last = self.padding or (1, 0)
        return (first <= stored) & (stored <= last)

    def _displayed(self, stored: _Values) -> _Values:
        unit = self._unit(stored)
        return 1.0 - unit if self.inverted else unit

    def _unit(self, stored: _Values) -> _Values:
        """Modality and VOI transform; where there is no VOI transform, the full range of the former."""
        if self.modality_lut is None:
            values, black, white = self._rescale(stored)
        else:
            values, black, white = (
                self.modality_lut.apply(stored),
                0.0,
                float(self.modality_lut.maximum),
            )
        if isinstance(self.voi, VoiWindow):
            return self.voi.apply(values)
        if isinstance(self.voi, LookupTable):
            values, black, white = self.voi.apply(values), 0.0, float(self.voi.maximum)
        unit: _Values = (values - black) / (white - black)
        return unit

    def _rescale(self, stored: _Values) -> tuple[_Values, float, float]:
        values: _Values = self.slope * stored + self.intercept
        return values, float(values.min()), float(values.max())
