"""Makes, lists and revokes API keys.

    python -m service.access add viewer --scopes predict,explain --file keys.toml
    python -m service.access list --file keys.toml
    python -m service.access revoke viewer --file keys.toml

The service reads the file named by MAMMOLENS_KEYS, and again whenever it changes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from service.access.callers import AccessScope
from service.access.keys import add_key, read_keys, revoke_key
from service.errors import MammolensError


def main(arguments: Sequence[str] | None = None, prog: str = "python -m service.access") -> int:
    """The exit code: 0, or 1 with one line on standard error that says why."""
    parser = argparse.ArgumentParser(
        prog=prog, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    add = commands.add_parser("add", help="make a key and print it, once")
    add.add_argument("name", help="whom the log and the audit will name")
    add.add_argument(
        "--scopes",
        default="predict,explain",
        help="of predict, explain, admin (default predict,explain)",
    )
    revoke = commands.add_parser("revoke", help="make a key invalid at once")
    revoke.add_argument("name")
    for command in (
        add,
        revoke,
        commands.add_parser("list", help="names, scopes and dates of all keys"),
    ):
        command.add_argument(
            "--file", type=Path, default=Path("keys.toml"), help="default: keys.toml"
        )
    chosen = parser.parse_args(arguments)
    try:
        _run(chosen)
    except (MammolensError, ValueError) as error:
        sys.stderr.write(f"mammolens: {error}\n")
        return 1
    return 0


def _run(chosen: argparse.Namespace) -> None:
    match chosen.command:
        case "add":
            scopes = [AccessScope(scope) for scope in chosen.scopes.split(",")]
            sys.stdout.write(add_key(chosen.file, chosen.name, scopes) + "\n")
        case "revoke":
            revoke_key(chosen.file, chosen.name)
        case _:
            for key in read_keys(chosen.file):
                sys.stdout.write(f"{key.name}\t{','.join(key.scopes)}\t{key.created}\n")


if __name__ == "__main__":
    sys.exit(main())
