"""Simulation of instances behind a balancer, and the figures of what becomes of requests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.capacity.simulated_cores import Clock
from benchmarks.capacity.simulated_instance import InstanceShape, SimulatedInstance
from benchmarks.capacity.simulated_request import Arrival, Outcome, Status
from benchmarks.capacity.simulated_way import SimulatedWay


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a run. Shares are of all requests, times in seconds, NaN if there are none.

    Attributes:
        requests: number of them.
        answered: share with an answer in time.
        refused: share with 429.
        late: share with 504.
        waits: of admitted requests for a slot, p50 and p95.
        latencies: of answers, p50 and p95.
        throughput: answers a second, until the last request has its answer or refusal.
        utilisation: processor time spent, as a share of all cores until then.
    """

    requests: int
    answered: float
    refused: float
    late: float
    waits: tuple[float, float]
    latencies: tuple[float, float]
    throughput: float
    utilisation: float


@dataclass(frozen=True, slots=True)
class Simulated:
    """Outcomes of a run in the order in which they came, and processor seconds spent in all."""

    outcomes: Sequence[Outcome]
    busy_seconds: float


def simulate(arrivals: Iterable[Arrival], shapes: Sequence[InstanceShape]) -> Simulated:
    """Offer the arrivals to one instance of each shape. None may be missing from the shapes.

    Each goes to the instance with the fewest open requests, as `balance leastconn` of HAProxy does.
    """
    clock = Clock()
    outcomes: list[Outcome] = []
    instances = [SimulatedInstance(clock, shape, outcomes.append) for shape in shapes]
    turns = list(instances)

    def arrive(arrival: Arrival) -> None:
        # Instances with equally many requests take turns.
        chosen = min(turns, key=lambda instance: instance.open_requests)
        turns.remove(chosen)
        turns.append(chosen)
        SimulatedWay(chosen, arrival).arrive()

    for arrival in arrivals:
        clock.at(arrival.time, partial(arrive, arrival))
    clock.run()
    return Simulated(outcomes, sum(instance.cores.busy_seconds for instance in instances))


def figures(simulated: Simulated, cores: float) -> Figures:
    """Return the figures of a run on that many cores in all."""
    outcomes = simulated.outcomes
    answers = [one for one in outcomes if one.status is Status.ANSWERED]
    waits = [one.waited for one in outcomes if one.waited is not None]
    end = max(one.arrival.time + one.seconds for one in outcomes)

    return Figures(
        requests=len(outcomes),
        answered=len(answers) / len(outcomes),
        refused=_share(outcomes, Status.REFUSED),
        late=_share(outcomes, Status.LATE),
        waits=percentiles(waits),
        latencies=percentiles([one.seconds for one in answers]),
        throughput=len(answers) / end,
        utilisation=simulated.busy_seconds / (cores * end),
    )


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """Return p50 and p95, NaN if there are none."""
    if not seconds:
        return float("nan"), float("nan")
    p50, p95 = np.percentile(seconds, (50, 95))
    return float(p50), float(p95)


def _share(outcomes: Sequence[Outcome], status: Status) -> float:
    return sum(one.status is status for one in outcomes) / len(outcomes)
