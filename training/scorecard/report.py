"""Scorecard report on disk, between `scorecard` and `export`: a JSON file, and arrays beside it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from service.model import Reference, Scorecard, read_domain, write_domain
from service.records import Domain
from training.errors import RunError, ScorecardError


@dataclass(frozen=True, slots=True)
class ScorecardReport:
    """A scorecard with the reference ranges of single images' figures and the model's domain."""

    scorecard: Scorecard
    reference: Reference
    domain: Domain


class _Document(BaseModel):
    """Content of the JSON file. `model` is the SHA-256 of the Keras file that was tested."""

    model: str
    scorecard: Scorecard
    reference: Reference


def write_report(path: Path, keras_file: Path, report: ScorecardReport) -> None:
    """Write the report on `keras_file` to `path`, and the domain's arrays beside it as `.npz`."""
    document = _Document(
        model=_digest(keras_file), scorecard=report.scorecard, reference=report.reference
    )

    write_domain(path.with_suffix(".npz"), report.domain)
    path.write_text(document.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_report(path: Path, keras_file: Path) -> ScorecardReport | None:
    """Return the report on `keras_file`, or None if `path` does not exist.

    Raises:
        RunError: the file is no report, or is about another Keras file.
    """
    if not path.exists():
        return None

    try:
        document = _Document.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RunError(
            f"{path} is not a scorecard that this version reads: run `python -m training "
            "scorecard` again."
        ) from error

    if document.model != _digest(keras_file):
        raise RunError(
            f"{path} is about another network than {keras_file}: "
            "run `python -m training scorecard` again."
        )

    return ScorecardReport(
        document.scorecard, document.reference, read_domain(path.with_suffix(".npz"))
    )


def check_scorecard(report: ScorecardReport | None) -> None:
    """Check that there is a scorecard and that the model passed it.

    Raises:
        ScorecardError: there is no scorecard, or the tests that the error names failed or are
            undecided.
    """
    if report is None:
        raise ScorecardError(
            "The model has no scorecard: run `python -m training scorecard` first."
        )

    if not report.scorecard.passed:
        open_lines = (
            line for line in report.scorecard.lines if line.verdict in ("fail", "undecided")
        )
        complaints = [
            f"  {line.name} ({line.verdict}): {line.value_text}, required: {line.asked}. "
            f"{line.meaning}"
            for line in open_lines
        ]
        raise ScorecardError("\n".join(["The model did not pass its scorecard:", *complaints]))


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
