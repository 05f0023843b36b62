"""Imports against the rules in pyproject.toml are refused."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FORBIDDEN = {
    # No HTTP below the API
    "service/runtime/admission.py": "fastapi",
    "service/runtime/batching.py": "starlette",
    "service/runtime/engine.py": "service.api.record",
    "service/access/rates.py": "uvicorn",
    "service/imaging/dicom/decoder.py": "requests",
    "service/pipeline/assessment.py": "fastapi",
    "service/rendering/png.py": "fastapi",
    # Layers of the service
    "service/imaging/limits.py": "service.model",
    "service/host/cores.py": "service.errors",
    "service/records/arrays.py": "service.settings",
    "service/stray.py": "pydicom",  # a module that no layer lists
    "service/new/stray.py": "numpy",  # a package that no layer lists
    # Layers inside packages
    "service/imaging/breast/border.py": "service.imaging.reading",
    "service/api/record.py": "service.api.upload.upload_reader",
    "service/pipeline/class_explanation.py": "service.pipeline.steps",
    "service/runtime/scheduler.py": "service.runtime.engine",
    "training/data/table.py": "training.fit.train",
    # The API knows no pixels, explanation no files, and the model alone its engines
    "service/api/responses.py": "numpy",
    "service/api/server.py": "tensorflow",
    "service/runtime/worker.py": "onnxruntime",
    "service/explanation/heat.py": "PIL",
    # Training uses the pipeline and what lies below it
    "training/errors.py": "service.runtime.batching",
    "training/config.py": "service.runtime.admission",
    "training/commands.py": "service.access",
    "training/evaluation/plots.py": "service.api",
    "service/geometry.py": "training",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy of the tree with all these imports."""
    tree = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", tree)
    for package in ("service", "training"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tree / package, ignore=ignore)

    for path, module in FORBIDDEN.items():
        target = tree / path
        target.parent.mkdir(exist_ok=True)
        if target.parent.name == "new":
            (target.parent / "__init__.py").touch()
        with target.open("a") as file:
            file.write(f"\nimport {module}\n")

    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "COLUMNS": "400"}
    done = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("path", FORBIDDEN)
def test_forbidden_import_is_refused(path: str, report: str) -> None:
    module = path.removesuffix(".py").replace("/", ".")
    unlisted = path in {"service/stray.py", "service/new/stray.py"}

    refused = module.removesuffix(".stray") if path == "service/new/stray.py" else module
    expected = refused if unlisted else f"{refused} -> {FORBIDDEN[path]}"

    assert expected in report
