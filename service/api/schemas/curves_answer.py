"""Answer of GET /model/curves."""

from pydantic import Field

from service.api.schemas.answers import ModelName, Schema
from service.api.schemas.model_answer import ShareEstimate
from service.api.schemas.rounding import Share
from service.model.curves import MAX_BINS, MAX_POINTS


class Roc(Schema):
    """Lists of one length: a point of the curve at each place."""

    false_positive_rate: list[Share] = Field(
        max_length=MAX_POINTS,
        description="Shares of the cases without cancer, from 0 up to 1.",
    )
    sensitivity: list[Share] = Field(
        max_length=MAX_POINTS,
        description="The highest where at most that share of the cases without cancer is positive.",
    )
    low: list[Share] = Field(
        max_length=MAX_POINTS, description="Lower ends of the sensitivities' 95 % intervals."
    )
    high: list[Share] = Field(
        max_length=MAX_POINTS, description="Upper ends of the sensitivities' 95 % intervals."
    )


class RocOfLevel(Schema):
    """ROC curve of one level over test cases."""

    roc: Roc
    auc: ShareEstimate
    cases: int = Field(description="Number of test cases.")
    with_cancer: int = Field(description="Number of these that have cancer.")


class RocCurves(Schema):
    """ROC curves by level. Null where no test case has cancer, or every one has."""

    image: RocOfLevel | None
    breast: RocOfLevel | None
    exam: RocOfLevel | None


class ReliabilityBin(Schema):
    """Test images of similar probability."""

    probability: Share = Field(description="Their mean, at the prevalence of the test data.")
    observed: Share = Field(description="Share of them that has cancer.")
    low: Share = Field(description="Lower end of the 95 % interval of `observed`.")
    high: Share = Field(description="Upper end of the 95 % interval of `observed`.")
    count: int = Field(description="Number of images.")


class MeasuredCalibration(Schema):
    """Probabilities of single test images beside what was observed."""

    error: Share = Field(description="Expected calibration error.")
    bins: list[ReliabilityBin] = Field(
        max_length=MAX_BINS, description="Of nearly equal size, by ascending probability."
    )


class CurvesAnswer(Schema):
    """ROC curves and calibration of the model version, measured on test cases."""

    model: ModelName
    levels: RocCurves | None = Field(description="Null if they were not measured.")
    calibration: MeasuredCalibration | None = Field(description="Null if it was not measured.")
