"""Handlers of log lines, for as long as a test needs them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told_to(handler: logging.Handler, log: logging.Logger) -> Iterator[None]:
    """Give the lines of `log` from INFO on to `handler` as well.

    The level is set by `setLevel`, because a logger remembers which levels were enabled and only
    that call makes it forget.
    """
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)

    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
