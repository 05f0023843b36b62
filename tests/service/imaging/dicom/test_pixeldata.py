"""Every transfer syntax, against the stored values and against other decoders."""

import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_fragments
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    MPEG2MPML,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from service.errors import CorruptImage, Undecodable, UnsupportedImage, UnsupportedSyntax
from service.imaging import Limits, decode
from service.imaging.dicom.pixeldata import SYNTAXES
from service.records import Pixels
from training.phantoms import transfer

WriteDicom = Callable[..., bytes]

LOSSLESS = [uid for name, uid in transfer.SYNTAXES.items() if name not in transfer.LOSSY]
# Max error on this breast in 12-bit stored values (8-bit for JPEG Baseline), and max mean error.
LOSSY = {
    JPEGBaseline8Bit: (14, 1.5),
    JPEGExtended12Bit: (24, 4),
    JPEGLSNearLossless: (transfer.NEAR, 2),
    JPEG2000: (120, 12),
    HTJ2K: (16, 3),
}

# Syntaxes that Debian's dcmtk decodes.
DCMTK = [
    ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian, RLELossless, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless,
    JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless,
]  # fmt: skip


def keyword(syntax: object) -> str | None:
    return syntax.keyword if isinstance(syntax, UID) else None


def displayed(values: NDArray[Any]) -> NDArray[np.float64]:
    """The display without a window: the range of the values on 0..65535."""
    lowest = int(values.min())
    span = int(values.max()) - lowest
    return np.asarray((values.astype(np.float64) - lowest) * 65535 / span)


def storable(breast: Pixels, syntax: UID) -> tuple[NDArray[Any], int]:
    """The breast in 12 bits, or in 8 if the syntax takes no more, and the number of bits."""
    return ((breast >> 4).astype(np.uint8), 8) if syntax == JPEGBaseline8Bit else (breast, 12)


def codestream_of(stored: NDArray[Any], bits: int, syntax: UID) -> bytes:
    """The codestream that the phantoms write in that syntax, without encapsulation."""
    name = next(name for name, uid in transfer.SYNTAXES.items() if uid == syntax)
    _offsets, codestream = generate_fragments(transfer.encode(stored, bits, name))
    return codestream


def test_phantoms_write_every_supported_syntax() -> None:
    assert set(SYNTAXES) == set(transfer.SYNTAXES.values()) == {*LOSSLESS, *LOSSY}


@pytest.mark.parametrize("syntax", LOSSLESS, ids=keyword)
@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_lossless_syntaxes_give_the_stored_values(
    write_dicom: WriteDicom, syntax: UID, bits: int, *, signed: bool
) -> None:
    lowest = -(2 ** (bits - 1)) if signed else 0
    values = np.random.default_rng(bits).integers(lowest, lowest + 2**bits, (67, 53))
    values[:8] = lowest  # as dark as air

    mammogram = decode(
        write_dicom(values.astype(np.int16 if signed else np.uint16), syntax, BitsStored=bits)
    )

    assert np.array_equal(mammogram.pixels, np.rint(displayed(values)))
    assert mammogram.facts.transfer_syntax == syntax.name
    assert mammogram.facts.bits == bits


@pytest.mark.parametrize("syntax", LOSSLESS, ids=keyword)
def test_eight_bits_fill_the_full_range(write_dicom: WriteDicom, syntax: UID) -> None:
    values = np.random.default_rng(8).integers(0, 256, (67, 53)).astype(np.uint8)
    assert np.array_equal(
        decode(write_dicom(values, syntax)).pixels, values.astype(np.uint16) * 257
    )


@pytest.mark.parametrize("shape", [(8, 6), (7, 5)])
def test_big_endian_bytes_in_words_are_swapped(
    write_dicom: WriteDicom, shape: tuple[int, int]
) -> None:
    values = np.random.default_rng(8).integers(0, 256, shape).astype(np.uint8)
    values[0, :2] = 0, 255
    words = np.pad(values.ravel(), (0, values.size % 2)).view(np.uint16).byteswap().tobytes()
    in_bytes = write_dicom(values, ExplicitVRBigEndian, vr="OB")
    in_words = write_dicom(values, ExplicitVRBigEndian, vr="OW", PixelData=words)

    assert np.array_equal(decode(in_bytes).pixels, decode(in_words).pixels)
    assert np.array_equal(decode(in_words).pixels, values.astype(np.uint16) * 257)


@pytest.mark.parametrize("syntax", LOSSY, ids=keyword)
def test_lossy_syntaxes_stay_within_their_bounds(
    write_dicom: WriteDicom, breast: Pixels, syntax: UID
) -> None:
    values, bits = storable(breast, syntax)

    mammogram = decode(
        write_dicom(
            values,
            syntax,
            BitsStored=bits,
            WindowCenter=2 ** (bits - 1),
            WindowWidth=2**bits,
            LossyImageCompression="01",
        )
    )
    error = np.abs(mammogram.pixels * ((2**bits - 1) / 65535) - values)
    worst, mean = LOSSY[syntax]

    assert 0 < error.max() <= worst + 0.1
    assert error.mean() <= mean
    assert mammogram.facts.lossy is True


