"""What a scorecard found, on disk between `scorecard` and `export`: a JSON file to read, and arrays beside it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from service.model import Reference, Scorecard, read_domain, write_domain
from service.records import Domain
from training.errors import RunError, ScorecardError


@dataclass(frozen=True, slots=True)
class ScorecardReport:
    """What a scorecard leaves in a bundle: itself, the ranges of single images' figures, and the model's domain."""

    scorecard: Scorecard
    reference: Reference
    domain: Domain


class _Document(BaseModel):
    """The JSON file: `model` is the SHA-256 of the Keras file that was tested."""

    model: str
    scorecard: Scorecard
    reference: Reference


def write_report(path: Path, keras_file: Path, report: ScorecardReport) -> None:
    """Writes the report about that Keras file to `path`, and the domain's arrays beside it as `.npz`."""
    document = _Document(
        model=_digest(keras_file), scorecard=report.scorecard, reference=report.reference
    )
    write_domain(path.with_suffix(".npz"), report.domain)
    path.write_text(document.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_report(path: Path, keras_file: Path) -> ScorecardReport | None:
    """The report about that Keras file; None if there are none.

    Raises:
        RunError: they are about another file.
    """
    if not path.exists():
        return None
    document = _Document.model_validate_json(path.read_bytes())
    if document.model != _digest(keras_file):
        raise RunError(
            f"{path} is about another network than {keras_file}: run `python -m training scorecard` again."
        )
    return ScorecardReport(
        document.scorecard, document.reference, read_domain(path.with_suffix(".npz"))
    )


def check_scorecard(report: ScorecardReport | None) -> None:
    """Makes sure that there is a scorecard and that it was passed.

    Raises:
        ScorecardError: saying which tests were failed.
    """
    if report is None:
        raise ScorecardError(
            "The model has no scorecard: run `python -m training scorecard` first."
        )
    if not report.scorecard.passed:
        lines = (line for line in report.scorecard.lines if line.verdict == "fail")
        complaints = [
            f"  {line.name}: {line.value}, asked: {line.asked}. {line.meaning}" for line in lines
        ]
        raise ScorecardError("\n".join(["The model failed its scorecard:", *complaints]))


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
