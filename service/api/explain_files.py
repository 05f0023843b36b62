"""Explain image files without a server: JSON as POST /gradcam gives it, and pictures."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from service import pipeline
from service.api import responses
from service.api.exam_command import explain_exam_files
from service.api.explain_arguments import parse_arguments
from service.api.negotiation import MediaType
from service.api.options import GradcamOptions
from service.api.routes import gradcam
from service.errors import ImageError, MammolensError
from service.imaging import Limits, Read
from service.imaging.naming_options import naming_reader, tell_sources
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.rendering import PictureFormat, Render
from service.runtime.model_loader import load_model
from service.runtime.readers import ReaderPool
from service.settings import Settings, SettingsRefused


def main(arguments: Sequence[str] | None = None, prog: str = "python -m service explain") -> int:
    """Explain the files, or the exam. Return 0, or 1 if one or the model could not be used."""
    parsed, options = parse_arguments(arguments, prog)
    try:
        settings = Settings.read()
    except SettingsRefused as error:
        return _fail(str(error))
    if parsed.model is not None:
        settings = settings.model_copy(update={"model": parsed.model})
    try:
        model = load_model(settings)
        pipeline.check_question(model, options.question())
    except MammolensError as error:
        available = "; ".join(f"{name}: {values}" for name, values in error.facts.items())
        return _fail(f"{error} {available}".strip())

    stems = [path.stem for path in parsed.files]
    if len(set(stems)) < len(stems) and not parsed.exam:
        return _fail("Several files have the same name, and would write the same results.")

    readers = ReaderPool(1, Limits(settings.max_pixels, settings.max_decode_seconds))
    try:
        readers.wait_until_ready()
        if parsed.exam:
            return explain_exam_files(parsed, options, model, readers.run, settings.max_exam_images)
        parsed.out.mkdir(parents=True, exist_ok=True)
        overlay_format = PictureFormat(parsed.format)
        done = [
            _explain_file(path, parsed.out, model, readers, options, overlay_format)
            for path in parsed.files
        ]
    finally:
        readers.close()
    return 0 if all(done) else 1


def _explain_file(
    path: Path,
    out: Path,
    model: Model,
    read: Read,
    options: GradcamOptions,
    overlay_format: PictureFormat,
) -> bool:
    """Explain one file and write the results. Return False if the file is refused."""
    timer = Stopwatch()
    style = options.style(MediaType.PNG)
    style = replace(style, long_edge=min(style.long_edge, overlay_format.max_edge))
    try:
        data = path.read_bytes()
        naming = naming_reader(read, path, options.laterality, options.view)
        reader = partial(naming, picture_edge=style.long_edge)
        explanation = pipeline.explain(model, reader, data, timer, options.question())
    except ImageError as error:
        return _refused(path, f"{error.title}. {error} {error.remedy}")
    except OSError as error:
        return _refused(path, f"{error.strerror}.")

    # Pictures
    text = gradcam.picture_text(model, explanation)
    heatmap = pipeline.draw_heatmap(explanation, Render.HEATMAP, style, text, timer)
    (out / f"{path.stem}-heatmap.png").write_bytes(heatmap.content)
    overlay_style = replace(style, picture_format=overlay_format)
    overlay = pipeline.draw_heatmap(explanation, Render.OVERLAY, overlay_style, text, timer)
    (out / f"{path.stem}-overlay.{overlay_format}").write_bytes(overlay.content)

    # JSON
    body = gradcam.body(model, explanation, heatmap, timer)
    (out / f"{path.stem}.json").write_text(body.model_dump_json(by_alias=True) + "\n", "utf-8")

    prediction = responses.prediction(explanation.prediction, model.manifest)
    probability = prediction.probabilities[prediction.positive_class]
    sys.stdout.write(
        f"{path}: {prediction.label} "
        f"(probability of {prediction.positive_class} {probability:.3f})\n"
    )
    sys.stdout.write(f"  {tell_sources(explanation.prediction.reading.facts)}\n")
    if explanation.note is not None:
        sys.stdout.write(f"  {explanation.note}\n")
    for warning in explanation.warnings:
        sys.stdout.write(f"  {warning.code}: {warning.message}\n")
    sys.stdout.write(f"  wrote {out / path.stem}.json and two pictures\n")
    return True


def _refused(path: Path, reason: str) -> bool:
    sys.stderr.write(f"{path}: {reason}\n")
    return False


def _fail(reason: str) -> int:
    sys.stderr.write(f"mammolens: {reason}\n")
    return 1
