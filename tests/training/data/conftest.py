"""The toy experiment with its own images and an empty cache."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from training.config import Experiment
from training.config_files import load_experiment
from training.data import prepare as preparation
from training.data.prepare_workers import ImageJob, Outcome, prepare_image

EditData = Callable[..., Experiment]


@pytest.fixture
def experiment(write_experiment: Callable[..., Path], toy_root: Path, tmp_path: Path) -> Experiment:
    """The toy experiment on copies of the images of its first three patients."""
    (tmp_path / "images").mkdir()
    for number in range(3):
        for side in ("L", "R"):
            name = f"p{number}_{number}{side}.png"
            shutil.copy(toy_root / "images" / name, tmp_path / "images" / name)

    cache = (f'cache = "{toy_root}/cache"', f'cache = "{tmp_path}/cache"')
    images = (f'images = "{toy_root}', f'images = "{tmp_path}')
    patients = ("[split]", '[filter]\npatient_ids = ["p0", "p1", "p2"]\n[split]')
    return load_experiment(write_experiment(tmp_path / "toy.toml", cache, images, patients))


@pytest.fixture
def edit_data() -> EditData:
    """Return an experiment with other paths in its section [data]."""

    def edit(experiment: Experiment, **paths: object) -> Experiment:
        return experiment.model_copy(update={"data": experiment.data.model_copy(update=paths)})

    return edit


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepare images in this process, which is faster for a few of them."""

    def outcomes(jobs: Sequence[ImageJob], workers: int) -> Iterator[Outcome]:  # noqa: ARG001
        return (prepare_image(job) for job in jobs)

    monkeypatch.setattr(preparation, "outcomes", outcomes)
