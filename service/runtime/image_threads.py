"""Threads that work on the images of exams in parallel."""

import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


class ImageThreads:
    """A number of threads that all exams share, so that no exam crowds out other requests."""

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="mammolens-exam")

    def run(self, calls: Sequence[Callable[[], T]], check: Callable[[], None]) -> list[T]:
        """Run the calls and return their results in order. On return none of them runs any more.

        `check` is called before each of them.

        Raises:
            Exception: the first error, in the order of the calls, of a check or a call.
        """

        def checked(call: Callable[[], T]) -> T:
            check()
            return call()

        # Each call logs under the ID of the request.
        futures = [
            self._executor.submit(contextvars.copy_context().run, checked, call) for call in calls
        ]
        wait(futures)
        return [future.result() for future in futures]

    def close(self) -> None:
        """Wait until every thread has ended."""
        self._executor.shutdown()
