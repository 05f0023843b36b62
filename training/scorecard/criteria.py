"""The lines of a scorecard: what is asked of each figure, and what it means in a sentence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from service.model import ScorecardEntry, Verdict


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a figure must be, at least or at most, and what that means; neither: it is told, and asks for nothing.

    `required`: whether a figure that could not be measured is a failure.
    """

    meaning: str
    minimum: float | None = None
    maximum: float | None = None
    required: bool = True

    def judge(self, name: str, value: float | None) -> ScorecardEntry:
        """The line of that figure; one that is not finite counts as not measured."""
        value = value if value is not None and math.isfinite(value) else None
        return ScorecardEntry(
            name=name,
            value=value,
            asked=self._asked(),
            verdict=self._verdict(value),
            meaning=self.meaning,
        )

    def _asked(self) -> str:
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
        "How well the margin tells the classes apart; a network that tells nothing apart has nothing to explain.",
        minimum=0.7,
    ),
    "without_breast": Criterion(
        "AUC with the breast black: what is left comes from markers, frames or the breast's absence.",
        maximum=0.65,
    ),
    "corners": Criterion(
        "AUC with the four corners alone: a marker or a label betrays the class.", maximum=0.65
    ),
    "silhouette": Criterion(
        "AUC with the breast in its own mean grey: what size, shape and brightness of the breast betray.",
        maximum=0.75,
    ),
    "surroundings": Criterion(
        "AUC lost with everything outside the breast black: how much the network needs what lies there. One that has "
        "learned a marker and the lesion as well loses little."
    ),
    "peak_in_breast": Criterion(
        "Share of heatmaps of positive images whose peak is in the breast.", minimum=0.9
    ),
    "blank": Criterion("Share of positive images whose heatmap is blank.", maximum=0.05),
    "stationary": Criterion(
        "Share of heatmaps whose peak is in the one commonest cell: a network that looks at the same place in every "
        "image has not learned to look.",
        maximum=0.25,
    ),
    "similarity": Criterion(
        "Mean correlation of the heatmaps of two different images.", maximum=0.5
    ),
    "insertion_gap": Criterion(
        "Logits gained when the hottest pixels enter a blurred image, over those of random maps: where heat is, there "
        "is evidence.",
        minimum=0.5,
    ),
    "deletion_gap": Criterion(
        "Logits lost when the hottest pixels are blurred, over those of random maps.", minimum=0.5
    ),
    "randomisation": Criterion(
        "Structural similarity of heatmaps with those of the same network with random weights: a method whose maps "
        "stay alike shows the image, not the network.",
        maximum=0.5,
    ),
    "repeated": Criterion(
        "Largest difference of the margin between two equal passes, in logits.", maximum=0.0
    ),
    "batched": Criterion(
        "Largest relative difference between a batch and its images one by one.", maximum=1e-3
    ),
    "dead_everywhere": Criterion(
        "Share of filters dark on every image in the layer that has the fewest: single layers may have many, but where "
        "every layer has lost its filters, something has killed them.",
        maximum=0.4,
    ),
    "cka": Criterion(
        "Similarity of the features of a middle and the deepest layer: near 1, the layers between add nothing."
    ),
    "pointing": Criterion(
        "Share of peaks in the lesion, over images rightly decided to be positive.",
        minimum=0.5,
        required=False,
    ),
    "mass": Criterion("Share of the heat in the lesion."),
    "rank": Criterion("Of the hottest pixels, as many as the lesion has, the share in it."),
    "iou": Criterion("Overlap of the lesion with the heat above Otsu's threshold."),
}
"""The figures that every network has; those with a layer in their name are in `layer_entries`."""


def layer_entries(
    dead: Mapping[str, float], similarities: Mapping[str, float]
) -> list[ScorecardEntry]:
    """The lines that every layer has of its own."""
    dark = Criterion(
        "Share of the layer's filters that are dark on every image: healthy networks have many, but one without any "
        "that is alive passes nothing on.",
        maximum=0.9,
    )
    told = Criterion(
        "Structural similarity of heatmaps once the weights are random from the top down to this layer."
    )
    return [
        *(dark.judge(f"dead_filters {layer}", share) for layer, share in dead.items()),
        *(told.judge(f"randomised to {layer}", value) for layer, value in similarities.items()),
    ]
