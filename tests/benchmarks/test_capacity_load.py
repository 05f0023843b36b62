from dataclasses import replace
from pathlib import Path

from benchmarks.capacity.open_load import offer
from benchmarks.load import ours
from benchmarks.load.generator import request, uniform
from benchmarks.load.servers import ROOT, started

SAMPLE = (ROOT / "docs" / "sample.dcm").read_bytes()
FAKE = replace(ours.SERVER, environment={**ours.SERVER.environment, "MAMMOLENS_MODEL": "fake"})


def test_offered_requests_are_answered_or_late(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, started(FAKE, log) as running:
        calm = offer(running, request("/predict", SAMPLE), uniform(6, 0.5))
        hurried = offer(running, request("/predict", SAMPLE, timeout=0.001), uniform(6, 0.5))

    assert (calm.refused, calm.late, calm.other) == (0, 0, 0)
    assert 0.005 < calm.cost < 2
    assert calm.latencies[0] <= calm.latencies[1]
    assert hurried.late + hurried.refused == 1
