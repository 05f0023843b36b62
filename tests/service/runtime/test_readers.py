"""Reader processes: a file that hangs, crashes or bloats its decoder is refused.

The next file is read as if nothing had happened.
"""

import logging
import math
import os
import pickle
import signal
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from openjpeg.utils import encode_array
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from service.errors import (
    CorruptImage,
    DeadlinePassed,
    ImageError,
    ReaderKilled,
    TooManyPixels,
    Undecodable,
    UnsupportedSyntax,
)
from service.imaging import FileTask, Limits, RunTask, read
from service.records import FitParameters, Pixels
from service.runtime.batching import ScheduledReader
from service.runtime.readers import ReaderLost, ReaderPool
from service.runtime.scheduler import FairScheduler
from service.runtime.shared_file import FileBytes
from tests.support.paths import ROOT

WriteDicom = Callable[..., bytes]

GRID = FitParameters(96, 72)


LOSSES: list[str] = []
"""Reasons of the losses of the pool that the tests share."""


@pytest.fixture(scope="module")
def reader() -> Iterator[ReaderPool]:
    pool = ReaderPool(1, Limits(max_pixels=9_000_000, max_seconds=60), LOSSES.append)
    yield pool
    pool.close()


@pytest.fixture(autouse=True)
def _no_losses() -> None:
    LOSSES.clear()


@contextmanager
def killed_while_decoding(reader: ReaderPool, number: signal.Signals) -> Iterator[None]:
    """Send the signal to the reader process 0.2 seconds after the block began."""
    killer = threading.Timer(0.2, os.kill, (reader.pids[0], number))
    killer.start()
    yield
    killer.join()


class KilledReader:
    """A runner whose process is killed at every task. It keeps them."""

    def __init__(self) -> None:
        self.tasks: list[tuple[FileTask[Any], FileBytes]] = []

    def __call__(self, task: FileTask[Any], data: FileBytes) -> NoReturn:
        self.tasks.append((task, data))
        raise ReaderKilled("The process was ended.")


def scheduled(reader: RunTask, check: Callable[[], None] = lambda: None) -> ScheduledReader:
    return ScheduledReader(reader, FairScheduler(1, {"predict": 1.0}), "predict", check)


@pytest.fixture(scope="module")
def valid(write_dicom: WriteDicom, breast: Pixels) -> bytes:
    return write_dicom(breast, JPEG2000Lossless, BitsStored=12)


@pytest.fixture(scope="module")
def slow(write_dicom: WriteDicom, breast: Pixels) -> bytes:
    """Valid image that takes about a second to decode in full."""
    large = np.repeat(np.repeat(breast, 8, axis=0), 8, axis=1)
    noise = np.random.default_rng(1).integers(0, 256, large.shape)
    noisy = (large + noise).clip(0, 4095).astype(np.uint16)
    return write_dicom(noisy, JPEG2000Lossless, BitsStored=12)


def test_pool_reads_like_this_process(reader: ReaderPool, valid: bytes) -> None:
    remote = reader(valid, GRID, 200)
    local = read(valid, GRID, 200)

    assert np.array_equal(remote.fitted.image, local.fitted.image)
    assert np.array_equal(remote.picture, local.picture)  # type: ignore[arg-type]
    assert (remote.facts, remote.warnings, remote.fitted.to_source) == (
        local.facts,
        local.warnings,
        local.fitted.to_source,
    )


