"""How large an image may be."""

from dataclasses import dataclass

from service.errors import CorruptImage, TooManyPixels


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest image that is decoded; while that is done, a pixel takes up to 8 bytes."""

    max_pixels: int = 64_000_000

    def check(self, rows: int, columns: int) -> None:
        """Raises CorruptImage or TooManyPixels for a size that no image may have, before its pixels are decoded."""
        if rows < 1 or columns < 1:
            raise CorruptImage("The image claims to have no rows or no columns.")
        if rows * columns > self.max_pixels:
            raise TooManyPixels(rows * columns, self.max_pixels)
