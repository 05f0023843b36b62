"""Tensors of a file that `torch.save` wrote, read without PyTorch and without running its code.

A checkpoint is a pickle, and a pickle may call any function by its name. This reader answers the
few names that a dictionary of tensors needs with functions of its own, and refuses all others.
"""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.errors import WeightsError

Numbers = npt.NDArray[Any]
"""Array of one of the types that tensors have."""

# Numbers by which torch knows its earlier format: three pickles stand before that of the tensors.
_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001

_DTYPES = {
    "BoolStorage": "?",
    "ByteStorage": "u1",
    "CharStorage": "i1",
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
    "ShortStorage": "<i2",
}
_COUNT = struct.Struct("<q")
_MAX_AXES = 8
_ZIP = b"PK\x03\x04"

# Exceptions of the unpickler for damaged files.
_DAMAGES = (
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OverflowError,
    pickle.UnpicklingError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class _Storage:
    """Numbers in the file: their key, the name of their type, and how many they are."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class _View:
    """Tensor: a storage, with the offset, shape and strides of its elements there."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(content: bytes) -> dict[str, Numbers]:
    """Return the tensors of a dictionary that `torch.save` wrote, by name, as NumPy arrays.

    `content`: the bytes of the file, in the format of zip files or in the one before. The arrays
    are copies. No array takes more numbers than its storage has in the file.

    Raises:
        WeightsError: the file is damaged, needs a name that is not part of a dictionary of tensors,
            or holds something else.
    """
    try:
        if content.startswith(_ZIP):
            views, storages = _read_zip(content)
        else:
            views, storages = _read_legacy(content)
        return {name: _tensor(view, storages) for name, view in views.items()}
    except (*_DAMAGES, zipfile.BadZipFile, NotImplementedError) as error:
        raise WeightsError(
            f"The file of PyTorch is damaged, or holds something else than a dictionary of tensors "
            f"({type(error).__name__}: {error})."
        ) from error


def _read_legacy(content: bytes) -> tuple[Mapping[str, _View], Mapping[str, Numbers]]:
    """Read the format before PyTorch 1.6: pickles one after another, then the storages."""
    file = io.BytesIO(content)
    if _load(file) != _MAGIC_NUMBER or _load(file) != _PROTOCOL_VERSION:
        raise WeightsError("This is no file that `torch.save` wrote.")
    _load(file)

    unpickler = _TensorUnpickler(file)
    views = _checked(unpickler.load())

    storages = {}
    for key in _load(file):
        storage = unpickler.storages[key]
        (count,) = _COUNT.unpack(file.read(_COUNT.size))
        if count != storage.count:
            raise ValueError(f"storage {key} has {count} numbers, not {storage.count}")
        size = count * np.dtype(storage.dtype).itemsize
        storages[key] = _numbers(file.read(size), storage)
    return views, storages


def _read_zip(content: bytes) -> tuple[Mapping[str, _View], Mapping[str, Numbers]]:
    """Read the format since PyTorch 1.6: a zip file of one pickle and a file for each storage."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (pickled,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
        folder = pickled.removesuffix("data.pkl")
        # PyTorch stores without compression, so no part is larger than the file.
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise ValueError("its parts are compressed")

        unpickler = _TensorUnpickler(io.BytesIO(archive.read(pickled)))
        views = _checked(unpickler.load())
        storages = {
            key: _numbers(archive.read(f"{folder}data/{key}"), storage)
            for key, storage in unpickler.storages.items()
        }
    return views, storages


class _TensorUnpickler(pickle.Unpickler):
    """Unpickler of dictionaries of tensors, which calls no function that the file names.

    `storages`: those that the tensors view, by key.
    """

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Callable[..., Any] | str:
        """Return the answer to a name in the file: a function of this module, or a type's name."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._view
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]

        raise WeightsError(
            f"The file of PyTorch needs {module}.{name}, which is not part of a dictionary of "
            "tensors, and loading it could run code: save `model.state_dict()` alone."
        )

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the storage that the file names by its type, key, device and size."""
        _, dtype, key, _, count, *_ = pid
        if dtype not in _DTYPES.values():
            raise ValueError(f"storage {key} has an unknown type")

        storage = _Storage(str(key), str(dtype), int(count))
        if self.storages.setdefault(storage.key, storage) != storage:
            raise ValueError(f"storage {storage.key} has two sizes")
        return storage

    def _view(
        self,
        storage: _Storage,
        offset: int,
        shape: Sequence[int],
        strides: Sequence[int],
        _requires_grad: bool = False,  # noqa: FBT001, FBT002 - called as PyTorch's function is
        *_hooks: Any,
    ) -> _View:
        return _View(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


def _load(file: io.BytesIO) -> Any:
    """Load one pickle that names nothing but numbers, texts and containers."""
    return _TensorUnpickler(file).load()


def _checked(loaded: Any) -> Mapping[str, _View]:
    """Check that a pickle was that of a dictionary of tensors."""
    if not isinstance(loaded, dict):
        raise TypeError(f"{type(loaded).__name__} in place of a dictionary")

    for name, view in loaded.items():
        if not isinstance(name, str) or not isinstance(view, _View):
            raise TypeError(f"{name!r} is no tensor")
    return loaded


def _numbers(content: bytes, storage: _Storage) -> Numbers:
    """Return the numbers of a storage, which has to be in the file as a whole."""
    numbers: Numbers = np.frombuffer(content, storage.dtype)
    if len(numbers) != storage.count:
        raise EOFError(f"storage {storage.key} is cut off")
    return numbers


def _tensor(view: _View, storages: Mapping[str, Numbers]) -> Numbers:
    """Return a tensor as an array of its own."""
    numbers = storages[view.storage.key]
    sizes = (view.offset, *view.shape, *view.strides)
    if len(view.shape) != len(view.strides) or len(view.shape) > _MAX_AXES or min(sizes) < 0:
        raise ValueError("a tensor has an impossible shape")

    # A stride of 0 would make a large array out of a few numbers.
    if np.prod(view.shape, dtype=object) > len(numbers):
        raise ValueError("a tensor is larger than its storage")

    is_empty = 0 in view.shape
    last = view.offset + sum(
        (size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True)
    )
    if not is_empty and last >= len(numbers):
        raise ValueError("a tensor goes beyond its storage")

    itemsize = numbers.itemsize
    strides = tuple(stride * itemsize for stride in view.strides)
    start = numbers[0 if is_empty else view.offset :]
    tensor: Numbers = np.lib.stride_tricks.as_strided(start, view.shape, strides).copy()
    return tensor
