"""Files of `torch.save`, written here byte by byte, since PyTorch is not installed."""

import io
import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from training.errors import WeightsError
from training.networks.torch_file import read_tensors

NUMBERS = np.arange(6, dtype=np.float32)


class FloatStorage:
    """Type of a storage, by the name that it has in PyTorch."""


def _rebuild_tensor_v2(*_: Any) -> None:
    """Stand-in for the function by which PyTorch rebuilds a tensor."""


@dataclass(frozen=True)
class Storage:
    """Storage, pickled by its type, key and size."""

    key: str
    count: int


@dataclass(frozen=True)
class Call:
    """Call of a function, by its name in the file."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, self.arguments


class TorchPickler(pickle.Pickler):
    """Pickler that keeps the storages outside the pickle."""

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, Storage):
            return ("storage", FloatStorage, obj.key, "cpu", obj.count, None)
        return None


@pytest.fixture(autouse=True)
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the two names of PyTorch where `pickle` looks them up when it writes."""
    for module, member in (("torch", FloatStorage), ("torch._utils", _rebuild_tensor_v2)):
        stand_in = ModuleType(module)
        setattr(stand_in, member.__name__, member)
        monkeypatch.setitem(sys.modules, module, stand_in)
        monkeypatch.setattr(member, "__module__", module)


def pickled(content: Any) -> bytes:
    file = io.BytesIO()
    TorchPickler(file, protocol=2).dump(content)
    return file.getvalue()


def legacy(content: Any, count: int = len(NUMBERS), numbers: bytes = NUMBERS.tobytes()) -> bytes:
    """Return a file of the format before PyTorch 1.6, with one storage."""
    heading = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    body = content if isinstance(content, bytes) else pickled(content)
    parts = [*map(pickled, heading), body, pickled(["0"])]
    return b"".join(parts) + struct.pack("<q", count) + numbers


def zipped(content: Any, compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return a file of the format since PyTorch 1.6, with one storage."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled(content))
        archive.writestr("archive/data/0", NUMBERS.tobytes())
    return file.getvalue()


def tensor(shape: tuple[int, ...] = (2, 3), strides: tuple[int, ...] = (3, 1)) -> Call:
    storage = Storage("0", len(NUMBERS))
    return Call(_rebuild_tensor_v2, (storage, 0, shape, strides, False, OrderedDict()))


@pytest.mark.parametrize("written", [legacy, zipped])
def test_tensors_keep_names_shapes_and_numbers(written: Any) -> None:
    content = OrderedDict(plain=tensor(), turned=tensor((3, 2), (1, 3)))

    tensors = read_tensors(written(content))

    assert list(tensors) == ["plain", "turned"]
    assert tensors["plain"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert tensors["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]


@pytest.mark.parametrize("written", [legacy, zipped])
def test_code_in_file_never_runs(written: Any, tmp_path: Any) -> None:
    victim = tmp_path / "made"
    content = {"weight": Call(os.mkdir, (str(victim),))}

    with pytest.raises(WeightsError, match=r"needs posix\.mkdir, which is not part"):
        read_tensors(written(content))

    assert not victim.exists()


@pytest.mark.parametrize(
    "name",
    [
        ("builtins", "eval"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("collections", "OrderedDict.__subclasses__"),
    ],
)
def test_every_other_name_is_refused(name: tuple[str, str]) -> None:
    module, member = name
    pickle_of_name = f"c{module}\n{member}\n.".encode()

    with pytest.raises(WeightsError, match=f"needs {module}.{member}, which"):
        read_tensors(legacy(pickle_of_name))


@pytest.mark.parametrize(
    "content",
    [
        {"weight": tensor((2, 4), (4, 1))},
        {"weight": tensor((1000, 1000), (0, 0))},
        {"weight": tensor((2, 3), (30, 1))},
        {"weight": tensor((-2, 3), (3, 1))},
        {"weight": tensor((2, 3), (1,))},
        {"weight": 3},
        [tensor()],
    ],
)
def test_impossible_tensors_are_refused(content: Any) -> None:
    with pytest.raises(WeightsError, match="damaged"):
        read_tensors(legacy(content))


@pytest.mark.parametrize(
    "file",
    [
        lambda: b"",
        lambda: b"no pickle",
        lambda: legacy({"weight": tensor()})[:-4],
        lambda: legacy({"weight": tensor()}, count=1 << 60),
        lambda: legacy({"weight": tensor()}, count=-1),
        lambda: zipped({"weight": tensor()})[:-40],
        lambda: zipped({"weight": tensor()}, zipfile.ZIP_DEFLATED),
    ],
)
def test_damaged_files_are_refused(file: Callable[[], bytes]) -> None:
    with pytest.raises(WeightsError, match="damaged"):
        read_tensors(file())


def test_unknown_type_of_storage_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A type in place of its name in PyTorch: it would reach NumPy as it is in the file."""
    monkeypatch.setattr(
        TorchPickler,
        "persistent_id",
        lambda _, item: (
            ("storage", "(1 2)i4", "0", "cpu", 6) if isinstance(item, Storage) else None
        ),
    )

    with pytest.raises(WeightsError, match="unknown type"):
        read_tensors(legacy({"weight": tensor()}))


def test_pickle_of_other_program_is_refused() -> None:
    with pytest.raises(WeightsError, match="no file that"):
        read_tensors(pickled({"weight": 1}))