@pytest.mark.parametrize(
    "error", [TooManyPixels(3, 2), UnsupportedSyntax("X", ["Y"]), CorruptImage("Z")]
)
def test_errors_keep_their_facts_when_pickled(error: ImageError) -> None:
    """Errors cross the process boundary by pickle."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert (type(copy), str(copy), copy.facts) == (type(error), str(error), error.facts)


def test_errors_of_the_reader_process_are_raised(reader: ReaderPool, valid: bytes) -> None:
    # The value of Rows (0028,0010) becomes 65535.
    oversized = valid.replace(
        b"\x28\x00\x10\x00US\x02\x00\xa4\x01", b"\x28\x00\x10\x00US\x02\x00\xff\xff"
    )

    with pytest.raises(CorruptImage):
        reader(valid[:-1000], GRID)
    with pytest.raises(TooManyPixels) as refusal:
        reader(oversized, GRID)

    assert refusal.value.facts["max_pixels"] == 9_000_000


def test_freed_memory_is_reused_for_next_file(reader: ReaderPool, slow: bytes) -> None:
    def count_page_faults() -> int:
        """Return the minor page faults of the process (`minflt` of proc(5))."""
        stat = Path(f"/proc/{reader.pids[0]}/stat").read_text()
        return int(stat.rpartition(")")[2].split()[7])

    reader(slow, GRID)
    reader(slow, GRID)
    taken = []
    for _ in range(9):
        before = count_page_faults()
        reader(slow, GRID)
        taken.append(count_page_faults() - before)

    # The heap may still grow once or twice. If all memory were returned to the system, every file
    # would take 700 to 6,000 pages.
    assert statistics.median(taken) < 100, str(taken)


def test_slow_file_is_refused(
    reader: ReaderPool, valid: bytes, slow: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader._processes[0], "_limits", Limits(max_seconds=0.05))
    with pytest.raises(Undecodable, match="took longer than"):
        reader(slow, GRID, math.inf)
    monkeypatch.undo()

    assert LOSSES == ["timeout"]
    assert reader(valid, GRID).facts.rows == 420


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_crashed_process_is_replaced(
    reader: ReaderPool,
    valid: bytes,
    slow: bytes,
    number: signal.Signals,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # A first file makes sure that the process is ready, so that the kill hits the decoder.
    reader(valid, GRID)

    with (
        caplog.at_level(logging.WARNING, "mammolens"),
        killed_while_decoding(reader, number),
        pytest.raises(Undecodable, match="crashed"),
    ):
        scheduled(reader.run)(slow, GRID, math.inf)

    assert LOSSES == ["signal"]
    assert f"was ended by {number.name}" in caplog.text
    assert reader(valid, GRID).facts.rows == 420


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_process_gives_file_a_second_try(
    reader: ReaderPool, valid: bytes, slow: bytes, number: signal.Signals
) -> None:
    reader(valid, GRID)

    with killed_while_decoding(reader, number):
        reading = scheduled(reader.run)(slow, GRID, math.inf)

    assert reading.facts.rows == 3360
    assert LOSSES == ["signal"]


def test_second_kill_on_one_file_refuses_it() -> None:
    killed = KilledReader()

    with pytest.raises(Undecodable):
        scheduled(killed)(b"", GRID)

    assert len(killed.tasks) == 2


def test_second_try_is_not_made_after_deadline() -> None:
    deadline = iter([None, DeadlinePassed("Too late.")])
    killed = KilledReader()

    def check() -> None:
        if error := next(deadline):
            raise error

    with pytest.raises(DeadlinePassed):
        scheduled(killed, check)(b"", GRID)

    assert len(killed.tasks) == 1


def test_interrupt_of_the_group_spares_readers(
    reader: ReaderPool, valid: bytes, slow: bytes
) -> None:
    """Ctrl-C in a terminal reaches every process of the group."""
    reader(valid, GRID)

    with killed_while_decoding(reader, signal.SIGINT):
        reading = reader(slow, GRID, math.inf)

    assert reading.facts.rows == 3360
    assert LOSSES == []


def test_kernel_ends_readers_before_service(reader: ReaderPool, valid: bytes) -> None:
    reader(valid, GRID)

    assert Path(f"/proc/{reader.pids[0]}/oom_score_adj").read_text() == "1000\n"


def test_process_that_died_idle_is_replaced(reader: ReaderPool, valid: bytes) -> None:
    """The next file is read."""
    reader(valid, GRID)

    process = reader._processes[0]._process
    process.kill()
    process.join()

    assert reader(valid, GRID).facts.rows == 420
    assert LOSSES == ["signal"]


def test_file_that_needs_too_much_memory_is_refused(
    reader: ReaderPool, write_dicom: WriteDicom
) -> None:
    # Precincts of two pixels: OpenJPEG would keep 5 GB of records of them.
    black = np.zeros((2800, 2800), np.uint16)
    codestream = bytearray(encode_array(black, bits_stored=12, photometric_interpretation=2))
    style = codestream.index(b"\xff\x52")
    length = int.from_bytes(codestream[style + 2 : style + 4])
    levels = codestream[style + 9]
    codestream[style + 4] |= 1  # precinct sizes follow
    codestream[style + 2 : style + 4] = (length + levels + 1).to_bytes(2)
    codestream[style + 2 + length : style + 2 + length] = b"\x11" * (levels + 1)
    data = write_dicom(
        black, JPEG2000Lossless, BitsStored=12, PixelData=encapsulate([bytes(codestream)])
    )

    # OpenJPEG reports a broken file if it gets no memory.
    with pytest.raises(CorruptImage):
        reader(data, GRID, math.inf)

    assert reader.peak_memory_bytes < 2**28 + Limits(max_pixels=9_000_000).max_memory_bytes


def test_bug_in_reader_is_not_an_image_error(
    valid: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """The type of the exception is logged, but not its message."""
    losses: list[str] = []
    pool = ReaderPool(1, Limits(), losses.append)

    with pytest.raises(ReaderLost):
        pool(valid, "Doe^Jane")  # type: ignore[arg-type]
    assert losses == ["fault"]
    assert pool(valid, GRID).facts.rows == 420
    pool.close()

    logged = capfd.readouterr().err
    assert "AttributeError" in logged
    assert "Doe^Jane" not in logged
    assert "has no attribute" not in logged


def test_process_that_does_not_start_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = ReaderPool(2, Limits())
    pool.wait_until_ready()
    assert all(process._ready for process in pool._processes)
    pool.close()

    late = ReaderPool(1, Limits())
    monkeypatch.setattr("service.runtime.readers._START_SECONDS", 0.0)
    with pytest.raises(ReaderLost):
        late.wait_until_ready()
    late.close()


def test_pool_is_safe_with_more_threads_than_processes(valid: bytes) -> None:
    pool = ReaderPool(2, Limits())

    try:
        with ThreadPoolExecutor(6) as threads:
            readings = list(threads.map(lambda _: pool(valid, GRID), range(24)))
    finally:
        pool.close()

    assert {reading.facts.rows for reading in readings} == {420}


def test_reader_process_imports_no_service() -> None:
    """Each of these costs every reader process memory and time to start."""
    program = (
        "import sys, service.runtime.worker\n"
        "heavy = {'fastapi', 'prometheus_client', 'pydantic', 'tensorflow', 'uvicorn'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
