"""Rounds of a cross-validation: every fold is the test part of one round."""

import hashlib
from collections.abc import Mapping, Sequence

from training.data.split import Split, require_both_classes
from training.data.table import Record
from training.errors import TableError
from training.table_config import CrossSplit


def rotate(records: Sequence[Record], rule: CrossSplit) -> dict[str, Split]:
    """Return the split of each round, by the name of its test fold.

    The validation part is the next fold, and after the last one the first. Each patient is in one
    fold. Records that are only for training are in the training part of every round.

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

    return {
        name: _round(members, rule.names, index, shared) for index, name in enumerate(rule.names)
    }


def _round(
    members: Mapping[str, Sequence[Record]],
    names: Sequence[str],
    index: int,
    shared: tuple[Record, ...],
) -> Split:
    """Return the split whose test part is the fold of that index."""
    test = names[index]
    validation = names[(index + 1) % len(names)]
    train = [record for name in names if name not in (test, validation) for record in members[name]]

    split = Split((*train, *shared), tuple(members[validation]), tuple(members[test]))
    require_both_classes(split)
    return split


def _draw(records: Sequence[Record], rule: CrossSplit) -> dict[str, str]:
    """Deal the patients to the folds, separately those with and those without cancer."""
    with_cancer = {record.patient_id for record in records if record.cancer}
    without = {record.patient_id for record in records} - with_cancer

    # A hash decides the order, so that it does not depend on the rows of the table.
    dealt = [
        patient
        for stratum in (with_cancer, without)
        for patient in sorted(
            stratum, key=lambda patient: hashlib.sha256(f"{rule.seed}/{patient}".encode()).digest()
        )
    ]
    return {patient: rule.names[index % len(rule.names)] for index, patient in enumerate(dealt)}


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
