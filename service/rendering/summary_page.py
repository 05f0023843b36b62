"""Summary page of an exam: one picture that can be read on any workstation.

It holds no identity of the patient.
"""

from service.records import Box, ExamResults, ImageResult, LevelDecision
from service.rendering import summary_words as words
from service.rendering.summary_marks import colour_of, draw_shape
from service.rendering.summary_panel import draw_panel
from service.rendering.summary_sheet import (
    CAUTION,
    HEIGHT,
    INK,
    MUTED,
    RGB,
    WIDTH,
    Colour,
    Sheet,
    Thumbnails,
    text_width,
)
from service.rendering.summary_tiles import MAX_TILES, draw_strip, draw_tiles
from service.rendering.summary_views import draw_standard_views, draw_view, standard_images

_TITLE = 48
_LARGE = 28
_SMALL = 22
_SHAPE = 44
_MARGIN = 32
_RIGHT = WIDTH - _MARGIN
_BODY = 206
_FOOT = 1124
_STRIP = 256
_PANEL = 1092
_MIN_TILES = 4
_DIGEST = 12  # digits


def summary_page(results: ExamResults, thumbnails: Thumbnails) -> RGB:
    """Draw the summary page as RGB [1200, 1600, 3].

    `thumbnails`: the mammograms by position, those decided positive with their heat.
    """
    return draw_sheet(results, thumbnails).samples()


def draw_sheet(results: ExamResults, thumbnails: Thumbnails) -> Sheet:
    """Draw the summary page, and keep the places of its parts."""
    sheet = Sheet()
    _draw_head(sheet, results)
    bottom = _draw_further(sheet, results, thumbnails)

    views = Box(_MARGIN, _BODY, _PANEL - _MARGIN, bottom)
    image = results.images[0]
    if results.exam is not None:
        draw_standard_views(sheet, views, results, thumbnails)
    elif words.is_single(results) and isinstance(image, ImageResult):
        draw_view(sheet, views, image, thumbnails.get(0))
    else:
        draw_tiles(sheet, views, results, thumbnails)

    draw_panel(sheet, Box(_PANEL, _BODY, _RIGHT, bottom), results)
    _draw_foot(sheet, results)
    return sheet


def _draw_head(sheet: Sheet, results: ExamResults) -> None:
    """Draw the decision at the left, and that it is no medical device at the right."""
    width = text_width(words.RESEARCH_ONLY, _LARGE)
    notice = Box(_RIGHT - width - 20, 26, _RIGHT, 26 + 54)
    sheet.frame(notice, CAUTION)
    inside = Box(notice.left + 10, notice.top + 9, notice.right - 9, notice.bottom)
    sheet.text(inside, words.RESEARCH_ONLY, _LARGE, CAUTION, 1)

    image = results.images[0]
    title = Box(_MARGIN, 22, notice.left - _MARGIN, 90)
    if results.exam is not None:
        views = sum(len(breast.images) for breast in results.breasts.values())
        driven = f"Driven by the {words.SIDES[results.exam.driven_by].lower()}."
        rest = f"{words.completeness(results.exam)} {driven}"
        colour = MUTED if results.exam.is_complete else CAUTION
        _draw_title(sheet, title, "Exam", results.exam.decision, views)
        _write_line(sheet, 150, rest, colour)
    elif words.is_single(results) and isinstance(image, ImageResult):
        _draw_title(sheet, title, f"Image {words.label(image)}", image.decision, 1)
        _write_line(sheet, 150, "One image alone. Breast and exam are not judged.", MUTED)
    else:
        sheet.text(title, "No result for the exam", _TITLE, max_lines=1)
        rest = f"No image counts{_shown(len(results.images))}. Breast and exam are not judged."
        _write_line(sheet, 100, rest, CAUTION)


def _draw_title(sheet: Sheet, box: Box, name: str, decision: LevelDecision, views: int) -> None:
    shape = Box(box.left, box.top + 8, box.left + _SHAPE, box.top + 8 + _SHAPE)
    draw_shape(sheet, shape, decision)
    beside = Box(shape.right + 16, box.top, box.right, box.bottom)
    text = f"{name}: {words.verdict(decision)}"
    sheet.text(beside, text, _TITLE, colour_of(decision), 1)

    cases = "exams" if name == "Exam" else "images"
    parts = [
        f"Probability of cancer {words.percent(decision.probability)}",
        words.threshold(decision, views),
        words.percentile(decision, cases),
    ]
    _write_line(sheet, 100, ", ".join(part for part in parts if part is not None) + ".", INK)


def _write_line(sheet: Sheet, top: int, text: str, colour: Colour) -> None:
    sheet.text(Box(_MARGIN, top, _RIGHT, top + 50), text, _LARGE, colour, 1)


def _draw_further(sheet: Sheet, results: ExamResults, thumbnails: Thumbnails) -> int:
    """Draw the images that are in no place of a standard view. Return the row above them."""
    placed = set(standard_images(results).values())
    further = [index for index in range(len(results.images)) if index not in placed]
    if results.exam is None or not further:
        return _FOOT - 20

    top = _FOOT - _STRIP
    sheet.rule(_MARGIN, _RIGHT, top)
    heading = Box(_MARGIN, top + 6, _RIGHT, _FOOT)
    text = f"Further images{_shown(len(further))}"
    strip_top = sheet.text(heading, text, _SMALL, MUTED, 1) + 8
    columns = min(MAX_TILES, max(_MIN_TILES, len(further)))
    strip = Box(_MARGIN, strip_top, _RIGHT, _FOOT - 12)
    draw_strip(sheet, strip, results, thumbnails, further[:MAX_TILES], columns)
    return top - 16


def _shown(number: int) -> str:
    """Return how many of these images are shown, if not all."""
    return f": {MAX_TILES} of {number} are shown" if number > MAX_TILES else ""


def _draw_foot(sheet: Sheet, results: ExamResults) -> None:
    """Write the model, the method and the intended use."""
    model = results.model
    layer = "" if results.layer is None else f" at {results.layer}"
    sheet.rule(_MARGIN, _RIGHT, _FOOT)
    line = Box(_MARGIN, _FOOT + 6, _RIGHT, _FOOT + 40)
    text = (
        f"Model {model.name} version {model.version}, digest {model.digest[:_DIGEST]}. "
        f"Heat: {results.method}{layer}, only over images decided positive."
    )
    sheet.text(line, text, _SMALL, MUTED, 1)
    last = Box(_MARGIN, _FOOT + 36, _RIGHT, HEIGHT)
    sheet.text(last, f"Intended use: {model.intended_use}", _SMALL, MUTED, 1)
