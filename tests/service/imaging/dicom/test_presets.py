"""Windows and tables that a file offers: their order, number, names and sizes."""

import math
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from service.imaging import Limits, SamplesTask, decode
from service.imaging.dicom.stored_samples import MAX_PRESETS, MAX_TABLE_BYTES
from service.records import Pixels, VoiPreset
from tests.support.dicom_files import WriteDicom

TWO = {"WindowCenter": [2000, 1800], "WindowWidth": [4000, 2400]}


def table(size: int = 4096, explanation: str | None = None, bits: int = 12) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [size % 2**16, 0, bits]
    item.LUTData = np.linspace(0, 2**bits - 1, size).astype("<u2").tobytes()
    item["LUTData"].VR = "OW"
    if explanation is not None:
        item.LUTExplanation = explanation
    return item


def presets(data: bytes) -> tuple[VoiPreset, ...]:
    return SamplesTask(math.inf)(data, Limits()).meaning.presets


def test_windows_come_before_tables(write_dicom: WriteDicom, breast: Pixels) -> None:
    data = write_dicom(breast, BitsStored=12, VOILUTSequence=[table(), table()], **TWO)

    given = presets(data)

    assert [(preset.function, preset.center) for preset in given] == [
        ("LINEAR", 2000), ("LINEAR", 1800), ("TABLE", None), ("TABLE", None),
    ]  # fmt: skip
    assert given[2].table is not None
    entries = np.frombuffer(given[2].table.entries, "<u2")
    assert (given[2].table.first, given[2].table.maximum) == (0, 4095)
    assert np.array_equal(entries, np.arange(4096))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (["NORMAL", "HARDER"], ["NORMAL", "HARDER"]),
        (["normal", " Softer "], ["NORMAL", "SOFTER"]),
        (["Doe^Jane", "WIDE"], [None, "WIDE"]),
        (["NORMAL OF JANE"], [None, None]),
        (["", "NORMAL"], [None, "NORMAL"]),
        (None, [None, None]),
    ],
)
def test_known_names_alone_are_told(
    write_dicom: WriteDicom, breast: Pixels, written: Any, told: list[str | None]
) -> None:
    data = write_dicom(breast, BitsStored=12, WindowCenterWidthExplanation=written, **TWO)

    assert [preset.name for preset in presets(data)] == told


def test_known_names_of_tables_are_told(write_dicom: WriteDicom, breast: Pixels) -> None:
    tables = [table(explanation="HARDER"), table(explanation="Doe^Jane"), table()]

    given = presets(write_dicom(breast, BitsStored=12, VOILUTSequence=tables))

    assert [preset.name for preset in given] == ["HARDER", None, None]


def test_skipped_window_keeps_names_in_place(write_dicom: WriteDicom, breast: Pixels) -> None:
    """The first window has no width, so the second is the service's own."""
    data = write_dicom(
        breast,
        BitsStored=12,
        WindowCenter=[2000, 1800],
        WindowWidth=[0, 2400],
        WindowCenterWidthExplanation=["NORMAL", "SOFTER"],
    )

    assert [(preset.center, preset.name) for preset in presets(data)] == [(1800, "SOFTER")]


def test_windows_that_show_nothing_are_left_out(write_dicom: WriteDicom, breast: Pixels) -> None:
    data = write_dicom(
        breast, BitsStored=12, WindowCenter=[2000, 20000, 1800], WindowWidth=[4000, 1000, 2400]
    )

    assert [preset.center for preset in presets(data)] == [2000, 1800]


def test_number_of_presets_is_bounded(write_dicom: WriteDicom, breast: Pixels) -> None:
    data = write_dicom(breast, BitsStored=12, WindowCenter=[1800] * 100, WindowWidth=[2400] * 100)

    assert len(presets(data)) == MAX_PRESETS == 16


def test_bytes_of_tables_are_bounded(write_dicom: WriteDicom, breast: Pixels) -> None:
    """The first table is the service's own. Two of the others fill the bound."""
    data = write_dicom(breast << 4, VOILUTSequence=[table(2**16, bits=16)] * 4)

    given = presets(data)

    assert [preset.function for preset in given] == ["TABLE"] * 3
    sizes = [len(preset.table.entries) for preset in given[1:] if preset.table is not None]
    assert sum(sizes) == MAX_TABLE_BYTES == 262_144


def test_unreadable_further_table_is_no_warning(write_dicom: WriteDicom, breast: Pixels) -> None:
    """No pixel depends on it."""
    broken = table()
    broken.LUTDescriptor = [5000, 0, 12]
    data = write_dicom(breast, BitsStored=12, VOILUTSequence=[broken], **TWO)

    assert len(presets(data)) == 2
    assert decode(data).warnings == ()
