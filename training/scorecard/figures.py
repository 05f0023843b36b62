"""Figures of a network as a whole, which its scorecard judges."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from service.model import Localisation
from service.pipeline.class_explanation import margins_in_batches
from service.pipeline.passes import WITH_GRADIENTS
from training.introspection.live_model import LiveModel
from training.scorecard.effort import PROBES, REPETITIONS, Passes
from training.scorecard.estimates import Estimate, mean, share
from training.scorecard.kept_steps import Steps
from training.scorecard.maps import heatmaps, layer_figures, map_figures
from training.scorecard.probes import discrimination, repeatability
from training.scorecard.randomisation import cascade
from training.scorecard.sample import Sample

GAPS = ("insertion_gap", "deletion_gap")

Estimates = dict[str, Estimate | None]


def measure(
    model: LiveModel,
    tested: Sample,
    detected: Sample,
    perturbed: Mapping[str, Sequence[float]],
    passes: Passes,
    steps: Steps,
) -> Estimates:
    """Return the figures of a network by name. A figure is None if it could not be measured.

    `detected`: those of the tested images that are rightly decided positive. A heatmap of another
    image is no finding, so the figures of heatmaps count these alone. `perturbed`: the gaps of some
    of them, in logits.
    """
    positive = model.manifest.classes.index(model.manifest.positive_class)
    count = len(tested)
    first = tested.first(passes.sizes.randomised)
    with_cancer = tested.only(tested.labels == 1).first(passes.randomised)

    # Run the network.
    whole = steps.run("margins", count, partial(margins_in_batches, model, tested.images, positive))
    probe = partial(discrimination, model, tested, whole, positive)
    aucs = steps.run("probes", count * PROBES, probe)
    explain = partial(heatmaps, model, detected, positive)
    maps, map_values = steps.run("maps", len(detected) * WITH_GRADIENTS, explain)
    dead, cka = steps.run("layers", count, partial(layer_figures, model, tested))
    cascaded = partial(cascade, model, with_cancer, positive)
    similarities = steps.run("cascade", passes.cascade, cascaded)
    repeat = partial(repeatability, model, first, positive)
    differences = steps.run("repeatability", len(first) * REPETITIONS, repeat)

    spread = float(whole.std())
    return {
        **aucs,
        **map_figures(maps, map_values),
        **{name: in_spreads(mean(perturbed.get(name, ())), spread) for name in GAPS},
        "randomisation": Estimate(list(similarities.values())[-1]),
        **{name: in_spreads(Estimate(value), spread) for name, value in differences.items()},
        "dead_everywhere": Estimate(min(dead.values())),
        "cka": None if cka is None else Estimate(cka),
        **{f"dead_filters {layer}": Estimate(value) for layer, value in dead.items()},
        **{f"randomised to {layer}": Estimate(value) for layer, value in similarities.items()},
    }


def in_spreads(logits: Estimate | None, spread: float) -> Estimate | None:
    """Return a difference of margins in standard deviations of the margin over images.

    The result does not depend on the scale of the last layer. It is None if the margin is the same
    for all images, or not finite.
    """
    if logits is None or not np.isfinite(spread) or spread == 0:
        return None

    low = None if logits.low is None else logits.low / spread
    high = None if logits.high is None else logits.high / spread
    return Estimate(logits.value / spread, low, high, logits.cases)


def lesion_figures(localisation: Localisation | None) -> Estimates:
    """Return how well Grad-CAM finds lesions. Empty if that was not measured."""
    if localisation is None:
        return {}

    images = localisation.images
    return {
        "pointing": share(round(localisation.pointing * images), images),
        "mass": Estimate(localisation.mass, cases=images),
        "rank": Estimate(localisation.rank, cases=images),
        "iou": Estimate(localisation.iou, cases=images),
    }
