"""Start command and metrics of the service itself, as `make serve` starts it."""

import re
import sys
from collections.abc import Mapping
from typing import Any

import httpx

from benchmarks.load.servers import Running, Server

_COUNT = re.compile(r'^mammolens_batch_size_sum\{signature="predict"\} (\S+)$', re.MULTILINE)


def computed(running: Running) -> int:
    """Return the number of images that the model has predicted, from /metrics.

    The metric does not exist before the first image: the number is 0 then.
    """
    metrics = httpx.get(f"{running.address}/metrics", timeout=10).text
    count = _COUNT.search(metrics)
    return int(float(count[1])) if count else 0


def probabilities(answer: Any) -> Mapping[str, float]:
    """Return the probabilities from an answer of POST /predict."""
    by_class: Mapping[str, float] = answer["prediction"]["probabilities"]
    return by_class


SERVER = Server(
    "mammolens",
    (sys.executable, "-m", "service"),
    {"HOST": "127.0.0.1", "PORT": "{port}", "MAMMOLENS_MODEL": "{bundle}"},
    probabilities=probabilities,
    computed=computed,
)
