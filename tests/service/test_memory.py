"""What is freed is kept for what is needed next."""

import subprocess
import sys

import pytest

TAKE = """
import resource
from service import memory
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
