"""Processor time of requests by step, size and transfer syntax."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile

from benchmarks.capacity.step_measurement import Bench, measure_costs
from benchmarks.capacity.step_table import ROUTES, Content, StepTable, load, markdown, save
from benchmarks.exams.exam_requests import exam_files
from benchmarks.load.ours import SERVER
from benchmarks.load.servers import DEMO, started
from service import pipeline
from service.host import memory
from service.host.cores import usable_cores
from service.model import Bundle
from training.phantoms.transfer import Syntax

SIZES = ((640, 512), (3328, 2560), (4096, 3328))
SYNTAXES: tuple[Syntax, ...] = ("explicit", "rle", "jpeg-lossless-sv1", "jpeg-ls", "jpeg2000")
_PATIENT = {"MAMMOLENS_DEADLINE_SECONDS": "3600", "MAMMOLENS_MAX_DECODE_SECONDS": "3600"}


def main(arguments: Sequence[str]) -> int:
    """Measure and print the table, and write it if that is wanted."""
    options = _parser().parse_args(arguments)
    memory.keep_freed()
    bundle = Bundle.load(options.bundle)
    pipeline.warm(bundle)

    table = _begun_table(options.out)
    server = replace(SERVER, environment={**SERVER.environment, **_PATIENT})
    with TemporaryFile() as log, started(server, log, options.bundle.resolve()) as running:
        bench = Bench(running, bundle, options.rounds, options.seconds)
        for rows, columns in SIZES:
            for syntax in SYNTAXES:
                missing = _missing_routes(table, Content(rows, columns, syntax))
                table = _measure(bench, table, Content(rows, columns, syntax), missing)
                if options.out:
                    save(table, options.out)

    print(markdown(table))
    return 0


def _begun_table(path: Path | None) -> StepTable:
    """Return the rows of an earlier run that was interrupted, or an empty table."""
    if path and path.exists():
        return load(path)
    return StepTable(f"{usable_cores()} cores, {time.strftime('%Y-%m-%d')}", [])


def _missing_routes(table: StepTable, content: Content) -> list[str]:
    known = {costs.route for costs in table.requests if costs.content == content}
    return [route for route in ROUTES if route not in known]


def _measure(bench: Bench, table: StepTable, content: Content, routes: Sequence[str]) -> StepTable:
    """Return the table with the costs of these routes."""
    if not routes:
        return table
    views = exam_files(content.rows, content.columns, content.syntax)
    costs = [measure_costs(bench, route, content, views) for route in routes]
    print(*costs, sep="\n", file=sys.stderr, flush=True)
    return replace(table, requests=[*table.requests, *costs])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.capacity steps", description=__doc__)
    parser.add_argument(
        "--bundle", type=Path, default=DEMO, help="version directory (default: the demo)"
    )
    parser.add_argument(
        "--rounds", type=int, default=4, help="rounds of four single views, or exams (default 4)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=5,
        help="for which requests keep all cores busy, for each row (default 5)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="JSON file for `simulate`; an interrupted run goes on with the same file",
    )
    return parser
