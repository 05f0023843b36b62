"""Whether a network learned anatomy or a shortcut: a model's scorecard, and the reference of its single images."""

from training.scorecard.score import Parts, SampleSizes, open_parts, score_experiment, score_model

__all__ = ["Parts", "SampleSizes", "open_parts", "score_experiment", "score_model"]
