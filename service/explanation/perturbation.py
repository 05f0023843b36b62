"""Evidence from changed images: whether a map stays when the image hardly changes, and whether its heat matters."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from service.explanation.agreement import correlation
from service.explanation.attribution import Margins, batches
from service.geometry import Affine, interpolate
from service.records import Floats, Heatmap, Mask

NOISE = 0.01
COPIES = 4
SHARES = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
RANDOM_MAPS = 4
_SEED = 0


def noisy_copies(image: Floats, mask: Mask) -> Floats:
    """Four copies [4, height, width, 1] of the image with Gaussian noise of 1 % of white in the breast."""
    rng = np.random.default_rng(_SEED)
    return (image + rng.normal(0, NOISE, (COPIES, *image.shape)) * mask[..., None]).astype(
        np.float32
    )


def stability(heatmap: Heatmap, others: Sequence[Heatmap]) -> float:
    """The mean correlation of a map with those of noisy copies of its image; a blank one counts as 0."""
    return float(np.mean([correlation(heatmap.values, other.values) for other in others]))


def evidence_gaps(
    image: Floats,
    baseline: Floats,
    mask: Mask,
    heatmap: Heatmap,
    grid_to_cell: Affine,
    margins: Margins,
) -> dict[str, float]:
    """By how many logits the map's order of pixels beats random maps of the same smoothness: insertion and deletion.

    The hottest 1, 2, 4, 8, 16 and 32 % of the breast go from the image into the baseline (insertion), or from the
    baseline into the image (deletion), and the margin is averaged over these shares. The random maps have the power
    spectrum of the map and random phases. After Petsiuk et al., "RISE", BMVC 2018, and Theiler et al., Physica D 58,
    1992, for the surrogates.
    """
    rng = np.random.default_rng(_SEED)
    maps = [heatmap.values, *(surrogate(heatmap.values, rng) for _ in range(RANDOM_MAPS))]
    orders = [
        hottest_first(interpolate(each, grid_to_cell, mask.shape), mask, rng) for each in maps
    ]
    changed = chain(_changed(orders, baseline, image), _changed(orders, image, baseline))
    values = np.concatenate([margins(batch) for batch in batches(changed)])
    insertion, deletion = values.reshape(2, len(maps), len(SHARES)).mean(axis=2)
    return {
        "insertion_gap": float(insertion[0] - insertion[1:].mean()),
        "deletion_gap": float(deletion[1:].mean() - deletion[0]),
    }


def surrogate(values: Floats, rng: np.random.Generator) -> Floats:
    """A random map [h, w] with the power spectrum, so the smoothness, of that one."""
    spectrum = np.abs(np.fft.rfft2(values))
    phases = np.angle(np.fft.rfft2(rng.normal(size=values.shape)))
    return np.asarray(
        np.fft.irfft2(spectrum * np.exp(1j * phases), s=values.shape), dtype=np.float32
    )


def hottest_first(heat: Floats, mask: Mask, rng: np.random.Generator) -> NDArray[np.int64]:
    """The flat indices of the breast's pixels from the hottest on; equals in random order."""
    inside = rng.permutation(np.flatnonzero(mask))
    return inside[np.argsort(-heat.ravel()[inside], kind="stable")]


def _changed(orders: Sequence[NDArray[np.int64]], under: Floats, over: Floats) -> Iterator[Floats]:
    """Copies of `under` into which the first pixels of each order, share by share, come from `over`."""
    for order in orders:
        for share in SHARES:
            copy = under.copy()
            chosen = order[: max(1, round(share * len(order)))]
            copy.reshape(-1)[chosen] = over.reshape(-1)[chosen]
            yield copy
