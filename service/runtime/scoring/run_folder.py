"""The folder of a scoring: its facts, the parts that are done, and the results.

Each file is complete or missing: it is written under another name and then renamed. A scoring that
was interrupted goes on with the parts that are missing.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet
from pydantic import BaseModel, ConfigDict, ValidationError

from service.errors import OtherScoring, ScoringBusy

_KEY_BYTES = 16
_PARTIAL = ".partial"


class ScoringFacts(BaseModel):
    """The facts of a scoring, `scoring.json`. It goes on with the same facts alone.

    `digest`: of the model. `model_engine`: that runs it. `imaging`: version of the fit. `listing`:
    SHA-256 of the listing. `images`: their number. `part_images`: those of a part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    model: str
    version: int
    digest: str
    model_engine: str = "tensorflow"
    imaging: int
    regions: bool
    listing: str
    images: int
    part_images: int


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of a scoring."""

    path: Path

    @property
    def facts(self) -> Path:
        """What is scored, and by what."""
        return self.path / "scoring.json"

    @property
    def images(self) -> Path:
        """The table of images. It is written last: a scoring that has it is complete."""
        return self.path / "images.parquet"

    @property
    def breasts(self) -> Path:
        """The table of breasts."""
        return self.path / "breasts.parquet"

    @property
    def exams(self) -> Path:
        """The table of exams."""
        return self.path / "exams.parquet"

    @property
    def _parts(self) -> Path:
        return self.path / "parts"

    @property
    def _key(self) -> Path:
        return self.path / "origin.key"

    def part(self, number: int) -> Path:
        """Return the path of a part's rows."""
        return self._parts / f"{number:06d}.parquet"

    def is_complete(self) -> bool:
        """Return whether every table is written."""
        return self.images.exists()

    def begin(self, facts: ScoringFacts) -> None:
        """Begin a scoring, or go on with it.

        Raises:
            OtherScoring: the folder holds one with other facts.
        """
        if not self.facts.exists():
            self._parts.mkdir(parents=True, exist_ok=True)
            _write_key(self._key)
            _write_text(self.facts, facts.model_dump_json(indent=2) + "\n")
            return

        there = self._read_facts()
        names = [name for name, value in facts if getattr(there, name) != value]
        if names:
            told = "; ".join(
                f"{name} is {getattr(there, name)} there and {getattr(facts, name)} now"
                for name in names
            )
            raise OtherScoring(f"{self.path} holds another scoring: {told}. Name another --out.")

    def done_parts(self) -> set[int]:
        """Return the numbers of the parts that are done."""
        return {int(path.stem) for path in self._parts.glob("*.parquet")}

    def read_key(self) -> bytes:
        """Return the key of the scoring's fingerprints."""
        return bytes.fromhex(self._key.read_text("ascii"))

    def tidy(self) -> None:
        """Delete what nothing but an unfinished scoring needs."""
        if self._parts.exists():
            shutil.rmtree(self._parts)
        self._key.unlink(missing_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from writing to the folder.

        Raises:
            ScoringBusy: one does.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("w") as file:
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError as error:
                raise ScoringBusy(f"Another process writes to {self.path}.") from error
            yield

    def _read_facts(self) -> ScoringFacts:
        try:
            return ScoringFacts.model_validate_json(self.facts.read_bytes())
        except ValidationError as error:
            raise OtherScoring(
                f"{self.facts} was written by another version. Name another --out."
            ) from error


def _write_key(path: Path) -> None:
    """Write a random key that the owner alone may read."""
    partial = path.with_name(path.name + _PARTIAL)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_bytes(_KEY_BYTES).hex())
    partial.rename(path)


@contextmanager
def writing(path: Path, schema: pa.Schema) -> Iterator[parquet.ParquetWriter]:
    """Yield a writer of a table, which is there once all of it is written."""
    partial = path.with_name(path.name + _PARTIAL)
    with parquet.ParquetWriter(partial, schema, compression="zstd") as writer:
        yield writer
    partial.rename(path)


def _write_text(path: Path, text: str) -> None:
    partial = path.with_name(path.name + _PARTIAL)
    partial.write_text(text, "utf-8")
    partial.rename(path)
