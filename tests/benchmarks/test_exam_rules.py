from typing import Any

from benchmarks.exams.exam_rules import by_image


def answer(order: str, probability: float = 0.5) -> dict[str, Any]:
    """Return an answer to files in this order, each named by a letter."""
    images = [
        {"image": {"sop_instance_uid": name}, "timings_ms": {"model": order.index(name)}}
        for name in order
    ]
    breast = {"probability": probability, "images": [order.index(name) for name in "ac"]}
    return {
        "images": images,
        "breasts": {"L": breast, "R": None},
        "exam": {"probability": probability},
        "timings_ms": {"total": len(order)},
    }


def test_order_of_files_and_timings_make_no_difference() -> None:
    assert by_image(answer("abc")) == by_image(answer("cba"))


def test_changed_bit_makes_a_difference() -> None:
    assert by_image(answer("abc")) != by_image(answer("cba", 0.5000000000000001))


def test_other_images_of_a_breast_make_a_difference() -> None:
    changed = answer("abc")
    changed["breasts"]["L"]["images"] = [0, 1]

    assert by_image(changed) != by_image(answer("abc"))
