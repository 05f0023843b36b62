"""One synthetic mammogram as displayed: tissue, findings, noise and marker."""

from dataclasses import dataclass

import cv2
import numpy as np

from service.records import Floats, Laterality, Mask, Pixels
from training.phantoms.anatomy import Body, View, sample_anatomy
from training.phantoms.finding import Finding, render_finding
from training.phantoms.tissue import render_tissue


@dataclass(frozen=True, slots=True)
class Detector:
    """Detector matrix and its image processing.

    Displayed grey = (tissue + noise) ** gamma, in 0..1. `noise`: standard deviation within the
    breast.
    """

    rows: int = 640
    columns: int = 480
    gamma: float = 1.0
    noise: float = 0.012


@dataclass(frozen=True, slots=True)
class PhantomImage:
    """Synthetic mammogram with its ground truth.

    The chest wall is on the left if `laterality` is L, else on the right. `pixels`: [rows,
    columns], 0 black .. 65535 white as displayed. `breast`: mask from the chest wall to the skin.
    `lesion`: mask of the cancers, None if there are none. Benign findings have no mask.
    """

    pixels: Pixels
    breast: Mask
    lesion: Mask | None
    laterality: Laterality
    view: View
    body: Body
    findings: tuple[Finding, ...]


_BODY = Body()
_DETECTOR = Detector()


def render_view(
    rng: np.random.Generator,
    *,
    laterality: Laterality = "L",
    view: View = "CC",
    findings: tuple[Finding, ...] = (),
    body: Body = _BODY,
    detector: Detector = _DETECTOR,
) -> PhantomImage:
    """Render a random mammogram of a breast with those findings.

    The image depends only on the arguments and the state of `rng`.
    """
    anatomy = sample_anatomy(rng, view, body.size, detector.rows, detector.columns)
    tissue = render_tissue(rng, anatomy, body.density)

    # Findings are drawn no finer than their detail is.
    coarse = anatomy.reduce(anatomy.fineness)
    breast = anatomy.breast()
    lesions = [render_finding(rng, coarse, view, finding).enlarge(breast) for finding in findings]
    for lesion in lesions:
        tissue += lesion.attenuation

    cancers = [
        lesion.mask
        for lesion, finding in zip(lesions, findings, strict=True)
        if finding.kind.malignant
    ]

    # A right breast is drawn as a left one and mirrored before the marker is added.
    towards_nipple = slice(None, None, 1 if laterality == "L" else -1)
    displayed = _display(rng, tissue, detector)[:, towards_nipple]

    return PhantomImage(
        pixels=_mark(rng, displayed, laterality, view),
        breast=breast[:, towards_nipple],
        lesion=np.logical_or.reduce(cancers)[:, towards_nipple] if cancers else None,
        laterality=laterality,
        view=view,
        body=body,
        findings=findings,
    )


def _display(rng: np.random.Generator, tissue: Floats, detector: Detector) -> Floats:
    """Return displayed grey, 0..1, with noise in the breast and less noise in the air around it."""
    noise = rng.standard_normal(tissue.shape, dtype=np.float32)
    noise *= np.float32(detector.noise) * np.minimum(0.1 + 3 * tissue, 1)

    grey = np.clip(tissue + noise, 0, 1)
    return np.asarray(grey ** np.float32(detector.gamma), np.float32)


def _mark(
    rng: np.random.Generator, displayed: Floats, laterality: Laterality, view: View
) -> Pixels:
    """Return the pixels with laterality and view in the upper corner away from the chest wall."""
    rows, columns = displayed.shape
    text = laterality + rng.choice([" ", "-", ""]) + view
    scale = rows / 1300 * rng.uniform(0.9, 1.2)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    margin = int(columns * rng.uniform(0.03, 0.07))
    baseline = height + int(rows * rng.uniform(0.03, 0.08))
    left = columns - margin - width if laterality == "L" else margin

    marker = np.zeros((rows, columns), np.uint8)
    cv2.putText(
        marker, text, (left, baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1, cv2.LINE_AA
    )

    marked = np.maximum(displayed, marker * np.float32(rng.uniform(0.6, 1.0) / 255))
    return np.asarray(np.round(marked * 65535), np.uint16)
