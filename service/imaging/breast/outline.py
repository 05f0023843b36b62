"""Outline of the breast in a mammogram, from its pixels alone.

It works on digital images and films, with markers, labels and film edges.

1. Otsu's threshold (IEEE Trans. SMC 9, 1979) on the square roots of the grey values gives the body
   of the breast. It cuts off the dim periphery.
2. The outline is drawn around it, as `outline_draft.py` describes.
3. If that outline is in doubt, others are drawn: around dimmer bodies, because the first one may
   be gland within fat, and without the fog of a film. A much better one takes its place.
4. The result is checked: its area and shape, its contrast, and whether the air is dark.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from service.errors import NoBreast
from service.geometry import Affine
from service.imaging.breast import refusals
from service.imaging.breast.breast_body import body_of, dimmer_bodies
from service.imaging.breast.coverage import cover
from service.imaging.breast.doubts import Doubts
from service.imaging.breast.film_fog import without_fog
from service.imaging.breast.outline_draft import OutlineDraft, draft_around
from service.imaging.breast.outline_grid import blur, reduce
from service.records import Floats, Mask, Pixels

# Doubt above which other outlines are drawn, and the share of it that a better one may have.
_MIN_DOUBT = 0.75
_MAX_DOUBT_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Outline:
    """The breast in a picture, pectoral muscle included.

    The grid is the picture's, reduced to at most 512 pixels along the long edge. `mask`: the
    breast. `coverage`: share of each pixel that it covers, 0..1. `to_picture`: from this grid to
    the picture's. `doubts`: signs against the outline.
    """

    mask: Mask
    coverage: Floats
    to_picture: Affine
    doubts: Doubts


def find_breast(pixels: Pixels, displayed: Pixels | None = None) -> Outline:
    """Return the outline of the breast.

    `displayed`: the picture after the VOI transform, if `pixels` are before it. Only the texture of
    the air is judged on it: before a sigmoid window, the noise of the air is amplified.

    Raises:
        NoBreast: no large compact region stands out from a dark background.
    """
    grey, to_picture = reduce(pixels)
    blurred = blur(grey)

    # Steps 1 to 3.
    draft = _best_draft(grey, blurred)
    if draft is None:
        raise NoBreast("No breast was found: no region stands out from the background.")
    breast = draft.mask

    # Step 4: checks.
    refusals.require_shape(breast)
    refusals.require_contrast(grey, blurred, breast)
    refusals.require_dark_air(grey if displayed is None else reduce(displayed)[0], breast)

    covered = cover(breast, draft.blurred, draft.threshold)
    return Outline(breast, covered, to_picture, draft.doubts)


def _best_draft(grey: Floats, blurred: Floats) -> OutlineDraft | None:
    """Draw the usual outline, and others if it is in doubt. Return the best one."""
    usual = draft_around(body_of(grey, blurred), grey, blurred)
    if usual is not None and usual.doubts.of_skin <= _MIN_DOUBT:
        return usual

    others = [draft for draft in _other_drafts(grey, blurred, usual) if draft is not None]
    best = min(others, key=lambda draft: draft.doubts.total, default=None)
    limit = 1 if usual is None else min(1, _MAX_DOUBT_SHARE * usual.doubts.total)
    return best if best is not None and best.doubts.total < limit else usual


def _other_drafts(
    grey: Floats, blurred: Floats, usual: OutlineDraft | None
) -> Iterator[OutlineDraft | None]:
    """Draw outlines around dimmer bodies, and without fog if the air is not dark."""
    for body in dimmer_bodies(grey, blurred):
        yield draft_around(body, grey, blurred)

    if usual is None or usual.doubts.bright_air > _MIN_DOUBT:
        clear = without_fog(grey)
        clear_blurred = blur(clear)
        for body in (body_of(clear, clear_blurred), *dimmer_bodies(clear, clear_blurred)):
            yield draft_around(body, clear, clear_blurred)
