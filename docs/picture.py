"""Make docs/sample.dcm, a phantom, and docs/picture.png, the demo bundle's answers to it.

docs/sample-exam holds the four views of another phantom patient, with a cancer in the right breast,
and docs/summary.png is the summary page of this exam.

make picture
"""

from functools import partial
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from docs.summary import draw_summary
from service import imaging, pipeline
from service.observability.stopwatch import Stopwatch
from service.rendering import Colormap, FilterScale, Render, Style
from service.runtime.model_loader import load_model
from service.settings import Settings
from training import phantoms

SAMPLE = Path(__file__).with_name("sample.dcm")
EXAM = Path(__file__).with_name("sample-exam")
PICTURE = Path(__file__).with_name("picture.png")
SUMMARY = Path(__file__).with_name("summary.png")
HEIGHT = 640  # of each panel, in pixels
GAP = 16
CAPTION = 56
SEED = 11
EXAM_SEED = 12
CANCER = phantoms.Finding(phantoms.FindingKind.SPICULATED_MASS, 0.6)
MACHINE = phantoms.Acquisition(transfer_syntax="jpeg2000")


def main() -> None:
    """Write the samples and the pictures."""
    image = phantoms.render_view(
        np.random.default_rng(SEED),
        laterality="R",
        view="MLO",
        findings=(CANCER,),
        detector=phantoms.Detector(rows=960, columns=720),
    )
    data = phantoms.to_dicom_bytes(image, MACHINE)
    SAMPLE.write_bytes(data)
    _write_exam()

    panels = [(_draw_truth(image), "A phantom with a spiculated mass\n(outlined: the truth)")]
    panels += _answer_panels(data)
    _join(panels).save(PICTURE, optimize=True)
    draw_summary(load_model(Settings()), EXAM).save(SUMMARY, optimize=True)


def _write_exam() -> None:
    """Write the four views of one exam, each in a series of its own."""
    EXAM.mkdir(exist_ok=True)
    rng = np.random.default_rng(EXAM_SEED)

    for number, (laterality, view) in enumerate(phantoms.VIEWS, start=1):
        image = phantoms.render_view(
            rng,
            laterality=laterality,
            view=view,
            findings=(CANCER,) if laterality == "R" else (),
            detector=phantoms.Detector(rows=832, columns=640),
        )
        identity = phantoms.PhantomIdentity(patient_id=2, image_id=number)
        (EXAM / f"{laterality}-{view}.dcm").write_bytes(
            phantoms.to_dicom_bytes(image, MACHINE, identity)
        )


def _answer_panels(data: bytes) -> list[tuple[Image.Image, str]]:
    """Draw the answers of POST /gradcam and POST /activations, each with its caption."""
    model = load_model(Settings())
    timer = Stopwatch()
    read = partial(imaging.read, picture_edge=HEIGHT)

    explanation = pipeline.explain(model, read, data, timer, pipeline.Question())
    style = Style(Colormap.INFERNO, 0.6, HEIGHT)
    overlay = pipeline.draw_heatmap(explanation, Render.OVERLAY, style, {}, timer)

    layer = model.manifest.layers[0].name
    activations = pipeline.show_activations(model, read, data, timer, layer=layer)
    montage = pipeline.draw_montage(activations, FilterScale.LAYER, Colormap.GRAY, {}, timer)

    return [
        (Image.open(BytesIO(overlay.content)), _describe(explanation)),
        (
            Image.open(BytesIO(montage)),
            f"POST /activations/{layer}:\nwhat each of its {activations.layer.filters} filters saw",
        ),
    ]


def _describe(explanation: pipeline.Explanation) -> str:
    """Return the caption of the heatmap: probability, peak, heat in the breast and warnings."""
    peak = explanation.class_explanation.heatmap.peak
    assert peak is not None  # noqa: S101 - a blank map would make a poor picture

    probability = explanation.prediction.probabilities["cancer"]
    heat = explanation.diagnostics["heat_in_breast"].value
    warnings = ", ".join(warning.code for warning in explanation.warnings) or "none"
    return (
        f"POST /gradcam: p(cancer) = {probability:.2f}, "
        f"peak at x = {peak.x:.0f}, y = {peak.y:.0f}\n"
        f"heat in the breast: {heat:.0%}, warnings: {warnings}"
    )


def _draw_truth(image: phantoms.PhantomImage) -> Image.Image:
    """Draw the phantom with the outline of its cancer."""
    assert image.lesion is not None  # noqa: S101 - `main` asks for a finding

    grey = (image.pixels >> 8).astype(np.uint8)
    picture = np.repeat(grey[..., None], 3, axis=2)

    lesion = image.lesion.astype(np.uint8)
    outlines, _ = cv2.findContours(lesion, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, (90, 200, 255), 3)
    return Image.fromarray(picture)


def _join(panels: list[tuple[Image.Image, str]]) -> Image.Image:
    """Put the panels side by side at one height, each over its caption."""
    scaled = []
    for panel, _ in panels:
        width = round(panel.width * HEIGHT / panel.height)
        scaled.append(panel.convert("RGB").resize((width, HEIGHT)))

    total = sum(panel.width for panel in scaled) + GAP * (len(scaled) + 1)
    sheet = Image.new("RGB", (total, HEIGHT + CAPTION + 2 * GAP), "white")

    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(17)
    left = GAP
    for panel, (_, caption) in zip(scaled, panels, strict=True):
        sheet.paste(panel, (left, GAP))
        draw.multiline_text((left, HEIGHT + 1.4 * GAP), caption, fill="black", font=font)
        left += panel.width + GAP

    return sheet


if __name__ == "__main__":
    main()
