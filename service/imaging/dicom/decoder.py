"""Decode DICOM files to calibrated greyscale: header, acceptance, pixel data, calibration."""

from pydicom.uid import UID

from service import geometry
from service.imaging.dicom import acceptance
from service.imaging.dicom.display import display
from service.imaging.dicom.header import Header
from service.imaging.dicom.opening import open_dataset
from service.imaging.dicom.pixeldata import Encoded, PixelReader
from service.imaging.dicom.presets import read_vois
from service.imaging.dicom.stored_samples import stored_samples
from service.imaging.limits import Limits
from service.records import ImageFacts, Mammogram, Samples


class DicomImage:
    """A DICOM file whose header was read, and that is a supported mammogram.

    Its pixels can be decoded at several resolutions; ImageError as in `service.imaging.decoding`.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        dataset = open_dataset(data, limits)
        acceptance.require_mammogram(dataset.identity)
        header = dataset.header()
        limits.check(header.rows, header.columns)

        self._syntax = dataset.syntax
        self._elements = dataset.elements
        self._header = header
        self._warnings = (
            *acceptance.warnings(header.identity),
            *acceptance.unreadable_warning(dataset.elements.unreadable),
        )
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
            warnings=(*self._warnings, *shown.warnings),
            to_source=decoded.to_source,
        )

    def samples(self) -> Samples:
        """Return the values before the VOI transform; see `OpenedImage`."""
        header = self._header
        vois = read_vois(self._elements, header.calibration.value_range)
        return stored_samples(self._pixels.decode().patterns, header, vois)


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
