"""VOI transforms that a file offers beside the one that is used, and their names.

The explanation of a transform is free text, in which the name of a person may stand. It is told
only if it is one of a few known terms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.imaging.dicom.elements import Elements
from service.imaging.dicom.greyscale import LookupTable, VoiWindow
from service.imaging.dicom.header import WINDOW_NAMES
from service.imaging.dicom.lookup_tables import read_named_tables
from service.imaging.dicom.windows import read_windows
from service.records import VoiPreset, VoiTable

KNOWN_NAMES = {
    "NORMAL", "STANDARD", "DEFAULT", "HARDER", "HARD", "SOFTER", "SOFT", "WIDE", "WIDER", "NARROW",
    "NARROWER", "BRIGHT", "BRIGHTER", "DARK", "DARKER", "HIGH", "MEDIUM", "LOW", "USER",
    "HIGH CONTRAST", "LOW CONTRAST", "CONTRAST", "SMOOTH", "SHARP", "SKIN", "DENSE", "IMPLANT",
    "MIN/MAX", "FULL RANGE", "BREAST", "TISSUE", "LINEAR", "SIGMOID",
}  # fmt: skip
"""Names of windows and tables that are told."""


@dataclass(frozen=True, slots=True)
class NamedVoi:
    """A VOI transform of the file. `name`: see `KNOWN_NAMES`."""

    voi: VoiWindow | LookupTable
    name: str | None

    def preset(self) -> VoiPreset:
        """Return the transform as it is told."""
        if isinstance(self.voi, VoiWindow):
            window = self.voi
            return VoiPreset(self.name, window.function, window.center, window.width, None)
        entries = self.voi.entries.astype("<u2").tobytes()
        table = VoiTable(self.voi.first, self.voi.maximum, entries)
        return VoiPreset(self.name, "TABLE", None, None, table)


def read_vois(elements: Elements, inputs: tuple[float, float]) -> Iterator[NamedVoi]:
    """Yield the usable windows of a header, then its usable tables.

    The first of them is the one that the header names. `inputs`: the range of the modality
    transform. An element that cannot be read is not noted: no pixel depends on it.
    """
    elements = elements.unmarked()
    names = elements.texts(WINDOW_NAMES)
    for number, window in enumerate(read_windows(elements)):
        if window is not None:
            yield NamedVoi(window, _known(names[number : number + 1]))

    for table, explanation in read_named_tables(elements, "VOILUTSequence", inputs):
        yield NamedVoi(table, _known(explanation))


def _known(explanation: Sequence[str]) -> str | None:
    """Return the only text of an explanation if it is a known name."""
    (name,) = explanation if len(explanation) == 1 else ("",)
    return name if name in KNOWN_NAMES else None
