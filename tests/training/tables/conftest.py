"""What the tests of the readers share: tables are made by the command, as a user makes them."""

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from training.commands import main
from training.data.table import Record, read_table
from training.table_config import ImageTable

Rows = list[dict[str, str]]
MakeTable = Callable[..., Rows]


@pytest.fixture
def make(tmp_path: Path) -> MakeTable:
    """Run the command for a set in `source`, and return the rows of its table."""

    def run(name: str, source: Path, *options: str) -> Rows:
        out = tmp_path / "made" / "t.csv"
        assert main(["table", name, str(source), "--out", str(out), *options]) == 0
        with out.open(newline="") as file:
            return list(csv.DictReader(file))

    return run


def records_of(tmp_path: Path, root: Path) -> tuple[Record, ...]:
    """Read the table that `make` has written as an experiment would."""
    return read_table(
        ImageTable(
            table=tmp_path / "made" / "t.csv",
            images=f"{root}/{{path}}",
            lesion_masks=f"{tmp_path}/masks/{{lesion_mask}}",
        )
    )


def read_pixels(path: Path) -> NDArray[np.uint8]:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return np.asarray(pixels, np.uint8)
