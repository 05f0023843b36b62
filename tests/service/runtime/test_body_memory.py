"""Bound on the bytes of bodies in memory."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.errors import Busy, ObjectsTooLarge
from service.runtime.body_memory import CONNECTION_BYTES, BodyMemory, HeldAnswer

MEBIBYTE = 1024 * 1024


def test_bodies_of_all_callers_share_one_bound() -> None:
    memory = BodyMemory(4 * MEBIBYTE, MEBIBYTE)
    for caller in "abcd":
        memory.hold(caller).grow(MEBIBYTE)
    assert memory.held_bytes == 4 * MEBIBYTE

    with pytest.raises(Busy) as caught:
        memory.hold("e")

    assert caught.value.reason == "memory"
    assert memory.held_bytes == 4 * MEBIBYTE


def test_one_caller_holds_half_at_most() -> None:
    memory = BodyMemory(4 * MEBIBYTE, MEBIBYTE)
    memory.hold("a").grow(MEBIBYTE)
    second = memory.hold("a")

    with pytest.raises(Busy, match="caller's other requests"):
        second.grow(MEBIBYTE + 1)

    memory.hold("b").grow(MEBIBYTE)


def test_one_upload_always_fits() -> None:
    memory = BodyMemory(MEBIBYTE, MEBIBYTE)

    memory.hold("a").grow(MEBIBYTE)

    assert memory.held_bytes == MEBIBYTE


def test_declared_length_reserves_no_room() -> None:
    memory = BodyMemory(2 * MEBIBYTE, MEBIBYTE)
    slow = memory.hold("slow")

    slow.require_room(MEBIBYTE)

    assert memory.held_bytes == CONNECTION_BYTES


def test_declared_length_without_room_is_refused() -> None:
    memory = BodyMemory(2 * MEBIBYTE, 2 * MEBIBYTE)
    memory.hold("a").grow(MEBIBYTE + 1)
    body = memory.hold("b")

    with pytest.raises(Busy):
        body.require_room(MEBIBYTE)


def test_released_bodies_make_room_once() -> None:
    memory = BodyMemory(2 * MEBIBYTE, MEBIBYTE)
    body = memory.hold("a")
    body.grow(MEBIBYTE)

    body.release()
    body.release()

    assert memory.held_bytes == 0
    memory.hold("a").grow(MEBIBYTE)


def test_parts_of_an_answer_count_until_released() -> None:
    memory = BodyMemory(4 * MEBIBYTE, MEBIBYTE)
    answer = HeldAnswer(memory, "a", upload_bytes=0)
    answer.add(bytes(MEBIBYTE))
    answer.add(bytes(MEBIBYTE))

    with pytest.raises(Busy):
        memory.hold("a")
    assert answer.size == memory.held_bytes == 2 * MEBIBYTE

    answer.release()
    assert memory.held_bytes == 0


def test_answer_beyond_share_of_caller_is_hopeless() -> None:
    """Half of the memory is 2 MiB, of which the upload takes one."""
    answer = HeldAnswer(BodyMemory(4 * MEBIBYTE, MEBIBYTE), "a", upload_bytes=MEBIBYTE)
    answer.add(bytes(MEBIBYTE))

    with pytest.raises(ObjectsTooLarge, match="more than 1048576 bytes"):
        answer.add(b"1")


def test_answer_waits_for_room_that_others_take() -> None:
    memory = BodyMemory(4 * MEBIBYTE, MEBIBYTE)
    for caller in "bcd":
        memory.hold(caller).grow(MEBIBYTE)

    with pytest.raises(Busy, match="other requests"):
        HeldAnswer(memory, "a", upload_bytes=0).add(bytes(MEBIBYTE + 1))


def test_bytes_are_counted_right_from_many_threads() -> None:
    memory = BodyMemory(2**40, 2**40)

    def count(caller: str) -> None:
        for _ in range(2000):
            body = memory.hold(caller)
            body.grow(MEBIBYTE)
            body.release()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, "aabb"))

    assert memory.held_bytes == 0


def test_counted_parts_are_kept_without_counting_again() -> None:
    memory = BodyMemory(4 * MEBIBYTE, 4 * MEBIBYTE)
    answer = HeldAnswer(memory, "a", upload_bytes=0)

    answer.count(MEBIBYTE)
    answer.keep(bytes(MEBIBYTE))
    answer.add(bytes(2 * MEBIBYTE))
    held = memory.held_bytes
    answer.release()

    assert held == 3 * MEBIBYTE
    assert memory.held_bytes == 0


def test_counted_parts_fill_the_answer() -> None:
    answer = HeldAnswer(BodyMemory(4 * MEBIBYTE, MEBIBYTE), "a", upload_bytes=MEBIBYTE)
    answer.count(MEBIBYTE)

    with pytest.raises(ObjectsTooLarge):
        answer.count(1)


def test_parts_are_counted_right_from_many_threads() -> None:
    memory = BodyMemory(2**40, 2**40)
    answer = HeldAnswer(memory, "a", upload_bytes=0)

    def count(_: int) -> None:
        for _ in range(2000):
            answer.count(MEBIBYTE)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))

    assert memory.held_bytes == 8000 * MEBIBYTE
