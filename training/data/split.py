"""Split of a table into three parts without common patients."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from training.data.table import Record
from training.errors import ConfigError, TableError
from training.table_config import CrossSplit, FoldSplit, HashSplit


@dataclass(frozen=True, slots=True)
class Split:
    """Records for fitting the weights, for choosing the model, and for the final evaluation."""

    train: tuple[Record, ...]
    validation: tuple[Record, ...]
    test: tuple[Record, ...]


def split_records(records: Sequence[Record], rule: HashSplit | FoldSplit | CrossSplit) -> Split:
    """Divide the records into three parts, with each patient in exactly one of them.

    Records for training alone are not divided: they are in the training part.

    Raises:
        TableError: if a fold does not exist, a patient is in folds of two parts, or a part lacks a
            class.
        ConfigError: if the rule is a cross-validation, which has a split for each fold.
    """
    if isinstance(rule, CrossSplit):
        raise ConfigError(
            "This experiment is a cross-validation, with a split for each fold: "
            "run `python -m training cross-validate`."
        )

    divided = [record for record in records if not record.train_only]
    validation, test = (
        _draw(divided, rule) if isinstance(rule, HashSplit) else _read_folds(divided, rule)
    )

    held_out = validation | test
    split = Split(
        train=tuple(record for record in records if record.patient_id not in held_out),
        validation=tuple(record for record in divided if record.patient_id in validation),
        test=tuple(record for record in divided if record.patient_id in test),
    )
    require_both_classes(split)
    return split


def _draw(records: Sequence[Record], rule: HashSplit) -> tuple[set[str], set[str]]:
    """Draw the patients of validation and test, separately from those with and without cancer."""
    with_cancer = {record.patient_id for record in records if record.cancer}
    without = {record.patient_id for record in records} - with_cancer
    validation: set[str] = set()
    test: set[str] = set()

    for stratum in (with_cancer, without):
        # A hash decides the order, so that it does not depend on the rows of the table.
        drawn = sorted(
            stratum, key=lambda patient: hashlib.sha256(f"{rule.seed}/{patient}".encode()).digest()
        )
        to_validation = round(rule.validation * len(drawn))
        to_test = round(rule.test * len(drawn))
        validation.update(drawn[:to_validation])
        test.update(drawn[to_validation : to_validation + to_test])

    return validation, test


def _read_folds(records: Sequence[Record], rule: FoldSplit) -> tuple[set[str], set[str]]:
    if any(not record.fold for record in records):
        raise TableError(
            'A split by fold needs a column "fold" with a value in every row of the table.'
        )

    folds = {record.fold for record in records}
    unknown = sorted({*rule.validation, *rule.test} - folds)
    if unknown:
        raise TableError(
            f"No row of the table is in fold {', '.join(unknown)}: "
            f"the folds are {', '.join(sorted(folds))}."
        )

    validation = _patients(record for record in records if record.fold in rule.validation)
    test = _patients(record for record in records if record.fold in rule.test)
    train = _patients(
        record for record in records if record.fold not in (*rule.validation, *rule.test)
    )

    shared = sorted((validation & test) | (validation & train) | (test & train))
    if shared:
        raise TableError(
            f"{len(shared)} patients have images in folds of two parts, for example {shared[0]}."
        )

    return validation, test


def _patients(records: Iterable[Record]) -> set[str]:
    return {record.patient_id for record in records}


def require_both_classes(split: Split) -> None:
    """Check that every part has images with and without cancer.

    The validation part also needs breasts and exams without cancer, which thresholds are chosen on.

    Raises:
        TableError: a part lacks a class.
    """
    for part in fields(split):
        records = getattr(split, part.name)
        if {record.cancer for record in records} != {False, True}:
            raise TableError(
                f"The {part.name} part ({len(records)} images) does not contain both classes: "
                "use more patients or another split."
            )

    for cases in ("breast", "exam"):
        known = {getattr(record, cases) for record in split.validation}
        with_cancer = {getattr(record, cases) for record in split.validation if record.cancer}
        if with_cancer == known:
            raise TableError(
                f"Every {cases} of the validation part has a cancer ({len(known)} {cases}s), and a "
                f"threshold of {cases}s needs others: use more patients or another split."
            )
