"""Results of images and exams that a test has made up."""

from dataclasses import replace

from service.records import (
    ExamResults,
    HeatRegion,
    ImageFacts,
    ImageResult,
    LevelDecision,
    MapState,
    Method,
    ModelIdentity,
    NotCounted,
    Peak,
    RefusedImage,
)

REGION = HeatRegion(
    contour=[(10.0, 10.0), (30.0, 10.0), (30.0, 40.0), (10.0, 40.0)],
    box=(9.5, 9.5, 30.5, 40.5),
    area=600.0,
    area_mm2=None,
    heat_share=0.5,
    peak=(20.0, 25.0),
    peak_value=0.02,
)
REFUSED = RefusedImage("no-breast", "No breast found in the image", "None.", "Check it.")


def image_result(
    *, positive: bool = True, regions: int = 1, not_counted: NotCounted | None = None
) -> ImageResult:
    """Return the result of one image."""
    probability = 0.9 if positive else 0.1
    return ImageResult(
        facts=ImageFacts("dicom", 480, 320, 12, laterality="L", view="CC"),
        decision=LevelDecision(probability, 0.5, positive, None, "made up"),
        not_counted=not_counted,
        state=MapState.OK,
        peak=Peak(0.02, 1, 1, 20.0, 25.0),
        regions=(REGION,) * regions,
        note=None if positive else "Decided negative: heat is no finding.",
        warnings=(),
    )


def exam_of(*images: ImageResult | RefusedImage) -> ExamResults:
    """Return the results of these images, without decisions on breasts and the exam."""
    identity = ModelIdentity("made-up", 1, "0" * 64, "cancer", "Tests.")
    return ExamResults(identity, Method.GRAD_CAM, "conv2d", 0.5, images, {}, None)


def with_header(result: ImageResult, header: bytes) -> ImageResult:
    """Return the result with the header of its file."""
    return replace(result, header=header)