@pytest.mark.parametrize("syntax", LOSSLESS, ids=keyword)
def test_monochrome1_twins_are_identical(
    write_dicom: WriteDicom, breast: Pixels, syntax: UID
) -> None:
    plain = decode(write_dicom(breast, syntax, BitsStored=12))
    twin = decode(
        write_dicom(4095 - breast, syntax, BitsStored=12, PhotometricInterpretation="MONOCHROME1")
    )

    assert np.array_equal(plain.pixels, twin.pixels)


@pytest.mark.interop
@pytest.mark.parametrize("syntax", DCMTK, ids=keyword)
def test_dcmtk_decodes_the_same(
    write_dicom: WriteDicom, breast: Pixels, syntax: UID, tmp_path: Path
) -> None:
    bits = 8 if syntax == JPEGBaseline8Bit else 16
    values = (breast >> 4).astype(np.uint8) if bits == 8 else (breast << 4).astype(np.uint16)
    if syntax == JPEGExtended12Bit:
        values = breast
        bits = 12
    data = write_dicom(
        values, syntax, BitsStored=bits, StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.4"
    )
    (tmp_path / "coded.dcm").write_bytes(data)
    source = "coded.dcm"
    if syntax in {JPEGLSLossless, JPEGLSNearLossless}:
        decode_first = ["dcmdjpls", "coded.dcm", "plain.dcm"]
        subprocess.run(decode_first, cwd=tmp_path, check=True, capture_output=True)
        source = "plain.dcm"
    command = ["dcmj2pnm", "+on2", "+Wm", source, "shown.png"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    shown = np.asarray(Image.open(tmp_path / "shown.png")).astype(np.float64)

    ours = decode(data).pixels.astype(np.float64)
    # +Wm stretches the image's smallest and largest values over the output. Do the same here.
    stretched = (ours - ours.min()) * (65535 / (ours.max() - ours.min()))
    step = 65535 / (int(values.max()) - int(values.min()))

    # dcmtk truncates fractions.
    assert np.abs(shown - stretched).max() <= (1.01 if syntax in LOSSLESS else 1.5 * step)


@pytest.mark.interop
@pytest.mark.parametrize(
    ("command", "syntax", "error"),
    [
        (["dcmcrle"], RLELossless, 0),
        (["dcmcjpeg", "+e1"], JPEGLosslessSV1, 0),
        (["dcmcjpeg", "+el", "+sv", "5"], JPEGLossless, 0),
        (["dcmcjpeg", "+ee"], JPEGExtended12Bit, 24),
        (["dcmcjpls", "+el"], JPEGLSLossless, 0),
        (["dcmcjpls", "+en", "+md", "2"], JPEGLSNearLossless, 2),
        (["dcmconv", "+td"], DeflatedExplicitVRLittleEndian, 0),
        (["dcmconv", "+tb"], ExplicitVRBigEndian, 0),
    ],
    ids=keyword,
)
def test_files_written_by_dcmtk_are_read(
    write_dicom: WriteDicom,
    breast: Pixels,
    tmp_path: Path,
    command: list[str],
    syntax: UID,
    error: int,
) -> None:
    values = np.ascontiguousarray(breast[3:, 3:])  # odd edges need padding
    window = {"WindowCenter": 2048, "WindowWidth": 4096}  # the full stored range
    uids = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4"}
    data = write_dicom(values, BitsStored=12, **window, **uids)
    (tmp_path / "plain.dcm").write_bytes(data)
    subprocess.run(
        [*command, "plain.dcm", "coded.dcm"], cwd=tmp_path, check=True, capture_output=True
    )

    mammogram = decode((tmp_path / "coded.dcm").read_bytes())

    assert mammogram.facts.transfer_syntax == syntax.name
    assert np.abs(mammogram.pixels * (4095 / 65535) - values).max() <= error + 0.1


def test_openjph_decodes_htj2k_the_same(write_dicom: WriteDicom, breast: Pixels) -> None:
    codestream = imagecodecs.htj2k_encode(breast, reversible=True)
    data = write_dicom(
        breast,
        transfer.SYNTAXES["htj2k"],
        BitsStored=12,
        PixelData=encapsulate([bytes(codestream)]),
    )

    assert np.array_equal(
        decode(data).pixels, np.rint(displayed(imagecodecs.htj2k_decode(codestream)))
    )


def test_jpeg2000_deeper_than_bits_stored_is_exact(write_dicom: WriteDicom, breast: Pixels) -> None:
    # Like the RSNA files: a codestream of 16 bits for 12 stored bits.
    codestream = encode_array(breast, bits_stored=16, photometric_interpretation=2)
    data = write_dicom(
        breast, JPEG2000Lossless, BitsStored=12, PixelData=encapsulate([bytes(codestream)])
    )

    assert np.array_equal(decode(data).pixels, decode(write_dicom(breast, BitsStored=12)).pixels)


def test_jp2_header_before_codestream_is_skipped(write_dicom: WriteDicom, breast: Pixels) -> None:
    codestream = encode_array(breast, bits_stored=12, photometric_interpretation=2, codec_format=1)
    data = write_dicom(
        breast, JPEG2000Lossless, BitsStored=12, PixelData=encapsulate([bytes(codestream)])
    )

    assert b"ftypjp2" in codestream[:40]
    assert np.array_equal(decode(data).pixels, decode(write_dicom(breast, BitsStored=12)).pixels)


@pytest.mark.parametrize(
    "syntax", [JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless], ids=keyword
)
def test_several_fragments_are_joined(write_dicom: WriteDicom, breast: Pixels, syntax: UID) -> None:
    parts = encapsulate([codestream_of(breast, 12, syntax)], fragments_per_frame=4)

    assert parts.count(b"\xfe\xff\x00\xe0") == 5

    data = write_dicom(breast, syntax, BitsStored=12, PixelData=parts)
    assert np.array_equal(decode(data).pixels, decode(write_dicom(breast, BitsStored=12)).pixels)


@pytest.mark.parametrize("syntax", [UID("1.2.840.10008.1.2.4.94"), MPEG2MPML], ids=str)
def test_unsupported_syntax_error_lists_the_supported_ones(
    write_dicom: WriteDicom, breast: Pixels, syntax: UID
) -> None:
    dataset = dcmread(BytesIO(write_dicom(breast, JPEG2000Lossless)))
    dataset.file_meta.TransferSyntaxUID = syntax
    stream = BytesIO()
    dataset.save_as(stream, implicit_vr=False, little_endian=True)
    data = stream.getvalue()

    with pytest.raises(UnsupportedSyntax) as refusal:
        decode(data)
    assert syntax.name in str(refusal.value)
    assert JPEG2000Lossless.name in str(refusal.value.facts["available_transfer_syntaxes"])


@pytest.mark.parametrize("syntax", SYNTAXES, ids=keyword)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_truncated_file_is_corrupt(
    write_dicom: WriteDicom, breast: Pixels, syntax: UID, kept: float
) -> None:
    values, bits = storable(breast, syntax)
    data = write_dicom(values, syntax, BitsStored=bits)

    with pytest.raises(CorruptImage):
        decode(data[: int(kept * len(data))])


@pytest.mark.parametrize("syntax", [uid for uid in SYNTAXES if uid.is_encapsulated], ids=keyword)
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.95])
def test_truncated_codestream_is_corrupt(
    write_dicom: WriteDicom, breast: Pixels, syntax: UID, kept: float
) -> None:
    values, bits = storable(breast, syntax)
    codestream = codestream_of(values, bits, syntax)
    cut = encapsulate([codestream[: int(kept * len(codestream))]])

    with pytest.raises(CorruptImage):
        decode(write_dicom(values, syntax, BitsStored=bits, PixelData=cut))


