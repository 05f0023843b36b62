"""Detection of negatives (black and white exchanged) from the pixels alone."""

import numpy as np

from service.records import WHITE, Pixels


def is_negative(pixels: Pixels) -> bool:
    """Return whether the frame of the image is mostly bright, and white more frequent than black.

    At least two of the four sides of a mammogram are air, which is black in a positive.
    """
    # Median of strips along the four sides.
    width = max(1, min(pixels.shape) // 80)
    strips = (pixels[:width], pixels[-width:], pixels[:, :width], pixels[:, -width:])
    frame = np.concatenate([strip.ravel() for strip in strips])

    # Pixels near either end of the range, of every fourth row and column.
    sample = pixels[::4, ::4]
    tolerance = WHITE // 20
    white_count = np.count_nonzero(sample >= WHITE - tolerance)
    black_count = np.count_nonzero(sample <= tolerance)
    return bool(np.median(frame) > WHITE / 2 and white_count > black_count)
