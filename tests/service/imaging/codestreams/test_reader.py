"""Padding and missing ends of JPEG, JPEG-LS and JPEG 2000, against the plain image."""

import re
import struct
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate, generate_fragments
from pydicom.uid import UID

from service.errors import CorruptImage, UnsupportedImage
from service.imaging import decode
from service.imaging.codestreams.reader import read_codestream
from service.records import Pixels
from training.phantoms import transfer

WriteDicom = Callable[..., bytes]

END = 2  # bytes of the end marker
JPEG: list[transfer.Syntax] = ["jpeg", "jpeg-extended", "jpeg-lossless-sv1"]
JPEG_LS: list[transfer.Syntax] = ["jpeg-ls", "jpeg-ls-near"]
JPEG_2000: list[transfer.Syntax] = ["jpeg2000", "jpeg2000-lossy", "htj2k", "htj2k-rpcl"]
ALL = [*JPEG, *JPEG_LS, *JPEG_2000]


@pytest.fixture(scope="session")
def textured(breast: Pixels) -> Pixels:
    """A part of the breast with noise in the air, so that no byte is zero by chance."""
    part = breast[120:280, :150]
    noise = np.random.default_rng(5).integers(0, 40, part.shape)
    return np.asarray(np.minimum(part + noise, 4095), np.uint16)


@pytest.fixture(scope="session")
def read_stream(write_dicom: WriteDicom, textured: Pixels) -> Callable[..., Pixels]:
    """Reader of a codestream of the textured breast, in a DICOM file of that syntax."""

    def read_stream(syntax: transfer.Syntax, codestream: bytes) -> Pixels:
        values, bits = stored(textured, syntax)
        data = write_dicom(
            values,
            transfer.SYNTAXES[syntax],
            BitsStored=bits,
            PixelData=encapsulate([codestream]),
        )
        return decode(data).pixels

    return read_stream


ReadStream = Callable[[transfer.Syntax, bytes], Pixels]


def stored(breast: Pixels, syntax: transfer.Syntax) -> tuple[NDArray[Any], int]:
    """The breast in 12 bits, or in 8 if the syntax takes no more, and the number of bits."""
    return ((breast >> 4).astype(np.uint8), 8) if syntax == "jpeg" else (breast, 12)


def plain(breast: Pixels, syntax: transfer.Syntax) -> bytes:
    """The codestream without padding."""
    values, bits = stored(breast, syntax)
    _offsets, padded = generate_fragments(transfer.encode(values, bits, syntax))
    return padded[: padded.rindex(b"\xff\xd9") + END]


def without_length(codestream: bytes) -> bytes:
    """JPEG 2000 with a tile-part of length 0, which lasts until the end of codestream."""
    start = codestream.index(b"\xff\x90")
    return codestream[: start + 6] + bytes(4) + codestream[start + 10 :]


@pytest.mark.parametrize("syntax", ALL)
@pytest.mark.parametrize(
    "padding",
    [bytes(100), bytes(70_001), b"\xff" * 99, bytes(range(1, 200))],
    ids=["zeros", "many zeros", "FF", "other bytes"],
)
def test_bytes_after_the_end_are_skipped(
    read_stream: ReadStream, textured: Pixels, syntax: transfer.Syntax, padding: bytes
) -> None:
    codestream = plain(textured, syntax)

    padded = read_stream(syntax, codestream + padding)

    assert np.array_equal(padded, read_stream(syntax, codestream))


@pytest.mark.parametrize("syntax", ALL)
@pytest.mark.parametrize(
    "padding", [b"", b"\x00", bytes(1000), b"\xff" * 10], ids=["nothing", "a zero", "zeros", "FF"]
)
def test_missing_end_of_whole_image_is_added(
    read_stream: ReadStream, textured: Pixels, syntax: transfer.Syntax, padding: bytes
) -> None:
    codestream = plain(textured, syntax)

    endless = read_stream(syntax, codestream[:-END] + padding)

    assert np.array_equal(endless, read_stream(syntax, codestream))


