"""Requests about exams, and the service that they are sent to."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np

from benchmarks.load.ours import SERVER
from benchmarks.load.servers import Running, started
from training import phantoms
from training.phantoms.transfer import Syntax

_SEED = 5


@contextmanager
def serving(
    bundle: Path, cores: str | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[tuple[httpx.Client, Running]]:
    """Start the service, and yield a client of it and the service when it is ready.

    `cores`: on which the service and its readers run, in the notation of taskset.
    """
    command = SERVER.command if cores is None else ("taskset", "-c", cores, *SERVER.command)
    environment = {**SERVER.environment, **(settings or {})}
    server = replace(SERVER, command=command, environment=environment)

    with (
        Path(os.devnull).open("wb") as log,
        started(server, log, bundle) as running,
        httpx.Client(base_url=running.address, timeout=300) as client,
    ):
        yield client, running


def post_exam(client: httpx.Client, files: Sequence[bytes], route: str = "/exam") -> httpx.Response:
    """Post the files of an exam as one form."""
    return client.post(route, files=[("file", (None, data)) for data in files])


def form(files: Sequence[bytes]) -> tuple[bytes, str]:
    """Return the body of a form with these files, and its media type."""
    request = httpx.Request("POST", "http://a", files=[("file", (None, data)) for data in files])
    return request.read(), request.headers["content-type"]


def exam_files(rows: int, columns: int, syntax: Syntax = "jpeg2000") -> list[bytes]:
    """Return the four views of a phantom patient with a cancer in the right breast."""
    rng = np.random.default_rng(_SEED)
    machine = phantoms.Acquisition(transfer_syntax=syntax)
    cancer = phantoms.Finding(phantoms.FindingKind.SPICULATED_MASS, 0.6)

    files = []
    for number, (laterality, view) in enumerate(phantoms.VIEWS, start=1):
        image = phantoms.render_view(
            rng,
            laterality=laterality,
            view=view,
            findings=(cancer,) if laterality == "R" else (),
            detector=phantoms.Detector(rows=rows, columns=columns),
        )
        identity = phantoms.PhantomIdentity(patient_id=7, image_id=number)
        files.append(phantoms.to_dicom_bytes(image, machine, identity))
    return files
