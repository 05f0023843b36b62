from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tqdm import tqdm

from training.scorecard.kept_steps import Steps, steps_beside


def refuse() -> float:
    raise AssertionError("The step was run again.")


def test_finished_step_is_not_run_again(tmp_path: Path, bar: "tqdm[Any]") -> None:
    Steps(tmp_path, bar).run("margins", 5, lambda: np.arange(3.0))

    kept = Steps(tmp_path, bar).run("margins", 5, refuse)

    np.testing.assert_array_equal(kept, [0, 1, 2])
    assert bar.n == 10


def test_interrupted_step_leaves_no_result(tmp_path: Path, bar: "tqdm[Any]") -> None:
    def interrupted() -> float:
        raise KeyboardInterrupt

    steps = Steps(tmp_path, bar)
    with pytest.raises(KeyboardInterrupt):
        steps.run("margins", 5, interrupted)

    assert bar.n == 0
    assert steps.run("margins", 5, lambda: 2.0) == 2.0


def test_alike_names_have_different_results(tmp_path: Path, bar: "tqdm[Any]") -> None:
    steps = Steps(tmp_path, bar)

    assert steps.run("ranges a/b", 0, lambda: 1.0) == 1.0
    assert steps.run("ranges a-b", 0, lambda: 2.0) == 2.0


def test_nothing_is_kept_without_directory(bar: "tqdm[Any]") -> None:
    steps = Steps(None, bar)

    assert steps.run("margins", 0, lambda: 1.0) == 1.0
    assert steps.run("margins", 0, lambda: 2.0) == 2.0


def test_other_facts_have_another_directory(tmp_path: Path) -> None:
    out = tmp_path / "scorecard.json"

    assert steps_beside(out, b"one") == steps_beside(out, b"one")
    assert steps_beside(out, b"one") != steps_beside(out, b"other")
    assert steps_beside(out, b"one").parent == tmp_path
