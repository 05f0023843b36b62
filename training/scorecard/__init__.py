"""Test whether a network learned anatomy or a shortcut.

The result is a model's scorecard, and reference ranges for the figures of its single images.
"""

from training.scorecard.score import Parts, SampleSizes, open_parts, score_experiment, score_model

__all__ = ["Parts", "SampleSizes", "open_parts", "score_experiment", "score_model"]
