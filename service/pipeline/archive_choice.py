"""Choose the objects of an answer: those that are wanted and that the results have."""

from collections.abc import Collection, Iterator

from service.errors import DecidedNegative, NoObject, NoRegion
from service.records import (
    ExamResults,
    ImageResult,
    NotCounted,
    ObjectName,
    ObjectPart,
    RefusedImage,
)


def choose_parts(
    results: ExamResults, wanted: Collection[ObjectName], *, negatives: bool
) -> tuple[ObjectPart, ...]:
    """Return the wanted objects that the results have, in the order of their names and images.

    `sc`, `seg` and `marks` show images decided positive, or all with `negatives`. There are no
    `seg` and `marks` of an image without a region. An image that is there twice has one of each.
    """
    shown = _shown_images(results, negatives=negatives)
    marked = [position for position, image in shown.items() if image.regions]
    positions: dict[ObjectName, list[int | None]] = {
        ObjectName.SUMMARY: [None],
        ObjectName.REPORT: [None],
        ObjectName.MARKS: list(marked),
        ObjectName.SC: list(shown),
        ObjectName.SEG: list(marked),
    }
    return tuple(
        ObjectPart(name, position)
        for name in ObjectName
        if name in wanted
        for position in positions[name]
    )


def require_parts(
    results: ExamResults, wanted: Collection[ObjectName], *, negatives: bool
) -> tuple[ObjectPart, ...]:
    """Return the chosen objects, of which there is at least one; see `choose_parts`.

    Raises:
        DecidedNegative, NoRegion: the one image has none of them.
        NoObject: the exam has none of them.
    """
    parts = choose_parts(results, wanted, negatives=negatives)
    if parts:
        return parts

    if len(results.images) > 1:
        raise NoObject("No image of the exam has any of the wanted objects.")
    if not _shown_images(results, negatives=negatives):
        raise DecidedNegative("The image is decided negative, so its heat is no finding.")
    raise NoRegion("The heat of the image reaches the level of a region nowhere.")


def _shown_images(results: ExamResults, *, negatives: bool) -> dict[int, ImageResult]:
    """Return the images whose heat is shown, by position."""
    return {
        position: image
        for position, image in _answered(results)
        if (image.decision.positive or negatives) and image.not_counted is not NotCounted.DUPLICATE
    }


def _answered(results: ExamResults) -> Iterator[tuple[int, ImageResult]]:
    for position, image in enumerate(results.images):
        if not isinstance(image, RefusedImage):
            yield position, image
