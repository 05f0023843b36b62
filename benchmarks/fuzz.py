"""Feeds mutated images of every transfer syntax and format to the readers, and counts the outcomes.

    python -m benchmarks.fuzz [--inputs 200000] [--seconds 2] [--seed 1] [--keep DIRECTORY]
    python -m benchmarks.fuzz --atheris 60000

The corpus is one phantom in all formats. By default, each input is a random mutation, read by the
reader processes of the service. An input that ends its process or exceeds the time limit is counted
(and kept, with --keep), and the run continues. With --atheris, the coverage of the service's code
and of pydicom steers the mutations. This runs in one process, so that a crash ends the run.
"""

import argparse
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from service.errors import ImageError
from service.imaging import Limits, read
from service.records import FitParameters
from service.runtime.readers import ReaderLost, ReaderPool
from training.phantoms.corpus import make_corpus

GRID = FitParameters(64, 48)
PROCESSES = 2
HEADER_BYTES = 1200
BOUNDARY_BYTES = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)


@dataclass
class Tally:
    """Outcomes of the inputs that were made from one file, and the longest time in seconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


def main() -> int:
    """Run the campaign. Return the exit code: 1 if any input ran into an internal error."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--inputs", type=int, default=200_000, help="number of inputs (default 200000)"
    )
    parser.add_argument("--seconds", type=float, default=2, help="time limit per input (default 2)")
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of the random mutations (default 1)"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        help="directory for inputs that ended their reader, timed out or hit an internal error",
    )
    parser.add_argument(
        "--atheris", type=int, metavar="INPUTS", help="run this many coverage-guided inputs instead"
    )
    options = parser.parse_args()

    if options.atheris:
        return steer(options.atheris)
    return Campaign(options).run()


