"""The tables, the JSON and the plot of what was measured."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.load.ceiling import Ceiling
from benchmarks.load.measures import LEAVERS, Capacity, Goodput


@dataclass(frozen=True, slots=True)
class Measured:
    """A server's figures: seconds from start to ready, MiB after the closed loop, and what the loads showed.

    `left`, `computed`: of the requests whose clients leave, how many were still unanswered then, and all computed.
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
    """One run: `overhead` are the medians of POST /predict and of the plain call in ms, where they were measured."""

    machine: str
    image: str
    ceiling: Ceiling
    overhead: tuple[float, float] | None
    servers: Sequence[Measured]
    failures: dict[str, str]


def markdown(report: Report) -> str:
    """Every figure, in tables."""
    ceiling = report.ceiling
    parts = [
        f"{report.machine}, {report.image}\n",
        (
            f"Plain loop: {ceiling.one_loop:.1f} images/s on all cores, "
            f"{ceiling.loop_per_core:.1f} with one for each core."
        ),
    ]
    if report.overhead is not None:
        asked, plain = report.overhead
        parts.append(
            f"POST /predict {asked:.1f} ms, plain call {plain:.1f} ms, difference {asked - plain:.1f} ms."
        )
    parts += [f"{name} was not measured: {why}." for name, why in report.failures.items()]
    parts += ["", _table(_SERVER_COLUMNS, (_server_row(each, ceiling) for each in report.servers))]
    parts += [
        "",
        _table(
            _LOAD_COLUMNS,
            (_load_row(each, load) for each in report.servers for load in each.goodputs),
        ),
    ]
    return "\n".join(parts)


_SERVER_COLUMNS = (
    "server", "start to ready", "PSS", "capacity", "of the ceiling", "at clients", "p50", "p99",
    "left after 100 ms", f"computed of {LEAVERS}",
)  # fmt: skip
_LOAD_COLUMNS = (
    "server", "times capacity", "offered", "goodput within 1 s", "of capacity", "refused", "late", "other",
    "probe p99", "probes unanswered", "generator",
)  # fmt: skip


def _server_row(each: Measured, ceiling: Ceiling) -> list[str]:
    found = each.capacity
    return [
        each.name, f"{each.ready_seconds:.1f} s", f"{each.pss_mebibytes:.0f} MiB", f"{found.per_second:.1f}/s",
        f"{found.per_second / ceiling.best:.2f}", str(found.clients), f"{found.p50:.0f} ms", f"{found.p99:.0f} ms",
        str(each.left), str(each.computed),
    ]  # fmt: skip


def _load_row(each: Measured, load: Goodput) -> list[str]:
    return [
        each.name, f"{load.times:g}", f"{load.offered:.0f}/s", f"{load.good:.1f}/s",
        f"{load.good / each.capacity.per_second:.2f}", str(load.refused), str(load.late), str(load.other),
        f"{load.probe_p99:.0f} ms", str(load.unanswered_probes), f"{load.cpu_share:.0%} of a core",
    ]  # fmt: skip


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(report: Report, out: Path) -> None:
    """load.json and goodput.png in that directory."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "load.json").write_text(json.dumps(asdict(report), indent=1) + "\n")
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for each in report.servers:
        axes.plot(
            [load.offered for load in each.goodputs],
            [load.good for load in each.goodputs],
            "o-",
            label=each.name,
        )
    axes.axhline(report.ceiling.best, color="grey", linestyle=":", label="plain loop")
    axes.set(
        xlabel="requests offered per second",
        ylabel="predictions within 1 s, per second",
        ylim=(0, None),
    )
    axes.legend()
    figure.savefig(out / "goodput.png", dpi=120)
