"""The comparison of a killed training with a whole one sees the last bit."""

import shutil
from pathlib import Path
from zipfile import ZipFile

import h5py
import numpy as np
import pytest

from benchmarks.equal_runs import compare_runs
from training.fit.run import Run, write_json


def write_run(directory: Path) -> Run:
    """Write a run of two epochs with a network, an optimiser and figures."""
    run = Run(directory)
    directory.mkdir()
    write_json(run.history, [{"train_loss": 0.5}, {"train_loss": 0.25}])
    write_weights(run.checkpoint(2), 0.1)
    write_weights(directory / "model.weights.h5", 0.1)
    with ZipFile(run.best_model, "w") as archive:
        archive.write(directory / "model.weights.h5", "model.weights.h5")
    return run


def write_weights(path: Path, value: float) -> None:
    with h5py.File(path, "w") as file:
        file["optimizer/vars/0"] = np.array([value, 0.2], np.float32)


def test_copy_is_equal(tmp_path: Path) -> None:
    whole = write_run(tmp_path / "whole")
    shutil.copytree(whole.directory, tmp_path / "killed")

    assert compare_runs(whole, Run(tmp_path / "killed"))


@pytest.mark.parametrize("changed", ["history.json", "best.keras", "last checkpoint", "files"])
def test_difference_of_a_bit_is_told(
    changed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = write_run(tmp_path / "whole")
    killed = write_run(tmp_path / "killed")
    next_value = float(np.nextafter(np.float32(0.1), np.float32(1)))

    match changed:
        case "history.json":
            write_json(killed.history, [{"train_loss": 0.5}, {"train_loss": 0.25 + 2**-54}])
        case "best.keras":
            write_weights(tmp_path / "other.h5", next_value)
            with ZipFile(killed.best_model, "w") as archive:
                archive.write(tmp_path / "other.h5", "model.weights.h5")
        case "last checkpoint":
            write_weights(killed.checkpoint(2), next_value)
        case _:
            (killed.directory / "history.partial").touch()

    assert not compare_runs(whole, killed)
    assert capsys.readouterr().out.count("DIFFERENT") == 1
