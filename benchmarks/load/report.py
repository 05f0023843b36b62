"""Tables, JSON and plot of the measurements."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.load.ceiling import Ceiling
from benchmarks.load.measures import LEAVERS, Capacity, Goodput


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """Figures of one server.

    Attributes:
        name: name of the server.
        ready_seconds: seconds from the start of the process until the server was ready.
        pss_mebibytes: memory after the closed loops.
        capacity: best closed loop.
        goodputs: one for each open load.
        left: requests that were still unanswered when their client disconnected.
        computed: images of departed clients that the server computed, answered ones included.
    """

    name: str
    ready_seconds: float
    pss_mebibytes: float
    capacity: Capacity
    goodputs: Sequence[Goodput]
    left: int
    computed: int


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the benchmark.

    `overhead`: medians of POST /predict and of the plain call in ms, if they were measured.
    `failures`: for each server that could not be measured, the reason.
    """

    machine: str
    image: str
    ceiling: Ceiling
    overhead: tuple[float, float] | None
    servers: Sequence[ServerFigures]
    failures: dict[str, str]


_SERVER_COLUMNS = (
    "server", "start to ready", "PSS", "capacity", "of the ceiling", "at clients", "p50", "p99",
    "left after 100 ms", f"computed of {LEAVERS}",
)  # fmt: skip
_LOAD_COLUMNS = (
    "server", "times capacity", "offered", "goodput within 1 s", "of capacity", "refused", "late",
    "other", "probe p99", "probes unanswered", "generator",
)  # fmt: skip


def markdown(report: Report) -> str:
    """Return all figures as text and Markdown tables."""
    ceiling = report.ceiling
    lines = [
        f"{report.machine}, {report.image}\n",
        (
            f"Plain loop: {ceiling.one_loop:.1f} images/s with one loop on all cores, "
            f"{ceiling.loop_per_core:.1f} images/s with one loop per core."
        ),
    ]

    if report.overhead is not None:
        served, plain = report.overhead
        lines.append(
            f"POST /predict: {served:.1f} ms, plain call: {plain:.1f} ms, "
            f"difference: {served - plain:.1f} ms."
        )
    lines += [f"{name} was not measured: {why}." for name, why in report.failures.items()]

    server_rows = [_server_row(server, ceiling) for server in report.servers]
    load_rows = [_load_row(server, load) for server in report.servers for load in server.goodputs]
    lines += ["", _table(_SERVER_COLUMNS, server_rows)]
    lines += ["", _table(_LOAD_COLUMNS, load_rows)]
    return "\n".join(lines)


def _server_row(server: ServerFigures, ceiling: Ceiling) -> list[str]:
    capacity = server.capacity
    return [
        server.name,
        f"{server.ready_seconds:.1f} s",
        f"{server.pss_mebibytes:.0f} MiB",
        f"{capacity.per_second:.1f}/s",
        f"{capacity.per_second / ceiling.best:.2f}",
        str(capacity.clients),
        f"{capacity.p50:.0f} ms",
        f"{capacity.p99:.0f} ms",
        str(server.left),
        str(server.computed),
    ]


def _load_row(server: ServerFigures, load: Goodput) -> list[str]:
    return [
        server.name,
        f"{load.times:g}",
        f"{load.offered:.0f}/s",
        f"{load.good:.1f}/s",
        f"{load.good / server.capacity.per_second:.2f}",
        str(load.refused),
        str(load.late),
        str(load.other),
        f"{load.probe_p99:.0f} ms",
        str(load.unanswered_probes),
        f"{load.cpu_share:.0%} of a core",
    ]


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(report: Report, out: Path) -> None:
    """Write load.json and goodput.png into the directory `out`."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "load.json").write_text(json.dumps(asdict(report), indent=1) + "\n")
    _goodput_plot(report).savefig(out / "goodput.png", dpi=120)


def _goodput_plot(report: Report) -> Figure:
    """Plot the goodput of each server over the offered load, with the ceiling as a dotted line."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()

    for server in report.servers:
        offered = [load.offered for load in server.goodputs]
        good = [load.good for load in server.goodputs]
        axes.plot(offered, good, "o-", label=server.name)
    axes.axhline(report.ceiling.best, color="grey", linestyle=":", label="plain loop")

    axes.set(
        xlabel="requests offered per second",
        ylabel="predictions within 1 s, per second",
        ylim=(0, None),
    )
    axes.legend()
    return figure
