"""The service's own plan of its memory, by the number of its reader processes."""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.capacity.step_table import as_table
from service.host.memory_limit import MemoryLimit
from service.runtime.memory_plan import MemoryPlan
from service.settings import Settings

_PARTS = ("service", "calls", "bodies", "pictures", "exams")
_HEAD = ("readers", *_PARTS, "each reader", "in all")


def main(arguments: Sequence[str]) -> int:
    """Print the plans in GiB, with the settings of the environment."""
    parser = argparse.ArgumentParser("python -m benchmarks.capacity memory", description=__doc__)
    parser.add_argument(
        "--readers", nargs="+", type=int, default=(1, 2, 4, 8), help="default: 1 2 4 8"
    )
    options = parser.parse_args(arguments)

    no_limit = MemoryLimit(sys.maxsize, "machine")
    rows = []
    for readers in options.readers:
        settings = Settings().model_copy(update={"readers": readers})
        plan = MemoryPlan.make(settings, no_limit)
        parts = [_gib(getattr(plan, part)) for part in _PARTS]
        rows.append([str(readers), *parts, _gib(plan.reader), _gib(plan.total)])
    print(as_table(_HEAD, rows))
    return 0


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f}"
