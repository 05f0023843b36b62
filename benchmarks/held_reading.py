"""Runs the pipeline on a mammogram that has already been read, for several questions about one."""

from service import pipeline
from service.imaging import Read, Reading
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import Explanation, ImagePrediction, Question
from service.records import FitParameters


def predict_reading(model: Model, reading: Reading) -> ImagePrediction:
    """Predict the class probabilities of the mammogram."""
    return pipeline.predict(model, _held(reading), b"", Stopwatch())


def explain_reading(model: Model, reading: Reading, question: Question) -> Explanation:
    """Predict the mammogram and answer the question with a heatmap."""
    return pipeline.explain(model, _held(reading), b"", Stopwatch(), question)


def _held(reading: Reading) -> Read:
    """Return a reader that returns this reading for any file."""

    def read_held(
        data: bytes,  # noqa: ARG001 - as `Read` has it
        parameters: FitParameters,  # noqa: ARG001
        picture_edge: float = 0,  # noqa: ARG001
    ) -> Reading:
        return reading

    return read_held
