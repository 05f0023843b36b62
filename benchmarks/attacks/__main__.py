"""Attack the running service, and measure what other clients notice.

    python -m benchmarks.attacks [--only "full disk" ...] [--seconds 20]

Each scenario starts the service anew. First only a health probe runs, 50 times a second, and gives
the idle latency. Then the attack goes on while the probe and an ordinary client run, which sends
the sample image at random times and wants each answer within ten seconds. A table goes to standard
output and the log of each service to build/attacks.

"Full disk" mounts a file system and "unreadable model" drops a capability, so both need root.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np

from benchmarks.attacks.background import in_background
from benchmarks.attacks.memory_sampler import MemorySampler
from benchmarks.attacks.scenarios import SCENARIOS, Scenario
from benchmarks.load.generator import Answer, Stream, poisson, request, send, uniform
from benchmarks.load.servers import ROOT, Running, started
from service.host.cores import usable_cores

OUT = ROOT / "build" / "attacks"
_PROBES_PER_SECOND = 50
_PREDICTIONS_PER_SECOND = 4.0
_IN_TIME_SECONDS = 10.0
_WARM_UP_SECONDS = 2.0
_SETTLE_SECONDS = 2.0
_HEADER = (
    "| attack | probe idle | attacked | more | in time | p99 | statuses | MiB before, peak, after "
    "| remark |\n|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one scenario: p99 of the probe in ms, and the answers to predictions."""

    idle_p99: float
    attacked_p99: float
    answers: Sequence[Answer]
    memory: MemorySampler
    remark: str

    def row(self, name: str) -> str:
        """Return the row of the table."""
        in_time = [
            answer
            for answer in self.answers
            if answer.status == httpx.codes.OK and answer.seconds <= _IN_TIME_SECONDS
        ]
        statuses = Counter(answer.status for answer in self.answers)
        told = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
        cells = (
            name,
            f"{self.idle_p99:.1f}",
            f"{self.attacked_p99:.1f}",
            f"{self.attacked_p99 - self.idle_p99:+.1f}",
            f"{len(in_time) / len(self.answers):.3f}",
            f"{_p99(in_time):.0f}",
            told,
            f"{self.memory.before}, {self.memory.peak}, {self.memory.after}",
            self.remark,
        )
        return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    options = _parser().parse_args()
    OUT.mkdir(parents=True, exist_ok=True)

    print(f"{usable_cores()} cores, {time.strftime('%Y-%m-%d')}\n\n{_HEADER}", flush=True)
    for name in options.only:
        sys.stderr.write(f"{name}\n")
        log = OUT / f"{name.replace(' ', '-').replace('/', '-').replace(',', '')}.log"
        with (
            tempfile.TemporaryDirectory() as scratch,
            SCENARIOS[name](Path(scratch)) as scenario,
            log.open("wb") as file,
            started(scenario.server, file) as running,
        ):
            print(_measure(running, scenario, options.seconds).row(name), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), help="default: all"
    )
    parser.add_argument(
        "--seconds", type=float, default=20, help="length of each measurement (default 20)"
    )
    return parser


def _measure(running: Running, scenario: Scenario, seconds: float) -> Figures:
    probe = Stream(request("/livez"), uniform(_PROBES_PER_SECOND, seconds))
    prediction = _prediction(scenario.token)
    send(running.port, {"warm": Stream(prediction, clients=4, seconds=_WARM_UP_SECONDS)})
    idle = send(running.port, {"probe": probe}).answers["probe"]

    with MemorySampler(running.process.pid) as memory:
        with in_background(scenario.attack(running)):
            time.sleep(_SETTLE_SECONDS)
            ordinary = Stream(prediction, poisson(_PREDICTIONS_PER_SECOND, seconds))
            attacked = send(running.port, {"probe": probe, "predict": ordinary}).answers

        remark = scenario.end(running)
        time.sleep(_SETTLE_SECONDS)

    for answers in (idle, attacked["probe"]):
        _check(answers)
    return Figures(_p99(idle), _p99(attacked["probe"]), attacked["predict"], memory, remark)


def _prediction(token: str | None) -> bytes:
    """Return the bytes of an ordinary request."""
    image = (ROOT / "docs" / "sample.dcm").read_bytes()
    plain = request("/predict", image, timeout=_IN_TIME_SECONDS)
    if token is None:
        return plain

    line, end, rest = plain.partition(b"\r\n")
    return line + end + b"Authorization: Bearer " + token.encode() + end + rest


def _check(probes: Sequence[Answer]) -> None:
    """Check that the probe was always answered.

    Raises:
        RuntimeError: a probe was not answered with 200.
    """
    unanswered = sum(answer.status != httpx.codes.OK for answer in probes)
    if unanswered:
        raise RuntimeError(f"{unanswered} of {len(probes)} probes were not answered")


def _p99(answers: Sequence[Answer]) -> float:
    """Return the 99th percentile of the latencies in milliseconds, NaN without answers."""
    if not answers:
        return float("nan")
    return float(np.percentile([answer.seconds for answer in answers], 99)) * 1e3


if __name__ == "__main__":
    main()
