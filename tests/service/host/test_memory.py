"""What is freed is kept for what is needed next."""

import gc
import subprocess
import sys
import weakref

import pytest

from service.host import memory

TAKE = """
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


def pages_taken(setting: str) -> int:
    command = [sys.executable, "-c", TAKE.format(setting=setting)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_freed_bytes_are_not_given_back_to_the_system() -> None:
    once = 50 * 2**20 // 4096  # pages of the bodies
    assert pages_taken("") > 5 * once
    assert pages_taken("memory.keep_freed(64 * memory.MEBIBYTE)") < once


def test_what_was_taken_to_stay_is_freed_when_the_next_model_has_taken_its_place() -> None:
    class Model:
        """Refers to itself, as TensorFlow's functions do."""

        def __init__(self) -> None:
            self.itself = self

    model = Model()
    gone = weakref.ref(model)
    memory.collect_after_load()
    assert gc.get_freeze_count() > 0
    del model
    gc.collect()
    assert gone() is not None
    memory.collect_after_load()
    assert gone() is None
    gc.unfreeze()
