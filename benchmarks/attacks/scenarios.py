"""Scenarios: how the service is started, and how it is attacked."""

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import httpx

from benchmarks.attacks.background import Attack
from benchmarks.attacks.connections import (
    Pieces,
    hold,
    long_url,
    many_headers,
    one_header,
    slow_body,
)
from benchmarks.attacks.provider import AUDIENCE, Mood, provider
from benchmarks.load import ours
from benchmarks.load.servers import DEMO, ROOT, Running, Server
from benchmarks.soak import readers

_PAUSE_SECONDS = 1.0
_SENDERS = 8
_DISK_KIB = 64
_RECOVERY_SECONDS = 10.0


def _nothing(_: Running) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A service to start, and an attack on it.

    Attributes:
        server: start command and environment of the service.
        attack: makes the attack on the running service.
        token: bearer token of the ordinary client, None without access control.
        end: removes what the attack has left, and returns a remark.
    """

    server: Server
    attack: Callable[[Running], Attack]
    token: str | None = None
    end: Callable[[Running], str] = _nothing


Prepare = Callable[[Path], AbstractContextManager[Scenario]]
"""Prepares a scenario in an empty directory."""


def _server(*prefix: str, **environment: str) -> Server:
    """Return the service, started by the command `prefix` and with further settings."""
    return replace(
        ours.SERVER,
        command=(*prefix, *ours.SERVER.command),
        environment={**ours.SERVER.environment, **environment},
    )


@contextmanager
def _held(connections: int, pieces: Pieces, pause: float, _: Path) -> Iterator[Scenario]:
    """Attacker that holds connections."""
    yield Scenario(
        _server(), lambda running: partial(hold, running.port, connections, pieces, pause)
    )


@contextmanager
def _sick_provider(mood: Mood, _: Path) -> Iterator[Scenario]:
    """Provider that falls sick, and an attacker who sends tokens of unknown keys."""
    with provider() as issuer:

        async def send_unknown_keys(client: httpx.AsyncClient) -> None:
            while True:
                key_id = random.randbytes(8).hex()  # noqa: S311 - no secret
                headers = {"Authorization": f"Bearer {issuer.token(key_id)}"}
                await client.get("/model", headers=headers)
                await asyncio.sleep(_PAUSE_SECONDS)

        async def attack(address: str) -> None:
            issuer.mood = mood
            async with httpx.AsyncClient(base_url=address, timeout=600) as client:
                await asyncio.gather(*(send_unknown_keys(client) for _ in range(_SENDERS)))

        yield Scenario(
            _server(MAMMOLENS_OIDC_ISSUER=issuer.issuer, MAMMOLENS_OIDC_AUDIENCE=AUDIENCE),
            lambda running: partial(attack, running.address),
            issuer.token(),
        )


@contextmanager
def _full_disk(scratch: Path) -> Iterator[Scenario]:
    """Disk of the audit that is full until the attack ends. Needs root, to mount the disk."""
    log = scratch / "audit.jsonl"
    filler = scratch / "filler"
    _run("mount", "-t", "tmpfs", "-o", f"size={_DISK_KIB}k", "tmpfs", str(scratch))

    async def fill() -> None:
        disk = os.statvfs(scratch)
        filler.write_bytes(bytes(disk.f_bavail * disk.f_frsize))
        await asyncio.Event().wait()

    def end(running: Running) -> str:
        filler.unlink()
        httpx.get(f"{running.address}/readyz", timeout=_RECOVERY_SECONDS)
        running.predict((ROOT / "docs" / "sample.dcm").read_bytes())

        lines = log.read_bytes().splitlines()
        damaged = sum(not _is_json(line) for line in lines)
        return f"{len(lines)} lines in the audit, {damaged} of them damaged"

    try:
        yield Scenario(
            _server(MAMMOLENS_AUDIT_LOG=str(log), MAMMOLENS_AUDIT_KEY="k" * 40),
            lambda _: fill,
            end=end,
        )
    finally:
        _run("umount", str(scratch))


@contextmanager
def _killed_readers(_: Path) -> Iterator[Scenario]:
    """Reader processes that are killed, one a second."""

    async def kill(process: int) -> None:
        while True:
            # A reader may end, or not have started again yet.
            with suppress(FileNotFoundError, ProcessLookupError, IndexError):
                os.kill(random.choice(readers(process)), signal.SIGKILL)  # noqa: S311 - no secret
            await asyncio.sleep(_PAUSE_SECONDS)

    yield Scenario(_server(), lambda running: partial(kill, running.process.pid))


@contextmanager
def _unreadable_model(scratch: Path) -> Iterator[Scenario]:
    """Watched directory of a model that cannot be read every other second.

    The service runs without root's right to read all files.
    """
    model = scratch / "demo"
    shutil.copytree(DEMO.parent, model)

    async def lock() -> None:
        while True:
            model.chmod(0)
            await asyncio.sleep(_PAUSE_SECONDS)
            model.chmod(0o755)
            await asyncio.sleep(_PAUSE_SECONDS)

    def end(_: Running) -> str:
        model.chmod(0o755)
        return ""

    server = _server(
        *("setpriv", "--bounding-set", "-dac_override,-dac_read_search"),
        MAMMOLENS_MODEL=str(model),
        MAMMOLENS_WATCH_SECONDS="0.1",
    )
    yield Scenario(server, lambda _: lock, end=end)


SCENARIOS: Mapping[str, Prepare] = {
    "many headers, 6 connections": partial(_held, 6, many_headers, 0),
    "one endless header, 6 connections": partial(_held, 6, one_header, 0),
    "one endless URL, 6 connections": partial(_held, 6, long_url, 0),
    "1 byte/s, 12 connections": partial(_held, 12, slow_body, 1),
    "1 byte/s, 64 connections": partial(_held, 64, slow_body, 1),
    "provider hangs": partial(_sick_provider, Mood.HANGS),
    "provider drips": partial(_sick_provider, Mood.DRIPS),
    "full disk": _full_disk,
    "killed readers": _killed_readers,
    "unreadable model": _unreadable_model,
}


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - named in this module


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
