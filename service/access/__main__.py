"""Create, list and revoke API keys.

    python -m service.access add viewer --scopes predict,explain --file keys.toml
    python -m service.access list --file keys.toml
    python -m service.access revoke viewer --file keys.toml

Name the file in MAMMOLENS_KEYS. The service reads it again whenever it changes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from service.access.callers import AccessScope
from service.access.keys import add_key, read_keys, revoke_key
from service.errors import MammolensError


def main(arguments: Sequence[str] | None = None, prog: str = "python -m service.access") -> int:
    """Run the command and return the exit code: 0, or 1 with the reason on standard error."""
    options = _parser(prog).parse_args(arguments)
    try:
        _run(options)
    except (MammolensError, ValueError) as error:
        sys.stderr.write(f"mammolens: {error}\n")
        return 1
    return 0


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    add = commands.add_parser("add", help="create a key and print it, once")
    add.add_argument("name", help="name of the caller in the log and the audit")
    add.add_argument(
        "--scopes",
        default="predict,explain",
        help="comma-separated: predict, explain, admin (default: predict,explain)",
    )

    revoke = commands.add_parser("revoke", help="remove a key; it is refused at once")
    revoke.add_argument("name", help="name that the key was created with")

    listing = commands.add_parser("list", help="print the names, scopes and dates of all keys")

    for command in (add, revoke, listing):
        command.add_argument(
            "--file", type=Path, default=Path("keys.toml"), help="default: keys.toml"
        )
    return parser


def _run(options: argparse.Namespace) -> None:
    match options.command:
        case "add":
            scopes = [AccessScope(scope) for scope in options.scopes.split(",")]
            sys.stdout.write(add_key(options.file, options.name, scopes) + "\n")
        case "revoke":
            revoke_key(options.file, options.name)
        case _:
            for key in read_keys(options.file):
                sys.stdout.write(f"{key.name}\t{','.join(key.scopes)}\t{key.created}\n")


if __name__ == "__main__":
    sys.exit(main())
