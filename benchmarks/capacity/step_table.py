"""Table of the processor time of requests by step, as it was measured."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from training.phantoms.transfer import Syntax

MEASURED = Path(__file__).with_name("measured_steps.json")
"""The table of docs/capacity.md."""
ROUTES = ("/predict", "/gradcam", "/exam")
STEPS = ("decode", "fit", "model", "explain", "draw", "rest")
"""Steps of a request. `rest`: upload, hand-over to the reader process, and the answer."""
_HEAD = ("pixels", "syntax", "MB", *STEPS, "alone", "busy")


@dataclass(frozen=True, slots=True)
class Content:
    """Size and transfer syntax of the files of a request."""

    rows: int
    columns: int
    syntax: Syntax


@dataclass(frozen=True, slots=True)
class RequestCosts:
    """Processor time of one request, in seconds.

    Attributes:
        route: `/predict`, `/gradcam` or `/exam`.
        content: size and syntax of its files.
        images: number of its files.
        megabytes: size of its body, in millions of bytes.
        seconds: by step, while the service has no other request.
        busy: of the whole request, while requests keep all cores busy.
    """

    route: str
    content: Content
    images: int
    megabytes: float
    seconds: Mapping[str, float]
    busy: float

    @property
    def alone(self) -> float:
        """Processor time of the whole request while the service has no other."""
        return sum(self.seconds.values())


@dataclass(frozen=True, slots=True)
class StepTable:
    """Costs of all measured requests, with the machine and the date."""

    machine: str
    requests: Sequence[RequestCosts]

    def find(self, route: str, content: Content) -> RequestCosts:
        """Return the costs of a request.

        Raises:
            LookupError: there are none of this route and content.
        """
        for costs in self.requests:
            if costs.route == route and costs.content == content:
                return costs
        raise LookupError(f"{route} of {content} was not measured")


def save(table: StepTable, path: Path) -> None:
    """Write the table as JSON, with microseconds as the last digit."""
    document = json.loads(json.dumps(asdict(table)), parse_float=lambda text: round(float(text), 6))
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def load(path: Path = MEASURED) -> StepTable:
    """Read a table that `save` has written."""
    document = json.loads(path.read_text("utf-8"))
    requests = [
        RequestCosts(**{**costs, "content": Content(**costs["content"])})
        for costs in document["requests"]
    ]
    return StepTable(document["machine"], requests)


def markdown(table: StepTable) -> str:
    """Return a Markdown table of milliseconds for each route."""
    parts = [table.machine]
    for route in ROUTES:
        rows = [_row(costs) for costs in table.requests if costs.route == route]
        parts.append(f"`{route}`:\n\n{as_table(_HEAD, rows)}")
    return "\n\n".join(parts)


def as_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(costs: RequestCosts) -> list[str]:
    content = costs.content
    steps = [_milliseconds(costs.seconds.get(step)) for step in STEPS]
    whole = [_milliseconds(costs.alone), _milliseconds(costs.busy)]
    size = f"{content.rows} x {content.columns}"
    return [size, content.syntax, f"{costs.megabytes:.1f}", *steps, *whole]


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e3:.0f}"
