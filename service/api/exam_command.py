"""The command `explain` for an exam: JSON, pictures and objects for archives in a directory."""

import argparse
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from service import pipeline
from service.api import responses
from service.api.exam_table import exam_lines, view_of
from service.api.explain_folder import ExamFolder, list_folder, name_images
from service.api.negotiation import MediaType
from service.api.object_building import order_objects
from service.api.object_options import ObjectOptions
from service.api.options import GradcamOptions, HeatShown
from service.api.routes import explain_exam, gradcam
from service.errors import (
    DecidedNegative,
    ImageError,
    MammolensError,
    NoImageAnswered,
    NoObject,
    NoRegion,
)
from service.imaging import RunTask
from service.imaging.file_names import read_file_name
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import Exam, ExamFile, ExamQuestion, ExplainedImage
from service.records import ExamResults, ObjectName
from service.rendering import PictureFormat, Render, Style


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writer of one exam's results. `names`: of the results of each image."""

    arguments: argparse.Namespace
    options: GradcamOptions
    model: Model
    exam: Exam
    results: ExamResults
    names: Sequence[str]
    timer: Stopwatch

    def write(self, name: str, content: bytes) -> None:
        (self.arguments.out / name).write_bytes(content)

    def write_answer(self) -> None:
        """Write the JSON of POST /exam."""
        shown = HeatShown.ALL if self.arguments.negatives else HeatShown.POSITIVE
        body = explain_exam.body(self.model, self.exam, self.results, shown, self.timer)
        text = body.model_dump_json(by_alias=True) + "\n"
        self.write("exam.json", text.encode())

    def write_pictures(self) -> None:
        """Write the overlay of each image, and the summary page."""
        explanations = {}
        for position, image in enumerate(self.exam.images):
            if isinstance(image, ExplainedImage):
                explanations[position] = image.explanation
                self._write_overlay(position, image)

        text = responses.picture_text(self.model, self.results.layer or "input", ())
        self.write("summary.png", pipeline.draw_summary_png(self.results, explanations, text))

    def write_objects(self, files: Sequence[ExamFile], run_task: RunTask) -> int:
        """Write the objects for archives. Return how many there are.

        Raises:
            DecidedNegative, NoRegion, NoObject: there are none.
            ImageError: a file cannot be read again, or has no object that could be stored.
        """
        arguments = self.arguments
        options = ObjectOptions(negatives=arguments.negatives, sc_syntax=arguments.sc_syntax)
        wanted = tuple(ObjectName) if arguments.objects is None else arguments.objects
        order = order_objects(self.results, wanted, options, uuid.uuid4().hex)
        sources = pipeline.archive_sources(self.exam, files)

        objects = pipeline.build_objects(order, sources, run_task, self.timer)
        for part, content in zip(order.parts, objects, strict=True):
            view = "" if part.position is None else f"{self.names[part.position]}-"
            self.write(f"{view}{part.name}.dcm", content)
        return len(order.parts)

    def _write_overlay(self, position: int, image: ExplainedImage) -> None:
        explanation = image.explanation
        picture_format = PictureFormat(self.arguments.format)
        style = replace(_style(self.arguments, self.options), picture_format=picture_format)
        if explanation.note is not None and not self.arguments.negatives:
            style = replace(style, opacity=0.0)

        text = gradcam.picture_text(self.model, explanation)
        overlay = pipeline.draw_heatmap(explanation, Render.OVERLAY, style, text, self.timer)
        self.write(f"{self.names[position]}-overlay.{picture_format}", overlay.content)


def explain_exam_files(
    arguments: argparse.Namespace,
    options: GradcamOptions,
    model: Model,
    run_task: RunTask,
    max_images: int,
) -> int:
    """Explain the exam and write its results. Return 0, or 1 if a file could not be used."""
    out: Path = arguments.out
    try:
        folder = _folder(arguments.files, out)
        if len(folder.images) > max_images:
            return _fail(
                f"There are {len(folder.images)} images, and an exam has at most {max_images} "
                "(MAMMOLENS_MAX_EXAM_IMAGES)."
            )
        if not folder.images:
            return _fail("There is no image: see --help for the files that count.")
        files = [ExamFile(path.read_bytes(), read_file_name(path.name)) for path in folder.images]
    except OSError as error:
        return _fail(f"{error.filename} cannot be read: {error.strerror}.")

    # 1. Explain the images.
    timer = Stopwatch()
    edge = _style(arguments, options).long_edge
    question = ExamQuestion(options.question(), edge, with_headers=True)
    try:
        exam = pipeline.explain_exam(model, run_task, files, timer, question, pipeline.run_in_turn)
    except NoImageAnswered as error:
        for path, refusal in zip(folder.images, error.refusals, strict=True):
            _tell_error(f"{path}: {refusal.title}. {refusal} {refusal.remedy}")
        return _fail(str(error))
    except MammolensError as error:
        return _fail(f"{error.title}. {error} {error.remedy}")

    # 2. Write the results.
    results = pipeline.exam_results(exam, model, question)
    names = name_images(map(view_of, results.images))
    writer = _Writer(arguments, options, model, exam, results, names, timer)
    out.mkdir(parents=True, exist_ok=True)
    writer.write_answer()
    writer.write_pictures()

    # 3. Tell them.
    for line in exam_lines(results, [str(path) for path in folder.images]):
        _tell(line)
    for path in folder.skipped:
        _tell(f"skipped, no image: {path}")
    _tell(f"wrote exam.json, {len(exam.images) - len(exam.refusals)} overlays and summary.png")

    # 4. Write the objects.
    return max(_write_objects(writer, files, run_task), 1 if exam.refusals else 0)


def _write_objects(writer: _Writer, files: Sequence[ExamFile], run_task: RunTask) -> int:
    """Write the objects for archives and tell it. Return 1 if they were asked for in vain."""
    wanted = writer.arguments.objects
    if wanted == ():
        return 0
    try:
        count = writer.write_objects(files, run_task)
    except (ImageError, DecidedNegative, NoRegion, NoObject) as error:
        _tell(f"no objects for archives: {error}")
        return 0 if wanted is None else 1
    _tell(f"wrote {count} objects for archives, which hold the patient's name")
    return 0


def _folder(paths: Sequence[Path], out: Path) -> ExamFolder:
    """Return the files of the exam: those in the folder, or those that are named."""
    return list_folder(paths[0], out) if paths[0].is_dir() else ExamFolder(tuple(paths), ())


def _style(arguments: argparse.Namespace, options: GradcamOptions) -> Style:
    """Return how to draw overlays, with the size that their format allows."""
    style = options.style(MediaType.PNG)
    edge = min(style.long_edge, PictureFormat(arguments.format).max_edge)
    return replace(style, long_edge=edge)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _tell_error(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _fail(reason: str) -> int:
    _tell_error(f"mammolens: {reason}")
    return 1
