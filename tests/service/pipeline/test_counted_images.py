"""Rules by which images count, in hand-worked exams and in any order."""

from itertools import permutations
from typing import Any

import pytest

from service.pipeline.counted_images import AnsweredImage, count_images
from service.records import ImageFacts, NotCounted

Reasons = dict[str, NotCounted | None]


def image(name: str, data: bytes = b"", uid: str | None = None, **facts: Any) -> AnsweredImage:
    """Return an image of a view, such as L-CC. Its bytes are its name by default."""
    side, _, view = name.partition("-")
    seen = ImageFacts(
        "dicom",
        100,
        80,
        12,
        laterality=side or None,  # type: ignore[arg-type]
        view=view or None,
        sop_instance_uid=uid,
        **facts,
    )
    return AnsweredImage(data or name.encode(), seen)


def reasons(**images: AnsweredImage) -> Reasons:
    """Return the reasons by name, which are the same in every order."""
    outcomes = []
    for order in permutations(images):
        counted = count_images([images[name] for name in order])
        outcomes.append(dict(zip(order, counted, strict=True)))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    return outcomes[0]


def test_plain_standard_views_all_count() -> None:
    views = ("L-CC", "L-MLO", "R-CC", "R-MLO")

    assert count_images([image(view) for view in views]) == (None,) * 4


@pytest.mark.parametrize("view", ["ML", "XCCL", "AT", ""])
def test_other_views_do_not_count(view: str) -> None:
    assert count_images([image(f"L-{view}")]) == (NotCounted.VIEW,)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"view_modifiers": ("Magnification",)}, NotCounted.MODIFIER),
        ({"view_modifiers": ("Nipple in profile", "Spot Compression")}, NotCounted.MODIFIER),
        ({"view_modifiers": ("Implant Displaced",)}, NotCounted.MODIFIER),
        ({"partial_view": True}, NotCounted.MODIFIER),
        ({"view_modifiers": ("Nipple in profile",), "partial_view": False}, None),
        ({"derivation": "contrast-enhanced"}, NotCounted.DERIVATION),
        ({"derivation": "biopsy"}, NotCounted.DERIVATION),
        ({"derivation": "synthesised"}, None),
        ({"implant": True}, None),
    ],
)
def test_image_that_is_no_plain_view(facts: dict[str, Any], reason: NotCounted | None) -> None:
    assert count_images([image("L-CC", **facts)]) == (reason,)


def test_image_without_side_does_not_count() -> None:
    assert count_images([image("-CC")]) == (NotCounted.NO_LATERALITY,)


def test_synthesised_image_counts_where_view_has_no_other() -> None:
    outcome = reasons(
        exposed=image("L-CC", b"1"),
        computed=image("L-CC", b"2", derivation="synthesised"),
        alone=image("L-MLO", b"3", derivation="synthesised"),
        beside_contrast=image("R-CC", b"4", derivation="synthesised"),
        contrast=image("R-CC", b"5", derivation="contrast-enhanced"),
    )

    assert outcome == {
        "exposed": None,
        "computed": NotCounted.DERIVATION,
        "alone": None,
        "beside_contrast": None,
        "contrast": NotCounted.DERIVATION,
    }


def test_different_images_of_one_view_all_count() -> None:
    outcome = reasons(first=image("L-CC", b"1", "1.1"), again=image("L-CC", b"2", "1.2"))

    assert outcome == {"first": None, "again": None}


def test_one_of_same_instance_counts_in_any_order() -> None:
    """The first in the order of the bytes is the one, and not the first in the request."""
    outcome = reasons(
        later=image("L-CC", b"22", "1.1"),
        earlier=image("L-CC", b"11", "1.1"),
        other=image("L-CC", b"33", "1.2"),
    )

    assert outcome == {"later": NotCounted.DUPLICATE, "earlier": None, "other": None}


def test_exposure_counts_rather_than_computed_twin() -> None:
    outcome = reasons(
        computed=image("L-CC", b"11", "1.1", derivation="synthesised"),
        exposed=image("L-CC", b"22", "1.1"),
    )

    assert outcome == {"computed": NotCounted.DUPLICATE, "exposed": None}


def test_same_bytes_under_two_names_count_once() -> None:
    outcome = reasons(right=image("R-CC", b"same"), left=image("L-CC", b"same"))

    assert outcome == {"right": NotCounted.DUPLICATE, "left": None}


def test_exact_copies_count_once() -> None:
    counted = count_images([image("L-CC"), image("R-CC"), image("L-CC")])

    assert sorted(counted, key=str) == [None, None, NotCounted.DUPLICATE]
    assert counted[1] is None


def test_duplicate_counts_where_its_twin_cannot() -> None:
    """The caller has named the view of one copy alone."""
    outcome = reasons(named=image("L-CC", b"same"), unnamed=image("L-", b"same"))

    assert outcome == {"named": None, "unnamed": NotCounted.DUPLICATE}


def test_duplicate_of_another_view_is_told() -> None:
    counted = count_images([image("L-ML"), image("L-ML")])

    assert sorted(counted, key=str) == [NotCounted.DUPLICATE, NotCounted.VIEW]
