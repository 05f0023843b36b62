"""Read DICOM elements by keyword, and note those that cannot be read.

A value that cannot be read counts as missing. Its keyword is noted, so that the caller can tell.
"""

from collections.abc import Mapping
from typing import Self, TypeVar

from pydicom.datadict import dictionary_description
from pydicom.tag import BaseTag, Tag

from service.errors import CorruptImage
from service.imaging.dicom.dataset_file import RawElements, read_items
from service.imaging.dicom.values import RawElement, read_numbers, read_texts, read_value
from service.imaging.library_errors import MALFORMED

T = TypeVar("T")


class Elements:
    """Elements of a dataset or an item of a sequence, read by the keywords of the standard.

    `unreadable`: keywords of the elements of the dataset that cannot be read. Items share them:
    `owner` is the keyword of the sequence.
    """

    def __init__(
        self,
        elements: RawElements,
        unreadable: dict[str, None] | None = None,
        owner: str | None = None,
    ) -> None:
        self._elements = elements
        self._unreadable = {} if unreadable is None else unreadable
        self._owner = owner

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Keywords of the elements that could not be read so far."""
        return tuple(self._unreadable)

    def mark(self, keyword: str) -> None:
        """Note that an element cannot be read."""
        self._unreadable[self._owner or keyword] = None

    def unmarked(self) -> Self:
        """Return the same elements. Those that cannot be read are not noted here."""
        return type(self)(self._elements)

    def element(self, tag: BaseTag) -> RawElement | None:
        """Return an element, None if it is missing."""
        return self._elements.get(tag)

    def texts(self, keyword: str) -> tuple[str, ...]:
        """Return an element's values in capitals, none if it is missing or blank."""
        element = self.element(Tag(keyword))
        values = read_texts(element) if element else ()
        if values is None:
            self.mark(keyword)
        return values or ()

    def text(self, keyword: str) -> str | None:
        """Return an element's only value in capitals, None if it is missing or blank."""
        values = set(self.texts(keyword))
        if len(values) > 1:
            self.mark(keyword)
            return None
        return next(iter(values), None)

    def term(self, keyword: str, terms: Mapping[str, T | None]) -> T | None:
        """Return the meaning of a term of the standard. Another term cannot be read."""
        written = self.text(keyword)
        if written is None or written in terms:
            return terms[written] if written else None
        self.mark(keyword)
        return None

    def flag(self, keyword: str) -> bool | None:
        """Return YES as True and NO as False."""
        return self.term(keyword, {"YES": True, "NO": False})

    def numbers(self, keyword: str) -> list[float | None]:
        """Return an element's values, None for each that cannot be read."""
        element = self.element(Tag(keyword))
        values = read_numbers(element) if element else []
        if None in values:
            self.mark(keyword)
        return values

    def vector(self, keyword: str, size: int) -> tuple[float, ...]:
        """Return an element's values, none unless there are as many as the standard says."""
        values = self.numbers(keyword)
        readable = tuple(value for value in values if value is not None)
        if values and len(readable) != size:
            self.mark(keyword)
        return readable if len(readable) == len(values) == size else ()

    def number(self, keyword: str) -> float | None:
        """Return an element's only value."""
        return next(iter(self.vector(keyword, 1)), None)

    def integer(self, keyword: str, default: int | None = None) -> int:
        """Return an element's only value, or the default if it is missing or blank.

        Raises:
            CorruptImage: there is no whole number, and no default for a missing one.
        """
        values = self.numbers(keyword)
        if not values and default is not None:
            return default
        match values:
            case [float(number)] if number.is_integer():
                return int(number)
        raise unreadable(keyword)

    def items(self, keyword: str) -> list[Self] | None:
        """Return the items of a sequence, none if it is missing, None if it cannot be read."""
        sequence = self.element(Tag(keyword))
        if sequence is None:
            return []
        value = read_value(sequence)
        if value is not None and not value.strip(b" \0"):
            return []

        owner = self._owner or keyword
        try:
            items = read_items(sequence)
        except MALFORMED:
            self.mark(keyword)
            return None
        return [type(self)(item, self._unreadable, owner) for item in items]


def unreadable(keyword: str) -> CorruptImage:
    """Return the refusal of a file whose pixels depend on an element that cannot be read."""
    name = dictionary_description(keyword)
    return CorruptImage(
        f"The header of the DICOM file is damaged: {name} is missing or cannot be read."
    )
