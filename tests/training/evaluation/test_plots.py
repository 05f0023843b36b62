from pathlib import Path

import cv2
import numpy as np

from training.evaluation.forest import draw_floors, draw_subgroups
from training.evaluation.plots import draw_precision_recall, draw_reliability
from training.evaluation.reliability import Bin
from training.evaluation.statistics import Interval
from training.evaluation.subgroups import Subgroup

BLUE = (180, 119, 31)  # C0 of Matplotlib, as OpenCV reads it
INTERVAL = Interval(0.7, 0.6, 0.8)


def group(column: str, name: str, auc: Interval | None = INTERVAL) -> Subgroup:
    return Subgroup(column, name, 20, 5, auc, None, None)


def blue_shapes(path: Path) -> np.ndarray:
    """Return left, top, width, height and area of every connected blue shape."""
    picture = cv2.imread(str(path))
    assert picture is not None

    _, _, shapes, _ = cv2.connectedComponentsWithStats(
        (picture == BLUE).all(axis=2).astype(np.uint8)
    )
    return np.asarray([shape for shape in shapes[1:] if shape[4] > 20])


def test_every_interval_is_drawn_below_the_last(tmp_path: Path) -> None:
    path = tmp_path / "floors.png"
    wide = Interval(0.6, 0.4, 0.8)

    draw_floors(path, Interval(0.75, 0.7, 0.8), {"metadata": wide, "brightness": INTERVAL})

    shapes = blue_shapes(path)
    assert len(shapes) == 3
    assert (np.diff(shapes[:, 1]) > 20).all()
    # Their widths are as 1 to 4 to 2, and all end at 0.8.
    assert shapes[1, 2] / shapes[0, 2] > 3.5
    assert shapes[1, 2] / shapes[2, 2] > 1.8
    assert np.ptp(shapes[:, 0] + shapes[:, 2]) <= 2


def test_network_without_floors_is_drawn(tmp_path: Path) -> None:
    draw_floors(tmp_path / "floors.png", INTERVAL, {})

    assert len(blue_shapes(tmp_path / "floors.png")) == 1


def test_subgroups_have_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "subgroups.png"
    groups = [group("site", "north"), group("site", "south", None), group("age", "40 to 50")]

    draw_subgroups(path, INTERVAL, groups)

    # The whole and two groups. The third has no AUC.
    assert len(blue_shapes(path)) == 3


def test_any_name_can_be_drawn(tmp_path: Path) -> None:
    path = tmp_path / "subgroups.png"
    names = ["a name that is much longer than a picture is wide " * 5, "$", r"$\frac{$", ""]

    draw_subgroups(path, INTERVAL, [group("machine", name) for name in names])

    assert len(blue_shapes(path)) == 5


def test_precision_recall_curve_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "precision_recall.png"
    rng = np.random.default_rng(0)
    labels = (rng.random(100) < 0.2).astype(np.int32)

    draw_precision_recall(path, {"images": (labels, rng.random(100), INTERVAL)})

    assert len(blue_shapes(path)) > 0


def test_reliability_fills_the_picture_at_low_prevalence(tmp_path: Path) -> None:
    path = tmp_path / "reliability.png"

    draw_reliability(
        path, [Bin(0.001, 0.0, 0.0, 0.04, 100), Bin(0.06, 0.05, 0.02, 0.11, 101)], 0.01
    )

    (curve,) = blue_shapes(path)
    assert curve[2] > 300
    assert curve[3] > 300
