"""Build the objects of an answer, within the memory that it may hold."""

from collections.abc import Collection, Mapping
from datetime import datetime

from service import __version__, pipeline
from service.api.held_response import check_part
from service.api.object_options import ObjectOptions
from service.imaging import RunTask
from service.observability.stopwatch import Stopwatch
from service.pipeline import ArchiveOrder, ArchiveSource
from service.records import ExamResults, ObjectName
from service.runtime.body_memory import HeldAnswer


def order_objects(
    results: ExamResults,
    wanted: Collection[ObjectName],
    options: ObjectOptions,
    request_id: str,
) -> ArchiveOrder:
    """Return the order of the wanted objects that the results have.

    Raises:
        DecidedNegative, NoRegion, NoObject: there are none.
    """
    parts = pipeline.require_parts(results, wanted, negatives=options.negatives)
    now = datetime.now().astimezone()
    return ArchiveOrder(results, parts, options.sc_syntax, request_id, now, __version__)


def hold_objects(
    held: HeldAnswer,
    order: ArchiveOrder,
    sources: Mapping[int, ArchiveSource],
    run_task: RunTask,
    timer: Stopwatch,
) -> None:
    """Build the objects and hold them until they are sent.

    Raises:
        NotStorable: a file has no identity in an archive.
        ObjectsTooLarge, Busy: there is no room for them.
    """
    for content in pipeline.build_objects(order, sources, run_task, timer):
        check_part(content)
        held.add(content)
