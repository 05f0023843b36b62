import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.load import ours
from benchmarks.load.measures import computed_for_leavers
from benchmarks.load.servers import ROOT, Server, descendants, started

SAMPLE = (ROOT / "docs" / "sample.dcm").read_bytes()
FAKE = replace(ours.SERVER, environment={**ours.SERVER.environment, "MAMMOLENS_MODEL": "fake"})


def test_the_service_counts_what_it_computes_and_leaves_no_process_when_stopped(
    tmp_path: Path,
) -> None:
    with (tmp_path / "log").open("wb") as log, started(FAKE, log) as running:
        assert running.computed() == 0
        assert sum(running.ask(SAMPLE).values()) == pytest.approx(1, abs=1e-5)
        assert running.computed() == 1
        tree = descendants(running.process.pid)
        weight = running.pss_mebibytes()

    assert len(tree) > 1
    assert weight > 20
    assert not [process for process in tree if Path(f"/proc/{process}").exists()]


def test_most_requests_whose_clients_leave_are_never_computed(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, started(FAKE, log) as running:
        running.ask(SAMPLE)
        left, computed = computed_for_leavers(running, SAMPLE, 15)

    assert left > 150
    assert computed < 50


def test_a_server_that_ends_before_it_is_ready_is_told(tmp_path: Path) -> None:
    ended = Server("ended", (sys.executable, "-c", "pass"))

    with (
        (tmp_path / "log").open("wb") as log,
        pytest.raises(RuntimeError, match="ended before"),
        started(ended, log),
    ):
        pytest.fail("it was taken for ready")
