"""Limits on the size of an image and on the time to decode it."""

from dataclasses import dataclass

from service.errors import CorruptImage, TooManyPixels

_HEADER_BYTES = 2**24  # more than any image header needs
_BYTES_PER_PIXEL = 16  # maximum while a pixel is decoded, fitted and drawn
_BASE_BYTES = 2**29  # memory that does not grow with the image


@dataclass(frozen=True, slots=True)
class Limits:
    """The maximum size of an image, and the maximum time to decode it."""

    max_pixels: int = 64_000_000
    max_seconds: float = 20.0

    @property
    def max_dataset_bytes(self) -> int:
        """Max size of a deflated dataset when inflated."""
        return _HEADER_BYTES + 2 * self.max_pixels

    @property
    def max_memory_bytes(self) -> int:
        """Upper bound in bytes on the memory to decode one image, without its file."""
        return _BASE_BYTES + _BYTES_PER_PIXEL * self.max_pixels

    def check(self, rows: int, columns: int) -> None:
        """Check the size in the header before pixels are decoded.

        Raises:
            CorruptImage: there are no rows or no columns.
            TooManyPixels: the image is too large.
        """
        if rows < 1 or columns < 1:
            raise CorruptImage("The header declares an image without rows or columns.")
        if rows * columns > self.max_pixels:
            raise TooManyPixels(rows * columns, self.max_pixels)
