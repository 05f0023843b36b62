"""AUC of networks over their seeds, beside floors, and paired differences, with intervals.

A drawn value is an array: the figure of the images themselves, then those of a thousand draws of
patients. The draws are the same for all scores, so means and differences are taken draw by draw.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from benchmarks.networks.validated_runs import ValidatedRun
from service.model import Level
from training.evaluation.cases import Cases, gather, group
from training.evaluation.cells import MISSING, named
from training.evaluation.discrimination import drawn_auc_within
from training.evaluation.statistics import Values

LEVELS = (Level.BREAST, Level.IMAGE)


class Pairs(StrEnum):
    """The pairs of a cancer and a healthy case that an AUC counts.

    Both cases of a pair of one fold are judged by one network, and need no scale that the networks
    of several folds have in common. A case without a machine is in no pair of one machine.
    """

    FOLD = "of one fold"
    MACHINE = "of one machine and fold"
    POOLED = "all"
    POOLED_MACHINE = "of one machine"


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of the same images [N]: of a network by seed, or of a floor."""

    name: str
    by_seed: tuple[Values, ...]

    def mean(self) -> "Scores":
        """Return the mean of the seeds' scores, which are calibrated, as those of one seed."""
        return Scores(self.name, (np.asarray(np.mean(self.by_seed, axis=0)),))


def networks(runs: Sequence[ValidatedRun]) -> list[Scores]:
    """Return the scores of each network, in the order of its first run."""
    by_name: dict[str, list[Values]] = {}
    for run in runs:
        by_name.setdefault(run.network, []).append(run.predictions.probabilities)
    return [Scores(name, tuple(scores)) for name, scores in by_name.items()]


def floors(run: ValidatedRun) -> list[Scores]:
    """Return the scores of each floor of a run."""
    return [Scores(f"floor: {name}", (own,)) for name, own in run.predictions.floors.items()]


class DrawnFigures:
    """AUC of scores of the images of a run, in the same draws of patients."""

    def __init__(self, run: ValidatedRun) -> None:
        self._records = run.predictions.records
        self._folds = run.folds
        self._machines = named(run.machines)
        self._groups = {level: group(level, self._records) for level in LEVELS}

    def auc(self, scores: Scores, level: Level, pairs: Pairs, *, fold: str | None = None) -> Values:
        """Return the drawn AUC, the mean of the seeds. It is not a number without a pair.

        `fold`: the only fold whose cases count.
        """
        keys = [
            self._key(pairs, int(views[0]), fold) or f"case {number}"
            for number, views in enumerate(self._groups[level])
        ]
        values = [self._one_seed(self._cases(one, level), keys) for one in scores.by_seed]
        return np.asarray(np.mean(values, axis=0))

    def counts(self) -> Mapping[str, int]:
        """Return the numbers of patients, and of cases of each level with and without cancer."""
        cases = {level: self._cases(np.zeros(len(self._records)), level) for level in LEVELS}
        return {
            "patients": len(set(cases[Level.IMAGE].patients)),
            **{f"{level}s": len(some) for level, some in cases.items()},
            **{f"{level}s_with_cancer": int(some.labels.sum()) for level, some in cases.items()},
        }

    def _cases(self, scores: Values, level: Level) -> Cases:
        return gather(level, self._records, scores, self._groups[level])

    def _key(self, pairs: Pairs, image: int, fold: str | None) -> Hashable | None:
        """Return the group in which a case makes pairs, by its first image, or None if in none."""
        own_fold = self._folds[image]
        machine = self._machines[image]
        of_machine = pairs in (Pairs.MACHINE, Pairs.POOLED_MACHINE)
        if fold not in (None, own_fold) or (of_machine and machine == MISSING):
            return None

        of_fold = pairs in (Pairs.FOLD, Pairs.MACHINE)
        return (own_fold if of_fold else None, machine if of_machine else None)

    @staticmethod
    def _one_seed(cases: Cases, keys: Sequence[Hashable]) -> Values:
        """Return the drawn AUC. All cases are drawn, also those that are in no pair."""
        return drawn_auc_within(cases.labels, cases.probabilities, keys, cases.patients)
