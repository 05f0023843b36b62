"""Standard views on the summary page, with the chest walls together, CC above MLO."""

import numpy as np

from service.records import Box, ExamResults, ImageFacts, ImageResult, MapState
from service.rendering import summary_words as words
from service.rendering.summary_marks import write_verdict
from service.rendering.summary_sheet import (
    CAUTION,
    MUTED,
    RGB,
    Sheet,
    Thumbnails,
    below,
    line_pitch,
)

_LARGE = 30
_SMALL = 22
_GAP = 16
_CAPTION = 186  # pixels beside the picture of a standard view
_ROWS = ("CC", "MLO")
_COLUMNS = ("R", "L")


def standard_images(results: ExamResults) -> dict[str, int]:
    """Return the position of the first counted image of each standard view, such as R-CC."""
    standard: dict[str, int] = {}
    for position, image in enumerate(results.images):
        if isinstance(image, ImageResult) and image.not_counted is None:
            standard.setdefault(f"{image.facts.laterality}-{image.facts.view}", position)
    return {
        name: standard[name]
        for name in (f"{side}-{view}" for view in _ROWS for side in _COLUMNS)
        if name in standard
    }


def draw_standard_views(
    sheet: Sheet, box: Box, results: ExamResults, thumbnails: Thumbnails
) -> None:
    """Draw the four standard views with the chest walls together, CC above MLO."""
    standard = standard_images(results)
    width = box.width // 2
    height = (box.height - _GAP) // 2

    for row, view in enumerate(_ROWS):
        top = box.top + row * (height + _GAP)
        for column, side in enumerate(_COLUMNS):
            left = box.left + column * width
            place = Box(left + column * 2, top, left + width + column * 2 - 2, top + height)
            position = standard.get(f"{side}-{view}")
            image = None if position is None else results.images[position]
            if isinstance(image, ImageResult) and position is not None:
                draw_view(sheet, place, image, thumbnails.get(position))
            else:
                _draw_missing(sheet, place, f"{side} {view}")


def draw_view(sheet: Sheet, box: Box, image: ImageResult, thumbnail: RGB | None) -> None:
    """Draw one image, the chest wall towards the middle of the page, its caption beside it."""
    is_right = image.facts.laterality == "R"
    if is_right:
        caption = Box(box.left, box.top, box.left + _CAPTION, box.bottom)
        place = Box(caption.right + _GAP, box.top, box.right, box.bottom)
    else:
        caption = Box(box.right - _CAPTION, box.top, box.right, box.bottom)
        place = Box(box.left, box.top, caption.left - _GAP, box.bottom)

    if thumbnail is not None:
        upright = np.fliplr(thumbnail) if _is_mirrored(image.facts) else thumbnail
        sheet.picture(place, upright, to_right=is_right)
    _write_caption(sheet, caption, image)


def _draw_missing(sheet: Sheet, box: Box, name: str) -> None:
    """Draw the empty place of a view that is missing."""
    sheet.frame(box)
    middle = (box.top + box.bottom) // 2 - line_pitch(_LARGE)
    inside = Box(box.left + 2 * _GAP, middle, box.right - 2 * _GAP, box.bottom)
    top = sheet.text(inside, f"{name} is missing", _LARGE, CAUTION)
    sheet.text(below(inside, top), "No image of this view counts.", _SMALL, MUTED)


def _write_caption(sheet: Sheet, box: Box, image: ImageResult) -> None:
    """Write side, view, probability, decision and how to read the picture."""
    decision = image.decision
    top = sheet.text(box, words.label(image), _LARGE)
    top = sheet.text(below(box, top), words.percent(decision.probability), _LARGE)
    top = write_verdict(sheet, below(box, top + 4), decision)
    top = sheet.text(below(box, top + 4), words.threshold(decision, 1), _SMALL, MUTED)

    notes = []
    if decision.positive is False:
        notes.append("decided negative: no heat is drawn")
    elif decision.positive and image.state is not MapState.OK:
        notes.append(f"no heat: {image.state.replace('_', ' ')}")
    if _is_mirrored(image.facts):
        notes.append("shown mirrored")
    for note in notes:
        top = sheet.text(below(box, top + 8), note, _SMALL, MUTED)


def _is_mirrored(facts: ImageFacts) -> bool:
    """Return whether the file has the chest wall on the other side than the page shows it."""
    if facts.patient_orientation is None or facts.laterality is None:
        return False
    return facts.patient_orientation[0].startswith("A" if facts.laterality == "R" else "P")
