"""Run the coroutine of an attack in a thread while the figures are taken."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

Attack = Callable[[], Coroutine[Any, Any, None]]


@contextmanager
def in_background(attack: Attack) -> Iterator[None]:
    """Run the coroutine until the block ends.

    Raises:
        RuntimeError: the coroutine ended before.
        Exception: any error of the coroutine.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="attack")
    thread.start()
    task = asyncio.run_coroutine_threadsafe(attack(), loop)

    try:
        yield
        if task.done():
            task.result()
            raise RuntimeError("the attack ended before the figures were taken")
    finally:
        task.cancel()
        asyncio.run_coroutine_threadsafe(_end_tasks(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end_tasks() -> None:
    """Cancel all other tasks of this loop and wait until they have ended."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
