"""Test whether a network learned anatomy or a shortcut.

The result is a model's scorecard, and reference ranges for the figures of its single images.
"""

from training.scorecard.effort import SampleSizes, ScorecardEffort
from training.scorecard.kept_steps import Steps
from training.scorecard.score import Parts, open_parts, score_model

__all__ = [
    "Parts",
    "SampleSizes",
    "ScorecardEffort",
    "Steps",
    "open_parts",
    "score_model",
]
