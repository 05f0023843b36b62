import gzip
import zipfile
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from service.errors import UnsupportedFormat
from service.imaging import decode


def _saved(file_format: str) -> bytes:
    stream = BytesIO()
    Image.fromarray(np.eye(64, dtype=np.uint8)).save(stream, file_format)
    return stream.getvalue()


def _zipped() -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("image.dcm", bytes(200))
    return stream.getvalue()


FILES = {
    "GIF": _saved("GIF"),
    "BMP": _saved("BMP"),
    "WebP": _saved("WEBP"),
    "AVIF": _saved("AVIF"),
    "PDF": _saved("PDF"),
    "JPEG 2000": _saved("JPEG2000"),
    "gzip": gzip.compress(bytes(1000)),
    "a ZIP archive": _zipped(),
    "NIfTI": bytes(344) + b"n+1\x00" + bytes(400),
    "NRRD": b"NRRD0004\ntype: ushort\n" * 20,
    "MetaImage": b"ObjectType = Image\nNDims = 2\n" * 20,
    "HEIC": b"\x00\x00\x00\x18ftypheic" + bytes(400),
    "JPEG XL": b"\xff\x0a" + bytes(400),
}


@pytest.mark.parametrize("name", FILES)
def test_refusal_names_the_format(name: str) -> None:
    with pytest.raises(UnsupportedFormat, match=rf"TIFF, but {name}\.$"):
        decode(FILES[name])


def test_unknown_format_has_no_name() -> None:
    with pytest.raises(UnsupportedFormat, match=r"JPEG or TIFF\.$"):
        decode(b"x" * 1000)
