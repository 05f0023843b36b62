"""The threads that work on the images of exams."""

import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from service.errors import Abandoned, CorruptImage
from service.runtime.image_threads import ImageThreads

REQUEST: ContextVar[str] = ContextVar("REQUEST")


def never_stopped() -> None:
    """Check of a client that stays."""


@pytest.fixture
def threads() -> Iterator[ImageThreads]:
    pool = ImageThreads(2)
    yield pool
    pool.close()


def test_results_keep_the_order_of_calls(threads: ImageThreads) -> None:
    """The first call ends after the second."""
    second_ended = threading.Event()

    def first() -> str:
        assert second_ended.wait(10)
        return "first"

    def second() -> str:
        second_ended.set()
        return "second"

    assert threads.run([first, second], never_stopped) == ["first", "second"]


def test_exams_share_the_threads(threads: ImageThreads) -> None:
    running = threading.Semaphore(2)

    def call() -> bool:
        is_within = running.acquire(blocking=False)
        threading.Event().wait(0.02)
        running.release()
        return is_within

    exams = [
        threading.Thread(target=lambda: results.extend(threads.run([call] * 3, never_stopped)))
        for _ in range(2)
    ]
    results: list[bool] = []
    for exam in exams:
        exam.start()
    for exam in exams:
        exam.join()

    assert results == [True] * 6


def test_no_image_begins_once_the_client_left() -> None:
    begun: list[int] = []

    def check() -> None:
        if begun:
            raise Abandoned("The client has disconnected.")

    one_thread = ImageThreads(1)
    with pytest.raises(Abandoned):
        one_thread.run([lambda: begun.append(1)] * 4, check)
    one_thread.close()

    assert begun == [1]


def test_error_waits_for_the_other_calls(threads: ImageThreads) -> None:
    """After the error no thread works on the bytes of the request."""
    ended = threading.Event()

    def slow() -> None:
        threading.Event().wait(0.05)
        ended.set()

    def fail() -> None:
        raise CorruptImage

    with pytest.raises(CorruptImage):
        threads.run([fail, slow], never_stopped)

    assert ended.is_set()


def test_calls_see_the_variables_of_the_request(threads: ImageThreads) -> None:
    """Lines of the log have its ID."""
    REQUEST.set("mine")

    assert threads.run([REQUEST.get] * 3, never_stopped) == ["mine"] * 3
