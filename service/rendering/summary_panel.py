"""Panel of the summary page: breasts with their thresholds, and warnings."""

from service.records import Box, ExamResults, ImageResult, LevelDecision
from service.rendering import summary_words as words
from service.rendering.summary_marks import colour_of, draw_bar, draw_shape
from service.rendering.summary_sheet import CAUTION, MUTED, Sheet, below, line_pitch, wrap

_LARGE = 30
_SMALL = 22
_SHAPE = 24
_BAR = 40
_GAP = 22
_WARNING_LINES = 3


def draw_panel(sheet: Sheet, box: Box, results: ExamResults) -> None:
    """Draw the breasts, or the image of results on one image alone, and then the warnings."""
    top = box.top
    for side, name in words.SIDES.items():
        breast = results.breasts.get(side)
        place = below(box, top)
        if breast is not None:
            number = len(breast.images)
            top = _draw_level(sheet, place, name, breast.decision, number, "breasts") + _GAP
        elif results.exam is not None:
            top = sheet.text(place, f"{name}: no image counts", _LARGE, CAUTION, 1) + _GAP

    image = results.images[0] if words.is_single(results) else None
    if isinstance(image, ImageResult):
        place = below(box, top)
        top = _draw_level(sheet, place, words.label(image), image.decision, 1, "images") + _GAP

    _draw_warnings(sheet, below(box, top), words.all_warnings(results))


def _draw_level(
    sheet: Sheet, box: Box, name: str, decision: LevelDecision, views: int, cases: str
) -> int:
    """Draw a name with its decision, a bar, and the threshold in words. Return the row below."""
    # The name at the left, the decision at the right.
    half = Box(box.left + box.width // 2, box.top, box.right, box.bottom)
    verdict = words.verdict(decision)
    top = sheet.text(half, verdict, _LARGE, colour_of(decision), 1, to_right=True)
    written = sheet.boxes[-1]
    shape_top = box.top + (line_pitch(_LARGE) - _SHAPE) // 2
    shape = Box(written.left - 10 - _SHAPE, shape_top, written.left - 10, shape_top + _SHAPE)
    draw_shape(sheet, shape, decision)
    title = Box(box.left, box.top, shape.left - 10, box.bottom)
    sheet.text(title, f"{name}: {words.percent(decision.probability)}", _LARGE, max_lines=1)

    # The bar, and the same in words.
    draw_bar(sheet, Box(box.left, top + 6, box.right, top + 6 + _BAR), decision)
    of_views = f" for {words.count(views, 'view')}" if decision.threshold is not None else ""
    beyond = words.percentile(decision, cases)
    text = words.threshold(decision, views) + of_views + (f", {beyond}" if beyond else "")
    return sheet.text(below(box, top + 6 + _BAR + 4), text, _SMALL, MUTED, 3)


def _draw_warnings(sheet: Sheet, box: Box, warnings: list[str]) -> None:
    """Write as many warnings as fit, at most three lines each, and how many more there are."""
    if not warnings:
        sheet.text(box, "No warnings", _LARGE, MUTED, 1)
        return

    top = sheet.text(box, "Warnings", _LARGE, CAUTION, 1) + 4
    pitch = line_pitch(_SMALL)
    for index, warning in enumerate(warnings):
        # Except below the last warning, there must be room for the line about those that are left.
        lines = len(wrap(warning, _SMALL, box.width, _WARNING_LINES))
        reserve = 0 if index == len(warnings) - 1 else pitch
        if top + lines * pitch + reserve > box.bottom:
            rest = below(box, top)
            sheet.text(rest, f"and {len(warnings) - index} more", _SMALL, CAUTION, 1)
            return

        place = below(box, top)
        top = sheet.text(place, warning, _SMALL, max_lines=_WARNING_LINES) + 8
