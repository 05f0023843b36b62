"""Tools that the benchmarks share: timing in turn, and phantoms of a common size."""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from training import phantoms
from training.phantoms.corpus import plain_acquisition
from training.phantoms.transfer import Syntax


def measure(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Run the ways in turn, `rounds` times. Return the median milliseconds of each."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append((time.perf_counter() - start) * 1e3)

    return {name: statistics.median(samples) for name, samples in times.items()}


def phantom_files(
    syntaxes: Iterable[Syntax], rows: int = 3328, columns: int = 2560
) -> dict[str, bytes]:
    """Return the same phantom as a DICOM file in each of the transfer syntaxes."""
    image = phantoms.render_view(
        np.random.default_rng(1), detector=phantoms.Detector(rows=rows, columns=columns)
    )
    return {
        syntax: phantoms.to_dicom_bytes(image, plain_acquisition(syntax)) for syntax in syntaxes
    }
