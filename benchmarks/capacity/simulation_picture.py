"""Picture of a simulated run: what became of requests, by the time of their arrival."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.capacity.simulated_request import Outcome, Status

_COLOURS = {Status.ANSWERED: "tab:blue", Status.REFUSED: "tab:orange", Status.LATE: "tab:red"}


def write_picture(outcomes: Sequence[Outcome], path: Path) -> None:
    """Draw a dot for each request: its arrival, and the seconds to the answer or refusal."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for status, colour in _COLOURS.items():
        those = [one for one in outcomes if one.status is status]
        times = [one.arrival.time for one in those]
        seconds = [one.seconds for one in those]
        axes.plot(times, seconds, ".", color=colour, label=f"{status} ({len(those)})")

    axes.set(xlabel="seconds", ylabel="seconds to the answer", ylim=(0, None))
    axes.legend()
    figure.savefig(path, dpi=120)
