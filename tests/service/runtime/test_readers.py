"""A file that hangs, ends or bloats its decoder is refused, and the next one is read."""

import math
import os
import pickle
import signal
import statistics
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from openjpeg.utils import encode_array
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from service.errors import CorruptImage, ImageError, TooManyPixels, Undecodable, UnsupportedSyntax
from service.imaging import Limits, read
from service.records import FitParameters, Pixels
from service.runtime.readers import ReaderLost, ReaderPool

WriteDicom = Callable[..., bytes]

GRID = FitParameters(96, 72)


@pytest.fixture(scope="module")
def reader() -> Iterator[ReaderPool]:
    isolated = ReaderPool(1, Limits(max_pixels=9_000_000, max_seconds=60))
    yield isolated
    isolated.close()


@pytest.fixture(scope="module")
def sound(write_dicom: WriteDicom, breast: Pixels) -> bytes:
    return write_dicom(breast, JPEG2000Lossless, BitsStored=12)


@pytest.fixture(scope="module")
def slow(write_dicom: WriteDicom, breast: Pixels) -> bytes:
    """A sound image that takes about a second to decode in full."""
    large = np.repeat(np.repeat(breast, 8, axis=0), 8, axis=1)
    noise = np.random.default_rng(1).integers(0, 256, large.shape)
    return write_dicom(
        (large + noise).clip(0, 4095).astype(np.uint16), JPEG2000Lossless, BitsStored=12
    )


def test_readings_are_those_of_the_same_process(reader: ReaderPool, sound: bytes) -> None:
    there, here = reader(sound, GRID, 200), read(sound, GRID, 200)
    assert np.array_equal(there.fitted.image, here.fitted.image)
    assert np.array_equal(there.picture, here.picture)  # type: ignore[arg-type]
    assert (there.facts, there.warnings, there.fitted.to_source) == (
        here.facts,
        here.warnings,
        here.fitted.to_source,
    )


@pytest.mark.parametrize(
    "error", [TooManyPixels(3, 2), UnsupportedSyntax("X", ["Y"]), CorruptImage("Z")]
)
def test_errors_keep_their_facts_on_the_way(error: ImageError) -> None:

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - what multiprocessing sends objects by
    assert (type(again), str(again), again.facts) == (type(error), str(error), error.facts)


def test_refusals_come_through(reader: ReaderPool, sound: bytes) -> None:
    with pytest.raises(CorruptImage):
        reader(sound[:-1000], GRID)
    with pytest.raises(TooManyPixels) as refusal:
        reader(
            sound.replace(
                b"\x28\x00\x10\x00US\x02\x00\xa4\x01", b"\x28\x00\x10\x00US\x02\x00\xff\xff"
            ),
            GRID,
        )
    assert refusal.value.facts["max_pixels"] == 9_000_000


def test_what_a_file_took_of_memory_is_kept_for_the_next(reader: ReaderPool, slow: bytes) -> None:
    def pages_taken() -> int:
        return int(
            Path(f"/proc/{reader.pids[0]}/stat").read_text().rpartition(")")[2].split()[7]
        )  # minflt

    reader(slow, GRID)
    reader(slow, GRID)
    taken = []
    for _ in range(9):
        before = pages_taken()
        reader(slow, GRID)
        taken.append(pages_taken() - before)
    # the heap may yet grow once or twice; where all is given back, every file takes 700 to 6,000
    assert statistics.median(taken) < 100, str(taken)


def test_a_file_that_takes_too_long_is_refused_and_the_next_one_read(
    reader: ReaderPool, sound: bytes, slow: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader._processes[0], "_limits", Limits(max_seconds=0.05))
    with pytest.raises(Undecodable, match="takes longer than"):
        reader(slow, GRID, math.inf)
    monkeypatch.undo()
    assert reader(sound, GRID).facts.rows == 420


def test_a_decoder_that_is_killed_is_replaced(
    reader: ReaderPool, sound: bytes, slow: bytes
) -> None:
    reader(sound, GRID)  # so that it is ready, and the file at once being decoded
    killer = threading.Timer(0.2, os.kill, (reader.pids[0], signal.SIGSEGV))
    killer.start()
    with pytest.raises(Undecodable, match="crashed"):
        reader(slow, GRID, math.inf)
    killer.join()
    assert reader(sound, GRID).facts.rows == 420


def test_a_process_that_ended_while_idle_is_no_fault_of_the_next_file(
    reader: ReaderPool, sound: bytes
) -> None:
    reader(sound, GRID)
    process = reader._processes[0]._process
    process.kill()
    process.join()
    assert reader(sound, GRID).facts.rows == 420


def test_a_file_that_needs_too_much_memory_is_refused(
    reader: ReaderPool, write_dicom: WriteDicom
) -> None:
    # precincts of two pixels: OpenJPEG would keep 5 GB of records of them
    black = np.zeros((2800, 2800), np.uint16)
    codestream = bytearray(encode_array(black, bits_stored=12, photometric_interpretation=2))
    style = codestream.index(b"\xff\x52")
    length, levels = int.from_bytes(codestream[style + 2 : style + 4]), codestream[style + 9]
    codestream[style + 4] |= 1  # precinct sizes follow
    codestream[style + 2 : style + 4] = (length + levels + 1).to_bytes(2)
    codestream[style + 2 + length : style + 2 + length] = b"\x11" * (levels + 1)
    data = write_dicom(
        black, JPEG2000Lossless, BitsStored=12, PixelData=encapsulate([bytes(codestream)])
    )
    with pytest.raises(
        CorruptImage
    ):  # where OpenJPEG gets no memory, it says that the file is broken
        reader(data, GRID, math.inf)
    assert reader.peak_memory_bytes < 2**28 + Limits(max_pixels=9_000_000).max_memory_bytes


def test_a_fault_of_ours_is_no_fault_of_the_file(
    sound: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    isolated = ReaderPool(1, Limits())
    with pytest.raises(ReaderLost):
        isolated(sound, "Doe^Jane")  # type: ignore[arg-type]
    assert isolated(sound, GRID).facts.rows == 420
    isolated.close()
    logged = capfd.readouterr().err
    assert "AttributeError" in logged
    assert "Doe^Jane" not in logged
    assert "has no attribute" not in logged


def test_a_reader_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    isolated = ReaderPool(2, Limits())
    isolated.wait_until_ready()
    assert all(process._ready for process in isolated._processes)
    isolated.close()
    late = ReaderPool(1, Limits())
    monkeypatch.setattr("service.runtime.readers._START_SECONDS", 0.0)
    with pytest.raises(ReaderLost):
        late.wait_until_ready()
    late.close()


def test_as_many_files_are_read_at_once_as_there_are_processes(sound: bytes) -> None:
    isolated = ReaderPool(2, Limits())
    try:
        with ThreadPoolExecutor(6) as pool:
            readings = list(pool.map(lambda _: isolated(sound, GRID), range(24)))
    finally:
        isolated.close()
    assert {reading.facts.rows for reading in readings} == {420}
