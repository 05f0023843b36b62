"""Plots of a run as PNG files."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import precision_recall_curve, roc_curve

from training.evaluation.reliability import Bin
from training.evaluation.statistics import Confusion, Interval, Labels, Values
from training.fit.history import Epoch


def draw_roc(path: Path, curves: dict[str, tuple[Labels, Values, Interval]]) -> None:
    """Draw the ROC curves, each with its AUC and interval."""
    figure, axes = _square("1 - specificity", "sensitivity")
    for name, (labels, scores, area) in curves.items():
        rates = roc_curve(labels, scores)
        axes.plot(
            rates[0],
            rates[1],
            label=_with_interval(name, "AUC", area),
        )

    axes.legend(loc="lower right")
    figure.savefig(path)


def draw_precision_recall(path: Path, curves: dict[str, tuple[Labels, Values, Interval]]) -> None:
    """Draw precision over sensitivity, each curve with its average precision and interval.

    A dotted line of the same colour is the precision of chance: the share of cancers.
    """
    figure, axes = _figure()
    for name, (labels, scores, precision) in curves.items():
        precisions, sensitivities, _ = precision_recall_curve(labels, scores)
        (curve,) = axes.step(
            sensitivities, precisions, where="post", label=_with_interval(name, "AP", precision)
        )
        axes.axhline(float(labels.mean()), color=curve.get_color(), linestyle="dotted")

    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="sensitivity", ylabel="precision")
    axes.legend(loc="upper right")
    figure.savefig(path)


def draw_reliability(path: Path, bins: Sequence[Bin], error: float) -> None:
    """Draw observed frequency against probability, in bins that hold equally many images.

    The axes end just above the highest point. At a low prevalence that is far below 1.
    """
    figure, axes = _square("probability of cancer", "images with cancer")
    axes.plot([group.probability for group in bins], [group.observed for group in bins], marker="o")

    end = min(1.0, 1.1 * max(max(group.probability, group.observed) for group in bins) + 0.01)
    axes.set(xlim=(0, end), ylim=(0, end))

    counts = sorted({group.count for group in bins})
    images = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    axes.set_title(f"expected calibration error {error:.3f}, {images} images a point", fontsize=11)
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


def _with_interval(name: str, figure: str, interval: Interval) -> str:
    return f"{name}: {figure} {interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


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
