"""Bootstrap by patient of many figures in one set of draws."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.statistics import (
    BOOTSTRAP_DRAWS,
    BOOTSTRAP_SEED,
    Interval,
    Labels,
    Values,
)

_BLOCK = 1_000_000
"""Weights that are held at a time."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Samples [D] of the same cases [N], and their ROC points at every distinct score [T].

    Cases and scores descend by score. `weights` [D, N]: how often each draw has each case.
    `true_positives`, `false_positives` [D, T]: cases with and without cancer at or above each score
    of `thresholds` [T]. `positives`, `negatives` [D]: cases with and without cancer.
    """

    labels: Labels
    scores: Values
    weights: Values
    thresholds: Values
    true_positives: Values
    false_positives: Values

    @property
    def positives(self) -> Values:
        """Number of cases with cancer in each draw."""
        return self.true_positives[:, -1]

    @property
    def negatives(self) -> Values:
        """Number of cases without cancer in each draw."""
        return self.false_positives[:, -1]


Figure = Callable[[Draws], Values]
"""Value of each draw [D], not a number where the draw does not define it."""


def tabulate(labels: Labels, scores: Values, weights: Values) -> Draws:
    """Count the cases of each draw at or above every score. `weights`: [D, N]."""
    order = np.argsort(-scores, kind="stable")
    labels, scores, weights = labels[order], scores[order], weights[:, order]

    # A threshold never lies between equal scores: count up to the last of them.
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True))
    cancer = labels == 1

    return Draws(
        labels=labels,
        scores=scores,
        weights=weights,
        thresholds=scores[last],
        true_positives=np.cumsum(weights * cancer, axis=1)[:, last],
        false_positives=np.cumsum(weights * ~cancer, axis=1)[:, last],
    )


def measure(figure: Figure, labels: Labels, scores: Values) -> float | None:
    """Return a figure of these cases, or None where they do not define it."""
    value = float(figure(tabulate(labels, scores, np.ones((1, len(labels)))))[0])
    return value if np.isfinite(value) else None


def intervals(
    figures: Mapping[str, Figure], labels: Labels, scores: Values, patients: Sequence[str]
) -> dict[str, Interval]:
    """Return each figure and its percentile bootstrap interval, by drawing whole patients.

    The draws are those of `statistics.bootstrap`, and the same for all figures. A draw that does
    not define a figure is left out for it. A figure that the data do not define is left out.
    """
    values: dict[str, list[Values]] = {name: [] for name in figures}
    for weights in draw_weights(patients):
        draws = tabulate(labels, scores, weights)
        for name, figure in figures.items():
            values[name].append(figure(draws))

    results = {name: percentiles(np.concatenate(blocks)) for name, blocks in values.items()}
    return {name: interval for name, interval in results.items() if interval is not None}


def paired_difference(
    figure: Figure,
    labels: Labels,
    scores_a: Values,
    scores_b: Values,
    patients: Sequence[str],
) -> Interval | None:
    """Return the figure of `scores_a` minus that of `scores_b`, with its interval.

    Both are measured on the same draws of patients, so that what they share cancels out. The
    result is None where the data do not define the figure.
    """
    differences = [
        figure(tabulate(labels, scores_a, weights)) - figure(tabulate(labels, scores_b, weights))
        for weights in draw_weights(patients)
    ]
    return percentiles(np.concatenate(differences))


def draw_weights(patients: Sequence[str]) -> Iterator[Values]:
    """Yield the data themselves as one draw, then all draws in blocks of [D, N]."""
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    names, patient_of = np.unique(np.asarray(patients), return_inverse=True)
    count = len(names)
    yield np.ones((1, len(patient_of)))

    rows = max(1, _BLOCK // len(patient_of))
    for start in range(0, BOOTSTRAP_DRAWS, rows):
        drawn = [
            np.bincount(rng.integers(count, size=count), minlength=count)
            for _ in range(min(rows, BOOTSTRAP_DRAWS - start))
        ]
        yield np.array(drawn, np.float64)[:, patient_of]


def percentiles(values: NDArray[np.float64]) -> Interval | None:
    """Return the first value, and the interval of the others, which are draws.

    Values that are no numbers are left out. The result is None if the first is none.
    """
    drawn = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or not len(drawn):
        return None

    low, high = np.percentile(drawn, (2.5, 97.5))
    return Interval(float(values[0]), float(low), float(high))
