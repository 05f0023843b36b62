"""Figures from changed images: stability of a map under noise, and the effect of its hot pixels."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from service.explanation.agreement import correlation
from service.explanation.attribution import Margins
from service.geometry import Affine, interpolate
from service.records import Floats, Heatmap, Mask

NOISE = 0.01  # standard deviation, where white is 1
COPIES = 4
SHARES = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)  # of the breast's pixels
RANDOM_MAPS = 4
CHANGED = 2 * (1 + RANDOM_MAPS) * len(SHARES)  # images for insertion and deletion
_SEED = 0


def noisy_copies(image: Floats, mask: Mask) -> Floats:
    """Return four copies [4, height, width, 1] of the image with Gaussian noise in the breast.

    The standard deviation of the noise is 1 % of white.
    """
    rng = np.random.default_rng(_SEED)
    noise = rng.normal(0, NOISE, (COPIES, *image.shape)) * mask[..., None]
    return (image + noise).astype(np.float32)


def stability(heatmap: Heatmap, others: Sequence[Heatmap]) -> float:
    """Return the mean correlation of a map with those of noisy copies. A blank one counts as 0."""
    return float(np.mean([correlation(heatmap.values, other.values) for other in others]))


def evidence_gaps(
    image: Floats,
    baseline: Floats,
    mask: Mask,
    heatmap: Heatmap,
    grid_to_cell: Affine,
    margins: Margins,
) -> dict[str, float]:
    """Return insertion and deletion gaps: logits by which the map beats random maps.

    The random maps are as smooth as the map: they have its power spectrum, and random phases. The
    hottest 1, 2, 4, 8, 16 and 32 % of the breast are copied from the image into the baseline
    (insertion), or from the baseline into the image (deletion). The margin is averaged over these
    shares. `grid_to_cell`: from the image's pixels to the map's cells.

    After Petsiuk et al., "RISE", BMVC 2018, and Theiler et al., Physica D 58, 1992, for the
    surrogates.
    """
    # The map comes first, then the random ones. The random numbers are drawn in a fixed order.
    rng = np.random.default_rng(_SEED)
    maps = [heatmap.values, *(surrogate(heatmap.values, rng) for _ in range(RANDOM_MAPS))]
    orders = []
    for values in maps:
        heat = interpolate(values, grid_to_cell, mask.shape)
        orders.append(hottest_first(heat, mask, rng))

    # Insertion and deletion share the calls of the model.
    changed = chain(_changed(orders, baseline, image), _changed(orders, image, baseline))
    insertion, deletion = margins(changed).reshape(2, len(maps), len(SHARES)).mean(axis=2)
    return {
        "insertion_gap": float(insertion[0] - insertion[1:].mean()),
        "deletion_gap": float(deletion[1:].mean() - deletion[0]),
    }


def surrogate(values: Floats, rng: np.random.Generator) -> Floats:
    """Return a random map [h, w] with the power spectrum of a map, so that it is as smooth."""
    spectrum = np.abs(np.fft.rfft2(values))
    phases = np.angle(np.fft.rfft2(rng.normal(size=values.shape)))

    random_map = np.fft.irfft2(spectrum * np.exp(1j * phases), s=values.shape)
    return np.asarray(random_map, dtype=np.float32)


def hottest_first(heat: Floats, mask: Mask, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the flat indices of the breast's pixels, hottest first. Ties are in random order."""
    inside = rng.permutation(np.flatnonzero(mask))
    return inside[np.argsort(-heat.ravel()[inside], kind="stable")]


def _changed(orders: Sequence[NDArray[np.int64]], under: Floats, over: Floats) -> Iterator[Floats]:
    """Yield copies of `under` with the first pixels of each order, by share, taken from `over`."""
    for order in orders:
        for share in SHARES:
            chosen = order[: max(1, round(share * len(order)))]
            copy = under.copy()
            copy.reshape(-1)[chosen] = over.reshape(-1)[chosen]
            yield copy
