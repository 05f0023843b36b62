"""The window over a range of values, for samples that have no other transform."""

from service.records import VoiPreset


def whole_range(lowest: float, highest: float) -> VoiPreset:
    """Return the window that maps `lowest` to black and `highest` to white.

    An even image is black.
    """
    if highest <= lowest:
        return VoiPreset(None, "LINEAR_EXACT", lowest + 0.5, 1.0, None)
    center = (lowest + highest) / 2
    return VoiPreset(None, "LINEAR_EXACT", center, highest - lowest, None)
