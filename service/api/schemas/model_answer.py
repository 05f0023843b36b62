"""Answer of GET /model."""

from pydantic import Field

from service.api.schemas.answers import Caution, ModelName, Schema
from service.api.schemas.rounding import Exact, Figure, Share


class ShareEstimate(Schema):
    """A share that was measured on test cases, with its 95 % interval."""

    value: Share
    low: Share
    high: Share


class ViewsDecision(Schema):
    """Threshold and shares of the cases of one certain number of views."""

    threshold: Share
    sensitivity: ShareEstimate | None = Field(description="Null if no case has cancer.")
    specificity: ShareEstimate | None = Field(description="Null if every case has cancer.")
    cases: int


class MeasuredLevel(Schema):
    """Decision at one level: a threshold of validation cases, and shares measured on test cases."""

    target: str = Field(description="How the threshold was chosen.")
    threshold: Share = Field(description="On the probability of the level.")
    sensitivity: ShareEstimate | None = Field(description="Null if no case has cancer.")
    specificity: ShareEstimate | None = Field(description="Null if every case has cancer.")
    cases: int = Field(description="Number of test cases.")
    with_cancer: int = Field(description="Number of these that have cancer.")
    by_views: dict[int, ViewsDecision] = Field(
        description="The same for cases of exactly that number of views, by the number."
    )


class LevelDecisions(Schema):
    """Decisions about an image, a breast and an exam.

    The probability of a breast is the mean of those of its images, and that of an exam is the
    higher one of its breasts.
    """

    image: MeasuredLevel
    breast: MeasuredLevel
    exam: MeasuredLevel


class Origin(Schema):
    """The data and the code that the model version was made from."""

    table_sha256: str = Field(description="SHA-256 of the table of images.")
    images_sha256: str = Field(description="SHA-256 over the images.")
    split_sha256: str = Field(description="SHA-256 of the split into parts.")
    commit: str | None = Field(description="Commit of the code. Null if it is not known.")
    versions: dict[str, str] = Field(description="Versions of Python and of packages, by name.")
    device: str = Field(description="Device that the network was trained on.")
    seeds: dict[str, int] = Field(description="Seeds by name.")
    patients: dict[str, int] = Field(description="Number of patients by part.")
    images: dict[str, int] = Field(description="Number of images by part.")
    first_weights_sha256: str | None = Field(
        description="SHA-256 of the file of weights that the training began with. Null if it began "
        "with random ones, or if the bundle does not say."
    )


class ModelAnswer(Schema):
    """Facts of the manifest, and warnings about the model version."""

    model: ModelName
    created: str
    classes: list[str]
    positive_class: str
    threshold: Share
    threshold_rule: str
    temperature: Exact
    input_height: int
    input_width: int
    default_layer: str
    training: str
    figures: dict[str, Figure] = Field(description="Measured when the model was trained.")
    limitations: str
    warnings: list[Caution] = Field(
        description="The warnings of every answer of the model version, and one for each fact that "
        "its bundle lacks."
    )
    offset: Exact = Field(
        description="Log-odds added to the positive class: probabilities are "
        "softmax(logits / temperature + offset). 0 for an older bundle."
    )
    deployment_prevalence: Share | None = Field(
        description="Share of images with cancer that the probabilities are calibrated for. Null "
        "if the bundle does not say."
    )
    levels: LevelDecisions | None = Field(description="Null if they were not measured.")
    provenance: Origin | None = Field(description="Null if it was not recorded.")
