import random
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEG2000Lossless

from service.errors import EmptyImage, ImageError, UnsupportedFormat
from service.imaging import Limits, decode
from service.results import Pixels

WriteDicom = Callable[..., bytes]


def test_empty_file_is_told_from_an_unknown_one() -> None:
    with pytest.raises(EmptyImage):
        decode(b"")


@pytest.mark.parametrize("data", [b"x", b"GIF89a" + bytes(300), b"%PDF-1.7\n" * 40, bytes(1000), b"\xff" * 1000])
def test_unknown_bytes_are_no_image_format(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat):
        decode(data)


def test_dicom_with_the_header_of_a_tiff_in_its_preamble_is_dicom(write_dicom: WriteDicom, breast: Pixels) -> None:
    data = b"II*\x00" + write_dicom(breast)[4:]
    assert decode(data).facts.format == "dicom"


def _samples(breast: Pixels, write_dicom: WriteDicom) -> list[bytes]:
    small = np.ascontiguousarray(breast[::8, ::8])
    table = Dataset()
    table.LUTDescriptor = [64, 0, 12]
    table.LUTData = list(range(64))
    table["LUTData"].VR = "US"
    window = {"BitsStored": 12, "WindowCenter": [2048, 9], "WindowWidth": [4096, 9], "ImagerPixelSpacing": [0.07, 0.07]}
    rasters = []
    eight_bits = (small >> 4).astype(np.uint8)
    for file_format, image in (("PNG", small), ("TIFF", small), ("TIFF", eight_bits), ("JPEG", eight_bits)):
        stream = BytesIO()
        Image.fromarray(image).save(stream, file_format)
        rasters.append(stream.getvalue())
    return [
        write_dicom(small, **window),
        write_dicom(small, ImplicitVRLittleEndian, **window),
        write_dicom(small, ExplicitVRBigEndian, **window),
        write_dicom(small, JPEG2000Lossless, VOILUTFunction="SIGMOID", **window),
        write_dicom(small, BitsStored=12, VOILUTSequence=[table], PixelPaddingValue=0),
        write_dicom(small, BitsStored=12, preamble=False),
        *rasters,
    ]


def _mutate(data: bytes, chance: random.Random) -> bytes:
    mutant = bytearray(data)
    match chance.randrange(4):
        case 0:
            del mutant[chance.randrange(len(mutant)) :]
        case 1:
            start = chance.randrange(len(mutant))
            del mutant[start : start + chance.randrange(1, 64)]
        case 2:
            start = chance.randrange(len(mutant))
            mutant[start:start] = chance.randbytes(chance.randrange(1, 32))
        case _:
            for _ in range(chance.choice([1, 2, 4, 16])):
                mutant[chance.randrange(min(len(mutant), 600))] = chance.choice([0, 1, 127, 128, 255])
    return bytes(mutant)


def test_any_bytes_give_a_mammogram_or_an_image_error(breast: Pixels, write_dicom: WriteDicom) -> None:
    chance = random.Random(20)  # noqa: S311 - a repeatable sequence is wanted
    read = refused = 0
    for sample in _samples(breast, write_dicom):
        for _ in range(120):
            try:
                mammogram = decode(_mutate(sample, chance), Limits(max_pixels=1_000_000))
            except ImageError:
                refused += 1
            else:
                assert mammogram.pixels.shape == (mammogram.facts.rows, mammogram.facts.columns)
                assert mammogram.pixels.dtype == np.uint16
                read += 1
    assert read > 100
    assert refused > 100
