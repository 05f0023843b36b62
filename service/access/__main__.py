"""Create, list and revoke API keys.

    python -m service.access add viewer --scopes predict,explain --file keys.toml
    python -m service.access add prometheus --scopes none --file keys.toml
    python -m service.access list --file keys.toml
    python -m service.access revoke viewer --file keys.toml

Name the file, or a folder with keys.toml in it, in MAMMOLENS_KEYS. The service reads the file again
whenever it changes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from service.access.callers import AccessScope
from service.access.key_edits import add_key, revoke_key
from service.access.key_file import read_keys
from service.errors import AccessError, MammolensError

_NO_SCOPES = "none"
_MAX_USER = 2**32 - 2


def main(arguments: Sequence[str] | None = None, prog: str = "python -m service.access") -> int:
    """Run the command and return the exit code: 0, or 1 with the reason on standard error."""
    options = _parser(prog).parse_args(arguments)
    try:
        _run(options)
    except MammolensError as error:
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
        help="comma-separated: predict, explain, admin (default: predict,explain); `none` makes a "
        "key that may only read /model and /metrics",
    )
    add.add_argument(
        "--owner", type=_user_id, help="ID of the user that gets the file: that of the service"
    )

    revoke = commands.add_parser("revoke", help="remove a key; it is refused at once")
    revoke.add_argument("name", help="name that the key was created with")

    listing = commands.add_parser("list", help="print the names, scopes and dates of all keys")

    for command in (add, revoke, listing):
        command.add_argument(
            "--file",
            type=Path,
            default=Path("keys.toml"),
            help="file of keys, or a folder with keys.toml in it (default: keys.toml)",
        )
    return parser


def _run(options: argparse.Namespace) -> None:
    match options.command:
        case "add":
            scopes = _scopes(options.scopes)
            secret = add_key(options.file, options.name, scopes, options.owner)
            sys.stdout.write(secret + "\n")
        case "revoke":
            revoke_key(options.file, options.name)
        case _:
            for key in read_keys(options.file):
                sys.stdout.write(
                    f"{key.name}\t{','.join(key.scopes) or _NO_SCOPES}\t{key.created}\n"
                )


def _scopes(text: str) -> list[AccessScope]:
    """Return the scopes of a comma-separated list.

    Raises:
        AccessError: it names another scope.
    """
    if text == _NO_SCOPES:
        return []
    try:
        return [AccessScope(scope.strip()) for scope in text.split(",")]
    except ValueError as error:
        known = ", ".join(AccessScope)
        raise AccessError(f"The scopes are some of {known}, or `{_NO_SCOPES}`.") from error


def _user_id(text: str) -> int:
    """Return the ID of a user.

    Raises:
        ValueError: it is not one.
    """
    user = int(text)
    if not 0 <= user <= _MAX_USER:
        raise ValueError("not a user ID")
    return user


if __name__ == "__main__":
    sys.exit(main())
