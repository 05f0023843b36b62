import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.load import ours
from benchmarks.load.measures import computed_for_leavers
from benchmarks.load.servers import ROOT, Server, descendants, started

SAMPLE = (ROOT / "docs" / "sample.dcm").read_bytes()
FAKE = replace(ours.SERVER, environment={**ours.SERVER.environment, "MAMMOLENS_MODEL": "fake"})


def test_service_counts_images_and_leaves_no_process(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, started(FAKE, log) as running:
        assert running.computed() == 0
        assert sum(running.predict(SAMPLE).values()) == pytest.approx(1, abs=1e-5)
        assert running.computed() == 1

        tree = descendants(running.process.pid)
        memory = running.pss_mebibytes()

    assert len(tree) > 1
    assert memory > 20
    assert not [pid for pid in tree if Path(f"/proc/{pid}").exists()]


def test_most_abandoned_requests_are_never_computed(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, started(FAKE, log) as running:
        running.predict(SAMPLE)

        left, computed = computed_for_leavers(running, SAMPLE, 15)

    assert left > 150
    assert computed < 50


def test_server_that_ends_early_is_an_error(tmp_path: Path) -> None:
    ended = Server("ended", (sys.executable, "-c", "pass"))

    with (
        (tmp_path / "log").open("wb") as log,
        pytest.raises(RuntimeError, match="ended before"),
        started(ended, log),
    ):
        pytest.fail("the server was reported as ready")
