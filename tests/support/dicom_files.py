"""A synthetic breast, and a writer of DICOM files."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread, dcmwrite
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    DigitalMammographyXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

from service.records import Pixels
from training.phantoms.transfer import SYNTAXES, encode

WriteDicom = Callable[..., bytes]


def stored_breast() -> Pixels:
    """Return a left breast as 12-bit stored values, uint16 [420, 300].

    It is a half ellipse with a dim periphery and texture, on black air.
    """
    y, x = np.mgrid[:420, :300].astype(np.float64)
    depth = 1 - np.hypot((y - 205) / 170, x / 210)
    texture = cv2.GaussianBlur(np.random.default_rng(7).normal(size=y.shape), (0, 0), 4)
    tissue = 900 + 2200 * np.clip(depth, 0, 1) + 1500 * texture
    return np.where(depth > 0, np.clip(tissue, 400, 4095), 0).astype(np.uint16)


def write_dicom(
    stored: NDArray[Any],
    syntax: UID = ExplicitVRLittleEndian,
    *,
    preamble: bool = True,
    vr: str | None = None,
    add: tuple[int, str, object] | None = None,
    **elements: object,
) -> bytes:
    """Write a Digital Mammography file.

    `stored`: the stored values. `vr`: VR of the pixel data. `add`: tag, VR and value of one more
    element. `elements`: values by keyword, where None leaves the element out.
    """
    dataset = Dataset()
    bits = 8 * stored.dtype.itemsize
    defaults: dict[str, object] = {
        "SOPClassUID": DigitalMammographyXRayImageStorageForPresentation,
        "SOPInstanceUID": "1.2.840.99999.1",
        "Modality": "MG",
        "PatientName": "Doe^Jane",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": stored.shape[0],
        "Columns": stored.shape[1],
        "BitsAllocated": bits,
        "BitsStored": bits,
        "PixelRepresentation": int(np.issubdtype(stored.dtype, np.signedinteger)),
    }

    # Elements.
    for keyword, value in (defaults | elements).items():
        if value is not None:
            setattr(dataset, keyword, value)
    if add is not None:
        dataset.add_new(*add)

    # Elements that follow from others, unless the caller gives them.
    if "HighBit" not in elements:
        dataset.HighBit = int(dataset.BitsStored) - 1
    if "PixelData" not in elements:
        dataset.PixelData = _pixel_data(stored, syntax, int(dataset.BitsStored))
    if "PixelData" in dataset:
        dataset["PixelData"].VR = vr or ("OB" if syntax.is_encapsulated or bits == 8 else "OW")

    # File meta information.
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.840.99999.1")

    stream = BytesIO()
    if preamble:
        dataset.save_as(stream, enforce_file_format=True)
    else:
        del dataset.file_meta
        dataset.save_as(
            stream, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian
        )
    return stream.getvalue()


def with_raw(data: bytes, keyword: str, value: bytes, vr: str | None = None) -> bytes:
    """Return the file with these bytes as the value of an element.

    `vr`: the VR in the file, by default that of the standard.
    """
    dataset = dcmread(BytesIO(data))
    tag = Tag(keyword)
    dataset[tag] = RawDataElement(
        tag,
        vr or dictionary_VR(tag)[:2],
        length=len(value),
        value=value,
        value_tell=0,
        is_implicit_VR=False,
        is_little_endian=True,
    )

    stream = BytesIO()
    dcmwrite(stream, dataset)
    return stream.getvalue()


def without(data: bytes, keyword: str) -> bytes:
    """Return the file without an element."""
    dataset = dcmread(BytesIO(data))
    if keyword in dataset:
        delattr(dataset, keyword)

    stream = BytesIO()
    dcmwrite(stream, dataset)
    return stream.getvalue()


def _pixel_data(stored: NDArray[Any], syntax: UID, bits: int) -> bytes:
    name = next(name for name, uid in SYNTAXES.items() if uid == syntax)
    return encode(stored, bits, name)
