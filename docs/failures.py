"""Make the pictures of one phantom explained by healthy networks and by broken ones.

    python -m docs.failures

They are `docs/failures-demo.png` and `docs/failures-mobilenet.png`. The networks come from
`python -m benchmarks.faults train` and `score`.
"""

from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path

import cv2
import keras
import numpy as np
from PIL import Image

from benchmarks.families import Family, families
from benchmarks.fault_report import judge_again
from benchmarks.faults import describe_fault, directory_of, require_report
from benchmarks.planted import PLANTED, Plant, open_images
from docs.panels import HEIGHT, arrange, make_panel, phantom_file
from service import imaging, pipeline, rendering
from service.explanation import drawn_heat
from service.geometry import IDENTITY
from service.imaging import Reading
from service.observability.stopwatch import Stopwatch
from service.records import Box, FitParameters
from service.rendering import Colormap, Style
from training.introspection.live_model import LiveModel
from training.phantoms import Finding, FindingKind

PICTURES = Path("docs")
SEED = 12
MODEL_SEED = 1
COLUMNS = 4


def main() -> None:
    """Write the pictures."""
    data = phantom_file(SEED, Finding(FindingKind.SPICULATED_MASS, 0.7))
    for family in families().values():
        panels = [_panel(family, fault, data) for fault in family.faults]
        arrange(panels, COLUMNS).save(PICTURES / f"failures-{family.name}.png", optimize=True)


def _panel(family: Family, fault: str, data: bytes) -> Image.Image:
    """Draw the heatmap of the network with that fault, over a caption with its warnings."""
    model = load_model(family, fault)
    plant = PLANTED.get(fault)
    read = imaging.read if plant is None else partial(_read_planted, plant)
    question = pipeline.Question(full=True)
    explanation = pipeline.explain(model, read, data, Stopwatch(), question)

    return make_panel(_draw_heatmap(explanation), _describe(fault, model, explanation))


def load_model(family: Family, fault: str) -> LiveModel:
    """Load the network with that fault, its scorecard and its own reference ranges."""
    directory = directory_of(family, fault, MODEL_SEED)
    network = keras.saving.load_model(directory / "best.keras", compile=False)
    report = require_report(directory)

    manifest = describe_fault(network, family, open_images(family.experiment, fault))
    manifest = manifest.model_copy(update={"reference": report.reference})
    scorecard = report.scorecard
    judged = scorecard.model_copy(update={"lines": judge_again(scorecard.lines)})
    return LiveModel(network, manifest, report.domain, judged)


def _describe(fault: str, model: LiveModel, explanation: pipeline.Explanation) -> list[str]:
    """Return the caption: fault, probability, failed lines of the scorecard and other warnings."""
    assert model.scorecard is not None  # noqa: S101 - `load_model` gives it one

    failed = ", ".join(model.scorecard.failed) or "nothing"
    codes = [warning.code for warning in explanation.warnings if warning.code != "scorecard-failed"]
    probability = explanation.prediction.probabilities["cancer"]
    return [
        f"{fault}: p(cancer) = {probability:.2f}",
        *_wrap(f"scorecard fails: {failed}"),
        *_wrap(f"warnings: {', '.join(codes) or 'none'}"),
    ]


def _draw_heatmap(explanation: pipeline.Explanation) -> Image.Image:
    """Draw the heat over the network's own input, as only that shows the marker."""
    image = explanation.prediction.reading.fitted.image[..., 0]
    layer = explanation.class_explanation.layer
    assert layer is not None  # noqa: S101 - Grad-CAM has one

    rows, columns = image.shape
    size = (round(columns * HEIGHT / rows), HEIGHT)
    grey = np.asarray(cv2.resize((image * 255).astype(np.uint8), size), dtype=np.uint8)

    # the frame is the model's grid, and heat in air is not faded, because the marker lies there
    heat = drawn_heat(
        explanation.class_explanation.heatmap,
        layer.receptive_field,
        np.ones((rows, columns), np.bool_),
        IDENTITY,
        Box(0, 0, columns, rows),
    )
    style = Style(Colormap.INFERNO, 0.7, HEIGHT)
    overlay = rendering.overlay(grey, (rows, columns), heat, style, {})
    return Image.open(BytesIO(overlay.content)).convert("RGB")


def _read_planted(
    plant: Plant, data: bytes, parameters: FitParameters, picture_edge: float = 0
) -> Reading:
    """Read a phantom and plant a fault in the model's input."""
    reading = imaging.read(data, parameters, picture_edge)
    fitted = reading.fitted
    return replace(reading, fitted=replace(fitted, image=plant(fitted.image, fitted.mask)))


def _wrap(text: str, width: int = 58) -> list[str]:
    """Break the text into lines of at most `width` characters, indented from the second on."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1].strip() else lines[-1] + word

    return lines


if __name__ == "__main__":
    main()
