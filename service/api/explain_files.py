"""Explain image files without a server: JSON as POST /gradcam gives it, and pictures."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from service import pipeline
from service.api import responses
from service.api.negotiation import MediaType
from service.api.options import Effort, GradcamOptions
from service.api.routes import gradcam
from service.errors import ImageError, MammolensError
from service.imaging import Limits, Read
from service.imaging.naming_options import add_naming_options, naming_reader, tell_sources
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.records import HeatScale, Method
from service.rendering import Colormap, PictureFormat, Render
from service.runtime.model_loader import load_model
from service.runtime.readers import ReaderPool
from service.settings import Settings, SettingsRefused

_DESCRIPTION = """\
Explain image files without a server. For each file this writes

  FILE.json         the answer of POST /gradcam: prediction, heatmap, regions, diagnostics
  FILE-overlay.png  the heatmap over the mammogram; --format makes it a JPEG or a WebP
  FILE-heatmap.png  the heatmap alone, transparent, in the frame of the mammogram
"""
_EPILOG = """\
examples:
  %(prog)s image.dcm --out explained
  %(prog)s *.dcm --out explained --model models/mine --method hires-cam
  %(prog)s image.dcm --out explained --diagnostics full
  %(prog)s scan.png --out explained --laterality L --view MLO

Side and view come from the header, or else from --laterality and --view, or else from the name of
the file, such as 1_L_CC.dcm or case7_RMLO.png. Each file's line says from where.

The pictures show what the file shows, burned-in annotations included.
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m service explain") -> int:
    """Explain the files. Return 0, or 1 if a file or the model could not be used."""
    parser = _parser(prog)
    parsed = parser.parse_args(arguments)
    try:
        options = GradcamOptions.model_validate(_gradcam_options(parsed))
    except ValidationError as error:
        fault = error.errors()[0]
        parser.error(f"--{fault['loc'][0]}: {fault['msg']}")

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
    if len(set(stems)) < len(stems):
        return _fail("Several files have the same name, and would write the same results.")

    parsed.out.mkdir(parents=True, exist_ok=True)
    readers = ReaderPool(1, Limits(settings.max_pixels, settings.max_decode_seconds))
    try:
        readers.wait_until_ready()
        overlay_format = PictureFormat(parsed.format)
        done = [
            _explain_file(path, parsed.out, model, readers, options, overlay_format)
            for path in parsed.files
        ]
    finally:
        readers.close()
    return 0 if all(done) else 1


def _parser(prog: str) -> argparse.ArgumentParser:
    defaults = GradcamOptions()
    parser = argparse.ArgumentParser(
        prog=prog,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="DICOM, PNG, JPEG or TIFF"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="directory to write to"
    )
    parser.add_argument("--model", type=Path, help="model directory (default: MAMMOLENS_MODEL)")
    parser.add_argument(
        "--method", choices=list(Method), default=defaults.method, help="default: %(default)s"
    )
    parser.add_argument("--layer", help="convolutional layer (default: that of the model)")
    parser.add_argument(
        "--class", dest="class", help="class to explain (default: the positive class)"
    )
    parser.add_argument(
        "--diagnostics",
        choices=list(Effort),
        default=defaults.diagnostics,
        help="full: many more passes",
    )
    parser.add_argument(
        "--level",
        type=float,
        default=defaults.level,
        help="share of the peak that bounds a region (default: %(default)s)",
    )
    parser.add_argument(
        "--scale",
        choices=list(HeatScale),
        help="heat drawn at full strength: the model's reference peak, or the image's own peak "
        "(default: reference where the model has one)",
    )
    parser.add_argument("--colormap", choices=list(Colormap), default=defaults.colormap)
    parser.add_argument(
        "--opacity", type=float, default=defaults.opacity, help="of heat at full strength, 0 to 1"
    )
    parser.add_argument(
        "--size",
        help="long edge of the pictures in pixels, or `source` (default: 1024)",
    )
    add_naming_options(parser)
    parser.add_argument(
        "--format",
        choices=list(PictureFormat),
        default=PictureFormat.PNG,
        help="of the overlay (default: %(default)s)",
    )
    return parser


def _gradcam_options(parsed: argparse.Namespace) -> dict[str, object]:
    """Return the options that were given or have a default."""
    own = {"files", "out", "model", "format"}
    given = {name: value for name, value in vars(parsed).items() if value is not None}
    return {name: given[name] for name in given.keys() - own}


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
