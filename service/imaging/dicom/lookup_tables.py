"""Read lookup tables from the items of LUT sequences (PS3.3 C.11.1.1 and C.11.2.1.1)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydicom.tag import Tag

from service.imaging.dicom.elements import Elements
from service.imaging.dicom.greyscale import LookupTable
from service.imaging.dicom.values import byte_order, read_value

_MAX_BITS = 16
# Values that do not fit into a word: 2 ** 16 entries are written as 0, a sign may be lost.
_WRAP = 2**16
_LUT_DATA = Tag("LUTData")


def read_tables(
    elements: Elements, keyword: str, inputs: tuple[float, float]
) -> list[LookupTable | None]:
    """Read the tables of a sequence, None for each that cannot be read.

    `inputs`: lowest and highest value that the table may be applied to.
    """
    items = elements.items(keyword)
    if items is None:
        return [None]

    # Items without entries state nothing.
    stated = [item for item in items if _data(item)]
    tables = [_read_table(item, inputs) for item in stated]
    if len(stated) < len(items) or any(table is None for table in tables):
        elements.mark(keyword)
    return tables


def read_named_tables(
    elements: Elements, keyword: str, inputs: tuple[float, float]
) -> Iterator[tuple[LookupTable, tuple[str, ...]]]:
    """Yield the tables of a sequence that can be read, each with its explanation in capitals."""
    for item in elements.items(keyword) or []:
        table = _read_table(item, inputs) if _data(item) else None
        if table is not None:
            yield table, item.texts("LUTExplanation")


def _read_table(item: Elements, inputs: tuple[float, float]) -> LookupTable | None:
    """Read a table. It is unreadable if entries are missing; those beyond its size are padding."""
    descriptor = item.vector("LUTDescriptor", 3)
    if not descriptor:
        return None

    # VR and sign hold for the first input only.
    size = int(descriptor[0]) % _WRAP or _WRAP
    bits = int(descriptor[2])
    entries = _entries(item, size)
    if entries.size < size or not 1 <= bits <= _MAX_BITS:
        return None
    return LookupTable(_first(int(descriptor[1]), size, inputs), bits, entries[:size])


def _entries(item: Elements, size: int) -> NDArray[np.int64]:
    """Return the entries, which are unsigned. Those of 8 bits may be packed, two to a word."""
    data = _data(item)
    element = item.element(_LUT_DATA)
    vr = element.VR if element else None

    is_packed = vr not in {"US", "SS"} and len(data) <= size + 1
    order = byte_order(element) if element else "<"
    word = np.dtype(np.uint8 if is_packed else f"{order}u2")
    entries = np.frombuffer(data, word, len(data) // word.itemsize)
    return entries[:size].astype(np.int64)


def _data(item: Elements) -> bytes:
    element = item.element(_LUT_DATA)
    return (read_value(element) if element else None) or b""


def _first(first: int, size: int, inputs: tuple[float, float]) -> int:
    """Return the first input of a table, read with the sign under which the table is used.

    Some writers give it as an unsigned number where pixels are signed, and the reverse.
    """
    lowest, highest = inputs
    for candidate in (first, first - _WRAP, first + _WRAP):
        if candidate <= highest and candidate + size > lowest:
            return candidate
    return first
