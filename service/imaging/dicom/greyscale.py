"""Map stored to displayed grey values: DICOM's greyscale pipeline (PS3.4 N.2) as one lookup table.

The steps are the modality transform, the VOI transform and the inversion of MONOCHROME1. Each is a
function of the stored value alone, once the range of the image's values is known. They are
therefore computed once per value that a pixel can hold, not once per pixel.

The MONOCHROME1 twin of an image holds v_min + v_max - v for each value v of the stored range. It is
displayed identically, to the bit, if its window is centred at v_min + v_max - c for SIGMOID and
LINEAR_EXACT, and at v_min + v_max + 1 - c for LINEAR. The ramp of LINEAR is centred half a grey
value below c (PS3.3 C.11.2.1.2.1).
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from service.records import WHITE, Integers, Mask, Pixels

_NEARLY_BLACK = 0.05  # share of white

VoiFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]

Counts = NDArray[np.integer[Any]]
"""Number of pixels with each bit pattern, [2 ** bits_allocated]."""

_Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Storage:
    """Position of a pixel's value in the bits allocated to it (PS3.5 8.1.1)."""

    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest value that can be stored."""
        lowest = -(2 ** (self.bits_stored - 1)) if self.signed else 0
        return lowest, lowest + 2**self.bits_stored - 1

    @property
    def shift(self) -> int:
        """Number of unused bits below the value."""
        return self.high_bit + 1 - self.bits_stored

    def values(self) -> _Values:
        """Return the stored value of every bit pattern, float64 [2 ** bits_allocated]."""
        patterns = np.arange(2**self.bits_allocated, dtype=np.int32)
        return self.values_of(patterns).astype(np.float64)

    def values_of(self, patterns: Integers) -> Integers:
        """Return the stored values of bit patterns."""
        mask = 2**self.bits_stored - 1
        if not self.signed:
            values: Integers = (patterns >> self.shift) & mask
            return values

        # Two's complement: subtract 2 ** bits_stored if the sign bit is set.
        unsigned = (patterns.astype(np.int32) >> self.shift) & mask
        negative = unsigned >> (self.bits_stored - 1)
        return np.asarray(unsigned - (negative << self.bits_stored), np.int32)

    def patterns_of(self, values: Integers) -> Pixels:
        """Return the bit patterns of stored values, with all unused bits 0."""
        unsigned = values.astype(np.int32) & (2**self.bits_stored - 1)
        return np.asarray(unsigned << self.shift, np.uint16)


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A Modality LUT (PS3.3 C.11.1.1) or VOI LUT (C.11.2.1.1).

    `entries`: outputs for the inputs from `first` on. `bits`: their depth by the descriptor.
    """

    first: int
    bits: int
    entries: NDArray[np.int64]

    @property
    def is_contradicted(self) -> bool:
        """Whether an entry has more bits than the descriptor declares."""
        return self._bits_used > self.bits

    @property
    def maximum(self) -> int:
        """Largest output in the depth of the descriptor, or of the entries if that is larger."""
        return int(2 ** max(self.bits, self._bits_used) - 1)

    @property
    def _bits_used(self) -> int:
        return int(self.entries.max()).bit_length()

    def apply(self, values: _Values) -> _Values:
        """Return the entries for the values. Values outside the table get its first or last one."""
        index = np.clip(np.rint(values) - self.first, 0, self.entries.size - 1).astype(np.intp)
        outputs: _Values = self.entries[index].astype(np.float64)
        return outputs


