from dataclasses import replace

import pytest

from training.data.rotation import rotate
from training.data.table import Record
from training.errors import TableError
from training.table_config import CrossSplit

DRAWN = CrossSplit(by="cross-validation", folds=4, seed=1)
LISTED = CrossSplit(by="cross-validation", folds=("a", "b", "c"))


def cohort(patients: int, fold: str = "") -> list[Record]:
    """Patients with two images each. Every third has a cancer."""
    return [
        Record(f"{fold}{patient}", f"{view}", "L", view, cancer=patient % 3 == 0, fold=fold)
        for patient in range(patients)
        for view in ("CC", "MLO")
    ]


def patients(records: tuple[Record, ...]) -> set[str]:
    return {record.patient_id for record in records}


def test_every_patient_is_tested_once() -> None:
    rounds = rotate(cohort(40), DRAWN)

    tested = [patient for split in rounds.values() for patient in patients(split.test)]
    assert sorted(tested) == sorted(patients(tuple(cohort(40))))


def test_parts_of_a_round_share_no_patient() -> None:
    for split in rotate(cohort(40), DRAWN).values():
        parts = [patients(part) for part in (split.train, split.validation, split.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 40


def test_next_fold_is_the_validation_part() -> None:
    rounds = rotate([*cohort(6, "a"), *cohort(6, "b"), *cohort(6, "c")], LISTED)

    folds = {name: {record.fold for record in split.validation} for name, split in rounds.items()}
    assert folds == {"a": {"b"}, "b": {"c"}, "c": {"a"}}


def test_drawn_folds_have_equal_shares_of_cancer() -> None:
    counts = [
        len({record.patient_id for record in split.test if record.cancer})
        for split in rotate(cohort(60), DRAWN).values()
    ]

    assert counts == [5, 5, 5, 5]


def test_draw_ignores_the_order_of_rows() -> None:
    rounds = rotate(cohort(40), DRAWN)
    reverse = rotate(cohort(40)[::-1], DRAWN)

    assert {name: patients(split.test) for name, split in rounds.items()} == {
        name: patients(split.test) for name, split in reverse.items()
    }


def test_folds_that_are_not_listed_are_left_out() -> None:
    records = [*cohort(6, "a"), *cohort(6, "b"), *cohort(6, "c"), *cohort(6, "d")]

    for split in rotate(records, LISTED).values():
        assert "d" not in {record.fold for record in (*split.train, *split.validation, *split.test)}


def test_training_images_of_other_sets_are_in_every_round() -> None:
    further = [replace(record, train_only=True) for record in cohort(3, "x")]

    for split in rotate([*cohort(40), *further], DRAWN).values():
        assert {record.key for record in further} <= {record.key for record in split.train}


def test_patient_in_two_folds_is_refused() -> None:
    records = [*cohort(6, "a"), *cohort(6, "b"), *cohort(6, "c")]
    records.append(replace(records[0], image_id="stray", fold="b"))

    with pytest.raises(TableError, match=r"Patient a0 is in the folds a and b"):
        rotate(records, LISTED)


def test_unknown_fold_names_the_folds_there_are() -> None:
    with pytest.raises(TableError, match=r"fold 'b'. The table's folds are a, c"):
        rotate([*cohort(6, "a"), *cohort(6, "c")], LISTED)


@pytest.mark.parametrize("folds", [2, ("a", "b"), ("a", "b", "b")])
def test_fewer_than_three_folds_are_refused(folds: int | tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="at least 3"):
        CrossSplit(by="cross-validation", folds=folds)


def test_validation_part_may_be_share_of_others() -> None:
    rule = CrossSplit(by="cross-validation", folds=("a", "b", "c"), validation=0.25)
    rounds = rotate([*cohort(20, "a"), *cohort(20, "b"), *cohort(20, "c")], rule)

    for name, split in rounds.items():
        chosen_on = {record.patient_id for record in split.validation}
        trained_on = {record.patient_id for record in split.train}
        # A quarter of 14 patients with cancer, and of 26 without, is rounded up.
        assert len(chosen_on) == 4 + 7
        assert len(trained_on) == 29
        assert not chosen_on & trained_on
        assert all(record.fold != name for record in (*split.train, *split.validation))
