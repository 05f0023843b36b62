"""Make `docs/failures.png`: one phantom explained by a healthy network and by broken ones.

    python -m docs.failures

The networks come from `python -m benchmarks.faults train` and `score`.
"""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import cv2
import keras
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.families import families
from benchmarks.faults import FAULTS, describe_fault, directory_of, require_report
from benchmarks.planted import marker, open_images
from service import imaging, pipeline, rendering
from service.explanation import drawn_heat
from service.geometry import IDENTITY
from service.imaging import Reading
from service.observability.stopwatch import Stopwatch
from service.records import Box, FitParameters
from service.rendering import Colormap, Style
from training import phantoms
from training.introspection.live_model import LiveModel

PICTURE = Path("docs/failures.png")
SEED = 12
MODEL_SEED = 1
HEIGHT = 360  # of each heatmap, in pixels
WIDTH = 380  # of each panel
GAP = 16
CAPTION = 90
COLUMNS = 3


def main() -> None:
    """Write the picture."""
    image = phantoms.render_view(
        np.random.default_rng(SEED),
        view="MLO",
        findings=(phantoms.Finding(phantoms.FindingKind.SPICULATED_MASS, 0.7),),
        detector=phantoms.Detector(rows=960, columns=720),
    )
    data = phantoms.to_dicom_bytes(image)
    panels = [_panel(fault, data) for fault in FAULTS]

    # lay the panels out in rows of COLUMNS, with a gap around each
    cell_width = WIDTH + GAP
    cell_height = HEIGHT + CAPTION + GAP
    rows = -(-len(panels) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * cell_width + GAP, rows * cell_height + GAP), "white")
    for position, panel in enumerate(panels):
        row, column = divmod(position, COLUMNS)
        sheet.paste(panel, (GAP + column * cell_width, GAP + row * cell_height))

    sheet.save(PICTURE, optimize=True)


def _panel(fault: str, data: bytes) -> Image.Image:
    """Draw the heatmap of the network with that fault, over a caption with its warnings."""
    model = _load_model(fault)
    read = _read_marked if fault == "marker" else imaging.read
    question = pipeline.Question(full=True)
    explanation = pipeline.explain(model, read, data, Stopwatch(), question)

    panel = Image.new("RGB", (WIDTH, HEIGHT + CAPTION), "white")
    panel.paste(_draw_heatmap(explanation), (0, 0))

    caption = _describe(fault, model, explanation)
    font = ImageFont.load_default(13)
    ImageDraw.Draw(panel).multiline_text((0, HEIGHT + 6), caption, fill="black", font=font)
    return panel


def _load_model(fault: str) -> LiveModel:
    """Load the network with that fault, its scorecard and its own reference ranges."""
    family = families()["demo"]
    directory = directory_of(family, fault, MODEL_SEED)
    network = keras.saving.load_model(directory / "best.keras", compile=False)
    report = require_report(directory)

    manifest = describe_fault(network, family, open_images(family.experiment, fault))
    manifest = manifest.model_copy(update={"reference": report.reference})
    return LiveModel(network, manifest, report.domain, report.scorecard)


def _describe(fault: str, model: LiveModel, explanation: pipeline.Explanation) -> str:
    """Return the caption: fault, probability, failed lines of the scorecard and other warnings."""
    assert model.scorecard is not None  # noqa: S101 - `_load_model` gives it one

    failed = ", ".join(model.scorecard.failed) or "nothing"
    codes = [warning.code for warning in explanation.warnings if warning.code != "scorecard-failed"]
    probability = explanation.prediction.probabilities["cancer"]
    lines = [
        f"{fault}: p(cancer) = {probability:.2f}",
        *_wrap(f"scorecard fails: {failed}"),
        *_wrap(f"warnings: {', '.join(codes) or 'none'}"),
    ]
    return "\n".join(lines)


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
    return Image.open(BytesIO(overlay.png)).convert("RGB")


def _read_marked(data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
    """Read a phantom and put the marker into the model's input."""
    reading = imaging.read(data, parameters, picture_edge)

    image = reading.fitted.image.copy()
    image[marker(image.shape[0])] = 1.0
    return replace(reading, fitted=replace(reading.fitted, image=image))


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
