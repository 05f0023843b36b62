"""Criteria of a scorecard: the requirement for each figure, and its meaning in a sentence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from service.model import ScorecardEntry, Verdict
from training.config import Requirements
from training.scorecard.estimates import Estimate


@dataclass(frozen=True, slots=True)
class Criterion:
    """Bounds of a figure, and its meaning. A criterion without bounds is informative only.

    `min_cases`: number of cases below which a counted figure is undecided. `required`: whether the
    criterion is undecided, rather than informative, if its figure could not be measured.
    """

    meaning: str
    minimum: float | None = None
    maximum: float | None = None
    min_cases: int = 0
    required: bool = True

    def judge(self, name: str, estimate: Estimate | None) -> ScorecardEntry:
        """Return the scorecard entry of a figure. A value that is not finite was not measured."""
        measured = estimate if estimate and math.isfinite(estimate.value) else None

        return ScorecardEntry(
            name=name,
            value=measured.value if measured else None,
            asked=self._requirement(),
            verdict=self._verdict(measured),
            meaning=self.meaning,
            low=measured.low if measured else None,
            high=measured.high if measured else None,
            cases=measured.cases if measured else None,
        )

    def _requirement(self) -> str:
        if self.minimum is not None:
            return f"at least {self.minimum:g}"
        return "-" if self.maximum is None else f"at most {self.maximum:g}"

    def _verdict(self, measured: Estimate | None) -> Verdict:
        """Return the verdict. With an interval, all of it must lie on one side of the bound."""
        if self.minimum is None and self.maximum is None:
            return "informative"
        if measured is None:
            return "undecided" if self.required else "informative"
        if measured.cases is not None and measured.cases < self.min_cases:
            return "undecided"

        low = measured.value if measured.low is None else measured.low
        high = measured.value if measured.high is None else measured.high
        minimum = -math.inf if self.minimum is None else self.minimum
        maximum = math.inf if self.maximum is None else self.maximum

        if minimum <= low and high <= maximum:
            return "pass"
        return "fail" if high < minimum or low > maximum else "undecided"


MIN_CASES = 20
"""Number of cases below which a share or an AUC is undecided."""

MIN_GAPS = 8
"""Number of images below which the mean of their gaps is undecided."""

STATIONARY = 0.25
"""Share of peaks in the commonest cell of a grid of at least 12 cells."""

EVEN_SPREADS = 3
"""Share of peaks in the commonest cell of a small grid, in shares of an even spread over its cells.

With few cells, some cell is the commonest by far even for a sound network.
"""

CRITERIA: Mapping[str, Criterion] = {
    "auc": Criterion(
        "How well the margin separates single images. A network that does not separate the "
        "classes has nothing to explain.",
        minimum=0.65,
        min_cases=MIN_CASES,
    ),
    "breast_auc": Criterion(
        "How well the mean margin of a breast's views separates breasts.",
        minimum=0.7,
        min_cases=MIN_CASES,
    ),
    "without_breast": Criterion(
        "AUC with the breast black. The remaining signal comes from markers, frames or the "
        "breast's absence.",
        maximum=0.65,
        min_cases=MIN_CASES,
    ),
    "corners": Criterion(
        "AUC with the four corners alone: a marker or a label betrays the class.",
        maximum=0.65,
        min_cases=MIN_CASES,
    ),
    "silhouette": Criterion(
        "AUC with the breast in its own mean grey: how far size, shape and brightness of the "
        "breast betray the class.",
        maximum=0.75,
        min_cases=MIN_CASES,
    ),
    "surroundings": Criterion(
        "AUC lost with everything outside the breast black: how much the network needs the "
        "surroundings. A network that has learned both a marker and the lesion loses little."
    ),
    "peak_in_breast": Criterion(
        "Share of heatmaps of rightly positive images whose peak is in the breast.",
        minimum=0.8,
        min_cases=MIN_CASES,
    ),
    "blank": Criterion(
        "Share of rightly positive images whose heatmap is blank.",
        maximum=0.1,
        min_cases=MIN_CASES,
    ),
    "stationary": Criterion(
        "Share of heatmaps whose peak is in the one commonest cell. A network that looks at the "
        "same place in every image has not learned to look. A grid of fewer than 12 cells is "
        "allowed three times an even spread.",
        maximum=STATIONARY,
        min_cases=MIN_CASES,
    ),
    "similarity": Criterion(
        "Mean correlation of the heatmaps of two different images.", maximum=0.5
    ),
    "insertion_gap": Criterion(
        "Margin gained when the hottest pixels enter a blurred image, minus the gain with random "
        "maps, in standard deviations of the margin over images. It shows that there is evidence "
        "where the heat is.",
        minimum=0.3,
        min_cases=MIN_GAPS,
    ),
    "deletion_gap": Criterion(
        "Margin lost when the hottest pixels are blurred, minus the loss with random maps, in "
        "standard deviations of the margin over images.",
        minimum=0.3,
        min_cases=MIN_GAPS,
    ),
    "randomisation": Criterion(
        "Structural similarity of heatmaps with those of the same network with random weights. A "
        "method whose maps stay alike shows the image, not the network.",
        maximum=0.5,
    ),
    "repeated": Criterion(
        "Largest difference of the margin between two equal passes, in standard deviations."
    ),
    "batched": Criterion(
        "Largest difference of the margin between a batch and its images one by one, in standard "
        "deviations."
    ),
    "dead_everywhere": Criterion(
        "Share of filters dark on every image, in the layer where it is lowest. Single layers may "
        "have many dead filters, but if every layer has lost its filters, a fault has killed them.",
        maximum=0.4,
    ),
    "cka": Criterion(
        "Similarity of the features of a middle and the deepest layer. Near 1, the layers between "
        "add nothing."
    ),
    "pointing": Criterion(
        "Share of peaks in the lesion, over images rightly decided to be positive.",
        minimum=0.5,
        min_cases=MIN_CASES,
        required=False,
    ),
    "mass": Criterion("Share of the heat in the lesion."),
    "rank": Criterion(
        "Share of the hottest pixels in the lesion, where the number of pixels is that of the "
        "lesion."
    ),
    "iou": Criterion("Overlap of the lesion with the heat above Otsu's threshold."),
}
"""Criteria of the figures that every network has."""

LAYER_CRITERIA: Mapping[str, Criterion] = {
    "dead_filters": Criterion(
        "Share of the layer's filters that are dark on every image. Healthy networks may have many."
    ),
    "randomised to": Criterion(
        "Structural similarity of the heatmaps with the weights made random from the top down to "
        "this layer."
    ),
}
"""Criteria of the figures of single layers. The name of the layer follows that of the figure."""


def judge(
    figures: Mapping[str, Estimate | None], requirements: Requirements, cells: int
) -> tuple[ScorecardEntry, ...]:
    """Return the entries of a scorecard in the order of the criteria, then those of layers.

    `cells`: number of cells of the heatmaps.
    """
    most_stationary = max(STATIONARY, EVEN_SPREADS / cells)
    criteria = {
        **CRITERIA,
        "stationary": replace(CRITERIA["stationary"], maximum=most_stationary),
        "auc": replace(CRITERIA["auc"], minimum=requirements.min_auc),
        "breast_auc": replace(CRITERIA["breast_auc"], minimum=requirements.min_breast_auc),
    }
    of_network = (criterion.judge(name, figures.get(name)) for name, criterion in criteria.items())
    of_layers = (
        criterion.judge(name, estimate)
        for kind, criterion in LAYER_CRITERIA.items()
        for name, estimate in figures.items()
        if name.startswith(f"{kind} ")
    )
    return (*of_network, *of_layers)
