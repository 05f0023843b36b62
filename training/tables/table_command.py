"""The command `table`: its options for each set, and the work."""

import argparse
from pathlib import Path
from typing import Any

from training import command_texts
from training.command_texts import TABLE_SETS
from training.table_config import path_template

# Reading a set imports NumPy, OpenCV and pydicom, which `--help` does without.
# ruff: noqa: PLC0415

_FORMATTER = argparse.RawDescriptionHelpFormatter
_RSNA_IMAGES = "train_images/{patient_id}/{image_id}.dcm"


def define_table(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(command=make_table)
    sets = parser.add_subparsers(required=True, metavar="SET", dest="set")

    rsna = _add_set(sets, "rsna")
    rsna.add_argument(
        "--images",
        type=_template,
        default=_RSNA_IMAGES,
        help="path of an image below the table's directory (default: %(default)s)",
    )

    others = [_add_set(sets, name) for name in TABLE_SETS if name != "rsna"]
    for with_lesions in others:
        with_lesions.add_argument("--masks", type=Path, help="directory for the lesion masks")
    others[-1].add_argument("--png", type=Path, help="directory for the images as PNG")


def make_table(options: argparse.Namespace) -> None:
    """Write the table of a set, and print what it has."""
    from training.tables.set_table import summarise, write_table

    written = write_table(_read(options), options.out, getattr(options, "masks", None))
    print(summarise(written))


def _read(options: argparse.Namespace) -> Any:
    from training.tables.cbis_ddsm import read_cbis_ddsm
    from training.tables.mini_mias import read_mini_mias
    from training.tables.rsna import read_rsna
    from training.tables.vindr import read_vindr

    if options.set == "rsna":
        return read_rsna(options.source, options.images)
    if options.set == "mini-mias":
        return read_mini_mias(options.source, options.png)
    return {"cbis-ddsm": read_cbis_ddsm, "vindr": read_vindr}[options.set](options.source)


def _add_set(sets: Any, name: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = sets.add_parser(
        name,
        help=TABLE_SETS[name].partition("\n")[0],
        description=f"{TABLE_SETS[name]}{command_texts.TABLE_OUTPUT}",
        formatter_class=_FORMATTER,
    )
    parser.add_argument("source", metavar="SRC", type=Path, help="directory of the set")
    parser.add_argument("--out", type=Path, required=True, help="table to write")
    return parser


def _template(text: str) -> str:
    try:
        return path_template(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
