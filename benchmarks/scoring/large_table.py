"""Memory and time of a scoring of a large table, with a decoder that returns one image."""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.load.servers import ROOT
from service.imaging import FileTask, Limits
from service.model import FakeModel
from service.runtime.scoring import local_engine
from service.runtime.scoring.archive_scoring import ScoringRequest, score
from service.runtime.scoring.image_scorer import ImageScorer, ScoringOrder
from service.runtime.scoring.listing_parts import ListingPart, ScoredPart
from service.runtime.scoring.scoring_progress import ScoringProgress
from service.settings import FAKE, Settings

_SAMPLE = ROOT / "docs" / "sample.dcm"
_VIEWS = ("L,CC", "L,MLO", "R,CC", "R,MLO")


class _OneReading:
    """A reader that returns the reading of the sample for every file."""

    def __init__(self) -> None:
        self._reading: Any = None

    def __call__(self, task: FileTask[Any], data: bytes | memoryview) -> Any:
        del data
        if self._reading is None:
            self._reading = task(_SAMPLE.read_bytes(), Limits())
        return self._reading


def main(arguments: Sequence[str]) -> int:
    """Print the seconds and the largest memory."""
    parser = argparse.ArgumentParser("python -m benchmarks.scoring rows")
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: a million")
    options = parser.parse_args(arguments)

    with tempfile.TemporaryDirectory() as temporary:
        table = Path(temporary) / "table.csv"
        _write_table(table, options.rows)
        request = ScoringRequest(Settings(model=FAKE), str(table), Path(temporary) / "out")
        start = time.monotonic()
        totals = score(request, _score_parts)
        seconds = time.monotonic() - start

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    sys.stdout.write(
        f"{options.rows} rows: {totals}\n{seconds:.0f} s, {options.rows / seconds:.0f} a second, "
        f"at most {peak:.0f} MB\n"
    )
    return 0


def _write_table(path: Path, rows: int) -> None:
    """Write a table whose rows name one small file, as exams of four views."""
    file_of_all = path.with_name("image.dcm")
    file_of_all.write_bytes(bytes(100))
    with path.open("w", encoding="utf-8") as file:
        file.write("path,patient_id,exam_id,laterality,view\n")
        for number in range(rows):
            exam = f"{number // 8:07d},{number // 4:07d}"
            file.write(f"{file_of_all},{exam},{_VIEWS[number % 4]}\n")


def _score_parts(
    order: ScoringOrder, parts: Sequence[ListingPart], progress: ScoringProgress
) -> Iterator[ScoredPart]:
    """Score parts with the fake model and the fake reader."""
    scorer = ImageScorer(order, FakeModel(), _OneReading())
    yield from local_engine.stream(scorer, parts, progress)
    scorer.close()
