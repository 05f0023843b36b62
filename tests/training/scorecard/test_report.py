from datetime import date
from pathlib import Path

import numpy as np
import pytest

from service.model import Ranges, Reference, Scorecard, ScorecardEntry
from service.records import Domain, Method, ReferenceRange
from training.errors import RunError, ScorecardError
from training.scorecard.report import ScorecardReport, check_scorecard, read_report, write_report


def report(verdict: str) -> ScorecardReport:
    """Return a report whose scorecard has one line with this verdict."""
    line = ScorecardEntry.model_validate(
        {
            "name": "corners",
            "value": 0.9,
            "asked": "at most 0.65",
            "verdict": verdict,
            "meaning": "A marker.",
        }
    )
    ranges = Ranges(positive={"entropy": ReferenceRange(0.1, 0.2)}, negative={})

    return ScorecardReport(
        Scorecard(created=date(2026, 1, 2), images=7, lines=(line,)),
        Reference(images=5, ranges={"conv2d": {Method.GRAD_CAM: ranges}}),
        Domain(np.ones(3, np.float32), np.eye(3, dtype=np.float32), 1.5),
    )


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "best.keras"
    path.write_bytes(b"weights")
    return path


def test_report_is_read_as_it_was_written(tmp_path: Path, network: Path) -> None:
    written = report("pass")
    write_report(tmp_path / "scorecard.json", network, written)

    restored = read_report(tmp_path / "scorecard.json", network)

    assert restored is not None
    assert (restored.scorecard, restored.reference) == (written.scorecard, written.reference)
    np.testing.assert_array_equal(restored.domain.whitening, np.eye(3))
    assert restored.domain.limit == 1.5


def test_report_on_other_weights_is_refused(tmp_path: Path, network: Path) -> None:
    write_report(tmp_path / "scorecard.json", network, report("pass"))
    network.write_bytes(b"trained on")

    with pytest.raises(RunError, match="training scorecard"):
        read_report(tmp_path / "scorecard.json", network)


def test_required_scorecard_must_exist_and_be_passed(tmp_path: Path, network: Path) -> None:
    complaint = r"corners \({}\): 0\.9, required: at most 0\.65\. A marker\."

    assert read_report(tmp_path / "scorecard.json", network) is None
    with pytest.raises(ScorecardError, match="no scorecard"):
        check_scorecard(None)
    for verdict in ("fail", "undecided"):
        with pytest.raises(ScorecardError, match=complaint.format(verdict)):
            check_scorecard(report(verdict))

    check_scorecard(report("pass"))
