"""Comparison of networks: every run, every network and floor, and paired differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.networks.network_figures import (
    LEVELS,
    DrawnFigures,
    Pairs,
    Scores,
    floors,
    networks,
)
from benchmarks.networks.validated_runs import ValidatedRun
from service.model import Level
from training.errors import RunError
from training.evaluation.resampling import percentiles
from training.evaluation.statistics import Interval, Values

Key = tuple[Level, Pairs]
Intervals = Mapping[Key, Interval | None]
KEYS: tuple[Key, ...] = tuple((level, pairs) for level in LEVELS for pairs in Pairs)


@dataclass(frozen=True, slots=True)
class RunRow:
    """AUC of one run in one fold, or in all folds (`fold` is None), with what it took."""

    network: str
    directory: str
    seed: int
    fold: str | None
    auc: Intervals
    epochs: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class ScoresRow:
    """AUC of a network or a floor: `auc`, mean of the seeds' AUCs; `of_mean`, of their mean."""

    name: str
    seeds: int
    is_floor: bool
    auc: Intervals
    of_mean: Intervals


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """AUC of a network minus that of other scores, each the mean of its seeds."""

    network: str
    minus: str
    auc: Intervals


@dataclass(frozen=True, slots=True)
class NetworkComparison:
    """All rows. `counts`: numbers of patients and cases."""

    counts: Mapping[str, int]
    runs: Sequence[RunRow]
    scores: Sequence[ScoresRow]
    differences: Sequence[DifferenceRow]


def compare_networks(runs: Sequence[ValidatedRun], minus: Sequence[str]) -> NetworkComparison:
    """Compare networks on the same images.

    `minus`: names of the networks that are subtracted from every other. The floors, which are those
    of the first run, are subtracted from every network.

    Raises:
        RunError: no run has one of those names.
    """
    own = networks(runs)
    unknown = set(minus) - {one.name for one in own}
    if unknown:
        raise RunError(f"No network is named {min(unknown)!r}.")

    figures = DrawnFigures(runs[0])
    below = floors(runs[0])
    drawn = {one.name: _drawn(figures, one) for one in [*own, *below]}
    subtracted = [*(one for one in own if one.name in minus), *below]
    return NetworkComparison(
        counts=figures.counts(),
        runs=[row for run in runs for row in _run_rows(figures, run)],
        scores=[
            ScoresRow(
                one.name,
                len(one.by_seed),
                is_floor,
                _intervals(drawn[one.name]),
                _intervals(_drawn(figures, one.mean())),
            )
            for is_floor, group in ((False, own), (True, below))
            for one in group
        ],
        differences=[
            DifferenceRow(one.name, other.name, _difference(drawn[one.name], drawn[other.name]))
            for one in own
            for other in subtracted
            if one.name != other.name
        ],
    )


def _run_rows(figures: DrawnFigures, run: ValidatedRun) -> list[RunRow]:
    """Return a row for each fold, and one for all."""
    scores = Scores(run.network, (run.predictions.probabilities,))
    seconds = [effort.seconds for effort in run.rounds.values()]
    of_folds = {fold: (effort.epochs, effort.seconds) for fold, effort in run.rounds.items()}
    of_all = (
        sum(effort.epochs for effort in run.rounds.values()),
        None if None in seconds else sum(one for one in seconds if one is not None),
    )
    return [
        RunRow(
            run.network,
            str(run.directory),
            run.seed,
            fold,
            _intervals(_drawn(figures, scores, fold)),
            *effort,
        )
        for fold, effort in [*of_folds.items(), (None, of_all)]
    ]


def _drawn(figures: DrawnFigures, scores: Scores, fold: str | None = None) -> Mapping[Key, Values]:
    return {key: figures.auc(scores, *key, fold=fold) for key in KEYS}


def _intervals(drawn: Mapping[Key, Values]) -> Intervals:
    return {key: percentiles(values) for key, values in drawn.items()}


def _difference(drawn: Mapping[Key, Values], other: Mapping[Key, Values]) -> Intervals:
    return {key: percentiles(drawn[key] - other[key]) for key in KEYS}
