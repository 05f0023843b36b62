"""Inference of each image of a request, and of all of them: results, or why there are none."""

from collections.abc import Sequence
from dataclasses import dataclass

from service import pipeline
from service.api.inference.output_tensors import InferredImage
from service.api.inference.request_json import InferenceRequest
from service.api.record import RequestRecord
from service.api.slot_request import note_refusals
from service.errors import ImageError, ImagesRefused
from service.imaging import Read
from service.model import Model
from service.observability.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class InferenceCall:
    """Input of the work on an inference: the model, what reads an image, and the request."""

    model: Model
    read: Read
    request: InferenceRequest

    def infer(self, data: bytes, timer: Stopwatch) -> InferredImage | ImageError:
        """Return the results of one image, or why it is refused."""
        question = self.request.parameters.question()
        try:
            if question is None:
                prediction = pipeline.predict(self.model, self.read, data, timer)
                return InferredImage(prediction, None)
            explanation = pipeline.explain(self.model, self.read, data, timer, question)
            return InferredImage(explanation.prediction, explanation)
        except ImageError as error:
            return error


def answered(
    outcomes: Sequence[InferredImage | ImageError], record: RequestRecord
) -> list[InferredImage]:
    """Return the results of all images.

    Raises:
        ImageError: the only image was refused.
        ImagesRefused: there are several, and some were refused. The record tells which.
    """
    refusals = {
        position: outcome
        for position, outcome in enumerate(outcomes)
        if isinstance(outcome, ImageError)
    }
    if not refusals:
        return [outcome for outcome in outcomes if isinstance(outcome, InferredImage)]
    if len(outcomes) == 1:
        raise refusals[0]

    note_refusals(record, refusals)
    raise ImagesRefused(refusals, len(outcomes))