@pytest.mark.parametrize("syntax", [uid for uid in SYNTAXES if uid.is_encapsulated], ids=keyword)
@pytest.mark.parametrize("other", [(421, 300), (420, 299), (210, 150)])
def test_codestream_of_another_size_is_refused(
    write_dicom: WriteDicom, breast: Pixels, syntax: UID, other: tuple[int, int]
) -> None:
    values, bits = storable(breast, syntax)
    with pytest.raises(CorruptImage):
        decode(write_dicom(values, syntax, BitsStored=bits, Rows=other[0], Columns=other[1]))


def test_codestream_of_another_family_is_refused(write_dicom: WriteDicom, breast: Pixels) -> None:
    coded = transfer.encode(breast, 12, "jpeg-ls")
    with pytest.raises(CorruptImage, match="contradicts itself"):
        decode(write_dicom(breast, JPEG2000Lossless, BitsStored=12, PixelData=coded))


def test_codestream_in_colour_is_refused(write_dicom: WriteDicom, breast: Pixels) -> None:
    stream = BytesIO()
    Image.fromarray((breast >> 4).astype(np.uint8)).convert("RGB").save(stream, "JPEG")
    data = write_dicom(
        (breast >> 4).astype(np.uint8), JPEGBaseline8Bit, PixelData=encapsulate([stream.getvalue()])
    )

    with pytest.raises(UnsupportedImage, match="colour"):
        decode(data)


def test_deflated_file_is_inflated_within_bounds(write_dicom: WriteDicom) -> None:
    zeros = np.zeros((7000, 4000), np.uint16)
    data = write_dicom(zeros, DeflatedExplicitVRLittleEndian, BitsStored=12)

    assert len(data) < zeros.nbytes / 500
    assert decode(data).pixels.shape == zeros.shape
    with pytest.raises(Undecodable, match="inflated"):
        decode(data, Limits(max_pixels=1_000_000))


def test_too_many_tiles_are_refused(write_dicom: WriteDicom, breast: Pixels) -> None:
    codestream = bytearray(encode_array(breast, bits_stored=12, photometric_interpretation=2))
    codestream[24:32] = bytes.fromhex("0000000100000001")  # tiles of 1 x 1 pixel

    with pytest.raises(CorruptImage):
        decode(
            write_dicom(
                breast, JPEG2000Lossless, BitsStored=12, PixelData=encapsulate([bytes(codestream)])
            )
        )
