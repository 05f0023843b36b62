import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from benchmarks.capacity.simulated_instance import InstanceShape
from benchmarks.capacity.simulated_request import Arrival, ImageWork, Status, Work
from benchmarks.capacity.simulation import Figures, figures, simulate
from benchmarks.load.generator import poisson
from service.runtime.engine import Lane
from service.settings import Settings

DEFAULTS = InstanceShape.of(Settings.model_construct(), cores=2)


def shape(cores: int, slots: int, max_waiting: int = 10**9) -> InstanceShape:
    """Return an instance whose readers are no bound beyond its slots."""
    lanes: Mapping[Lane, int] = dict.fromkeys(Lane, slots)
    return InstanceShape(
        cores=cores,
        slots=lanes,
        max_waiting=max_waiting,
        readers=slots,
        model_calls=1,
        max_batch=1,
        max_body_bytes=10**9,
        exam_bytes=10**9,
    )


def read_work(seconds: float, lane: Lane = Lane.PREDICT) -> Work:
    return Work(lane, (ImageWork(seconds),))


def offered(rate: float, seconds: float, work: Work, deadline: float) -> list[Arrival]:
    return [Arrival(time, work, deadline) for time in poisson(rate, seconds)]


def run(arrivals: Sequence[Arrival], *shapes: InstanceShape) -> Figures:
    return figures(simulate(arrivals, shapes), sum(one.cores for one in shapes))


def erlang_c(servers: int, load: float) -> float:
    """Return the share that waits in M/M/c, for `load` erlangs (Kleinrock, volume 1, 3.40)."""
    terms = [load**number / math.factorial(number) for number in range(servers)]
    full = load**servers / math.factorial(servers) * servers / (servers - load)
    return full / (sum(terms) + full)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.6), (3, 2.1)])
def test_mean_wait_is_that_of_erlang_c(servers: int, load: float) -> None:
    draw = np.random.default_rng(4)
    arrivals = [
        Arrival(time, read_work(draw.exponential()), math.inf) for time in poisson(load, 15_000)
    ]

    outcomes = simulate(arrivals, [shape(servers, servers)]).outcomes

    waits = [one.waited for one in outcomes if one.waited is not None]
    expected = erlang_c(servers, load) / (servers - load)
    assert len(waits) == len(arrivals)
    assert sum(waits) / len(waits) == pytest.approx(expected, rel=0.08)
    assert sum(wait > 0 for wait in waits) / len(waits) == pytest.approx(
        erlang_c(servers, load), rel=0.05
    )


def test_utilisation_is_rate_times_service_time() -> None:
    arrivals = offered(rate=5, seconds=2000, work=read_work(0.2), deadline=math.inf)

    assert run(arrivals, shape(2, 2)).utilisation == pytest.approx(5 * 0.2 / 2, rel=0.03)


def test_more_slots_than_cores_share_the_cores() -> None:
    arrivals = [Arrival(0, read_work(1), math.inf) for _ in range(3)]

    seconds = [one.seconds for one in simulate(arrivals, [shape(2, 3)]).outcomes]

    assert seconds == pytest.approx([1.5] * 3)


def test_one_slot_answers_refuses_and_misses_as_worked() -> None:
    times = [0, 0.1, 0.2, 0.3, 1.5, 4]
    arrivals = [Arrival(time, read_work(1), 2.5) for time in times]

    simulated = simulate(arrivals, [shape(1, 1)])

    outcomes = sorted(simulated.outcomes, key=lambda one: one.arrival.time)
    assert [one.status for one in outcomes] == [
        Status.ANSWERED,  # works from 0 to 1
        Status.ANSWERED,  # from 1 to 2
        Status.LATE,  # from 2 to 3, but due at 2.7
        Status.LATE,  # in the queue until 2.8
        Status.REFUSED,  # three ahead and itself: 4 s with the margin are 5, more than 2.5
        Status.ANSWERED,  # from 4 to 5
    ]
    seconds = [one.seconds for one in outcomes]
    assert seconds == pytest.approx([1, 1.9, 2.5, 2.5, 0, 1], abs=0.01)
    assert simulated.busy_seconds == pytest.approx(4, abs=0.01)


def test_full_queue_refuses() -> None:
    arrivals = [Arrival(0, read_work(1), math.inf) for _ in range(5)]

    outcomes = simulate(arrivals, [shape(1, 1, max_waiting=2)]).outcomes

    assert sum(one.status is Status.REFUSED for one in outcomes) == 2


def test_refused_share_grows_with_load() -> None:
    loads = (0.5, 1.0, 1.5, 2.0, 4.0)
    arrivals = [offered(load * 10, 120, read_work(0.2), deadline=2) for load in loads]

    runs = [run(one, DEFAULTS) for one in arrivals]

    refused = [one.refused for one in runs]
    assert refused == sorted(refused)
    assert refused[0] == 0
    assert refused[-1] == pytest.approx(0.75, abs=0.05)
    assert runs[-1].throughput == pytest.approx(10, rel=0.1)
    assert all(one.late < 0.02 for one in runs)


def test_lanes_share_readers_three_to_one() -> None:
    arrivals = [
        arrival for lane in Lane for arrival in offered(20, 120, read_work(0.2, lane), deadline=10)
    ]

    outcomes = simulate(arrivals, [DEFAULTS]).outcomes

    answered = [
        sum(one.status is Status.ANSWERED and one.arrival.work.lane is lane for one in outcomes)
        for lane in (Lane.PREDICT, Lane.EXPLAIN)
    ]
    assert answered[0] / answered[1] == pytest.approx(3, rel=0.1)


def test_exam_runs_its_images_on_all_cores() -> None:
    exam = Work(Lane.EXPLAIN, (ImageWork(0.5, 0.25, 0.25),) * 4)

    (outcome,) = simulate([Arrival(0, exam, 25)], [DEFAULTS]).outcomes

    assert outcome.seconds == pytest.approx(2)


def test_large_bodies_of_one_caller_are_refused() -> None:
    exam = Work(Lane.EXPLAIN, (ImageWork(1),) * 4, body_bytes=100_000_000)

    outcomes = simulate([Arrival(0, exam, 25)] * 3, [DEFAULTS]).outcomes

    # A caller may hold 256 MiB.
    assert sum(one.status is Status.REFUSED for one in outcomes) == 1


def test_balancer_takes_instance_with_fewest_requests() -> None:
    arrivals = [Arrival(0, read_work(1), math.inf) for _ in range(4)]

    seconds = [one.seconds for one in simulate(arrivals, [shape(1, 1), shape(1, 1)]).outcomes]

    assert seconds == pytest.approx([1, 1, 2, 2])


def test_same_arrivals_give_same_outcomes() -> None:
    arrivals = offered(20, 60, read_work(0.2), deadline=2)

    assert simulate(arrivals, [DEFAULTS]) == simulate(arrivals, [DEFAULTS])
