"""Facts of bundles whose network has random weights: for measuring time and places only."""

from service.records import FitParameters
from training.introspection.description import BundleFacts


def untrained_facts(name: str, grid: FitParameters) -> BundleFacts:
    """Return the facts of a classifier of two classes with random weights on that grid."""
    return BundleFacts(
        name=name,
        version=1,
        classes=("no_cancer", "cancer"),
        positive_class="cancer",
        threshold=0.5,
        threshold_rule="Set by hand.",
        temperature=1.0,
        preprocessing=grid,
        layers=None,
        default_layer=None,
        training="None: the weights are random.",
        figures={},
        intended_use="Measuring.",
        limitations="It knows nothing.",
    )