@pytest.mark.parametrize("syntax", JPEG_2000)
@pytest.mark.parametrize("cut", [0, END])
@pytest.mark.parametrize("padding", [b"", bytes(10), b"\xff" * 11], ids=["nothing", "zeros", "FF"])
def test_tile_part_without_length_is_read(
    read_stream: ReadStream, textured: Pixels, syntax: transfer.Syntax, cut: int, padding: bytes
) -> None:
    codestream = plain(textured, syntax)
    endless = without_length(codestream)[: len(codestream) - cut] + padding

    assert np.array_equal(read_stream(syntax, endless), read_stream(syntax, codestream))


@pytest.mark.parametrize("syntax", ALL)
@pytest.mark.parametrize("lost", [3, 40, 3000])
@pytest.mark.parametrize(
    "padding", [b"", bytes(1), bytes(4000), b"\xff" * 3], ids=["nothing", "a zero", "zeros", "FF"]
)
def test_truncated_image_is_corrupt_whatever_follows(
    read_stream: ReadStream, textured: Pixels, syntax: transfer.Syntax, lost: int, padding: bytes
) -> None:
    truncated = plain(textured, syntax)[: -END - lost]

    with pytest.raises(CorruptImage):
        read_stream(syntax, truncated + padding)


@pytest.mark.parametrize("syntax", JPEG_2000)
@pytest.mark.parametrize("kept", [0, 0.1, 0.9, 0.999])
def test_truncated_tile_part_without_length_is_corrupt(
    read_stream: ReadStream, textured: Pixels, syntax: transfer.Syntax, kept: float
) -> None:
    codestream = without_length(plain(textured, syntax))
    header = codestream.index(b"\xff\x93") + 2
    stop = header + int(kept * (len(codestream) - header))

    for padding in (b"", bytes(20)):
        with pytest.raises(CorruptImage):
            read_stream(syntax, codestream[:stop] + padding)


def test_restarts_do_not_hide_missing_data() -> None:
    """After each of its restart markers, JPEG could end."""
    values = np.random.default_rng(1).integers(0, 256, (64, 64)).astype(np.uint8)
    stream = BytesIO()
    Image.fromarray(values).save(stream, "JPEG", quality=95, restart_marker_rows=1)
    codestream = stream.getvalue()
    restarts = [match.start() for match in re.finditer(rb"\xff[\xd0-\xd7]", codestream)]

    whole = read_codestream(codestream[:-END]).data

    assert np.array_equal(imagecodecs.jpeg8_decode(whole), imagecodecs.jpeg8_decode(codestream))
    assert len(restarts) == 7
    for restart in restarts:
        with pytest.raises(CorruptImage):
            read_codestream(codestream[:restart])


@pytest.mark.parametrize("syntax", [*JPEG, *JPEG_LS])
@pytest.mark.parametrize("size", [0, 1, 65533])
def test_comments_and_application_data_are_skipped(
    read_stream: ReadStream, textured: Pixels, syntax: transfer.Syntax, size: int
) -> None:
    """They hold markers, as the thumbnails in EXIF do."""
    codestream = plain(textured, syntax)
    scan = codestream.index(b"\xff\xda")
    length = struct.pack(">H", size + 2)
    content = (b"\xff\xd8\xff\xd9" * size)[:size]
    comment = b"\xff\xfe" + length + content
    application = b"\xff\xe1" + length + content

    pixels = read_stream(
        syntax,
        codestream[:2] + comment + application + codestream[2:scan] + comment + codestream[scan:],
    )
    assert np.array_equal(pixels, read_stream(syntax, codestream))
    with pytest.raises(CorruptImage):
        read_stream(syntax, codestream[:2] + application + codestream[2:scan] + bytes(90))


@pytest.mark.parametrize("syntax", [*JPEG, *JPEG_LS])
def test_fill_bytes_before_markers_are_skipped(
    read_stream: ReadStream, textured: Pixels, syntax: transfer.Syntax
) -> None:
    codestream = plain(textured, syntax)
    scan = codestream.index(b"\xff\xda")
    filled = codestream[:2] + b"\xff\xff" + codestream[2:scan] + b"\xff" + codestream[scan:]

    pixels = read_stream(syntax, filled[:-END] + b"\xff\xff" + filled[-END:])

    assert np.array_equal(pixels, read_stream(syntax, codestream))


