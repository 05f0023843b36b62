"""Show how an image file is read, step by step: `python -m service.imaging --help`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from service.errors import ImageError
from service.imaging.inspection import describe, draw
from service.imaging.naming_options import add_naming_options, naming_reader
from service.imaging.reading import read
from service.records import FitParameters

HELP = """\
Show the attributes of a mammogram and the decisions made while reading it, and write the model's
input as PNG. Use it when a picture looks wrong: it runs the same code as the service.

  FILE-calibrated.png  the mammogram as displayed, with the outline of the breast (green), the crop
                       box (yellow) and the side of the chest wall (red)
  FILE-fitted.png      the model's input, with the outline of the mask
"""
EXAMPLES = """\
examples:
  python -m service.imaging image.dcm
  python -m service.imaging --out pictures --grid 512x384 *.dcm
  python -m service.imaging --json image.dcm | jq .cautions

Side and view come from the header, or else from --laterality and --view, or else from the name of
the file, such as 1_L_CC.dcm. `laterality_source` and `view_source` say from where.

The pictures show everything that the file shows, burned-in text included.
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m service.imaging") -> int:
    """Run the command line and return the exit code: 0, or 1 if a file was refused."""
    options = _parser(prog).parse_args(arguments)
    refused = [path for path in options.files if not _show(path, options)]
    return 1 if refused else 0


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description=HELP,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="DICOM, PNG, JPEG or TIFF"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(),
        help="directory for the pictures (default: the current directory)",
    )
    parser.add_argument(
        "--grid",
        type=_grid,
        default=FitParameters(256, 192),
        metavar="ROWSxCOLUMNS",
        help="the model's grid (default: 256x192, the grid of the demo model)",
    )
    parser.add_argument(
        "--size", type=int, default=1024, help="long edge of the calibrated picture (default: 1024)"
    )
    parser.add_argument(
        "--json", action="store_true", help="write one JSON object per file, and no pictures"
    )
    add_naming_options(parser)
    return parser


def _grid(text: str) -> FitParameters:
    rows, _, columns = text.partition("x")
    if not (rows.isdecimal() and columns.isdecimal() and int(rows) and int(columns)):
        raise argparse.ArgumentTypeError("must be ROWSxCOLUMNS, such as 256x192")
    return FitParameters(int(rows), int(columns))


def _show(path: Path, options: argparse.Namespace) -> bool:
    """Read the file, print its description and write its pictures. Return whether it was read."""
    try:
        naming = naming_reader(read, path, options.laterality, options.view)
        reading = naming(path.read_bytes(), options.grid, 0 if options.json else options.size)
    except (ImageError, OSError) as error:
        sys.stderr.write(f"{path}: {type(error).__name__}: {error}\n")
        return False

    if options.json:
        sys.stdout.write(json.dumps({"file": str(path)} | describe(reading)) + "\n")
        return True

    sys.stdout.write(f"{path}\n")
    for name, value in describe(reading).items():
        sys.stdout.write(f"  {name:<22}{_format(value)}\n")

    options.out.mkdir(parents=True, exist_ok=True)
    for name, png in draw(reading).items():
        target = options.out / f"{path.stem}-{name}.png"
        target.write_bytes(png)
        sys.stdout.write(f"  wrote {target}\n")
    return True


def _format(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_format(item) for item in value) or "-"
    return "not stated" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main())
