"""Cut an input tensor into the bytes of its images."""

import base64
import binascii
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from service.api.inference.request_json import InputTensor
from service.api.inference.tensor_names import InputName
from service.errors import InvalidInference, TooManyImages, UploadTooLarge
from service.model import Manifest
from service.settings import Settings

_PREFIX = struct.Struct("<I")
_VALUE_BYTES = 4  # of FP32


@dataclass(frozen=True, slots=True)
class InputBounds:
    """Bounds of an input: its images, the bytes of a file, and the shape of a fitted image."""

    max_images: int
    max_file_bytes: int
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, settings: Settings, manifest: Manifest) -> Self:
        """Return the bounds of this service and model."""
        return cls(settings.max_exam_images, settings.max_upload_bytes, manifest.input_shape)


def images_of(tensor: InputTensor, binary: memoryview, bounds: InputBounds) -> list[bytes]:
    """Return the bytes of each image. `binary`: all that follows the JSON.

    Raises:
        InvalidInference: the data do not fit the shape, or the binary tensor its size.
        TooManyImages, UploadTooLarge: see `InputBounds`.
    """
    size = tensor.parameters.binary_data_size
    if len(binary) != (size or 0):
        raise InvalidInference(
            "The bytes after the JSON are not as many as the parameter binary_data_size says."
        )
    if tensor.shape[0] > bounds.max_images:
        raise TooManyImages(bounds.max_images)

    if tensor.name is InputName.FITTED:
        return _fitted_images(tensor, binary, bounds.shape)
    return _files(tensor, binary, bounds.max_file_bytes)


def _files(tensor: InputTensor, binary: memoryview, max_bytes: int) -> list[bytes]:
    count, *more = tensor.shape
    if more not in ([], [1]):
        raise InvalidInference("The shape of 'image' is [N] or [N, 1].")

    elements = _prefixed(binary) if tensor.data is None else _decoded(_flat(tensor.data))
    files = []
    for element in elements:
        if len(element) > max_bytes:
            raise UploadTooLarge(max_bytes)
        files.append(bytes(element))
    if len(files) != count:
        raise InvalidInference("'image' has not as many elements as its shape says.")
    return files


def _prefixed(binary: memoryview) -> Iterator[memoryview]:
    """Yield the elements of a binary BYTES tensor: each has its length before it, little-endian."""
    start = 0
    while start < len(binary):
        begin = start + _PREFIX.size
        if begin > len(binary):
            raise InvalidInference("The binary tensor ends within the length of an element.")
        (length,) = _PREFIX.unpack(binary[start:begin])

        start = begin + length
        if start > len(binary):
            raise InvalidInference("The binary tensor ends within an element.")
        yield binary[begin:start]


def _decoded(elements: Sequence[Any]) -> Iterator[bytes]:
    """Yield the bytes of strings in base64."""
    for element in elements:
        if not isinstance(element, str):
            raise InvalidInference("The elements of 'image' in JSON are strings in base64.")
        try:
            yield base64.b64decode(element, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidInference("An element of 'image' is not valid base64.") from error


def _fitted_images(
    tensor: InputTensor, binary: memoryview, shape: tuple[int, int, int]
) -> list[bytes]:
    count, *size = tensor.shape
    if tuple(size) not in (shape, shape[:2]):
        wanted = ", ".join(map(str, shape))
        raise InvalidInference(f"The shape of 'fitted' is [N, {wanted}] for this model.")

    content = binary if tensor.data is None else memoryview(_packed(_flat(tensor.data)))
    step = _VALUE_BYTES * math.prod(shape)
    if len(content) != count * step:
        raise InvalidInference("'fitted' has not as many values as its shape says.")
    return [bytes(content[start : start + step]) for start in range(0, len(content), step)]


def _packed(values: Sequence[Any]) -> bytes:
    """Return numbers as FP32, little-endian."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        raise InvalidInference("The elements of 'fitted' are numbers.")
    try:
        return struct.pack(f"<{len(values)}f", *values)
    except (struct.error, OverflowError) as error:
        raise InvalidInference("A value of 'fitted' is no FP32.") from error


def _flat(data: Sequence[Any]) -> list[Any]:
    """Return the elements of nested lists in row-major order."""
    elements = list(data)
    while any(isinstance(element, list) for element in elements):
        if not all(isinstance(element, list) for element in elements):
            raise InvalidInference("The nested lists of a tensor have different depths.")
        elements = [inner for outer in elements for inner in outer]
    return elements
