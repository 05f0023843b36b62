"""Score parts on Ray: actors on any number of machines hold the model, this process writes.

A part is one task of an actor. If the actor or its machine is lost, Ray runs the task again on
another one. The rows of a part are written once, by the process that waits for them.
"""

import logging
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import ray
from pyarrow import compute
from ray.data import ActorPoolStrategy, DataContext
from ray.exceptions import RayError

from service.errors import EngineFailed, MammolensError
from service.runtime.scoring.image_row import IMAGE_ROW
from service.runtime.scoring.image_scorer import ScoringOrder, scoring
from service.runtime.scoring.listing_parts import ListingPart, ScoredPart
from service.runtime.scoring.ray_address import AUTO
from service.runtime.scoring.scoring_progress import ScoringProgress

_PART = "part"
_CORES = 4
"""Cores of an actor: each of its readers has one, and the model uses all of them."""
_START_MILLISECONDS = 120_000  # a busy machine takes longer than Ray's usual 15 seconds


@dataclass(frozen=True, slots=True)
class _Actors:
    """Actors that hold the model: their number, and the cores of each."""

    number: int
    cores: int


class _PartScorer:
    """Actor that scores parts."""

    def __init__(self, order: ScoringOrder) -> None:
        self._stack = ExitStack()
        self._scorer = self._stack.enter_context(scoring(order))

    def __call__(self, part: pa.Table) -> pa.Table:
        """Return the rows of a part, each with its number."""
        scored = list(self._scorer.score(part.to_pylist()))
        return pa.Table.from_pylist(scored, IMAGE_ROW).append_column(_PART, part[_PART])


def score_parts(
    address: str, order: ScoringOrder, parts: Sequence[ListingPart], progress: ScoringProgress
) -> Iterator[ScoredPart]:
    """Yield the rows of each part, in any order of the parts.

    Raises:
        EngineFailed: there is no cluster, or it fails.
        MammolensError, OSError: as on this machine.
    """
    if not parts:
        return
    try:
        _connect(address)
        actors = _plan(int(ray.cluster_resources().get("CPU", 1)))
        yield from _collect(_run(order, parts, actors), parts, progress)
    except (RayError, ConnectionError) as error:
        raise _cause(error) from error
    finally:
        ray.shutdown()


def _connect(address: str) -> None:
    """Connect to a cluster, or start one of this machine."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address != AUTO:
        ray.init(address=address, **quiet)
        return
    try:
        ray.init(address="auto", **quiet)
    except ConnectionError:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # Ray would report the use to its makers
        patience = {"agent_register_timeout_ms": _START_MILLISECONDS}
        ray.init(include_dashboard=False, _system_config=patience, **quiet)


def _plan(cores: int) -> _Actors:
    """Return the actors of a cluster with so many cores."""
    each = min(cores, _CORES)
    return _Actors(cores // each, each)


def _run(order: ScoringOrder, parts: Sequence[ListingPart], actors: _Actors) -> Iterator[pa.Table]:
    """Yield blocks of rows, as the actors complete them."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = False

    settings = order.settings.model_copy(
        update={
            "readers": order.settings.readers or actors.cores,
            "threads": order.settings.threads or actors.cores,
        }
    )
    blocks = [_numbered(part) for part in parts]
    scored = ray.data.from_arrow(blocks).map_batches(
        _PartScorer,
        fn_constructor_args=(replace(order, settings=settings),),
        batch_size=None,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(size=actors.number),
        num_cpus=actors.cores,
    )
    return iter(scored.iter_batches(batch_size=None, batch_format="pyarrow"))


def _numbered(part: ListingPart) -> pa.Table:
    """Return the images of a part with its number in a column."""
    numbers = pa.array([part.number] * part.images.num_rows, pa.int64())
    return part.images.append_column(_PART, numbers)


def _collect(
    blocks: Iterator[pa.Table], parts: Sequence[ListingPart], progress: ScoringProgress
) -> Iterator[ScoredPart]:
    """Yield each part once all of its rows are there. Ray may divide and join blocks."""
    sizes = {part.number: part.images.num_rows for part in parts}
    waiting: defaultdict[int, list[pa.Table]] = defaultdict(list)
    for block in blocks:
        for number in block[_PART].unique().to_pylist():
            rows = block.filter(compute.equal(block[_PART], number)).drop_columns(_PART)
            progress.count(rows["problem"].to_pylist())
            waiting[number].append(rows)

            there = pa.concat_tables(waiting[number])
            if there.num_rows == sizes[number]:
                del waiting[number]
                yield number, there.sort_by("number")


def _cause(error: Exception) -> Exception:
    """Return our own error that made an actor fail, or one that tells that Ray failed."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MammolensError | OSError) and not isinstance(cause, ConnectionError):
            return cause
        cause = getattr(cause, "cause", None) or cause.__cause__
    return EngineFailed(f"Ray failed: {type(error).__name__}.")
