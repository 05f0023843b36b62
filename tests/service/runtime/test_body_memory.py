"""Bound on the bytes of bodies in memory."""

import pytest

from service.errors import Busy
from service.runtime.body_memory import CONNECTION_BYTES, BodyMemory

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
