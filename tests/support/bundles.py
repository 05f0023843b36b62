"""Facts of bundles in tests."""

from dataclasses import replace
from typing import Any

from benchmarks.untrained import untrained_facts
from service.records import FitParameters
from training.introspection.description import BundleFacts


def untested_facts(height: int, width: int, **changes: Any) -> BundleFacts:
    """Return facts for a classifier of two classes whose input is `height` x `width` pixels.

    `changes`: the facts that matter to a test.
    """
    facts = untrained_facts("tiny", FitParameters(height=height, width=width))
    return replace(facts, **({"version": 2} | changes))
