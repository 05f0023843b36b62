import numpy as np
import pytest

from training.data.table import Record
from training.fit.history import Epoch, best_epoch, breast_auc, measure_epoch


def epoch(loss: float, auc: float, breast: float | None) -> Epoch:
    return Epoch(1.0, loss, auc, breast)


def record(patient: str, view: str, *, cancer: bool) -> Record:
    return Record(patient, f"{patient}{view}", "L", view, cancer=cancer)


RECORDS = [
    record("a", "CC", cancer=True),
    record("a", "MLO", cancer=True),
    record("b", "CC", cancer=False),
    record("b", "MLO", cancer=False),
]


@pytest.mark.parametrize(
    ("monitor", "best"), [("loss", 1), ("auc", 2), ("breast_auc", 3), ("last", 4)]
)
def test_monitored_figure_chooses_the_epoch(monitor: str, best: int) -> None:
    history = [
        epoch(0.5, 0.7, 0.6),
        epoch(0.6, 0.9, 0.6),
        epoch(0.6, 0.8, 0.8),
        epoch(0.7, 0.5, 0.5),
    ]

    assert best_epoch(history, monitor) == best


def test_first_of_equal_epochs_is_best() -> None:
    assert best_epoch([epoch(0.5, 0.7, 0.9), epoch(0.4, 0.8, 0.9)], "breast_auc") == 1


def test_breasts_are_ranked_by_mean_margin() -> None:
    # One view of the breast with cancer is below all others, but the mean of both is above.
    margins = np.array([-1.0, 4.0, 1.0, 1.5])

    figures = measure_epoch([0.5, 0.7], RECORDS, np.stack([np.zeros(4), margins], axis=1))

    assert figures.train_loss == pytest.approx(0.6)
    assert figures.validation_breast_auc == 1.0
    # Of four pairs of images, the view at 4 wins two.
    assert figures.validation_auc == 0.5


def test_breasts_of_one_class_have_no_auc() -> None:
    healthy = [record("a", "CC", cancer=False), record("b", "CC", cancer=False)]

    assert breast_auc(healthy, np.array([0.1, 0.2])) is None
