"""Rules by which images of an exam count for their breasts. `docs/exams.md` explains them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from service.records import ImageFacts, Laterality, NotCounted

BREAST_VIEWS = ("CC", "MLO")
STANDARD_VIEWS: tuple[tuple[Laterality, str], ...] = tuple(
    (side, view) for side in get_args(Laterality) for view in BREAST_VIEWS
)
"""Laterality and view of the four images of a complete exam."""

# Modifiers of views that show a part of the breast, or show it moved.
_OTHER_PICTURES = {"Magnification", "Spot Compression", "Implant Displaced"}


@dataclass(frozen=True, slots=True)
class AnsweredImage:
    """An image that was read: the SHA-256 of its file, and its facts."""

    digest: bytes
    facts: ImageFacts


def count_images(images: Sequence[AnsweredImage]) -> tuple[NotCounted | None, ...]:
    """Return for each image the reason for which it does not count, None if it counts.

    The order of the images decides nothing.
    """
    reasons = [_reason(image.facts) for image in images]

    # Of the same image there is one at most that counts.
    for index in _repeated(images, reasons):
        reasons[index] = NotCounted.DUPLICATE
    counted = [index for index, reason in enumerate(reasons) if reason is None]

    # An exposure is preferred to an image that was computed.
    exposed = {_view(images[i].facts) for i in counted if images[i].facts.derivation is None}
    for index in counted:
        facts = images[index].facts
        if facts.derivation is not None and _view(facts) in exposed:
            reasons[index] = NotCounted.DERIVATION
    return tuple(reasons)


def _reason(facts: ImageFacts) -> NotCounted | None:
    """Return the reason that an image gives on its own."""
    if facts.view not in BREAST_VIEWS:
        return NotCounted.VIEW
    if facts.partial_view or _OTHER_PICTURES & {*facts.view_modifiers}:
        return NotCounted.MODIFIER
    if facts.derivation not in {None, "synthesised"}:
        return NotCounted.DERIVATION
    return NotCounted.NO_LATERALITY if facts.laterality is None else None


def _repeated(images: Sequence[AnsweredImage], reasons: Sequence[NotCounted | None]) -> set[int]:
    """Return the positions of images of which another one is the same image.

    Files are the same image if they have the same SOP Instance UID, or the same bytes. The one that
    is kept is the first in the order of their digests, and of the side and view that were named.
    One that would count comes before the others, and an exposure before a computed image.
    """

    def rank(index: int) -> tuple[bool, bool, bytes, str, str]:
        facts = images[index].facts
        is_computed = facts.derivation is not None
        return (reasons[index] is not None, is_computed, images[index].digest, *_view(facts))

    kept: set[str | bytes] = set()
    repeated = set()
    for index in sorted(range(len(images)), key=rank):
        identity = images[index].facts.sop_instance_uid or images[index].digest
        if identity in kept:
            repeated.add(index)
        kept.add(identity)
    return repeated


def _view(facts: ImageFacts) -> tuple[str, str]:
    return facts.laterality or "", facts.view or ""