@pytest.mark.parametrize("syntax", JPEG_2000)
@pytest.mark.parametrize("size", [0, 65531])
def test_comments_of_jpeg2000_are_skipped(
    read_stream: ReadStream, textured: Pixels, syntax: transfer.Syntax, size: int
) -> None:
    codestream = plain(textured, syntax)
    tile_part = codestream.index(b"\xff\x90")
    comment = b"\xff\x64" + struct.pack(">HH", size + 4, 1) + b"x" * size

    pixels = read_stream(syntax, codestream[:tile_part] + comment + codestream[tile_part:])

    assert np.array_equal(pixels, read_stream(syntax, codestream))


@pytest.mark.parametrize("has_length", [True, False])
def test_boxes_around_jpeg2000_are_skipped(
    read_stream: ReadStream, textured: Pixels, has_length: bool
) -> None:
    codestream = plain(textured, "jpeg2000")
    body = codestream if has_length else without_length(codestream)
    boxes = [(b"jP  ", b"\r\n\x87\n"), (b"jp2c", body), (b"xml ", b"x" * 99)]
    wrapped = b"".join(struct.pack(">I4s", 8 + len(c), name) + c for name, c in boxes)

    assert np.array_equal(read_stream("jpeg2000", wrapped), read_stream("jpeg2000", codestream))


def _tiled(breast: Pixels) -> tuple[bytes, list[int]]:
    """JPEG 2000 of several tiles, and where their tile-parts begin."""
    stream = BytesIO()
    Image.fromarray(breast).save(stream, "JPEG2000", no_jp2=True, tile_size=(60, 100))
    codestream = stream.getvalue()
    starts = [at for at in range(len(codestream)) if codestream.startswith(b"\xff\x90\x00\x0a", at)]
    return codestream, starts


def test_missing_tiles_are_corrupt_despite_the_end(
    read_stream: ReadStream, textured: Pixels
) -> None:
    codestream, starts = _tiled(textured)
    kept = codestream[: starts[-1]] + codestream[-END:]

    assert len(starts) == 6
    assert read_stream("jpeg2000", codestream).shape == textured.shape
    assert np.array_equal(
        read_stream("jpeg2000", codestream[:-END]), read_stream("jpeg2000", codestream)
    )
    for endless in (kept, kept[:-END]):
        with pytest.raises(CorruptImage):
            read_stream("jpeg2000", endless)


@pytest.mark.parametrize("process", [0xC5, 0xCB, 0xCF])
def test_processes_without_decoder_are_unsupported(textured: Pixels, process: int) -> None:
    codestream = plain(textured, "jpeg-extended").replace(b"\xff\xc1", bytes((0xFF, process)), 1)

    with pytest.raises(UnsupportedImage):
        read_codestream(codestream)


@pytest.mark.interop
@pytest.mark.parametrize("syntax", [*JPEG, *JPEG_LS])
def test_dcmtk_reads_the_padded_image_the_same(
    write_dicom: WriteDicom, textured: Pixels, syntax: transfer.Syntax, tmp_path: Path
) -> None:
    values, bits = stored(textured, syntax)
    padded = encapsulate([plain(textured, syntax) + bytes(100)])
    uid = transfer.SYNTAXES[syntax]
    uids = {"StudyInstanceUID": UID("1.2.3"), "SeriesInstanceUID": UID("1.2.4")}
    data = write_dicom(values, uid, BitsStored=bits, PixelData=padded, **uids)
    (tmp_path / "padded.dcm").write_bytes(data)

    program = "dcmdjpls" if syntax in JPEG_LS else "dcmdjpeg"
    subprocess.run([program, "padded.dcm", "plain.dcm"], cwd=tmp_path, check=True)

    assert np.array_equal(decode(data).pixels, decode((tmp_path / "plain.dcm").read_bytes()).pixels)
