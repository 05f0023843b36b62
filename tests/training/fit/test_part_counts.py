from training.data.table import Record
from training.fit.part_counts import count_part, part_table


def record(patient: str, image: str, *, cancer: bool) -> Record:
    return Record(patient, image, "L", "CC", cancer)


RECORDS = (
    record("a", "1", cancer=True),
    record("a", "2", cancer=True),
    record("b", "3", cancer=False),
)


def test_table_counts_images_patients_and_cancers() -> None:
    table = part_table([count_part("train", RECORDS, 0), count_part("test", RECORDS[:1], 0)])

    assert [line.split() for line in table.splitlines()] == [
        ["part", "images", "patients", "cancers", "dropped"],
        ["train", "3", "2", "2", "0"],
        ["test", "1", "1", "1", "0"],
    ]


def test_dropped_images_give_a_warning() -> None:
    table = part_table([count_part("train", RECORDS, 4), count_part("validation", RECORDS, 1)])

    assert table.splitlines()[-1].startswith("warning: 5 images were dropped as unusable")
