"""The lines of a scorecard: what is asked of each figure, and what it means in a sentence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from service.model import Line, Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """What a figure must be, at least or at most, and what that means; neither: it is told, and asks for nothing.

    `needed`: whether a figure that could not be measured is a failure.
    """

    meaning: str
    at_least: float | None = None
    at_most: float | None = None
    needed: bool = True

    def judge(self, name: str, value: float | None) -> Line:
        """The line of that figure; one that is not finite counts as not measured."""
        value = value if value is not None and math.isfinite(value) else None
        return Line(
            name=name,
            value=value,
            asked=self._asked(),
            verdict=self._verdict(value),
            meaning=self.meaning,
        )

    def _asked(self) -> str:
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return "-" if self.at_most is None else f"at most {self.at_most:g}"

    def _verdict(self, value: float | None) -> Verdict:
        if self.at_least is None and self.at_most is None:
            return "informative"
        if value is None:
            return "fail" if self.needed else "informative"
        too_low = self.at_least is not None and value < self.at_least
        too_high = self.at_most is not None and value > self.at_most
        return "fail" if too_low or too_high else "pass"


ASKED: Mapping[str, Asked] = {
    "auc": Asked(
        "How well the margin tells the classes apart; a network that tells nothing apart has nothing to explain.",
        at_least=0.7,
    ),
    "without_breast": Asked(
        "AUC with the breast black: what is left comes from markers, frames or the breast's absence.",
        at_most=0.65,
    ),
    "corners": Asked(
        "AUC with the four corners alone: a marker or a label betrays the class.", at_most=0.65
    ),
    "silhouette": Asked(
        "AUC with the breast in its own mean grey: what size, shape and brightness of the breast betray.",
        at_most=0.75,
    ),
    "surroundings": Asked(
        "AUC lost with everything outside the breast black: how much the network needs what lies there. One that has "
        "learned a marker and the lesion as well loses little."
    ),
    "peak_in_breast": Asked(
        "Share of heatmaps of positive images whose peak is in the breast.", at_least=0.9
    ),
    "blank": Asked("Share of positive images whose heatmap is blank.", at_most=0.05),
    "stationary": Asked(
        "Share of heatmaps whose peak is in the one commonest cell: a network that looks at the same place in every "
        "image has not learned to look.",
        at_most=0.25,
    ),
    "similarity": Asked("Mean correlation of the heatmaps of two different images.", at_most=0.5),
    "insertion_gap": Asked(
        "Logits gained when the hottest pixels enter a blurred image, over those of random maps: where heat is, there "
        "is evidence.",
        at_least=0.5,
    ),
    "deletion_gap": Asked(
        "Logits lost when the hottest pixels are blurred, over those of random maps.", at_least=0.5
    ),
    "randomisation": Asked(
        "Structural similarity of heatmaps with those of the same network with random weights: a method whose maps "
        "stay alike shows the image, not the network.",
        at_most=0.5,
    ),
    "repeated": Asked(
        "Largest difference of the margin between two equal passes, in logits.", at_most=0.0
    ),
    "batched": Asked(
        "Largest relative difference between a batch and its images one by one.", at_most=1e-3
    ),
    "dead_everywhere": Asked(
        "Share of filters dark on every image in the layer that has the fewest: single layers may have many, but where "
        "every layer has lost its filters, something has killed them.",
        at_most=0.4,
    ),
    "cka": Asked(
        "Similarity of the features of a middle and the deepest layer: near 1, the layers between add nothing."
    ),
    "pointing": Asked(
        "Share of peaks in the lesion, over images rightly decided to be positive.",
        at_least=0.5,
        needed=False,
    ),
    "mass": Asked("Share of the heat in the lesion."),
    "rank": Asked("Of the hottest pixels, as many as the lesion has, the share in it."),
    "iou": Asked("Overlap of the lesion with the heat above Otsu's threshold."),
}
"""The figures that every network has; those with a layer in their name are in `of_layers`."""


def of_layers(dead: Mapping[str, float], similarities: Mapping[str, float]) -> list[Line]:
    """The lines that every layer has of its own."""
    dark = Asked(
        "Share of the layer's filters that are dark on every image: healthy networks have many, but one without any "
        "that is alive passes nothing on.",
        at_most=0.9,
    )
    told = Asked(
        "Structural similarity of heatmaps once the weights are random from the top down to this layer."
    )
    return [
        *(dark.judge(f"dead_filters {layer}", share) for layer, share in dead.items()),
        *(told.judge(f"randomised to {layer}", value) for layer, value in similarities.items()),
    ]
