"""Figures of a single image: their meaning, the side that is an alarm, and the warnings."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.records import Alarm, Diagnostic, Heatmap, MapState, QualityWarning, ReferenceRange

UNIFORM_ENTROPY = 0.995
"""Normalised entropy above which a map counts as uniform.

Heat spread evenly over 96 % of a 57 x 41 grid has this entropy.
"""

BLANK_REASONS = {
    MapState.DEAD_LAYER: "every filter of the layer is zero on this image",
    MapState.ZERO_GRADIENT: (
        "the score does not depend on the layer (later units are saturated or dead)"
    ),
    MapState.ALL_NEGATIVE: "no part of the image is evidence for this class at this layer",
    MapState.NOT_FINITE: "the network produced values that are not finite",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A kind of figure.

    `meaning`: a phrase. `alarm`: the side of the reference range beyond which a value is an alarm.
    It is None if neither side is.
    """

    name: str
    meaning: str
    alarm: Alarm | None = None


FIGURES = {
    figure.name: figure
    for figure in (
        Figure("heat_in_breast", "share of the heat in cells centred in the breast"),
        Figure("breast_share", "share of the cells that are centred in the breast"),
        Figure("lift", "heat_in_breast / breast_share: 1 for a uniform map", "below"),
        Figure("peak_in_breast", "1 where the hottest cell is centred in the breast, else 0"),
        Figure("area_above_half", "share of the cells at or above half the peak"),
        Figure(
            "entropy",
            "entropy of the heat over cells, relative to its maximum: 1 for a uniform map",
            "above",
        ),
        Figure("gini", "inequality of the heat over cells: 0 for a uniform map"),
        Figure(
            "border_lift",
            "heat along the frame except at the chest wall, relative to a uniform map",
        ),
        Figure("corner_lift", "heat in the hottest corner of the frame, relative to a uniform map"),
        Figure("agreement", "correlation of Grad-CAM with HiResCAM at the same layer", "below"),
        Figure("dark_share", "share of the layer's filters that are dark on this image"),
        Figure(
            "duplicate_share", "share of the other filters whose map repeats another filter's map"
        ),
        Figure("effective_rank", "effective number of independent maps in the layer"),
        Figure("domain_distance", "distance from the reference images in the model's features"),
        Figure("stability", "mean correlation with the maps of copies with 1 % noise"),
        Figure(
            "insertion_gap",
            "logits gained with the hottest pixels, beyond those of random maps",
            "below",
        ),
        Figure(
            "deletion_gap", "logits lost without the hottest pixels, beyond those of random maps"
        ),
        Figure("completeness", "relative error of the attributions' sum"),
    )
}


def diagnose(
    figures: Mapping[str, float], ranges: Mapping[str, ReferenceRange]
) -> dict[str, Diagnostic]:
    """Put each figure beside the reference range of the model version, if it has one.

    Raises:
        KeyError: a figure is not in `FIGURES`.
    """
    diagnostics = {}
    for name, value in figures.items():
        reference = ranges.get(name)
        alarm = FIGURES[name].alarm
        unusual = _is_unusual(value, reference, alarm)
        diagnostics[name] = Diagnostic(value, reference, unusual, alarm)
    return diagnostics


def _is_unusual(value: float, reference: ReferenceRange | None, alarm: Alarm | None) -> bool:
    """Return whether a value is outside its range on the side that is an alarm."""
    if reference is None or alarm is None:
        return False
    return value < reference.low if alarm == "below" else value > reference.high


def unusual_warnings(diagnostics: Mapping[str, Diagnostic]) -> tuple[QualityWarning, ...]:
    """Return a warning for each unusual figure. Its code is `unusual-` and the figure's name."""
    warnings = []
    for name, diagnostic in diagnostics.items():
        reference = diagnostic.reference
        if reference is None or not diagnostic.unusual:
            continue

        code = f"unusual-{name.replace('_', '-')}"
        message = (
            f"{name} is {diagnostic.value:.3g}, {diagnostic.alarm} the model's reference range "
            f"{reference.low:.3g} to {reference.high:.3g} ({FIGURES[name].meaning})."
        )
        warnings.append(QualityWarning(code, message))
    return tuple(warnings)


def heatmap_warnings(
    heatmap: Heatmap, diagnostics: Mapping[str, Diagnostic], *, positive: bool
) -> tuple[QualityWarning, ...]:
    """Return the warnings about a heatmap other than its unusual figures.

    `positive`: the decision on the image. A blank map has one warning, `heatmap-blank`. The others
    are:

    - `peak-outside-breast`: on a positive image in any case, since a lesion is never outside the
      breast. On a negative image only if `peak_in_breast` has no reference range, or a range that
      begins above 0.
    - `heat-outside-breast`: a lift below 1, only if `lift` has no reference range. With a range,
      `unusual_warnings` decides.
    - `heat-without-effect`: on a positive image, if the insertion gap was computed and is not
      above 0.
    - `heatmap-uniform`: an entropy above `UNIFORM_ENTROPY`.

    So two of the warnings depend on a reference range: `peak-outside-breast`, on a negative image,
    and `heat-outside-breast`. A cell centred beside the breast still sees part of the breast, and
    how much heat is normal there depends on the layer.
    """
    if heatmap.state is not MapState.OK:
        message = f"The heatmap is blank: {BLANK_REASONS[heatmap.state]}."
        return (QualityWarning("heatmap-blank", message),)

    warnings = []

    peak = diagnostics["peak_in_breast"]
    is_suspicious = positive or peak.reference is None or peak.reference.low > 0
    if not peak.value and is_suspicious:
        message = "The hottest spot lies outside the breast, where the picture fades it."
        warnings.append(QualityWarning("peak-outside-breast", message))

    lift = diagnostics.get("lift")
    if lift is not None and lift.reference is None and lift.value < 1:
        message = (
            "The breast holds less of the heat than its share of the image. The model may rely on "
            "a shortcut. The picture fades the heat outside the breast."
        )
        warnings.append(QualityWarning("heat-outside-breast", message))

    gap = diagnostics.get("insertion_gap")
    if positive and gap is not None and gap.value <= 0:
        message = "The hottest pixels matter no more to the prediction than those of random maps."
        warnings.append(QualityWarning("heat-without-effect", message))

    if diagnostics["entropy"].value > UNIFORM_ENTROPY:
        message = "The heat is spread almost evenly, so the map does not indicate any place."
        warnings.append(QualityWarning("heatmap-uniform", message))

    return tuple(warnings)
