"""Decode DICOM files to calibrated greyscale: header, acceptance, pixel data, calibration."""

from pydicom.uid import UID

from service import geometry
from service.errors import CorruptImage, ImageError, UnsupportedImage, UnsupportedSyntax
from service.imaging.dicom import acceptance
from service.imaging.dicom.display import display
from service.imaging.dicom.elements import open_file
from service.imaging.dicom.header import Header, read_header
from service.imaging.dicom.pixeldata import SYNTAXES, Encoded, PixelReader
from service.imaging.library_errors import as_corrupt_image, silence_warnings
from service.imaging.limits import Limits
from service.records import ImageFacts, Mammogram


def is_bare_dataset(data: bytes, limits: Limits) -> bool:
    """Return whether the bytes are a DICOM dataset with an image, without preamble and prefix."""
    try:
        _, header = _read(data, limits)
    except ImageError:
        return False
    return header is not None


class DicomImage:
    """A DICOM file whose header was read, and that is a supported mammogram.

    Its pixels can be decoded at several resolutions; ImageError as in `service.imaging.decoding`.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._syntax, header = _read(data, limits)
        if header is None:
            raise CorruptImage(
                "The DICOM file has no pixel data, or its header lacks the rows or columns."
            )
        acceptance.require_mammogram(header.identity)
        _require_greyscale(header)
        limits.check(header.rows, header.columns)

        self._header = header
        storage = header.calibration.storage
        encoded = Encoded(
            header.pixel_data, self._syntax, header.rows, header.columns, storage, header.overlaid
        )
        self._pixels = PixelReader(encoded)

    def decode(
        self, min_size: tuple[float, float] | None = None, *, with_signal: bool = True
    ) -> Mammogram:
        """Decode the pixels; see `service.imaging.decoding.OpenedImage`."""
        # At a reduced resolution only if means of neighbouring values are meaningful.
        header = self._header
        may_reduce = header.calibration.is_smooth and not header.overlaid
        halvings = 0
        if min_size is not None and may_reduce:
            halvings = geometry.max_halvings(header.rows, header.columns, min_size)

        decoded = self._pixels.decode(halvings)
        shown = display(decoded.patterns, header, with_signal=with_signal)
        return Mammogram(
            pixels=shown.pixels,
            signal=shown.signal,
            facts=_facts(header, self._syntax, shown.window),
            warnings=(*acceptance.warnings(header.identity), *shown.warnings),
            to_source=decoded.to_source,
        )


def _read(data: bytes, limits: Limits) -> tuple[UID, Header | None]:
    """Return the transfer syntax and the header; see `read_header`."""
    with (
        silence_warnings(),
        as_corrupt_image("The DICOM file is truncated or damaged: its header cannot be read."),
    ):
        syntax, start = open_file(data)

        if syntax not in SYNTAXES:
            name = syntax.name if syntax.is_transfer_syntax else "of the file"
            raise UnsupportedSyntax(name, [known.name for known in SYNTAXES])

        return syntax, read_header(data, syntax, start, limits.max_dataset_bytes)


def _require_greyscale(header: Header) -> None:
    """Refuse images that are in colour, or of an unsupported or inconsistent depth."""
    if header.samples != 1 or header.photometric not in {"MONOCHROME1", "MONOCHROME2"}:
        raise UnsupportedImage(
            "The image is in colour, or its photometric interpretation is neither MONOCHROME1 nor "
            "MONOCHROME2."
        )

    storage = header.calibration.storage
    if storage.bits_allocated not in {8, 16}:
        raise UnsupportedImage("The image does not have 8 or 16 bits allocated per pixel.")
    if not 1 <= storage.bits_stored <= storage.high_bit + 1 <= storage.bits_allocated:
        raise CorruptImage(
            "The DICOM file contradicts itself: bits stored, high bit and bits allocated do not "
            "match."
        )


def _facts(header: Header, syntax: UID, window: str | None) -> ImageFacts:
    identity = header.identity

    return ImageFacts(
        format="dicom",
        rows=header.rows,
        columns=header.columns,
        bits=header.calibration.storage.bits_stored,
        photometric=header.photometric,
        transfer_syntax=syntax.name,
        lossy=identity.lossy,
        window=window,
        laterality=identity.laterality,
        laterality_source="header" if identity.laterality else None,
        view=identity.view,
        view_source="header" if identity.view else None,
        view_modifiers=identity.view_modifiers,
        patient_orientation=identity.patient_orientation,
        implant=identity.implant,
        partial_view=identity.partial_view,
        burned_in_annotation=identity.burned_in_annotation,
        derivation=identity.derivation,
        pixel_spacing_mm=identity.spacing.millimetres if identity.spacing else None,
        pixel_spacing_plane=identity.spacing.plane if identity.spacing else None,
        sop_instance_uid=identity.sop_instance_uid,
    )
