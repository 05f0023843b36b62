"""Simulate requests to instances of the service, with measured costs.

    python -m benchmarks.capacity simulate --exams-a-day 2000 --instances 2
    python -m benchmarks.capacity simulate --at-once 30
    python -m benchmarks.capacity simulate --offer /predict=6 /exam=0.5 --minutes 20

An exam has four images and is one request of /exam. Costs are those of the table of
docs/capacity.md, while all cores are busy. Settings of the instances are the defaults.
"""

import argparse
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from benchmarks.capacity.arrivals import at_once, steady, work_of, working_day
from benchmarks.capacity.content_options import add_content
from benchmarks.capacity.simulated_instance import InstanceShape
from benchmarks.capacity.simulated_request import Arrival
from benchmarks.capacity.simulation import Figures, figures, simulate
from benchmarks.capacity.simulation_picture import write_picture
from benchmarks.capacity.step_table import MEASURED, ROUTES, Content, StepTable, as_table, load
from service.settings import Settings

HEAD = (
    "requests", "answered", "refused", "late", "wait p50", "wait p95", "answer p50", "answer p95",
    "answers/s", "utilisation",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Print the figures, and draw the run if that is wanted."""
    options = _parser().parse_args(arguments)
    arrivals = _arrivals(options, load(options.costs))
    shape = InstanceShape.of(Settings.model_construct(), options.cores)

    simulated = simulate(arrivals, [shape] * options.instances)
    row = figures_row(figures(simulated, options.cores * options.instances))
    print(as_table(HEAD, [row]))
    if options.picture:
        write_picture(simulated.outcomes, options.picture)
    return 0


def figures_row(run: Figures) -> list[str]:
    """Return the cells of a run below `HEAD`."""
    return [
        str(run.requests),
        *(f"{share:.1%}" for share in (run.answered, run.refused, run.late)),
        *(f"{seconds:.2f} s" for seconds in (*run.waits, *run.latencies)),
        f"{run.throughput:.2f}",
        f"{run.utilisation:.1%}",
    ]


def _arrivals(options: argparse.Namespace, table: StepTable) -> list[Arrival]:
    """Return the arrivals that the options ask for, in order."""
    rows, columns = options.pixels
    content = Content(rows, columns, options.syntax)
    exam = work_of(table.find("/exam", content))
    if options.at_once:
        return at_once(exam, options.at_once, options.deadline)
    if not options.offer:
        return working_day(exam, options.exams_a_day, options.deadline, options.seed)

    streams = [
        steady(
            work_of(table.find(route, content)),
            rate,
            60 * options.minutes,
            options.deadline,
            options.seed + number,
        )
        for number, (route, rate) in enumerate(options.offer)
    ]
    return sorted(chain.from_iterable(streams), key=lambda arrival: arrival.time)


def _rate(text: str) -> tuple[str, float]:
    """Return route and requests a second from ROUTE=RATE."""
    route, _, rate = text.partition("=")
    if route not in ROUTES:
        raise argparse.ArgumentTypeError(f"the routes are {', '.join(ROUTES)}")
    return route, float(rate)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.capacity simulate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    load_options = parser.add_mutually_exclusive_group()
    load_options.add_argument(
        "--exams-a-day", type=float, default=200, help="over ten hours, 15 %% in one (default 200)"
    )
    load_options.add_argument("--at-once", type=int, help="exams that arrive in one moment")
    load_options.add_argument(
        "--offer", nargs="+", type=_rate, metavar="ROUTE=RATE", help="requests a second of a route"
    )
    parser.add_argument("--minutes", type=float, default=10, help="of --offer (default 10)")
    parser.add_argument("--instances", type=int, default=1, help="default 1")
    parser.add_argument("--cores", type=int, default=2, help="of each instance (default 2)")
    parser.add_argument(
        "--deadline", type=float, default=25, help="seconds for each request (default 25)"
    )
    add_content(parser, "of each image, one of the table")
    parser.add_argument("--costs", type=Path, default=MEASURED, help="file of `steps --out`")
    parser.add_argument("--seed", type=int, default=1, help="of the arrivals (default 1)")
    parser.add_argument("--picture", type=Path, help="PNG of answers and refusals over time")
    return parser
