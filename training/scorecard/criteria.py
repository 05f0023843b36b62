"""Criteria of a scorecard: the requirement for each figure, and its meaning in a sentence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from service.model import ScorecardEntry, Verdict


@dataclass(frozen=True, slots=True)
class Criterion:
    """Bounds of a figure, and its meaning. A criterion without bounds is informative only.

    `required`: whether the criterion fails if its figure could not be measured.
    """

    meaning: str
    minimum: float | None = None
    maximum: float | None = None
    required: bool = True

    def judge(self, name: str, value: float | None) -> ScorecardEntry:
        """Return the scorecard entry of a figure. A value that is not finite was not measured."""
        value = value if value is not None and math.isfinite(value) else None

        return ScorecardEntry(
            name=name,
            value=value,
            asked=self._requirement(),
            verdict=self._verdict(value),
            meaning=self.meaning,
        )

    def _requirement(self) -> str:
        if self.minimum is not None:
            return f"at least {self.minimum:g}"
        return "-" if self.maximum is None else f"at most {self.maximum:g}"

    def _verdict(self, value: float | None) -> Verdict:
        if self.minimum is None and self.maximum is None:
            return "informative"
        if value is None:
            return "fail" if self.required else "informative"

        too_low = self.minimum is not None and value < self.minimum
        too_high = self.maximum is not None and value > self.maximum
        return "fail" if too_low or too_high else "pass"


CRITERIA: Mapping[str, Criterion] = {
    "auc": Criterion(
        "How well the margin separates the classes. A network that does not separate them has "
        "nothing to explain.",
        minimum=0.7,
    ),
    "without_breast": Criterion(
        "AUC with the breast black. The remaining signal comes from markers, frames or the "
        "breast's absence.",
        maximum=0.65,
    ),
    "corners": Criterion(
        "AUC with the four corners alone: a marker or a label betrays the class.", maximum=0.65
    ),
    "silhouette": Criterion(
        "AUC with the breast in its own mean grey: how far size, shape and brightness of the "
        "breast betray the class.",
        maximum=0.75,
    ),
    "surroundings": Criterion(
        "AUC lost with everything outside the breast black: how much the network needs the "
        "surroundings. A network that has learned both a marker and the lesion loses little."
    ),
    "peak_in_breast": Criterion(
        "Share of heatmaps of positive images whose peak is in the breast.", minimum=0.9
    ),
    "blank": Criterion("Share of positive images whose heatmap is blank.", maximum=0.05),
    "stationary": Criterion(
        "Share of heatmaps whose peak is in the one commonest cell. A network that looks at the "
        "same place in every image has not learned to look.",
        maximum=0.25,
    ),
    "similarity": Criterion(
        "Mean correlation of the heatmaps of two different images.", maximum=0.5
    ),
    "insertion_gap": Criterion(
        "Logits gained when the hottest pixels enter a blurred image, minus the gain with random "
        "maps. It shows that there is evidence where the heat is.",
        minimum=0.5,
    ),
    "deletion_gap": Criterion(
        "Logits lost when the hottest pixels are blurred, minus the loss with random maps.",
        minimum=0.5,
    ),
    "randomisation": Criterion(
        "Structural similarity of heatmaps with those of the same network with random weights. A "
        "method whose maps stay alike shows the image, not the network.",
        maximum=0.5,
    ),
    "repeated": Criterion(
        "Largest difference of the margin between two equal passes, in logits.", maximum=0.0
    ),
    "batched": Criterion(
        "Largest relative difference between a batch and its images one by one.", maximum=1e-3
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
        required=False,
    ),
    "mass": Criterion("Share of the heat in the lesion."),
    "rank": Criterion(
        "Share of the hottest pixels in the lesion, where the number of pixels is that of the "
        "lesion."
    ),
    "iou": Criterion("Overlap of the lesion with the heat above Otsu's threshold."),
}
"""Criteria of the figures that every network has. `layer_entries` has those of single layers."""


def layer_entries(
    dead: Mapping[str, float], similarities: Mapping[str, float]
) -> list[ScorecardEntry]:
    """Return the entries of single layers, from their dead filters and their map similarities."""
    dead_filters = Criterion(
        "Share of the layer's filters that are dark on every image. Healthy networks have many "
        "dead filters, but a layer without any living one passes nothing on.",
        maximum=0.9,
    )
    randomised = Criterion(
        "Structural similarity of the heatmaps with the weights made random from the top down to "
        "this layer."
    )

    return [
        *(dead_filters.judge(f"dead_filters {layer}", share) for layer, share in dead.items()),
        *(
            randomised.judge(f"randomised to {layer}", value)
            for layer, value in similarities.items()
        ),
    ]
