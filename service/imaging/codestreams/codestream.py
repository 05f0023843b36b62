"""A compressed image, with the size and depth that its markers declare."""

from dataclasses import dataclass
from typing import Literal

Family = Literal["JPEG", "JPEG-LS", "JPEG 2000"]


@dataclass(frozen=True, slots=True)
class Codestream:
    """A compressed image, with the size and depth that its markers declare.

    `data`: ends with its end marker, or with padding after it. `reductions`: number of times that
    JPEG 2000 can be decoded at half the resolution, 0 for other families. `origin`: (x, y) of the
    first pixel on JPEG 2000's reference grid.
    """

    data: bytes
    family: Family
    rows: int
    columns: int
    components: int
    bits: int
    signed: bool = False
    reductions: int = 0
    origin: tuple[int, int] = (0, 0)
