"""Hold the simulation against a real server, below, at and above its capacity.

    python -m benchmarks.capacity compare [--loads 0.6 1.0 2.0] [--deadline 2] [--seconds 30]

A server is started, and the steps of its requests are measured. For each load, clients first keep
it busy for some seconds: that tells its capacity, the cost of a request, and the cores that other
programs leave to it. Then arrivals at random times are offered, which do not wait for answers. Then
clients keep it busy again. The simulation gets the same arrivals, with the means of both. At and
above its capacity a server takes all that others leave, so there the cores are those that it took.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from tempfile import TemporaryFile

from benchmarks.capacity.arrivals import work_of
from benchmarks.capacity.content_options import add_content
from benchmarks.capacity.open_load import OfferedLoad, offer
from benchmarks.capacity.simulated_instance import InstanceShape
from benchmarks.capacity.simulated_request import Arrival
from benchmarks.capacity.simulation import Figures, figures, simulate
from benchmarks.capacity.step_measurement import Bench, BusyService, measure_busy, measure_costs
from benchmarks.capacity.step_table import Content, RequestCosts, as_table
from benchmarks.exams.exam_requests import exam_files
from benchmarks.load.generator import poisson, request
from benchmarks.load.ours import SERVER
from benchmarks.load.servers import DEMO, started
from service import pipeline
from service.host import memory
from service.host.cores import usable_cores
from service.model import Bundle
from service.settings import Settings

_ROUTES = ("/predict", "/gradcam")
_HEAD = ("load", "offered/s", "cores", "ms each", "", "answers/s", "refused", "late", "p50", "p95")
_CLIENTS = 8


def main(arguments: Sequence[str]) -> int:
    """Print measured and simulated figures of each load."""
    options = _parser().parse_args(arguments)
    memory.keep_freed()
    bundle = Bundle.load(DEMO)
    pipeline.warm(bundle)

    rows, columns = options.pixels
    content = Content(rows, columns, options.syntax)
    view = exam_files(rows, columns, options.syntax)[-1]
    body = request(options.route, view, timeout=options.deadline)

    print(f"{usable_cores()} cores, {time.strftime('%Y-%m-%d')}, {options.route}, {content}")
    print(as_table(_HEAD, []))
    with TemporaryFile() as log, started(SERVER, log) as running:
        bench = Bench(running, bundle, rounds=options.rounds, seconds=options.busy_seconds)
        costs = measure_costs(bench, options.route, content, [view])

        before = measure_busy(bench, [body], _CLIENTS)
        for number, load in enumerate(options.loads):
            times = poisson(load * before.rate, options.seconds, options.seed + number)
            measured = offer(running, body, times)
            after = measure_busy(bench, [body], _CLIENTS)

            cost = (before.cost + after.cost) / 2
            cores = measured.cores if load >= 1 else (before.cores + after.cores) / 2
            meanwhile = BusyService(cost, cores)
            simulated = _simulate(costs, meanwhile, times, options.deadline)
            _print_rows(load, len(times) / options.seconds, meanwhile, measured, simulated)
            before = after
    return 0


def _simulate(
    costs: RequestCosts, busy: BusyService, times: Sequence[float], deadline: float
) -> Figures:
    """Return the figures of the same arrivals, with the cost and the cores of the busy service."""
    cores = usable_cores()
    work = work_of(replace(costs, busy=busy.cost))
    arrivals = [Arrival(time, work, deadline) for time in times]
    shape = InstanceShape.of(Settings.model_construct(), cores, busy.cores / cores)
    return figures(simulate(arrivals, [shape]), busy.cores)


def _print_rows(
    load: float, offered: float, busy: BusyService, measured: OfferedLoad, simulated: Figures
) -> None:
    """Print a row of what was measured, and one of what was simulated."""
    facts = [f"{load:g}", f"{offered:.1f}", f"{busy.cores:.2f}", f"{busy.cost * 1e3:.0f}"]
    for name, run in (("measured", measured), ("simulated", simulated)):
        shares = [f"{share:.1%}" for share in (run.refused, run.late)]
        latencies = [f"{seconds * 1e3:.0f} ms" for seconds in run.latencies]
        cells = [*facts, name, f"{run.throughput:.1f}", *shares, *latencies]
        print(f"| {' | '.join(cells)} |", flush=True)
    if measured.other:
        print(f"{measured.other:.1%} had another end")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.capacity compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--route", choices=_ROUTES, default="/predict", help="default: /predict")
    parser.add_argument(
        "--loads",
        nargs="+",
        type=float,
        default=(0.6, 1.0, 2.0),
        help="arrivals as multiples of the capacity (default 0.6 1.0 2.0)",
    )
    parser.add_argument(
        "--deadline", type=float, default=2, help="seconds for each request (default 2)"
    )
    parser.add_argument(
        "--seconds", type=float, default=30, help="of arrivals for each load (default 30)"
    )
    parser.add_argument(
        "--busy-seconds", type=float, default=6, help="before and after each load (default 6)"
    )
    parser.add_argument(
        "--rounds", type=int, default=10, help="requests alone, for the steps (default 10)"
    )
    add_content(parser, "of the image")
    parser.add_argument("--seed", type=int, default=1, help="of the arrivals (default 1)")
    return parser
