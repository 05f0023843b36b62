"""Memory of the service while four of the largest uploads are answered at once."""

import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.attacks.memory_sampler import MemorySampler
from benchmarks.exams.exam_requests import post_exam, serving
from benchmarks.load.servers import ROOT
from service.settings import Settings
from training import phantoms

_UPLOADS = 4
_EDGE = 960
_HEADER_BYTES = 16_384  # more than the header of a phantom takes
_ROUTES = (
    "/gradcam",
    "/gradcam/sc.dcm?negatives=true",
    "/exam",
    "/exam/dicom?negatives=true",
    "/exam/pixels?heat=all",
    "/exam/pixels?heat=all&size=4096",
)


def measure_uploads(bundle: Path) -> None:
    """Print the peak of all processes for each route, beside the limit of docker-compose.yml."""
    settings = Settings()
    files = largest_files(settings)
    print(f"limit {_limit()}, {_UPLOADS} uploads at once, files of {len(files[0]):,} bytes\n")
    print("| route | files | answers | peak of all processes |\n|---|---|---|---|")

    for route in _ROUTES:
        sent = files if route.startswith("/exam") else files[:1]
        statuses, peak = _upload(bundle, route, sent)
        print(f"| `{route}` | {len(sent)} | {statuses} | {peak} MiB |", flush=True)


def _upload(bundle: Path, route: str, files: Sequence[bytes]) -> tuple[str, int]:
    """Send the files four times at once to a fresh service. Return the statuses and the peak."""
    with (
        serving(bundle) as (client, running),
        MemorySampler(running.process.pid) as memory,
        ThreadPoolExecutor(_UPLOADS) as pool,
    ):
        post = partial(post_exam, client, files, route)
        answers = [pool.submit(post) for _ in range(_UPLOADS)]
        counts = Counter(answer.result().status_code for answer in answers)

    statuses = ", ".join(f"{number} x {status}" for status, number in sorted(counts.items()))
    return statuses, memory.peak


def largest_files(settings: Settings) -> list[bytes]:
    """Return as many views of one patient, each as large as a file may be, as an exam may have."""
    by_bytes = (settings.max_upload_bytes - _HEADER_BYTES) // 2
    edge = int(min(by_bytes, settings.max_pixels) ** 0.5)
    number = min(settings.exam_bytes // settings.max_upload_bytes, len(phantoms.VIEWS))
    views = phantoms.VIEWS[-number:]
    return [_enlarged(index, edge, *view) for index, view in enumerate(views, start=1)]


def _enlarged(number: int, edge: int, laterality: str, view: str) -> bytes:
    """Return an uncompressed phantom of edge x edge pixels, made from a small one."""
    image = phantoms.render_view(
        np.random.default_rng(number),
        laterality="L" if laterality == "L" else "R",
        view="CC" if view == "CC" else "MLO",
        detector=phantoms.Detector(rows=_EDGE, columns=_EDGE),
    )
    pixels = np.asarray(cv2.resize(image.pixels, (edge, edge)), np.uint16)
    identity = phantoms.PhantomIdentity(image_id=number)
    return phantoms.to_dicom_bytes(replace(image, pixels=pixels), identity=identity)


def _limit() -> str:
    """Return the limit of memory that docker-compose.yml sets."""
    limit = re.search(r"mem_limit: (\S+)", (ROOT / "docker-compose.yml").read_text())
    return limit[1] if limit else "none"
