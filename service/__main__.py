"""The command line: serve, write the API's OpenAPI document, or ask a running service whether it is ready."""

import argparse
import json
import logging
import sys
import urllib.request
from pathlib import Path

from pydantic import ValidationError

from service import logs, memory
from service.audit import AuditLost
from service.errors import BundleError, KeysUnavailable
from service.settings import Settings

# A health check runs every few seconds for ever: it must not import what only serving needs.
# ruff: noqa: PLC0415

HELP = """
environment:
  HOST, PORT                 where to listen (default 127.0.0.1:8000)
  MAMMOLENS_MODEL            directory of a model or of one of its versions (default models/demo), or `fake`
  MAMMOLENS_...              docs/settings.md lists them all

examples:
  python -m service
  PORT=9000 MAMMOLENS_MODEL=models/mine/3 python -m service
  curl -F file=@image.dcm http://127.0.0.1:8000/predict
  curl -F file=@image.dcm -H 'Accept: image/png' http://127.0.0.1:8000/gradcam -o overlay.png
"""


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 1 with one line on standard error that says why."""
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Serve a mammogram classifier that explains itself, over REST.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("serve", help="serve (the default)")
    openapi = commands.add_parser("openapi", help="write the OpenAPI document")
    openapi.add_argument("--out", type=Path, help="file to write; default: standard output")
    commands.add_parser("health", help="exit 0 if the service at HOST and PORT is ready")
    chosen = parser.parse_args(arguments)
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = "; ".join(": ".join([*map(str, found["loc"][:1]), found["msg"]]) for found in error.errors())
        return _stop(f"the settings cannot be used: {wrong}")
    match chosen.command:
        case "openapi":
            return _write_openapi(chosen.out)
        case "health":
            return _ask_health(settings)
        case _:
            return _serve(settings)


def _serve(settings: Settings) -> int:
    from service.app import create_app
    from service.server import DrainingServer, configure

    if not (settings.is_loopback or settings.asks_who_is_calling or settings.allow_anonymous):
        return _stop(
            f"refusing to listen on {settings.host}: anyone who reaches it could use the service. Set "
            "MAMMOLENS_KEYS or MAMMOLENS_OIDC_ISSUER, or put it behind something that authenticates and set "
            "MAMMOLENS_ALLOW_ANONYMOUS=true, or leave HOST at 127.0.0.1"
        )
    logs.configure()
    memory.keep_freed(64 * memory.MEBIBYTE)
    failures: list[BaseException] = []

    def fail(error: BaseException) -> None:
        failures.append(error)
        server.should_exit = True

    try:
        app = create_app(settings, fail=fail)
    except (AuditLost, KeysUnavailable) as lost:
        return _stop(str(lost))
    config = configure(app, settings)
    server = DrainingServer(config, app.state.engine, settings.deadline_seconds)
    socket = config.bind_socket()
    logging.getLogger("mammolens").info("listening on port %d of %s", socket.getsockname()[1], settings.host)
    server.run(sockets=[socket])
    for error in failures:
        if not isinstance(error, BundleError):  # a fault of ours: its traceback is what is needed
            raise error
    return _stop(str(failures[0])) if failures else 0


def _write_openapi(out: Path | None) -> int:
    from service.app import create_app

    document = json.dumps(create_app(Settings()).openapi(), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        sys.stdout.write(document)
    else:
        out.write_text(document, encoding="utf-8")
    return 0


def _ask_health(settings: Settings) -> int:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - not bound, asked
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/readyz"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy knows another loopback
    try:
        with direct.open(url, timeout=5):
            return 0
    except OSError as error:  # urllib's own errors are, too
        return _stop(f"{url} does not answer ready: {error}")


def _stop(reason: str) -> int:
    sys.stderr.write(f"mammolens: {reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
