"""Makes docs/sample.dcm, a phantom, and docs/picture.png, what the bundle that ships says of it: `make picture`."""

from functools import partial
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from service import imaging, pipeline
from service.observability.stopwatch import Stopwatch
from service.rendering import Colormap, FilterScale, Render, Style
from service.runtime import load_model
from service.settings import Settings
from training import phantoms

SAMPLE, PICTURE = (Path(__file__).with_name(name) for name in ("sample.dcm", "picture.png"))
HEIGHT, GAP, CAPTION = 640, 16, 56
SEED = 11


def main() -> None:
    """Writes both."""
    model, watch = load_model(Settings()), Stopwatch()
    read = partial(imaging.read, picture_edge=HEIGHT)
    image = phantoms.render_view(
        np.random.default_rng(SEED),
        laterality="R",
        view="MLO",
        findings=(phantoms.Finding(phantoms.Kind.SPICULATED_MASS, 0.6),),
        detector=phantoms.Detector(rows=960, columns=720),
    )
    data = phantoms.to_dicom_bytes(image, phantoms.Acquisition(transfer_syntax="jpeg2000"))
    SAMPLE.write_bytes(data)
    found = pipeline.explain(model, read, data, watch, pipeline.Question())
    overlay = pipeline.draw_heatmap(
        found, Render.OVERLAY, Style(Colormap.INFERNO, 0.6, HEIGHT), {}, watch
    )
    seen = pipeline.show_activations(model, read, data, watch, layer=model.manifest.layers[0].name)
    montage = pipeline.draw_montage(seen, FilterScale.LAYER, Colormap.GRAY, {}, watch)
    assert found.evidence.heatmap.peak is not None  # noqa: S101 - a blank map would make a poor picture
    x, y = found.evidence.heatmap.peak.x, found.evidence.heatmap.peak.y
    probability = found.prediction.probabilities["cancer"]
    warnings = ", ".join(caution.code for caution in found.cautions) or "none"
    panels = [
        (_truth(image), "A phantom with a spiculated mass\n(outlined: the truth)"),
        (
            Image.open(BytesIO(overlay.png)),
            (
                f"POST /gradcam: p(cancer) = {probability:.2f}, peak at x = {x:.0f}, y = {y:.0f}\n"
                f"heat in the breast: {found.diagnostics['heat_in_breast'].value:.0%}, warnings: {warnings}"
            ),
        ),
        (
            Image.open(BytesIO(montage)),
            f"POST /activations/{seen.layer.name}:\nwhat each of its {seen.layer.filters} filters saw",
        ),
    ]
    _side_by_side(panels).save(PICTURE, optimize=True)


def _truth(image: phantoms.PhantomImage) -> Image.Image:
    """The phantom with the outline of its cancer."""
    assert image.lesion is not None  # noqa: S101 - it was asked for
    picture = np.repeat((image.pixels >> 8).astype(np.uint8)[..., None], 3, axis=2)
    outlines, _ = cv2.findContours(
        image.lesion.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    cv2.drawContours(picture, outlines, -1, (90, 200, 255), 3)
    return Image.fromarray(picture)


def _side_by_side(panels: list[tuple[Image.Image, str]]) -> Image.Image:
    """The panels at one height, each over its caption."""
    sized = [
        panel.convert("RGB").resize((round(panel.width * HEIGHT / panel.height), HEIGHT))
        for panel, _ in panels
    ]
    width = sum(panel.width for panel in sized) + GAP * (len(sized) + 1)
    sheet = Image.new("RGB", (width, HEIGHT + CAPTION + 2 * GAP), "white")
    draw, left = ImageDraw.Draw(sheet), GAP
    for panel, (_, caption) in zip(sized, panels, strict=True):
        sheet.paste(panel, (left, GAP))
        draw.multiline_text(
            (left, HEIGHT + 1.4 * GAP), caption, fill="black", font=ImageFont.load_default(17)
        )
        left += panel.width + GAP
    return sheet


if __name__ == "__main__":
    main()
