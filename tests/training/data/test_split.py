from dataclasses import replace

import pytest

from training.data.split import Split, split_records
from training.data.table import Record
from training.errors import TableError
from training.table_config import FoldSplit, HashSplit

RULE = HashSplit(by="patient", validation=0.2, test=0.3, seed=0)


def cohort(patients: int) -> list[Record]:
    """Return four images per patient, in folds 0 to 3.

    Every fifth patient has a cancer on the left.
    """
    return [
        Record(
            f"p{patient}",
            f"{patient}{side}{view}",
            side,
            view,
            cancer=patient % 5 == 0 and side == "L",
            fold=str(patient % 4),
        )
        for patient in range(patients)
        for side in ("L", "R")
        for view in ("CC", "MLO")
    ]


def patients_of(split: Split) -> list[set[str]]:
    return [
        {record.patient_id for record in part}
        for part in (split.train, split.validation, split.test)
    ]


@pytest.mark.parametrize("rule", [RULE, FoldSplit(by="fold", validation=("2",), test=("3",))])
def test_no_patient_is_in_two_parts(rule: HashSplit | FoldSplit) -> None:
    records = cohort(100)

    split = split_records(records, rule)

    train, validation, test = patients_of(split)
    assert len(train | validation | test) == len(train) + len(validation) + len(test)
    assert sorted((*split.train, *split.validation, *split.test), key=records.index) == records


def test_split_is_stratified_by_cancer() -> None:
    split = split_records(cohort(100), RULE)

    assert [len(patients) for patients in patients_of(split)] == [50, 20, 30]
    with_cancer = [
        {record.patient_id for record in part if record.cancer}
        for part in (split.train, split.validation, split.test)
    ]
    assert [len(patients) for patients in with_cancer] == [10, 4, 6]


def test_split_does_not_depend_on_row_order() -> None:
    records = cohort(100)

    split = split_records(records, RULE)
    split_of_reversed = split_records(records[::-1], RULE)

    assert patients_of(split) == patients_of(split_of_reversed)


def test_another_seed_draws_other_patients() -> None:
    records = cohort(100)
    other = HashSplit(by="patient", validation=0.2, test=0.3, seed=1)

    assert patients_of(split_records(records, RULE)) != patients_of(split_records(records, other))


def test_patient_in_two_parts_is_named() -> None:
    records = [*cohort(20), Record("p3", "stray", "L", "CC", cancer=False, fold="2")]

    with pytest.raises(TableError, match="p3"):
        split_records(records, FoldSplit(by="fold", validation=("2",), test=("3",)))


def test_split_by_fold_needs_the_column() -> None:
    records = [Record(f"p{i}", str(i), "L", "CC", cancer=bool(i % 2)) for i in range(8)]

    with pytest.raises(TableError, match='column "fold"'):
        split_records(records, FoldSplit(by="fold", validation=("2",), test=("3",)))


def test_unknown_fold_is_named_with_those_there_are() -> None:
    rule = FoldSplit(by="fold", validation=("2",), test=("7", "8"))

    with pytest.raises(TableError, match="fold 7, 8: the folds are 0, 1, 2, 3"):
        split_records(cohort(20), rule)


@pytest.mark.parametrize("rule", [RULE, FoldSplit(by="fold", validation=("2",), test=("3",))])
def test_records_for_training_alone_need_no_fold(rule: HashSplit | FoldSplit) -> None:
    own = cohort(100)
    foreign = [
        Record(f"other.p{i}", str(i), "L", "CC", cancer=bool(i % 2), train_only=True)
        for i in range(40)
    ]

    split = split_records([*own, *foreign], rule)

    assert set(foreign) < set(split.train)
    # The patients of the first table are divided as without the others.
    assert patients_of(split)[1:] == patients_of(split_records(own, rule))[1:]


def test_part_without_cancer_is_named() -> None:
    with pytest.raises(TableError, match="validation part"):
        split_records(cohort(6), RULE)


@pytest.mark.parametrize(
    ("cancers", "cases"),
    [
        # Every woman has a cancer on the left.
        ({("L", "CC"), ("L", "MLO")}, "exam"),
        # A cancer shows in one view of each breast.
        ({("L", "CC"), ("R", "CC")}, "breast"),
    ],
)
def test_thresholds_need_cases_without_cancer(cancers: set[tuple[str, str]], cases: str) -> None:
    records = [
        replace(record, cancer=(record.laterality, record.view) in cancers) for record in cohort(20)
    ]

    with pytest.raises(TableError, match=rf"Every {cases} of the validation part has a cancer"):
        split_records(records, RULE)
