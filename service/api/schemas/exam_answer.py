"""The JSON of an exam on the wire."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from service.api.schemas.answers import (
    Caution,
    Diagnostics,
    Image,
    Layer,
    ModelName,
    Prediction,
    Schema,
)
from service.api.schemas.heatmap_answer import Heat
from service.api.schemas.problem_schema import ImageProblem
from service.api.schemas.rounding import Milliseconds, Percentage, Share
from service.records import Laterality, Method, NotCounted

_NO_THRESHOLD = "Null if the model version has no threshold for such a case."


class AnsweredExamImage(Schema):
    """An image of the exam that was answered."""

    status: Literal["answered"]
    image: Image
    prediction: Prediction
    heat: Heat | None = Field(description="Null if the option `heat` leaves it out.")
    diagnostics: Diagnostics
    warnings: list[Caution]
    counted: bool = Field(description="Whether the image counts for its breast.")
    not_counted: NotCounted | None = Field(description="Why it does not count; null if it does.")


class RefusedExamImage(Schema):
    """An image of the exam that was refused."""

    status: Literal["refused"]
    problem: ImageProblem


class ExamImage(
    RootModel[Annotated[AnsweredExamImage | RefusedExamImage, Field(discriminator="status")]]
):
    """An image of the exam: answered or refused, as `status` says."""


class LevelPrediction(Schema):
    """A probability and a decision at the threshold measured for such a case."""

    probability: Share
    threshold: Share | None = Field(description=_NO_THRESHOLD)
    threshold_rule: str | None = Field(description="How the threshold was chosen, or null.")
    positive: bool | None = Field(
        description="Whether the probability reaches the threshold, or null."
    )
    percentile: Percentage | None = Field(
        description="Share of cancer-free validation cases whose probability is lower, in per "
        "cent. Null if none was measured for such a case."
    )


class BreastPrediction(LevelPrediction):
    """The decision on a breast: the mean of the probabilities of its images that count."""

    images: list[int] = Field(
        description="The images that count, by their position in the request from 0."
    )


class BreastPredictions(Schema):
    """The decision on each breast. Null if no image of it counts."""

    left: BreastPrediction | None = Field(serialization_alias="L")
    right: BreastPrediction | None = Field(serialization_alias="R")


class ExamPrediction(LevelPrediction):
    """The decision on the exam: the probability of the higher breast."""

    driven_by: Laterality = Field(description="The breast with the higher probability.")
    views: list[str] = Field(description="The standard views that count, such as `L-CC`.")
    missing_views: list[str] = Field(description="The other ones of the four standard views.")
    complete: bool = Field(description="Whether every standard view counts.")


class ExamAnswer(Schema):
    """The decisions on an exam, its breasts and its images."""

    model: ModelName
    method: Method
    layer: Layer | None = Field(description="Null if the method explains the input itself.")
    images: list[ExamImage] = Field(description="In the order of the request.")
    breasts: BreastPredictions
    exam: ExamPrediction | None = Field(description="Null if no image counts.")
    warnings: list[Caution] = Field(description="About the exam as a whole.")
    timings_ms: dict[str, Milliseconds] = Field(
        description="Milliseconds by step, over all images. Images are worked on in parallel."
    )
