"""Make `docs/scales.png`: the same heat at the reference scale and at the scale of its image.

    python -m docs.scales

Two phantoms, with a cancer and without a finding, are explained by the demo network and by the
healthy small network of `python -m benchmarks.faults train` and `score`.
"""

import math
from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.families import families
from docs.failures import load_model
from docs.panels import HEIGHT, arrange, make_panel, phantom_file
from service import imaging, pipeline
from service.model import Bundle, Model
from service.observability.stopwatch import Stopwatch
from service.records import HeatScale
from service.rendering import Colormap, Render, Style
from training.phantoms import Finding, FindingKind

PICTURE = Path("docs/scales.png")
DEMO = Path("models/demo/1")
STYLE = Style(Colormap.INFERNO, 0.7, HEIGHT)
SEED = 12


def main() -> None:
    """Write the picture."""
    images = {
        "cancer": phantom_file(SEED, Finding(FindingKind.SPICULATED_MASS, 0.7)),
        "no finding": phantom_file(SEED),
    }
    models: dict[str, Model] = {
        "demo": Bundle.load(DEMO),
        "MobileNetV2": load_model(families()["mobilenet"], "healthy"),
    }

    panels = [
        _panel(f"{network}, {name}", model, data, scale)
        for network, model in models.items()
        for name, data in images.items()
        for scale in (HeatScale.REFERENCE, HeatScale.IMAGE)
    ]
    arrange(panels, columns=4).save(PICTURE, optimize=True)


def _panel(name: str, model: Model, data: bytes, scale: HeatScale) -> Image.Image:
    """Draw the overlay at a scale, over a caption with probability and strength."""
    question = pipeline.Question(scale=scale)
    read = partial(imaging.read, picture_edge=HEIGHT)
    explained = pipeline.explain(model, read, data, Stopwatch(), question)
    picture = pipeline.draw_heatmap(explained, Render.OVERLAY, STYLE, {}, Stopwatch())

    probability = explained.prediction.probabilities["cancer"]
    strength = explained.strength.relative_peak
    lines = [
        f"{name}: p(cancer) = {probability:.2f}",
        f"scale: {explained.strength.scale}",
        f"relative peak: {math.nan if strength is None else strength:.2f}",
    ]
    return make_panel(Image.open(BytesIO(picture.content)).convert("RGB"), lines)


if __name__ == "__main__":
    main()
