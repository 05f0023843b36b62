"""Behaviour of a running server under overload, with departed clients, and while it stops."""

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
ANSWERED_OR_REFUSED = {200, 429, 503}


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
    """Return a counter's value, 0 if nothing has been counted yet."""
    text = (await connected.get("/metrics")).text
    sample = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(sample[1]) if sample else 0.0


def test_hopeless_requests_get_accurate_retry_after(server: str) -> None:
    """Requests that cannot meet their deadline are refused. A retry after the given time works."""

    async def test() -> None:
        async with client(server) as connected:
            await asyncio.gather(*(predict(connected) for _ in range(20)))
            start = time.monotonic()

            deadline = {"Request-Timeout": "0.5"}
            answers = await asyncio.gather(*(predict(connected, **deadline) for _ in range(80)))

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


def test_requests_of_departed_clients_are_not_computed(server: str) -> None:
    async def disconnect_early() -> None:
        address = urlsplit(server)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = (
            "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/dicom\r\n"
            f"Content-Length: {len(SAMPLE)}\r\n\r\n"
        )

        writer.write(head.encode() + SAMPLE)
        await asyncio.sleep(0.1)
        writer.close()
        del reader

    async def test() -> None:
        async with client(server) as connected:
            name = 'mammolens_batch_size_sum{signature="predict"}'
            before = await metric(connected, name)

            start = time.monotonic()
            await asyncio.gather(*(disconnect_early() for _ in range(200)))
            seconds_connected = time.monotonic() - start
            await predict(connected)  # the last in the queue
            computed = await metric(connected, name) - before - 1

            start = time.monotonic()
            await asyncio.gather(*(predict(connected) for _ in range(20)))
            per_second = 20 / (time.monotonic() - start)

            # Requests answered or running before their clients disconnected.
            assert computed <= seconds_connected * per_second + 4

    run(test())


def test_slow_body_gets_408() -> None:
    head = (
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\n"
    )

    with running(MAMMOLENS_UPLOAD_SECONDS="0.3") as server:
        url = urlsplit(server.address)
        address = (str(url.hostname), int(url.port or 0))
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(head + b"a")
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    answer_head, _, body = answer.partition(b"\r\n\r\n")
    assert answer_head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["type"] == "urn:mammolens:upload-too-slow"


def test_sigterm_answers_or_refuses_requests_in_flight() -> None:
    """With 50 requests in flight, the server answers or refuses each and exits with 0."""

    async def test(server: Running) -> None:
        async with client(server.address) as connected:
            requests = [asyncio.create_task(predict(connected)) for _ in range(50)]
            async with client(server.address) as other:
                name = 'mammolens_queue_length{lane="predict"}'
                while not await metric(other, name):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.01)

            server.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.05)

            ready = await connected.get("/readyz")
            assert (ready.status_code, ready.json()["type"]) == (503, "urn:mammolens:draining")
            late = await predict(connected)
            assert (late.status_code, late.json()["type"]) == (503, "urn:mammolens:draining")

            answers = await asyncio.gather(*requests)
            statuses = Counter(answer.status_code for answer in answers)
            assert set(statuses) <= ANSWERED_OR_REFUSED
            assert statuses[200]
        assert await asyncio.to_thread(server.process.wait, 30) == 0

    with running() as server:
        run(test(server))


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """A directory with the demo bundle as version 1."""
    shutil.copytree(ROOT / "models" / "demo" / "1", tmp_path / "1")
    return tmp_path


def add_version(versions: Path, number: int, bundle: Path) -> None:
    """Add a bundle as version `number`. It is moved into place in one step."""
    copy = shutil.copytree(bundle, versions / "coming")
    manifest = json.loads((copy / MANIFEST_FILE).read_bytes())
    (copy / MANIFEST_FILE).write_text(json.dumps(manifest | {"version": number}), encoding="utf-8")
    copy.rename(versions / str(number))


def add_broken_version(versions: Path, number: int) -> None:
    """Add a version whose manifest is empty."""
    version = versions / str(number)
    version.mkdir()
    (version / "assets.extra").mkdir()
    (version / MANIFEST_FILE).write_text("{}")


def test_model_swap_under_load_fails_no_request(versions: Path, bundle_path: Path) -> None:
    """Each answer comes from one version, and a broken version is refused."""

    async def send_requests(
        connected: httpx.AsyncClient, answers: list[httpx.Response], end: asyncio.Event
    ) -> None:
        while not end.is_set():
            answers.append(await predict(connected))

    async def test(server: Running) -> None:
        answers: list[httpx.Response] = []
        end = asyncio.Event()
        async with client(server.address) as connected:
            senders = [
                asyncio.create_task(send_requests(connected, answers, end)) for _ in range(6)
            ]

            add_broken_version(versions, 2)
            refused = await connected.post("/model/reload")
            problem = refused.json()["type"]
            assert (refused.status_code, problem) == (409, "urn:mammolens:model-refused")

            add_version(versions, 3, bundle_path)
            reloaded = await connected.post("/model/reload")
            assert (reloaded.status_code, reloaded.json()["model"]["version"]) == (200, 3)

            await asyncio.sleep(0.5)
            end.set()
            await asyncio.gather(*senders)

        assert {answer.status_code for answer in answers} == {200}

        # All requests send the same image: a version has one probability for it.
        by_version: dict[int, set[float]] = {}
        for answer in answers:
            body = answer.json()
            probability = round(body["prediction"]["probabilities"]["cancer"], 4)
            by_version.setdefault(body["model"]["version"], set()).add(probability)
        assert {version: len(values) for version, values in by_version.items()} == {1: 1, 3: 1}
        assert by_version[1] != by_version[3]

    with running(MAMMOLENS_MODEL=str(versions)) as server:
        run(test(server))


def test_new_version_is_served_without_a_reload(versions: Path, bundle_path: Path) -> None:
    with running(MAMMOLENS_MODEL=str(versions), MAMMOLENS_WATCH_SECONDS="0.2") as server:
        add_version(versions, 2, bundle_path)

        deadline = time.monotonic() + 30
        while httpx.get(f"{server.address}/model").json()["model"]["version"] != 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
