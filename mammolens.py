"""The command `mammolens`: the commands of the service and of training under one name."""

import argparse
import sys
from collections.abc import Sequence

from service import __version__
from service import cli as service_cli
from service.host import cores
from training import command_texts

_DESCRIPTION = (
    "Serve, explain, train and export a mammogram classifier that explains its predictions."
)
_EPILOG = """
`%(prog)s COMMAND --help` describes each command.

examples:
  %(prog)s serve
  %(prog)s explain image.dcm --out explained
  %(prog)s train my.toml

Commands of training need the extra: pip install "mammolens[training]"
"""


def main(arguments: Sequence[str] | None = None, prog: str = "mammolens") -> int:
    """Run a command of the service or of training. Return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = words[0] if words else "--help"
    if command in service_cli.COMMANDS:
        return service_cli.main(words, prog)
    if command in command_texts.COMMANDS:
        cores.bound_blas()

        # It imports NumPy, and modules that a health check, which runs every few seconds, does
        # without.
        from training.commands import main as run_training  # noqa: PLC0415

        return run_training(words, prog)

    _parser(prog).parse_args(words or ["--help"])
    return 0


def _parser(prog: str) -> argparse.ArgumentParser:
    """Return a parser for `--help`, `--version` and unknown commands.

    Each command parses its own arguments.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name, text in {**service_cli.COMMANDS, **command_texts.COMMANDS}.items():
        commands.add_parser(name, help=text)

    return parser


if __name__ == "__main__":
    sys.exit(main(prog="python -m mammolens"))
