"""Sheet of an epoch: a row for each example, with its image, its heat and its figures."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from service import explanation, rendering
from service.geometry import IDENTITY
from service.records import Box
from service.rendering import Colormap, Style
from training.watching.example_heat import ExampleHeat, hits_lesion
from training.watching.sheet import (
    CAUTION,
    GAP,
    LABELS,
    MUTED,
    RGB,
    TEXT,
    Line,
    below,
    beside,
    coloured,
    draw_outline,
    framed,
    grey_tile,
    text_height,
    text_tile,
    to_tile,
)

_STYLE = Style(Colormap.INFERNO, opacity=0.6, long_edge=float("inf"))
_NOTES = 150  # width of the text beside an example
_RING = 6
_WHITE = (255, 255, 255)


def draw_epoch(epoch: int, heats: Sequence[ExampleHeat], figures: Mapping[str, float]) -> RGB:
    """Draw the examples of an epoch: those with cancer at the left, the others at the right.

    Heat has its full colour at the median peak of the examples, so that weak heat looks weak.
    `figures`: of the epoch, by name.
    """
    full = full_value(heats)
    columns = [
        below([_row(one, full) for one in heats if one.example.record.cancer is cancer])
        for cancer in (True, False)
        if any(one.example.record.cancer is cancer for one in heats)
    ]
    body = beside(columns, 3 * GAP)

    width = body.shape[1]
    title = [(f"epoch {epoch}: Grad-CAM for cancer at {heats[0].layer.name}", TEXT)]
    told = [f"{name} {value:.4g}" for name, value in figures.items()]
    title += [(line, MUTED) for line in _wrapped(told, width)]
    legend = [
        (f"Full colour: {full:.3g}, the median peak of these examples.", MUTED),
        ("Ring: the peak, red outside the breast. Outline: a known lesion.", MUTED),
    ]
    return framed(below([_text(title, width), body, _text(legend, width)]))


def full_value(heats: Sequence[ExampleHeat]) -> float:
    """Return the median raw peak of the heatmaps that are not blank, 0 if all are."""
    peaks = [one.heatmap.peak.value for one in heats if one.heatmap.peak]
    return float(np.median(peaks)) if peaks else 0.0


def _row(heat: ExampleHeat, full: float) -> RGB:
    grey = grey_tile(heat.example.image)
    plain = coloured(grey)
    overlay = _overlay(heat, grey, full)
    if heat.example.lesion is not None:
        draw_outline(plain, heat.example.lesion)
        draw_outline(overlay, heat.example.lesion)

    return beside([plain, overlay, text_tile(_notes(heat, full), grey.shape[0], _NOTES)])


def _overlay(heat: ExampleHeat, grey: RGB, full: float) -> RGB:
    """Draw the heat over the image, with a ring at its peak."""
    mask = heat.example.mask
    rows, columns = mask.shape
    drawn = explanation.drawn_heat(
        heat.heatmap,
        heat.layer.receptive_field,
        mask,
        IDENTITY,
        Box(0, 0, columns, rows),
        full,
    )
    picture = rendering.overlay_samples(grey, mask.shape, drawn, _STYLE)

    peak = heat.heatmap.peak
    if peak is not None:
        x, y = to_tile(mask.shape).apply(peak.x, peak.y)
        colour = _WHITE if heat.figures["peak_in_breast"] else CAUTION
        cv2.circle(picture, (round(x), round(y)), _RING, colour, 1, cv2.LINE_AA)
    return picture


def _notes(heat: ExampleHeat, full: float) -> list[Line]:
    """Return the text beside an example: label, margin, peak and spread of the heat."""
    record = heat.example.record
    lines = [
        (f"{heat.example.number}  {record.laterality} {record.view}", TEXT),
        LABELS[record.cancer],
        (f"margin {heat.margin:+.2f}", TEXT if (heat.margin > 0) == record.cancer else CAUTION),
    ]
    peak = heat.heatmap.peak
    if peak is None:
        return [*lines, ("no heat:", CAUTION), (heat.heatmap.state.replace("_", " "), CAUTION)]

    in_breast = bool(heat.figures["peak_in_breast"])
    place = "in the breast" if in_breast else "outside"
    lines += [
        (f"peak {place}", TEXT if in_breast else CAUTION),
        (f"peak {peak.value / full:.2g} x median", MUTED),
        (f"entropy {heat.figures['entropy']:.2f}", MUTED),
    ]
    hit = hits_lesion(heat)
    if hit is not None:
        lines.append(("lesion hit", TEXT) if hit else ("lesion missed", CAUTION))
    return lines


def _text(lines: Sequence[Line], width: int) -> RGB:
    return text_tile(lines, text_height(len(lines)), width)


def _wrapped(words: Sequence[str], width: int) -> list[str]:
    """Return parts of a list in lines that fit into a width in pixels."""
    letters = width // 7
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) + 2 <= letters:
            lines[-1] += f", {word}"
        else:
            lines.append(word)

    return lines
