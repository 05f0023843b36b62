"""The service itself, as `make serve` starts it."""

import re
import sys
from collections.abc import Mapping
from typing import Any

import httpx

from benchmarks.load.servers import Running, Server

_COUNT = re.compile(r'^mammolens_batch_size_sum\{signature="predict"\} (\S+)$', re.MULTILINE)


def computed(running: Running) -> int:
    """How many images the model was given for predictions, from /metrics; 0 before the first."""
    found = _COUNT.search(httpx.get(f"{running.address}/metrics", timeout=10).text)
    return int(float(found[1])) if found else 0


def probabilities(answer: Any) -> Mapping[str, float]:
    """The probabilities of an answer of POST /predict."""
    found: Mapping[str, float] = answer["prediction"]["probabilities"]
    return found


SERVER = Server(
    "mammolens",
    (sys.executable, "-m", "service"),
    {"HOST": "127.0.0.1", "PORT": "{port}", "MAMMOLENS_MODEL": "{bundle}"},
    probabilities=probabilities,
    computed=computed,
)
