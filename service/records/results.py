"""Results of an exam, as answers, pages and objects state them.

They hold no pixels. Positions of images are those of the request, from 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from service.records.heatmap import HeatRegion, HeatScale, MapState, Method, Peak
from service.records.image import ImageFacts, Laterality
from service.records.quality import QualityWarning


class NotCounted(StrEnum):
    """Reasons for which an answered image does not count for its breast.

    `view`: neither CC nor MLO. `modifier`: such as a magnification. `derivation`: not made by one
    plain exposure, and its view has a better image. `no_laterality`: nothing says its side.
    `duplicate`: the same image is there twice.
    """

    VIEW = "view"
    MODIFIER = "modifier"
    DERIVATION = "derivation"
    NO_LATERALITY = "no-laterality"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class LevelDecision:
    """A probability and the decision at its threshold.

    `threshold`, `positive`, `threshold_rule`: None if the model version has no threshold measured
    for such a case. `percentile`: share of cancer-free validation cases below, in per cent, or
    None.
    """

    probability: float
    threshold: float | None
    positive: bool | None
    percentile: float | None
    threshold_rule: str | None


@dataclass(frozen=True, slots=True)
class BreastResult:
    """The decision on one breast. `images`: positions of the images that count."""

    decision: LevelDecision
    images: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ExamDecision:
    """The decision on the exam.

    `driven_by`: the breast with the higher probability. `views`, `missing_views`: of the four
    standard views, such as L-CC, those that count and the others.
    """

    decision: LevelDecision
    driven_by: Laterality
    views: tuple[str, ...]
    missing_views: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every standard view is there."""
        return not self.missing_views


@dataclass(frozen=True, slots=True)
class ImageResult:
    """The result of one image.

    `header`: the elements of its file that objects for archives copy, as a DICOM dataset, None if
    none were asked for or the file is no DICOM. They name the patient. Nothing but
    `service.objects` reads them. `not_counted`: None if the image counts. `note`: how to read the
    heat of an image decided negative.
    """

    facts: ImageFacts
    decision: LevelDecision
    not_counted: NotCounted | None
    state: MapState
    peak: Peak | None
    regions: tuple[HeatRegion, ...]
    note: str | None
    warnings: tuple[QualityWarning, ...]
    header: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RefusedImage:
    """An image that was refused: the name of the problem, its title, detail and remedy."""

    slug: str
    title: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """The model version that gave the results. `digest`: of its bundle, 64 hexadecimal digits."""

    name: str
    version: int
    digest: str
    positive_class: str
    intended_use: str


@dataclass(frozen=True, slots=True)
class ExamResults:
    """Everything that was found out about an exam, or about one image alone.

    `exam`: None if no image counts, or for one image alone, which then has no breasts either.
    `layer`: None for a method that explains the input. `level`: of the regions.
    `scale`: as it was asked for.
    """

    model: ModelIdentity
    method: Method
    layer: str | None
    level: float
    images: tuple[ImageResult | RefusedImage, ...]
    breasts: Mapping[Laterality, BreastResult]
    exam: ExamDecision | None
    warnings: tuple[QualityWarning, ...] = ()
    scale: HeatScale | None = None
