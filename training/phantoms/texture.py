"""Random textures: isotropic power-law fields, and strands that run towards a point."""

from functools import lru_cache

import cv2
import numpy as np

from service.records import Floats

_SIDE = 256  # pixels of a field: as fine as parenchyma still is after a mammogram was fitted to a model's grid
_STRAND_WIDTH = 0.2  # in standard deviations of the field whose zero crossings are the strands


@lru_cache(maxsize=16)
def _amplitudes(beta: float) -> Floats:
    """The amplitude of each frequency of a real field whose power falls as 1 / f**beta; no mean."""
    frequency = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None, :])
    frequency[0, 0] = np.inf
    amplitudes: Floats = (frequency ** (-beta / 2)).astype(np.float32)
    return amplitudes


def power_law_field(rng: np.random.Generator, beta: float) -> Floats:
    """Square, periodic Gaussian noise with the power spectrum 1 / f**beta, zero mean and unit variance.

    Mammographic parenchyma has beta near 3 (Burgess, Jacobson, Judy: Human observer detection experiments with
    mammograms and power-law noise. Medical Physics 28, 2001).
    """
    white = rng.standard_normal((_SIDE, _SIDE), dtype=np.float32)
    field: Floats = np.fft.irfft2(np.fft.rfft2(white) * _amplitudes(beta), s=white.shape).astype(
        np.float32
    )
    unit_variance: Floats = field / field.std()
    return unit_variance


def stretch(field: Floats, rows: int, columns: int) -> Floats:
    """The part of a field that has the aspect of rows x columns, resized to it."""
    longer = max(rows, columns)
    part = field[: max(1, _SIDE * rows // longer), : max(1, _SIDE * columns // longer)]
    return np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_CUBIC), np.float32)


def strands(
    field: Floats, x: Floats, y: Floats, towards: tuple[float, float], length: float
) -> Floats:
    """Thin winding strands, 0..1, at the pixels (x, y), running roughly towards a point.

    They are the zero crossings of the field laid out in polar coordinates about that point, where `length` pixels along
    the radius count as much as one degree across it.
    """
    radius, angle = cv2.cartToPolar(x - np.float32(towards[0]), y - np.float32(towards[1]))
    laid_out = cv2.remap(
        field,
        radius / np.float32(length),
        angle * np.float32(180 / np.pi),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    drawn: Floats = np.exp(-((laid_out / np.float32(_STRAND_WIDTH)) ** 2))
    return drawn
