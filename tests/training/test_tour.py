"""The notebook of the tour runs as it stands, on tiny sizes."""

import json
from pathlib import Path

import nbclient
import nbformat
import pytest

from tests.support.paths import ROOT

NOTEBOOK = ROOT / "docs" / "tour.ipynb"
SIZES = {"TOUR_PATIENTS": "16", "TOUR_EPOCHS": "2", "TOUR_HEIGHT": "48", "TOUR_WIDTH": "36"}


def pictures_of(cell: nbformat.NotebookNode) -> int:
    """Return the number of pictures below an executed cell."""
    return sum("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> tuple[nbformat.NotebookNode, Path]:
    """The executed notebook, and the folder of its files."""
    folder = tmp_path_factory.mktemp("tour")
    notebook = nbformat.read(NOTEBOOK, as_version=4)

    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SIZES, "TOUR_FOLDER": str(folder)}.items():
            patch.setenv(name, value)
        nbclient.execute(notebook, cwd=str(NOTEBOOK.parent), timeout=300)

    return notebook, folder


def test_notebook_is_committed_without_outputs() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells

    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


@pytest.mark.interop  # the whole way, from phantoms to the service: one to two minutes
def test_notebook_runs_from_phantoms_to_service(tour: tuple[nbformat.NotebookNode, Path]) -> None:
    notebook, folder = tour

    pictures = [pictures_of(cell) for cell in notebook.cells]

    assert [count for count in pictures if count] == [1, 1, 1, 2, 2, 1, 1]
    assert (folder / "models/tour/1/saved_model.pb").exists()


@pytest.mark.interop
def test_notebook_shows_the_figures_of_its_run(tour: tuple[nbformat.NotebookNode, Path]) -> None:
    notebook, folder = tour
    (floors,) = [cell for cell in notebook.cells if "floor.png" in cell.source]
    document = json.loads((folder / "run/evaluation.json").read_text("utf-8"))

    printed = "".join(output.get("text", "") for output in floors.outputs)

    for name, floor in document["floor"].items():
        assert f"{name:<12} {floor['breasts']['network_minus_floor']['value']:+.3f}" in printed
