"""Facts of bundles in tests."""

from dataclasses import replace
from typing import Any

from service.records import FitParameters
from training.introspection.description import BundleFacts


def untested_facts(height: int, width: int, **changes: Any) -> BundleFacts:
    """Return facts for a classifier of two classes whose input is `height` x `width` pixels.

    `changes`: the facts that matter to a test.
    """
    facts = BundleFacts(
        name="tiny",
        version=2,
        classes=("no_cancer", "cancer"),
        positive_class="cancer",
        threshold=0.5,
        threshold_rule="Set by hand.",
        temperature=1.0,
        preprocessing=FitParameters(height=height, width=width),
        layers=None,
        default_layer=None,
        training="None.",
        figures={},
        intended_use="Tests.",
        limitations="All.",
    )

    return replace(facts, **changes)
