"""Side and view on the command line: given as options, or proposed by the names of files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import get_args

from service.imaging.file_names import read_file_name
from service.imaging.named_facts import NamingReader
from service.imaging.reading import Read
from service.records import ImageFacts, Laterality, NamedFacts, View

_SOURCES = {"header": "header", "caller": "option", "file-name": "name of the file"}


def add_naming_options(parser: ArgumentParser) -> None:
    """Add `--laterality` and `--view`."""
    parser.add_argument(
        "--laterality",
        type=str.upper,
        choices=get_args(Laterality),
        help="the breast, if the header does not say (default: as the file's name says)",
    )
    parser.add_argument(
        "--view",
        type=str.upper,
        choices=list(View),
        metavar="VIEW",
        help=f"the view, if the header does not say: {', '.join(View)} "
        "(default: as the file's name says)",
    )


def naming_reader(read: Read, path: Path, laterality: Laterality | None, view: View | None) -> Read:
    """Return a reader that takes missing facts from the options, or else from the file's name."""
    with_options = NamingReader(read, NamedFacts(laterality, view, "caller"))
    return NamingReader(with_options, read_file_name(path.name))


def tell_sources(facts: ImageFacts) -> str:
    """Return side and view, and where each comes from."""
    known = {
        "laterality": (facts.laterality, facts.laterality_source),
        "view": (facts.view, facts.view_source),
    }
    return ", ".join(
        f"{name} {value} ({_SOURCES[source]})" if value and source else f"{name} not stated"
        for name, (value, source) in known.items()
    )
