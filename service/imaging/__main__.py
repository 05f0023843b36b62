"""What is made of an image file, step by step: `python -m service.imaging --help`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from service.errors import ImageError
from service.imaging.inspection import describe, draw
from service.imaging.reading import read
from service.records import FitParameters

HELP = """\
Show what was read of a mammogram and which decisions were made, and write what the model is given as PNG. It is the
tool for when a picture looks wrong: everything is done as the service does it, in the same code.

  FILE-calibrated.png  the mammogram as displayed, with the outline of the breast (green), the box that was cut out
                       (yellow) and the side of the chest wall (red)
  FILE-fitted.png      the model's input, with the outline of the mask
"""
EXAMPLES = """\
examples:
  python -m service.imaging image.dcm
  python -m service.imaging --out pictures --grid 512x384 *.dcm
  python -m service.imaging --json image.dcm | jq .cautions

The pictures show what the file shows, writing that was burned in included.
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m service.imaging") -> int:
    """The exit code: 0, or 1 where a file was refused."""
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
        "--out", type=Path, default=Path(), help="directory for the pictures (default: this one)"
    )
    parser.add_argument(
        "--grid", type=_grid, default=FitParameters(256, 192), metavar="ROWSxCOLUMNS",
        help="the model's grid (default: 256x192, that of the demo model)",
    )  # fmt: skip
    parser.add_argument(
        "--size", type=int, default=1024, help="long edge of the calibrated picture (default: 1024)"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a file, and no pictures"
    )
    options = parser.parse_args(arguments)
    refused = [path for path in options.files if not _show(path, options)]
    return 1 if refused else 0


def _grid(text: str) -> FitParameters:
    rows, _, columns = text.partition("x")
    if not (rows.isdecimal() and columns.isdecimal() and int(rows) and int(columns)):
        raise argparse.ArgumentTypeError("must be ROWSxCOLUMNS, such as 256x192")
    return FitParameters(int(rows), int(columns))


def _show(path: Path, options: argparse.Namespace) -> bool:
    """Whether the file could be read; prints what was made of it."""
    try:
        found = read(path.read_bytes(), options.grid, 0 if options.json else options.size)
    except (ImageError, OSError) as error:
        sys.stderr.write(f"{path}: {type(error).__name__}: {error}\n")
        return False
    if options.json:
        sys.stdout.write(json.dumps({"file": str(path)} | describe(found)) + "\n")
        return True
    sys.stdout.write(f"{path}\n")
    for name, value in describe(found).items():
        sys.stdout.write(f"  {name:<22}{_written(value)}\n")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, png in draw(found).items():
        target = options.out / f"{path.stem}-{name}.png"
        target.write_bytes(png)
        sys.stdout.write(f"  wrote {target}\n")
    return True


def _written(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_written(each) for each in value) or "-"
    return "not said" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main())
