"""Segments of RLE with padding, against the plain file."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from pydicom.encaps import encapsulate, generate_fragments
from pydicom.uid import RLELossless

from service.errors import CorruptImage
from service.imaging import decode
from service.records import Pixels
from training.phantoms import transfer

WriteDicom = Callable[..., bytes]
Read = Callable[[list[bytes]], Pixels]


@pytest.fixture(scope="module")
def textured(breast: Pixels) -> Pixels:
    """The breast with noise in the air, so that no byte at an end of a segment is padding."""
    noise = np.random.default_rng(5).integers(1, 40, breast.shape)
    return np.asarray(np.minimum(breast + noise, 4095), np.uint16)


@pytest.fixture(scope="module")
def segments(textured: Pixels) -> list[bytes]:
    """The two segments of the breast, most significant byte first."""
    _offsets, frame = generate_fragments(transfer.encode(textured, 12, "rle"))
    _count, first, second, *_rest = struct.unpack("<16I", frame[:64])
    return [frame[first:second], frame[second:]]


@pytest.fixture(scope="module")
def read_segments(write_dicom: WriteDicom, textured: Pixels) -> Read:
    """Reader of two segments in a DICOM file."""

    def read_segments(parts: list[bytes]) -> Pixels:
        header = struct.pack("<16I", 2, 64, 64 + len(parts[0]), *[0] * 13)
        frame = encapsulate([header + b"".join(parts)])
        return decode(write_dicom(textured, RLELossless, BitsStored=12, PixelData=frame)).pixels

    return read_segments


@pytest.mark.parametrize(
    "padding",
    [
        b"\x00", b"\x00" * 2, b"\x00" * 3, bytes(100), bytes(5001),
        b"\xff", b"\xff" * 2, b"\xff" * 9, b"\x80", b"\x05abc",
    ],
    ids=lambda padding: f"{len(padding)} x {padding[0]:02x}",
)  # fmt: skip
def test_padded_segments_give_the_same_pixels(
    read_segments: Read, segments: list[bytes], padding: bytes
) -> None:
    padded = read_segments([segment + padding for segment in segments])

    assert np.array_equal(padded, read_segments(segments))


def test_last_run_may_be_too_long(read_segments: Read, segments: list[bytes]) -> None:
    # Two more bytes: 00 and 17, and then a run of 17 by a code that repeats it eight times.
    longer = [segments[0] + b"\x01\x00\x17" + b"\xf9\x17", segments[1]]

    assert np.array_equal(read_segments(longer), read_segments(segments))


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("lost", [9, 400])
@pytest.mark.parametrize("padding", [b"", b"\x00" * 2, b"\xff", bytes(99)], ids=len)
def test_short_segment_is_corrupt_whatever_follows(
    read_segments: Read, segments: list[bytes], which: int, lost: int, padding: bytes
) -> None:
    parts = list(segments)
    parts[which] = parts[which][:-lost] + padding

    with pytest.raises(CorruptImage):
        read_segments(parts)


def test_segments_of_a_larger_image_are_corrupt(write_dicom: WriteDicom, textured: Pixels) -> None:
    for size in ({"Rows": 419}, {"Columns": 299}):
        with pytest.raises(CorruptImage):
            decode(write_dicom(textured, RLELossless, BitsStored=12, **size))
