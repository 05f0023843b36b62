"""Reuse of freed memory, and garbage collection after a model load."""

import gc
import subprocess
import sys
import weakref

import pytest

from service.host import memory

SCRIPT = """
import resource
from service.host import memory
{setting}
def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def take():
    return [b"x" * (10 * memory.MEBIBYTE) for _ in range(5)]
for _ in range(3):
    take()
before = pages()
for _ in range(10):
    take()
print(pages() - before)
"""


def count_page_faults(setting: str) -> int:
    """Return the page faults of a process that takes and frees 50 MiB ten times."""
    command = [sys.executable, "-c", SCRIPT.format(setting=setting)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_freed_memory_stays_in_the_process() -> None:
    pages = 50 * 2**20 // 4096

    assert count_page_faults("") > 5 * pages
    assert count_page_faults("memory.keep_freed()") < pages


def test_replaced_model_is_freed_after_next_load() -> None:
    class Model:
        """Object that refers to itself, like TensorFlow's functions."""

        def __init__(self) -> None:
            self.itself = self

    model = Model()
    reference = weakref.ref(model)

    # The model is frozen by the first call and freed by the second.
    memory.collect_after_load()
    assert gc.get_freeze_count() > 0

    del model
    gc.collect()
    assert reference() is not None

    memory.collect_after_load()
    assert reference() is None

    gc.unfreeze()
