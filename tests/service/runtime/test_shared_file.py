"""The memory file between the service and a reader."""

import os
import pickle
import tracemalloc
from collections.abc import Iterator

import pytest

from service.runtime.shared_file import SharedFile


@pytest.fixture
def file() -> Iterator[SharedFile]:
    opened = SharedFile(os.memfd_create("test"))
    yield opened
    opened.close()


def test_object_is_unpickled_from_its_length(file: SharedFile) -> None:
    pickled = pickle.dumps({"rows": 3})
    file.write(pickled + b"an earlier, longer answer")

    assert file.unpickle(len(pickled)) == {"rows": 3}


def test_unpickling_copies_bytes_once(file: SharedFile) -> None:
    size = 10_000_000
    pickled = pickle.dumps(bytes(size))
    file.write(pickled)
    length = len(pickled)

    tracemalloc.start()
    content = file.unpickle(length)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(content) == size
    assert peak < 1.1 * size