@dataclass(frozen=True, slots=True)
class VoiWindow:
    """A window, and the function of its ramp (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""

    center: float
    width: float
    function: VoiFunction

    def apply(self, values: _Values) -> _Values:
        """Map the values to 0..1."""
        center = self.center
        width = self.width
        if self.function == "LINEAR":
            center -= 0.5
            width -= 1

        # A window without width is a step.
        if width == 0:
            return (values > center).astype(np.float64)

        # Division by a very small width may overflow. Both ends of the ramp are then correct.
        with np.errstate(over="ignore"):
            position = (values - center) / width

        if self.function == "SIGMOID":
            # 1 / (1 + exp(-4 position)), in a form that neither overflows nor favours one tail.
            return (1.0 + np.tanh(2.0 * position)) / 2.0
        return np.clip(position + 0.5, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The file's transforms from stored to displayed grey values.

    `padding`: first and last stored value of the pixels that fill up the image. They are displayed
    black, regardless of the transforms (PS3.3 C.7.5.1.1.2).
    """

    storage: Storage
    slope: float
    intercept: float
    modality_lut: LookupTable | None
    voi: VoiWindow | LookupTable | None
    inverted: bool
    padding: tuple[int, int] | None

    @property
    def value_range(self) -> tuple[float, float]:
        """Smallest and largest value that the modality transform may give."""
        if self.modality_lut is not None:
            return 0, self.modality_lut.maximum
        ends = [self.slope * stored + self.intercept for stored in self.storage.range]
        return min(ends), max(ends)

    def values(self) -> _Values:
        """Return the value after the modality transform of every bit pattern.

        Shape and type: float64 [2 ** bits_allocated].
        """
        return self._values(self.storage.values())

    def display_table(self, counts: Counts) -> Pixels:
        """Return the displayed grey value of every bit pattern, 0 black .. 65535 white.

        Shape and type: uint16 [2 ** bits_allocated].
        """
        stored = self.storage.values()
        unit = self._displayed(stored, counts)
        unit[self._is_padding(stored)] = 0.0

        # Rounded twice, so that halves are rounded alike in an image and in its MONOCHROME1 twin
        # although the last bits of their floats differ.
        return np.rint(np.round(unit * WHITE, 6)).astype(np.uint16)

    def signal_table(self, counts: Counts) -> Pixels:
        """Return the grey value of every bit pattern before the VOI transform.

        It is linear in the output of the modality transform, from black to white over the values
        that occur in the image. Shape and type are those of `display_table`.
        """
        return replace(self, voi=None).display_table(counts)

    def padding_table(self) -> Mask:
        """Tell for every bit pattern whether it is padding, [2 ** bits_allocated]."""
        return self._is_padding(self.storage.values())

    @property
    def is_smooth(self) -> bool:
        """Whether similar stored values are displayed alike, so that pixels may be averaged.

        This does not hold if the transforms would display the padding in a grey other than black.
        Without a VOI transform the grey values depend on the pixels. The padding then has to be the
        darkest value that can be stored.
        """
        if self.padding is None:
            return True

        is_padding = self.padding_table()
        every_value = np.ones(is_padding.size, np.uint8)
        padding = replace(self, padding=None).display_table(every_value)[is_padding]
        return bool(np.all(padding < _NEARLY_BLACK * WHITE if self.voi else padding == 0))

    def _is_padding(self, stored: _Values) -> Mask:
        first, last = self.padding or (1, 0)
        return (first <= stored) & (stored <= last)

    def _displayed(self, stored: _Values, counts: Counts) -> _Values:
        unit = self._unit(stored, counts)
        return 1.0 - unit if self.inverted else unit

    def _unit(self, stored: _Values, counts: Counts) -> _Values:
        """Apply the modality and VOI transforms and scale the result to 0..1."""
        values = self._values(stored)

        # VOI transform: a window, a table, or none.
        if isinstance(self.voi, VoiWindow):
            return self.voi.apply(values)
        if isinstance(self.voi, LookupTable):
            return np.clip(self.voi.apply(values) / self.voi.maximum, 0.0, 1.0)

        occurring = values[(counts > 0) & ~self._is_padding(stored)]
        return _share_of_range(values, occurring)

    def _values(self, stored: _Values) -> _Values:
        """Apply the modality transform: a table, or a linear rescale."""
        if self.modality_lut is not None:
            return self.modality_lut.apply(stored)
        values: _Values = self.slope * stored + self.intercept
        return values


def _share_of_range(values: _Values, occurring: _Values) -> _Values:
    """Scale the range of the values that occur in the image to 0..1. An even image is black."""
    lowest = occurring.min(initial=np.inf)
    highest = occurring.max(initial=-np.inf)
    if highest <= lowest:
        return np.zeros_like(values)

    unit: _Values = np.clip((values - lowest) / (highest - lowest), 0.0, 1.0)
    return unit
