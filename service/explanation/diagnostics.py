"""The figures of a single image: what each says, which side of its reference range is an alarm, and the warnings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from service.records import Diagnostic, Heatmap, MapState, QualityWarning, ReferenceRange

UNIFORM_ENTROPY = 0.995
"""Normalised entropy above which a map points nowhere: heat spread evenly over 96 % of a 57 x 41 grid has it."""

BLANK_REASONS = {
    MapState.DEAD_LAYER: "every filter of the layer is zero on this image",
    MapState.ZERO_GRADIENT: "the score does not depend on the layer (saturated or dead units behind it)",
    MapState.ALL_NEGATIVE: "nothing in the image speaks for this class at this layer",
    MapState.NOT_FINITE: "the network produced values that are not finite",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure by name: its meaning in a phrase, and the side of the reference range that is an alarm, if one is."""

    name: str
    meaning: str
    alarm: Literal["low", "high"] | None = None


FIGURES = {
    figure.name: figure
    for figure in (
        Figure("heat_in_breast", "share of the heat in cells centred in the breast"),
        Figure("breast_share", "share of the cells that are centred in the breast"),
        Figure("lift", "heat_in_breast / breast_share: 1 for a uniform map", "low"),
        Figure("peak_in_breast", "1 where the hottest cell is centred in the breast, else 0"),
        Figure("area_above_half", "share of the cells at or above half the peak"),
        Figure(
            "entropy",
            "of the heat over cells, relative to its maximum: 1 for a uniform map",
            "high",
        ),
        Figure("gini", "inequality of the heat over cells: 0 for a uniform map"),
        Figure(
            "border_lift", "heat along the frame, but for the chest wall, relative to an even map"
        ),
        Figure("corner_lift", "heat in the hottest corner of the frame relative to an even map"),
        Figure("agreement", "correlation of Grad-CAM with HiResCAM at the same layer", "low"),
        Figure("dark_share", "share of the layer's filters that are dark on this image"),
        Figure("duplicate_share", "share of its other filters whose map another one repeats"),
        Figure("effective_rank", "number of independent maps among them"),
        Figure("domain_distance", "of the image from the reference images in the model's features"),
        Figure("stability", "correlation of the map with those of copies with 1 % noise"),
        Figure(
            "insertion_gap", "logits gained by the hottest pixels over those of random maps", "low"
        ),
        Figure("deletion_gap", "logits lost without the hottest pixels over those of random maps"),
        Figure("completeness", "relative error of the attributions' sum"),
    )
}


def measure(
    figures: Mapping[str, float], ranges: Mapping[str, ReferenceRange]
) -> dict[str, Diagnostic]:
    """Each figure beside the model version's own range, and whether it is out of it on the side that is an alarm."""
    return {
        name: Diagnostic(
            value, ranges.get(name), _is_unusual(FIGURES[name], value, ranges.get(name))
        )
        for name, value in figures.items()
    }


def _is_unusual(figure: Figure, value: float, reference: ReferenceRange | None) -> bool:
    if reference is None or figure.alarm is None:
        return False
    return value < reference.low if figure.alarm == "low" else value > reference.high


def unusual_warnings(measures: Mapping[str, Diagnostic]) -> tuple[QualityWarning, ...]:
    """One warning for each figure that is out of its range."""
    return tuple(
        QualityWarning(
            f"unusual-{name.replace('_', '-')}",
            f"{name} is {measured.value:.3g}, {measured.reference.low:.3g} to {measured.reference.high:.3g} on the "
            f"model's reference images ({FIGURES[name].meaning}).",
        )
        for name, measured in measures.items()
        if measured.unusual and measured.reference is not None
    )


def heatmap_warnings(
    heatmap: Heatmap, measures: Mapping[str, Diagnostic], *, positive: bool
) -> tuple[QualityWarning, ...]:
    """The warnings that need no reference: blank, outside the breast, without effect, uniform.

    `positive`: the decision on the image. A finding outside the breast is never right; on an image without a finding,
    and of heat as a whole, the model's own range decides where there is one: a cell centred beside the breast still
    sees it, and how much that matters depends on the layer.
    """
    if heatmap.state is not MapState.OK:
        return (
            QualityWarning(
                "heatmap-blank", f"The heatmap is blank: {BLANK_REASONS[heatmap.state]}."
            ),
        )
    warnings = []
    peak, lift = measures["peak_in_breast"], measures.get("lift")
    if not peak.value and (positive or peak.reference is None or peak.reference.low > 0):
        warnings.append(
            QualityWarning("peak-outside-breast", "The hottest spot lies outside the breast.")
        )
    if lift is not None and lift.reference is None and lift.value < 1:
        message = "The breast holds less of the heat than its share of the image: the map may show a shortcut."
        warnings.append(QualityWarning("heat-outside-breast", message))
    gap = measures.get("insertion_gap")
    if positive and gap is not None and gap.value <= 0:
        message = "The hottest pixels matter no more to the prediction than those of random maps."
        warnings.append(QualityWarning("heat-without-effect", message))
    if measures["entropy"].value > UNIFORM_ENTROPY:
        warnings.append(
            QualityWarning(
                "heatmap-uniform", "The heat is spread almost evenly: the map points nowhere."
            )
        )
    return tuple(warnings)
