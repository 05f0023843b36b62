"""What benchmarks share: things measured in turn, and phantoms of a common size."""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from training import phantoms
from training.phantoms.corpus import plain_acquisition
from training.phantoms.transfer import Syntax


def measure(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each way, taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(taken) for name, taken in times.items()}


def phantom_files(
    syntaxes: Iterable[Syntax], rows: int = 3328, columns: int = 2560
) -> dict[str, bytes]:
    """One phantom in each of the transfer syntaxes."""
    image = phantoms.render_view(
        np.random.default_rng(1), detector=phantoms.Detector(rows=rows, columns=columns)
    )
    return {
        syntax: phantoms.to_dicom_bytes(image, plain_acquisition(syntax)) for syntax in syntaxes
    }
