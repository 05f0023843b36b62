"""The engine that loads a model, and the plan of its memory."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from service.errors import GraphsMissing
from service.host.memory_limit import MemoryLimit
from service.model import Bundle, OnnxBundle
from service.runtime.memory_plan import MemoryPlan
from service.runtime.model_loader import load_model
from service.settings import Settings

LIMIT = MemoryLimit(2**36, "container")


@pytest.mark.parametrize(
    ("settings", "kind", "engine"),
    [
        (Settings(), Bundle, "TensorFlow"),
        (Settings(engine="onnx"), OnnxBundle, "onnxruntime"),
    ],
)
def test_setting_chooses_the_engine(
    settings: Settings,
    kind: type,
    engine: str,
    graphs_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "service.runtime.model_loader"):
        model = load_model(settings.model_copy(update={"model": graphs_path}))

    assert isinstance(model, kind)
    assert f"loaded: model untrained/2 by {engine}, load " in caplog.text


def test_bundle_without_graphs_stops_onnx(bundle_path: Path) -> None:
    with pytest.raises(GraphsMissing):
        load_model(Settings(model=bundle_path, engine="onnx"))


def test_plan_counts_graphs_as_files_alone(bundle_path: Path, graphs_path: Path) -> None:
    before, after = (
        MemoryPlan.make(Settings(model=path, readers=1), LIMIT)
        for path in (bundle_path, graphs_path)
    )

    assert replace(after, service=before.service) == before
    sizes = [
        sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        for path in (bundle_path, graphs_path)
    ]
    assert after.service - before.service == 2 * (sizes[1] - sizes[0])
