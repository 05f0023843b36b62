"""What a running server promises those who ask too much of it, leave early, or are slow, and while it ends."""

import asyncio
import json
import re
import shutil
import signal
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from service.model import MANIFEST_FILE
from tests.support.paths import ROOT
from tests.support.servers import Running, running

SAMPLE = (ROOT / "docs" / "sample.dcm").read_bytes()
DICOM = {"content-type": "application/dicom"}
BY_THE_BOOK = {200, 429, 503}


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 100))


@asynccontextmanager
async def client(address: str, connections: int = 100) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=connections)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=60) as connected:
        yield connected


async def predict(connected: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await connected.post("/predict", content=SAMPLE, headers=DICOM | headers)


async def metric(connected: httpx.AsyncClient, name: str) -> float:
    """A counter's value, 0 where nothing was counted yet."""
    found = re.search(
        rf"^{re.escape(name)} (\S+)$", (await connected.get("/metrics")).text, re.MULTILINE
    )
    return float(found[1]) if found else 0.0


def test_what_cannot_be_answered_in_time_is_refused_at_once_with_an_honest_time_to_come_back(
    server: str,
) -> None:
    async def test() -> None:
        async with client(server) as connected:
            await asyncio.gather(*(predict(connected) for _ in range(20)))
            start = time.monotonic()
            answers = await asyncio.gather(
                *(predict(connected, **{"Request-Timeout": "0.5"}) for _ in range(80))
            )
            statuses = Counter(answer.status_code for answer in answers)
            assert set(statuses) <= {200, 429, 504}
            assert statuses[200]
            refused = [answer for answer in answers if answer.status_code == 429]
            assert refused
            for answer in refused:
                assert answer.json()["type"] == "urn:mammolens:busy"
                assert int(answer.headers["retry-after"]) >= 1
            await asyncio.sleep(max(int(answer.headers["retry-after"]) for answer in refused))
            assert (await predict(connected)).status_code == 200
            assert time.monotonic() - start < 30

    run(test())


def test_what_clients_that_left_have_asked_for_is_not_computed(server: str) -> None:
    async def leave() -> None:
        address = urlsplit(server)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = f"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/dicom\r\nContent-Length: {len(SAMPLE)}"
        writer.write(f"{head}\r\n\r\n".encode() + SAMPLE)
        await asyncio.sleep(0.1)
        writer.close()
        del reader

    async def test() -> None:
        async with client(server) as connected:
            name = 'mammolens_batch_size_sum{signature="predict"}'
            before = await metric(connected, name)
            start = time.monotonic()
            await asyncio.gather(*(leave() for _ in range(200)))
            left = time.monotonic() - start
            await predict(connected)  # the last in the queue
            computed = await metric(connected, name) - before - 1
            start = time.monotonic()
            await asyncio.gather(*(predict(connected) for _ in range(20)))
            per_second = 20 / (time.monotonic() - start)
            assert (
                computed <= left * per_second + 4
            )  # what was answered or running while they were there

    run(test())


def test_a_body_that_dribbles_in_is_cut_off() -> None:
    with running(MAMMOLENS_UPLOAD_SECONDS="0.3") as found:
        address = urlsplit(found.address)
        with socket.create_connection(
            (str(address.hostname), int(address.port or 0)), timeout=10
        ) as connection:
            connection.sendall(
                b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\na"
            )
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["type"] == "urn:mammolens:upload-too-slow"


def test_told_to_end_with_50_requests_in_flight_it_answers_or_refuses_each_and_exits_with_0() -> (
    None
):
    async def test(found: Running) -> None:
        async with client(found.address) as connected:
            asked = [asyncio.create_task(predict(connected)) for _ in range(50)]
            async with client(found.address) as other:
                name = 'mammolens_queue_length{lane="predict"}'
                while not await metric(other, name):  # noqa: ASYNC110 - it happens in another process
                    await asyncio.sleep(0.01)
            found.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.05)
            ready = await connected.get("/readyz")
            assert (ready.status_code, ready.json()["type"]) == (503, "urn:mammolens:draining")
            late = await predict(connected)
            assert (late.status_code, late.json()["type"]) == (503, "urn:mammolens:draining")
            statuses = Counter(answer.status_code for answer in await asyncio.gather(*asked))
            assert set(statuses) <= BY_THE_BOOK
            assert statuses[200]
        assert await asyncio.to_thread(found.process.wait, 30) == 0

    with running() as found:
        run(test(found))


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """A directory with the demo as version 1."""
    shutil.copytree(ROOT / "models" / "demo" / "1", tmp_path / "1")
    return tmp_path


def add_version(versions: Path, number: int, bundle: Path) -> None:
    """A bundle as that version, moved into place at once."""
    copy = shutil.copytree(bundle, versions / "coming")
    manifest = json.loads((copy / MANIFEST_FILE).read_bytes())
    (copy / MANIFEST_FILE).write_text(json.dumps(manifest | {"version": number}), encoding="utf-8")
    copy.rename(versions / str(number))


def test_a_version_is_swapped_under_load_without_a_failed_request_and_without_mixing_them(
    versions: Path, bundle_path: Path
) -> None:
    async def keep_asking(
        connected: httpx.AsyncClient, answers: list[httpx.Response], end: asyncio.Event
    ) -> None:
        while not end.is_set():
            answers.append(await predict(connected))

    async def test(found: Running) -> None:
        answers: list[httpx.Response] = []
        end = asyncio.Event()
        async with client(found.address) as connected:
            asking = [asyncio.create_task(keep_asking(connected, answers, end)) for _ in range(6)]
            (versions / "2").mkdir()
            (versions / "2" / "assets.extra").mkdir()
            (versions / "2" / MANIFEST_FILE).write_text("{}")
            refused = await connected.post("/model/reload")
            assert (refused.status_code, refused.json()["type"]) == (
                409,
                "urn:mammolens:model-refused",
            )
            add_version(versions, 3, bundle_path)
            reloaded = await connected.post("/model/reload")
            assert (reloaded.status_code, reloaded.json()["model"]["version"]) == (200, 3)
            await asyncio.sleep(0.5)
            end.set()
            await asyncio.gather(*asking)
        assert {answer.status_code for answer in answers} == {200}
        found_by_version: dict[int, set[float]] = {}
        for answer in answers:
            body = answer.json()
            probability = round(body["prediction"]["probabilities"]["cancer"], 4)
            found_by_version.setdefault(body["model"]["version"], set()).add(probability)
        assert {version: len(found) for version, found in found_by_version.items()} == {1: 1, 3: 1}
        assert found_by_version[1] != found_by_version[3]

    with running(MAMMOLENS_MODEL=str(versions)) as found:
        run(test(found))


def test_a_version_that_appears_is_served_without_being_asked_for(
    versions: Path, bundle_path: Path
) -> None:
    with running(MAMMOLENS_MODEL=str(versions), MAMMOLENS_WATCH_SECONDS="0.2") as found:
        add_version(versions, 2, bundle_path)
        deadline = time.monotonic() + 30
        while httpx.get(f"{found.address}/model").json()["model"]["version"] != 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
