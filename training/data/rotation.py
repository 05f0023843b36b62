"""Rounds of a cross-validation: every fold is the test part of one round."""

import hashlib
import math
from collections.abc import Sequence

from training.data.split import Split, require_both_classes
from training.data.table import Record
from training.errors import TableError
from training.table_config import CrossSplit


def rotate(records: Sequence[Record], rule: CrossSplit) -> dict[str, Split]:
    """Return the split of each round, by the name of its test fold.

    The validation part is the next fold, and after the last one the first, or a share of the
    patients of all other folds. Each patient is in one fold. Records that are only for training are
    in the training part of every round.

    Raises:
        TableError: a patient is in two folds, a fold has no patient, or a part lacks a class.
    """
    shared = tuple(record for record in records if record.train_only)
    divided = [record for record in records if not record.train_only]
    fold_of = _draw(divided, rule) if isinstance(rule.folds, int) else _read(divided, rule.names)

    members: dict[str, list[Record]] = {name: [] for name in rule.names}
    for record in divided:
        if record.patient_id in fold_of:
            members[fold_of[record.patient_id]].append(record)

    rounds = {}
    for index, name in enumerate(rule.names):
        others = [record for other in rule.names if other != name for record in members[other]]
        following = rule.names[(index + 1) % len(rule.names)]
        chosen_on = _patients(members[following])
        if rule.validation is not None:
            chosen_on = _draw_share(others, rule.validation, rule.seed)

        train = [record for record in others if record.patient_id not in chosen_on]
        validation = [record for record in others if record.patient_id in chosen_on]
        rounds[name] = Split((*train, *shared), tuple(validation), tuple(members[name]))
        require_both_classes(rounds[name])

    return rounds


def _patients(records: Sequence[Record]) -> set[str]:
    return {record.patient_id for record in records}


def _draw_share(records: Sequence[Record], share: float, seed: int) -> set[str]:
    """Return a share of the patients, of those with and of those without cancer alike."""
    return {
        patient
        for stratum in _shuffled_strata(records, seed)
        for patient in stratum[: math.ceil(share * len(stratum))]
    }


def _draw(records: Sequence[Record], rule: CrossSplit) -> dict[str, str]:
    """Deal the patients to the folds, separately those with and those without cancer."""
    dealt = [patient for stratum in _shuffled_strata(records, rule.seed) for patient in stratum]
    return {patient: rule.names[index % len(rule.names)] for index, patient in enumerate(dealt)}


def _shuffled_strata(records: Sequence[Record], seed: int) -> list[list[str]]:
    """Return the patients with and those without cancer, each in a random order.

    A hash decides the order, so that it does not depend on the rows of the table.
    """
    with_cancer = _patients([record for record in records if record.cancer])
    without = _patients(records) - with_cancer

    return [
        sorted(stratum, key=lambda patient: hashlib.sha256(f"{seed}/{patient}".encode()).digest())
        for stratum in (with_cancer, without)
    ]


def _read(records: Sequence[Record], names: Sequence[str]) -> dict[str, str]:
    """Read the folds of the patients from the table. Patients of other folds are left out."""
    fold_of: dict[str, str] = {}
    for record in records:
        if record.fold not in names:
            continue
        if fold_of.setdefault(record.patient_id, record.fold) != record.fold:
            raise TableError(
                f"Patient {record.patient_id} is in the folds {fold_of[record.patient_id]} and "
                f"{record.fold}: a patient must be in one fold."
            )

    empty = [name for name in names if name not in fold_of.values()]
    if empty:
        known = sorted({record.fold for record in records})
        raise TableError(
            f"No patient is in fold {empty[0]!r}. The table's folds are {', '.join(known)}."
        )

    return fold_of
