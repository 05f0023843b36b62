"""Options that name the images of a measurement or a simulation."""

import argparse

from training.phantoms.transfer import SYNTAXES


def add_content(parser: argparse.ArgumentParser, about: str) -> None:
    """Add the options for size and transfer syntax. `about`: the images that have the size."""
    parser.add_argument(
        "--pixels",
        nargs=2,
        type=int,
        default=(3328, 2560),
        metavar=("ROWS", "COLUMNS"),
        help=f"{about} (default 3328 2560)",
    )
    parser.add_argument("--syntax", choices=SYNTAXES, default="jpeg2000", help="default: jpeg2000")
