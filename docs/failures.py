"""Makes `docs/failures.png`: one phantom explained by a healthy network and by five that failed, each in its own way.

    python -m docs.failures

The networks are those of `python -m benchmarks.faults train` and `score`.
"""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import cv2
import keras
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.faults import EXPERIMENT, FAULTS, MARKER, OUT, describe_fault, plant
from service import imaging, pipeline, rendering
from service.imaging import Reading
from service.observability.stopwatch import Stopwatch
from service.records import Box, FitParameters
from service.rendering import Colormap, Style
from training import phantoms
from training.config import load_experiment
from training.introspection.live_model import LiveModel
from training.scorecard import open_parts
from training.scorecard.report import read_findings

PICTURE = Path("docs/failures.png")
SEED = 12
MODEL_SEED = 1
HEIGHT, GAP, CAPTION, COLUMNS = 360, 16, 90, 3


def main() -> None:
    """Writes the picture."""
    image = phantoms.render_view(
        np.random.default_rng(SEED),
        view="MLO",
        findings=(phantoms.Finding(phantoms.Kind.SPICULATED_MASS, 0.7),),
        detector=phantoms.Detector(rows=960, columns=720),
    )
    data = phantoms.to_dicom_bytes(image)
    panels = [_panel(fault, data) for fault in FAULTS]
    width = max(panel.width for panel in panels) + GAP
    rows = -(-len(panels) // COLUMNS)
    sheet = Image.new(
        "RGB", (COLUMNS * width + GAP, rows * (HEIGHT + CAPTION + GAP) + GAP), "white"
    )
    for place, panel in enumerate(panels):
        row, column = divmod(place, COLUMNS)
        sheet.paste(panel, (GAP + column * width, GAP + row * (HEIGHT + CAPTION + GAP)))
    sheet.save(PICTURE, optimize=True)


def _panel(fault: str, data: bytes) -> Image.Image:
    """What the network with that fault makes of the phantom, over its caption."""
    experiment = load_experiment(EXPERIMENT)
    directory = OUT / f"{fault}-{MODEL_SEED}"
    network = keras.saving.load_model(directory / "best.keras", compile=False)
    findings = read_findings(directory / "scorecard.json", directory / "best.keras")
    assert findings is not None  # noqa: S101 - `score` has made it
    manifest = describe_fault(network, experiment, plant(fault, open_parts(experiment)))
    manifest = manifest.model_copy(update={"reference": findings.reference})
    model = LiveModel(network, manifest, findings.domain, findings.scorecard)
    read = _read_marked if fault == "marker" else imaging.read
    found = pipeline.explain(model, read, data, Stopwatch(), pipeline.Question(full=True))
    panel = Image.new("RGB", (380, HEIGHT + CAPTION), "white")
    panel.paste(_as_seen(found), (0, 0))
    failed = ", ".join(findings.scorecard.failed) or "nothing"
    codes = (
        ", ".join(caution.code for caution in found.cautions if caution.code != "scorecard-failed")
        or "none"
    )
    probability = found.prediction.probabilities["cancer"]
    text = "\n".join([
        f"{fault}: p(cancer) = {probability:.2f}",
        *_wrapped(f"scorecard fails: {failed}"),
        *_wrapped(f"warnings: {codes}"),
    ])  # fmt: skip
    ImageDraw.Draw(panel).multiline_text(
        (0, HEIGHT + 6), text, fill="black", font=ImageFont.load_default(13)
    )
    return panel


def _as_seen(found: pipeline.Explanation) -> Image.Image:
    """The heat on the network's own input, where the marker is."""
    image, layer = found.prediction.reading.fitted.image[..., 0], found.evidence.layer
    assert layer is not None  # noqa: S101 - Grad-CAM has one
    rows, columns = image.shape
    size = round(columns * HEIGHT / rows), HEIGHT
    grey = np.asarray(cv2.resize((image * 255).astype(np.uint8), size), dtype=np.uint8)
    heat = replace(found.evidence.heatmap, to_source=layer.receptive_field.to_input())
    style = Style(Colormap.INFERNO, 0.7, HEIGHT)
    overlay = rendering.overlay(grey, (rows, columns), heat, Box(0, 0, columns, rows), style, {})
    return Image.open(BytesIO(overlay.png)).convert("RGB")


def _read_marked(data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
    """The reading of a phantom that has the marker."""
    reading = imaging.read(data, parameters, picture_edge)
    image = reading.fitted.image.copy()
    image[MARKER] = 1.0
    return replace(reading, fitted=replace(reading.fitted, image=image))


def _wrapped(text: str, width: int = 58) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1].strip() else lines[-1] + word
    return lines


if __name__ == "__main__":
    main()
