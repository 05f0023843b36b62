"""How large an image may be."""

from dataclasses import dataclass

from service.errors import CorruptImage, TooManyPixels

_HEADER_BYTES = 2**24  # more than any header of an image needs
_BYTES_PER_PIXEL = 16  # at the most while a pixel is decoded, fitted and drawn
_MIN_BYTES = 2**29  # for what does not grow with the image


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest image that is decoded, and the longest that this may take."""

    max_pixels: int = 64_000_000
    max_seconds: float = 20.0

    @property
    def max_dataset_bytes(self) -> int:
        """What a deflated dataset may be inflated to."""
        return _HEADER_BYTES + 2 * self.max_pixels

    @property
    def max_memory_bytes(self) -> int:
        """What one image may take in memory, beside its file."""
        return _MIN_BYTES + _BYTES_PER_PIXEL * self.max_pixels

    def check(self, rows: int, columns: int) -> None:
        """Raises CorruptImage or TooManyPixels for a size that no image may have, before its pixels are decoded."""
        if rows < 1 or columns < 1:
            raise CorruptImage("The image claims to have no rows or no columns.")
        if rows * columns > self.max_pixels:
            raise TooManyPixels(rows * columns, self.max_pixels)
