"""Plots of a run as PNG files."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import roc_curve

from training.evaluation.reliability import Bin
from training.evaluation.statistics import Confusion, Interval, Labels, Values
from training.fit.train import Epoch


def draw_roc(path: Path, curves: dict[str, tuple[Labels, Values, Interval]]) -> None:
    """Draw the ROC curves, each with its AUC and interval."""
    figure, axes = _square("1 - specificity", "sensitivity")
    for name, (labels, scores, area) in curves.items():
        rates = roc_curve(labels, scores)
        axes.plot(
            rates[0],
            rates[1],
            label=f"{name}: AUC {area.value:.3f} ({area.low:.3f} to {area.high:.3f})",
        )

    axes.legend(loc="lower right")
    figure.savefig(path)


def draw_reliability(path: Path, bins: Sequence[Bin], error: float) -> None:
    """Draw observed frequency against probability, with the number of images at each point."""
    figure, axes = _square("probability of cancer", "images with cancer")
    axes.plot([group.probability for group in bins], [group.observed for group in bins], marker="o")

    for group in bins:
        axes.annotate(
            str(group.count),
            (group.probability, group.observed),
            xytext=(4, -10),
            textcoords="offset points",
            fontsize=7,
        )

    axes.set_title(f"expected calibration error {error:.3f}")
    figure.savefig(path)


def draw_confusion(path: Path, counts: Confusion, threshold: float) -> None:
    """Draw the four counts as a table."""
    figure, axes = _figure()
    cells = [
        [counts.true_negatives, counts.false_positives],
        [counts.false_negatives, counts.true_positives],
    ]

    # A scale of twice the highest count keeps the cells light enough for the dark text.
    axes.imshow(cells, cmap="Blues", vmin=0, vmax=2 * max(map(max, cells)))
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        axes.text(column, row, str(cells[row][column]), ha="center", va="center", fontsize=16)

    axes.set_xticks([0, 1], ["negative", "positive"])
    axes.set_yticks([0, 1], ["no cancer", "cancer"])
    axes.set_xlabel(f"decision at {threshold:.3f}")
    axes.set_title(f"sensitivity {counts.sensitivity:.3f}, specificity {counts.specificity:.3f}")
    figure.savefig(path)


def draw_history(path: Path, history: Sequence[Epoch]) -> None:
    """Draw losses and validation AUC over the epochs."""
    figure, axes = _figure()
    epochs = range(1, len(history) + 1)

    axes.plot(epochs, [epoch.train_loss for epoch in history], label="training loss")
    axes.plot(epochs, [epoch.validation_loss for epoch in history], label="validation loss")
    axes.plot(
        epochs,
        [epoch.validation_auc for epoch in history],
        label="validation AUC",
        linestyle="dashed",
    )

    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    figure.savefig(path)


def _square(xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    """Return a figure with a unit square and its diagonal."""
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color="0.8", linewidth=1)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel=xlabel, ylabel=ylabel)
    return figure, axes


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5, 5), dpi=120, layout="constrained")
    # Agg needs no display.
    FigureCanvasAgg(figure)
    return figure, figure.subplots()
