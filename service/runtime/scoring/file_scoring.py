"""Score one file of an archive: fetch it, read it, predict it, and return its row."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import fsspec

from service import pipeline
from service.errors import FileTooLarge, ImageError, UnreadableFile
from service.imaging import FileOrigin, NamingReader, Reading, SourceReading
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import SourceReader
from service.records import FitParameters, ImageFacts, NamedFacts, View
from service.runtime.scoring.image_row import (
    Row,
    explanation_row,
    fingerprint_cells,
    prediction_row,
    problem_row,
)

ListedImage = Mapping[str, Any]
"""A row of the listing."""

_OF_THE_FILE = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
"""Errors that reading the file again will give again. Others are those of its storage."""


@dataclass(frozen=True, slots=True)
class FileScorer:
    """Scores files, several at once if called from several threads.

    `max_bytes`: of a file. `regions`: also explain the positive class by Grad-CAM.
    """

    model: Model
    source: SourceReader
    max_bytes: int
    regions: bool

    def __call__(self, image: ListedImage) -> Row:
        """Return the row of an image. A file that cannot be used has a problem in its row.

        Raises:
            OSError: the storage of the file fails.
        """
        row: Row = {"number": image["number"], "path": image["path"], "exam": image["exam"]}
        try:
            data = self._fetch(image["path"])
        except (FileTooLarge, UnreadableFile) as error:
            return row | problem_row(error)

        row["sha256"] = hashlib.sha256(data).hexdigest()
        return row | self._score(image, data)

    def _fetch(self, path: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            UnreadableFile, FileTooLarge: it cannot be used.
        """
        try:
            with fsspec.open(path, "rb") as file:
                data: bytes = file.read(self.max_bytes + 1)
        except _OF_THE_FILE as error:
            raise UnreadableFile(f"{os.strerror(error.errno or 0)}.") from error

        if len(data) > self.max_bytes:
            raise FileTooLarge(self.max_bytes)
        return data

    def _score(self, image: ListedImage, data: bytes) -> Row:
        """Return the cells that follow from the bytes of the file."""
        manifest = self.model.manifest
        timer = Stopwatch()
        readings: list[SourceReading] = []

        def read(data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
            del picture_edge  # no picture is drawn
            readings.append(self.source.read(data, parameters))
            return readings[-1].reading

        naming = NamingReader(read, _named(image))
        try:
            if self.regions:
                question = pipeline.Question()
                explanation = pipeline.explain(self.model, naming, data, timer, question)
                results = explanation_row(explanation, manifest)
                facts = explanation.prediction.reading.facts
            else:
                prediction = pipeline.predict(self.model, naming, data, timer)
                results = prediction_row(prediction, manifest)
                facts = prediction.reading.facts
        except ImageError as error:
            origin = self.source.origin(data)
            return problem_row(error) | self._prints(image, origin, None)

        (reading,) = readings
        return results | self._prints(image, reading.origin, facts)

    def _prints(
        self, image: ListedImage, origin: FileOrigin | None, facts: ImageFacts | None
    ) -> Row:
        """Return the fingerprints, and the exam if the listing does not tell it.

        It is the study, or the folder of a file without one. A file that was refused for its
        pixels and names no study is in no exam.
        """
        prints = fingerprint_cells(origin, facts, self.source.key)
        if image["exam"] is not None:
            return prints
        folder = None if facts is None else str(PurePosixPath(image["path"]).parent)
        return prints | {"exam": prints["study"] or folder}


def _named(image: ListedImage) -> NamedFacts:
    """Return side and view as the listing says."""
    view = None if image["view"] is None else View(image["view"])
    return NamedFacts(image["laterality"], view, image["named_by"])
