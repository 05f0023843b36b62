"""Random textures: isotropic power-law fields, and strands that run towards a point."""

from functools import lru_cache

import cv2
import numpy as np

from service.records import Floats

# Pixels along the side of a field. This is as fine as the parenchyma that remains after a mammogram
# was fitted to the grid of a model.
_SIDE = 256
# In standard deviations of the field whose zero crossings are the strands.
_STRAND_WIDTH = 0.2


@lru_cache(maxsize=16)
def _amplitudes(beta: float) -> Floats:
    """Return the amplitude per frequency of a zero-mean real field with the power 1 / f**beta."""
    frequency = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None, :])
    frequency[0, 0] = np.inf
    amplitudes: Floats = (frequency ** (-beta / 2)).astype(np.float32)
    return amplitudes


def power_law_field(rng: np.random.Generator, beta: float) -> Floats:
    """Draw square, periodic Gaussian noise with the power spectrum 1 / f**beta.

    The field has zero mean and unit variance. Mammographic parenchyma has beta near 3 (Burgess,
    Jacobson, Judy: Human observer detection experiments with mammograms and power-law noise.
    Medical Physics 28, 2001).
    """
    white = rng.standard_normal((_SIDE, _SIDE), dtype=np.float32)
    field: Floats = np.fft.irfft2(np.fft.rfft2(white) * _amplitudes(beta), s=white.shape).astype(
        np.float32
    )
    unit_variance: Floats = field / field.std()
    return unit_variance


def stretch(field: Floats, rows: int, columns: int) -> Floats:
    """Crop a field to the aspect ratio of rows x columns and resize it to that size."""
    longer = max(rows, columns)
    part = field[: max(1, _SIDE * rows // longer), : max(1, _SIDE * columns // longer)]
    return np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_CUBIC), np.float32)


def strands(
    field: Floats, x: Floats, y: Floats, towards: tuple[float, float], length: float
) -> Floats:
    """Draw thin winding strands, 0..1, at the pixels (x, y), that run roughly towards a point.

    The strands are the zero crossings of the field in polar coordinates about that point. `length`
    pixels along the radius correspond to one pixel of the field, as does one degree of the angle.
    """
    radius, angle = cv2.cartToPolar(x - np.float32(towards[0]), y - np.float32(towards[1]))
    polar = cv2.remap(
        field,
        radius / np.float32(length),
        angle * np.float32(180 / np.pi),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    drawn: Floats = np.exp(-((polar / np.float32(_STRAND_WIDTH)) ** 2))
    return drawn
