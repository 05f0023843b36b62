"""Whether black and white are exchanged, by the pixels alone."""

import numpy as np

from service.records import WHITE, Pixels


def is_negative(pixels: Pixels) -> bool:
    """Whether the image's frame is mostly bright, and white more frequent than black.

    At least two of the four sides of a mammogram are air, which is black in a positive.
    """
    width = max(1, min(pixels.shape) // 80)
    strips = pixels[:width], pixels[-width:], pixels[:, :width], pixels[:, -width:]
    frame = np.concatenate([strip.ravel() for strip in strips])
    sample, end = pixels[::4, ::4], WHITE // 20
    whites, blacks = np.count_nonzero(sample >= WHITE - end), np.count_nonzero(sample <= end)
    return bool(np.median(frame) > WHITE / 2 and whites > blacks)
