"""Commands of the service: serve, keys, inspect, explain, openapi and health."""

import argparse
import json
import ssl
import sys
import textwrap
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from service.host import cores
from service.settings import Settings, SettingsRefused, variable_of

# A health check runs every few seconds, so it must not import the modules of serving.
# ruff: noqa: PLC0415

COMMANDS: Mapping[str, str] = {
    "serve": "start the service",
    "keys": "make, list and revoke API keys",
    "inspect": "show how an image file is read",
    "explain": "explain image files without a server",
    "score": "score every image of an archive, on this machine or on a cluster",
    "openapi": "write the OpenAPI document",
    "health": "exit 0 if the service at HOST and PORT is ready",
}
"""Help of each command by name."""

_EPILOG = """
Every setting is an environment variable. An empty one counts as unset, and an unknown one with the
prefix MAMMOLENS_ stops the start.

{settings}

examples:
  %(prog)s serve
  PORT=9000 MAMMOLENS_MODEL=models/mine/3 %(prog)s serve
  curl -F file=@image.dcm http://127.0.0.1:8000/predict
  curl -F file=@image.dcm -H 'Accept: image/png' http://127.0.0.1:8000/gradcam -o overlay.png
  %(prog)s explain image.dcm --out explained
  %(prog)s keys add viewer --file keys.toml
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m service") -> int:
    """Run a command, by default `serve`.

    Return the exit code: 0, or 1 with a reason on standard error.
    """
    cores.bound_blas()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in ("keys", "inspect", "explain", "score"):
        return _delegate(words[0], words[1:], prog)

    options = _parser(prog).parse_args(words)
    try:
        settings = Settings.read()
    except SettingsRefused as error:
        return _fail(str(error))

    match options.command:
        case "openapi":
            return _write_openapi(options.out)
        case "health":
            return _check_health(settings)
        case _:
            return _serve(settings)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serve a mammogram classifier that explains its predictions, over REST.",
        epilog=_EPILOG.replace("{settings}", _describe_settings()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    parsers = {name: commands.add_parser(name, help=text) for name, text in COMMANDS.items()}
    parsers["openapi"].add_argument(
        "--out", type=Path, help="file to write; default: standard output"
    )
    return parser


def _describe_settings() -> str:
    """Return each setting with its default and meaning, for the help."""
    fields = Settings.model_fields
    return "\n".join(
        f"{_named(name, field.default)}\n{_indented(field.description or '')}"
        for name, field in fields.items()
    )


def _named(name: str, default: object) -> str:
    variable = variable_of(name, Settings.model_fields)
    return f"  {variable}" if default is None else f"  {variable} (default {str(default).lower()})"


def _indented(text: str) -> str:
    # argparse fills in names after a percent sign.
    return textwrap.fill(
        text.replace("%", "%%"), 96, initial_indent=" " * 6, subsequent_indent=" " * 6
    )


def _delegate(command: str, arguments: Sequence[str], prog: str) -> int:
    """Run a command that parses its own arguments."""
    if command == "keys":
        from service.access.__main__ import main as run
    elif command == "inspect":
        from service.imaging.__main__ import main as run
    elif command == "explain":
        from service.api.explain_files import main as run
    else:
        try:
            from service.runtime.scoring.scoring_command import main as run
        except ModuleNotFoundError as error:
            return _fail(f'{error.name} is missing: pip install "mammolens[scoring]"')

    return run(arguments, f"{prog} {command}")


def _serve(settings: Settings) -> int:
    from service.api import serving

    try:
        return serving.serve(settings)
    except serving.REFUSALS as error:
        return _fail(str(error))


def _write_openapi(out: Path | None) -> int:
    from service.api.app import create_app

    document = create_app(Settings()).openapi()
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
    return 0


def _check_health(settings: Settings) -> int:
    every_address = {"0.0.0.0", "::"}  # noqa: S104 - asked, not bound
    host = "127.0.0.1" if settings.host in every_address else settings.host
    address = f"[{host}]" if ":" in host else host
    scheme = "http" if settings.tls_certificate is None else "https"
    url = f"{scheme}://{address}:{settings.port}/readyz"

    # The certificate is not verified: it names the host that clients ask for, and may have been
    # renewed since the start. The request stays on this machine and carries nothing secret.
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE

    # Without a proxy: its loopback is another machine.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unverified)
    )
    try:
        with opener.open(url, timeout=5):
            return 0
    except OSError as error:  # the base class of urllib's errors
        return _fail(f"{url} does not answer ready: {error}")


def _fail(reason: str) -> int:
    sys.stderr.write(f"mammolens: {reason}\n")
    return 1