class Campaign:
    """One run of random mutations by several threads, each with one reader process."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._corpus = make_corpus()
        self._limits = Limits(max_pixels=1_000_000, max_seconds=options.seconds)
        self._tallies: dict[str, Tally] = defaultdict(Tally)
        self._lock = threading.Lock()
        self._memory = 0

    def run(self) -> int:
        """Feed all inputs and print the table. Return the exit code."""
        start = time.monotonic()

        with ThreadPoolExecutor(PROCESSES) as pool:
            list(pool.map(self._feed, range(PROCESSES)))

        faults = self._print(time.monotonic() - start)
        return 1 if faults else 0

    def _feed(self, worker: int) -> None:
        """Feed every `PROCESSES`-th input to one reader process."""
        reader = ReaderPool(1, self._limits)
        names = list(self._corpus)
        files = list(self._corpus.values())

        for number in range(worker, self._options.inputs, PROCESSES):
            name = names[number % len(names)]
            chance = random.Random(f"{self._options.seed} {number}")  # noqa: S311 - repeatable
            data = mutate(self._corpus[name], files, chance)

            start = time.perf_counter()
            outcome = classify(reader, data)
            seconds = time.perf_counter() - start

            # The peak memory is read only every now and then.
            memory = reader.peak_memory_bytes if number % 64 < PROCESSES else 0

            with self._lock:
                tally = self._tallies[name]
                tally.outcomes[outcome] += 1
                tally.slowest = max(tally.slowest, seconds)
                self._memory = max(self._memory, memory)

            if outcome in {"ended", "clock", "fault"} and self._options.keep:
                self._options.keep.mkdir(parents=True, exist_ok=True)
                (self._options.keep / f"{outcome}-{name}-{number}").write_bytes(data)
            if worker == 0 and number % 20_000 == 0:
                print(f"{number} of {self._options.inputs}", file=sys.stderr, flush=True)

        reader.close()

    def _print(self, seconds: float) -> int:
        """Print the table and the outcomes. Return the number of internal errors."""
        total: Counter[str] = Counter()
        print(
            f"{'file':<28}{'tried':>8}{'read':>8}{'refused':>9}"
            f"{'clock':>7}{'ended':>7}{'fault':>7}{'slowest':>10}"
        )
        for name, tally in self._tallies.items():
            total += tally.outcomes
            print(f"{name:<28}{_row(tally.outcomes)}{tally.slowest:>8.2f} s")
        slowest = max(tally.slowest for tally in self._tallies.values())
        print(f"{'all':<28}{_row(total)}{slowest:>8.2f} s")

        print(f"{seconds:.0f} s, peak memory of a reader {self._memory / 2**20:.0f} MiB, outcomes:")
        for outcome, count in total.most_common():
            print(f"  {outcome:<40}{count:>8}")

        return total["fault"]


def _row(outcomes: Counter[str]) -> str:
    """Return the counts of a row. Every outcome without a column of its own is a refusal."""
    read_, clock, ended, fault = (outcomes[name] for name in ("read", "clock", "ended", "fault"))
    refused = outcomes.total() - read_ - clock - ended - fault
    return f"{outcomes.total():>8}{read_:>8}{refused:>9}{clock:>7}{ended:>7}{fault:>7}"


def classify(reader: ReaderPool, data: bytes) -> str:
    """Read an input and return its outcome.

    `read`, the error type of a refusal, `clock` (time limit exceeded), `ended` (the decoder
    crashed), or `fault` (internal error: the reader process exited).
    """
    try:
        reader(data, GRID, 200)
    except ImageError as error:
        message = str(error)
        if "longer than" in message:
            return "clock"
        return "ended" if "crashed the decoder" in message else type(error).__name__
    except ReaderLost:
        return "fault"
    return "read"


def mutate(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return the file with a few changes: bits, bytes, numbers, cuts, repeats, pieces of others."""
    mutant = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        # Changes in headers have more effect than changes in pixels.
        in_header = chance.random() < 0.6  # noqa: PLR2004 - see above
        bound = min(len(mutant), HEADER_BYTES) if in_header else len(mutant)
        if not bound:
            break

        at = chance.randrange(bound)
        match chance.randrange(8):
            case 0:
                mutant[at] ^= 1 << chance.randrange(8)
            case 1:
                mutant[at] = chance.choice(BOUNDARY_BYTES)
            case 2:
                mutant[at] = chance.randrange(256)
            case 3:
                mutant[at : at + 4] = chance.choice(
                    (0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
                ).to_bytes(4, "little")
            case 4:
                del mutant[at : at + chance.choice((1, 2, 4, 64, 1024))]
            case 5:
                mutant[at:at] = mutant[at : at + chance.choice((1, 2, 8, 64, 1024))]
            case 6:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                mutant[at : at + 64] = other[start : start + 64]
            case _:
                del mutant[chance.randrange(len(mutant)) :]
    return bytes(mutant)


def steer(inputs: int) -> int:
    """Feed coverage-guided mutations by atheris. Return the exit code, 0."""
    import atheris  # noqa: PLC0415 - only installed for benchmarks

    corpus = list(make_corpus().values())
    limits = Limits(max_pixels=1_000_000)
    outcomes: Counter[str] = Counter()
    start = time.monotonic()

    def feed(data: bytes) -> None:
        try:
            read(data, GRID, 0, limits)
        except ImageError as error:
            outcomes[type(error).__name__] += 1
        else:
            outcomes["read"] += 1
        if outcomes.total() % 10_000 == 0:
            print(f"{time.monotonic() - start:.0f} s: {dict(outcomes.most_common())}", flush=True)

    seeds = Path("build/fuzz")
    seeds.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(corpus):
        (seeds / f"seed-{number}").write_bytes(data)

    atheris.instrument_all()
    settings = ["-timeout=60", "-rss_limit_mb=4096", "-max_len=65536", "-detect_leaks=0"]
    atheris.Setup([sys.argv[0], f"-runs={inputs}", *settings, str(seeds)], feed)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
