"""Encode raw elements of a file anew, in Explicit VR Little Endian. Texts keep their bytes.

An element that cannot be read, or that does not follow its VR, is left out. So are private ones.
"""

from pydicom.datadict import dictionary_has_tag
from pydicom.dataelem import RawDataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.tag import BaseTag, ItemTag, Tag
from pydicom.valuerep import VR

from service.imaging.dicom.dataset_file import HIDDEN_CHARACTER_SET, RawElements, read_items
from service.imaging.dicom.raw_values import character_set_value, simple_value, stored_value
from service.imaging.dicom.values import RawElement, standard_vr
from service.imaging.library_errors import MALFORMED

CHARACTER_SET = Tag("SpecificCharacterSet")

# Numbers of elements and levels of sequences that are far above those of any header.
_MAX_ELEMENTS = 10_000
_MAX_DEPTH = 8


class RawEncoder:
    """Encoder of elements, with one bound on the number of all of them."""

    def __init__(self) -> None:
        self._elements_left = _MAX_ELEMENTS

    def encode(self, elements: RawElements, depth: int = 0) -> dict[BaseTag, bytes]:
        """Return the elements that can be encoded, each with its tag, VR and length."""
        encoded = {}
        for stored_tag, element in sorted(elements.items()):
            tag = CHARACTER_SET if stored_tag == HIDDEN_CHARACTER_SET else stored_tag
            try:
                encoded[tag] = self._encode_one(tag, element, depth)
            except MALFORMED:
                continue
        return encoded

    def _encode_one(self, tag: BaseTag, element: RawElement, depth: int) -> bytes:
        """Encode an element. Raises one of MALFORMED if it cannot be."""
        self._elements_left -= 1
        if self._elements_left < 0 or depth > _MAX_DEPTH:
            raise ValueError("too many elements")
        if not dictionary_has_tag(tag):
            raise ValueError("no element of the standard")

        vr = VR(standard_vr(tag))
        if vr == VR.SQ:
            value = self._items(element, depth)
        elif tag == CHARACTER_SET:
            value = character_set_value(stored_value(element))
        else:
            value = simple_value(vr, element)

        stream = _stream()
        raw = RawDataElement(tag, vr, len(value), value, 0, False, True)  # noqa: FBT003 - a tuple
        write_data_element(stream, raw)
        return stream.getvalue()

    def _items(self, sequence: RawElement, depth: int) -> bytes:
        if isinstance(sequence, RawDataElement) and not stored_value(sequence).strip(b" \0"):
            return b""

        stream = _stream()
        for item in read_items(sequence):
            content = join(self.encode(item, depth + 1))
            stream.write_tag(ItemTag)
            stream.write_UL(len(content))
            stream.write(content)
        return stream.getvalue()


def join(encoded: dict[BaseTag, bytes]) -> bytes:
    """Return the elements one after the other, in the order of their tags."""
    return b"".join(encoded[tag] for tag in sorted(encoded))


def _stream() -> DicomBytesIO:
    stream = DicomBytesIO()
    stream.is_implicit_VR = False
    stream.is_little_endian = True
    return stream


def keep_smallest(encoded: dict[BaseTag, bytes], max_bytes: int) -> dict[BaseTag, bytes]:
    """Return the elements that fit, the smallest first."""
    kept = {}
    for tag, content in sorted(encoded.items(), key=_by_size):
        if len(content) > max_bytes:
            break
        max_bytes -= len(content)
        kept[tag] = content
    return kept


def _by_size(entry: tuple[BaseTag, bytes]) -> tuple[int, BaseTag]:
    tag, content = entry
    return len(content), tag
