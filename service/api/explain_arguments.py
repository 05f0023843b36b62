"""Arguments of the command `explain`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from service.api.options import Effort, GradcamOptions
from service.imaging.naming_options import add_naming_options
from service.records import HeatScale, Method, ObjectName, PixelSyntax
from service.rendering import Colormap, PictureFormat

DEFAULT_OBJECTS = ",".join(ObjectName)
_DESCRIPTION = """\
Explain image files, or the images of an exam, without a server. For each file this writes

  FILE.json         the answer of POST /gradcam: prediction, heatmap, regions, diagnostics
  FILE-overlay.png  the heatmap over the mammogram; --format makes it a JPEG or a WebP
  FILE-heatmap.png  the heatmap alone, transparent, in the frame of the mammogram

A folder is an exam: the images of one patient at one time. So are several files with --exam. This
writes

  exam.json         the answer of POST /exam: images, breasts, exam
  L-CC-overlay.png  and so on: the mammogram, with the heatmap if it is decided positive
  summary.png       one page with all of it
  summary.dcm, report.dcm, marks.dcm, L-CC-sc.dcm, L-CC-seg.dcm
                    objects for an archive, of DICOM files; they hold the patient's name
"""
_EPILOG = """\
examples:
  %(prog)s image.dcm --out explained
  %(prog)s *.dcm --out explained --model models/mine --method hires-cam
  %(prog)s image.dcm --out explained --diagnostics full
  %(prog)s scan.png --out explained --laterality L --view MLO
  %(prog)s exam/ --out explained
  %(prog)s exam/ --out explained --objects report,sc --sc-syntax jpeg-ls
  %(prog)s L_CC.png R_CC.png --exam --out explained --objects none

Side and view come from the header, or else from --laterality and --view, or else from the name of
the file, such as 1_L_CC.dcm or case7_RMLO.png. Each file's line says from where. The images of an
exam have options of their own: name their files by side and view.

Of a folder, DICOM files count and those named as PNG, JPEG or TIFF, also in folders below it.
DICOMDIR, hidden files and the results themselves do not.

The pictures show what the file shows, burned-in annotations included.
"""


def parse_arguments(
    arguments: Sequence[str] | None, prog: str
) -> tuple[argparse.Namespace, GradcamOptions]:
    """Return the arguments, and the options among them. Exit with the fault of a wrong one."""
    parser = _parser(prog)
    parsed = parser.parse_args(arguments)
    folders = [path for path in parsed.files if path.is_dir()]
    if folders and len(parsed.files) > 1:
        parser.error("a folder is an exam of its own: name one folder, or files alone")
    if parsed.out.resolve() in [folder.resolve() for folder in folders]:
        parser.error("--out: name another folder than that of the exam, such as one in it")
    parsed.exam = parsed.exam or bool(folders)

    if parsed.exam and (parsed.laterality or parsed.view):
        parser.error("--laterality and --view are those of one image: name the files of an exam")
    if parsed.exam and parsed.class_name:
        parser.error("--class: an exam is decided by the positive class")
    if not parsed.exam and (parsed.objects or parsed.negatives):
        parser.error("--objects and --negatives are for an exam: name a folder, or add --exam")

    try:
        options = GradcamOptions.model_validate(_gradcam_options(parsed))
    except ValidationError as error:
        fault = error.errors()[0]
        parser.error(f"--{fault['loc'][0]}: {fault['msg']}")
    return parsed, options


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="DICOM, PNG, JPEG or TIFF, or the folder of an exam",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="directory to write to"
    )
    parser.add_argument("--model", type=Path, help="model directory (default: MAMMOLENS_MODEL)")
    _add_exam_options(parser)
    _add_question_options(parser)
    _add_drawing_options(parser)
    add_naming_options(parser)
    return parser


def _add_exam_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--exam", action="store_true", help="the files are the images of one exam")
    parser.add_argument(
        "--objects",
        type=_object_names,
        metavar="NAMES",
        help=f"objects to write of an exam, such as report,sc, or none (default: {DEFAULT_OBJECTS},"
        " of DICOM files)",
    )
    parser.add_argument(
        "--negatives",
        action="store_true",
        help="show the heat of images decided negative as well, labelled as such",
    )
    parser.add_argument(
        "--sc-syntax",
        type=PixelSyntax,
        choices=list(PixelSyntax),
        default=PixelSyntax.RAW,
        help="encoding of the pixels in overlays for archives (default: %(default)s)",
    )


def _object_names(text: str) -> tuple[ObjectName, ...]:
    """Return the named objects. A wrong name raises ValueError, which argparse reports."""
    names = () if text == "none" else text.split(",")
    return tuple(ObjectName(name.strip()) for name in names)


def _add_question_options(parser: argparse.ArgumentParser) -> None:
    defaults = GradcamOptions()
    parser.add_argument(
        "--method", choices=list(Method), default=defaults.method, help="default: %(default)s"
    )
    parser.add_argument("--layer", help="convolutional layer (default: that of the model)")
    parser.add_argument(
        "--class",
        dest="class_name",
        metavar="CLASS",
        help="class to explain (default: the positive class)",
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


def _add_drawing_options(parser: argparse.ArgumentParser) -> None:
    defaults = GradcamOptions()
    parser.add_argument("--colormap", choices=list(Colormap), default=defaults.colormap)
    parser.add_argument(
        "--opacity", type=float, default=defaults.opacity, help="of heat at full strength, 0 to 1"
    )
    parser.add_argument(
        "--size",
        help="long edge of the pictures in pixels, or `source` (default: 1024)",
    )
    parser.add_argument(
        "--format",
        choices=list(PictureFormat),
        default=PictureFormat.PNG,
        help="of the overlay (default: %(default)s)",
    )


def _gradcam_options(parsed: argparse.Namespace) -> dict[str, object]:
    """Return the options of /gradcam that were given or have a default."""
    given = {
        field.alias or name: getattr(parsed, name, None)
        for name, field in GradcamOptions.model_fields.items()
    }
    return {name: value for name, value in given.items() if value is not None}
