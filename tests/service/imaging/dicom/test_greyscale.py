from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from service.imaging import decode
from service.imaging.dicom.greyscale import Calibration, Storage, VoiFunction, VoiWindow

WriteDicom = Callable[..., bytes]

_EVERY_12_BITS = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def _windowed(window: VoiWindow, bits: int = 12, *, inverted: bool = False) -> NDArray[np.uint16]:
    storage = Storage(bits_allocated=16, bits_stored=bits, high_bit=bits - 1, signed=False)
    calibration = Calibration(storage, 1.0, 0.0, None, window, inverted, None)
    return calibration.display_table(np.ones(2**16, np.uint8))[: 2**bits]


def _as_pydicom_displays(data: bytes) -> NDArray[np.float64]:
    """The unrounded grey values of pydicom's per-pixel processing, 0..65535."""
    dataset = dcmread(BytesIO(data))
    values = apply_modality_lut(dataset.pixel_array, dataset)

    # The displayed values, and the range that is displayed.
    if dataset.get("VOILUTSequence"):
        shown = apply_voi(values.astype(np.int32), dataset).astype(np.float64)
        lowest = 0.0
        highest = 2.0 ** dataset.VOILUTSequence[0].LUTDescriptor[2] - 1
    else:
        intercept = float(dataset.get("RescaleIntercept", 0))
        slope = float(dataset.get("RescaleSlope", 1))
        full = 2**dataset.BitsStored
        first = -(full // 2) if dataset.PixelRepresentation else 0
        lowest = intercept + slope * first
        highest = intercept + slope * (first + full - 1)
        shown = apply_windowing(values, dataset)

    unit = (shown - lowest) / (highest - lowest)
    displayed: NDArray[np.float64] = 65535 * (
        1 - unit if dataset.PhotometricInterpretation == "MONOCHROME1" else unit
    )
    return displayed


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("slope", "intercept"), [(None, None), (1, 0), (2.5, -1024)])
def test_window_matches_pydicom(
    write_dicom: WriteDicom,
    photometric: str,
    function: str | None,
    slope: float | None,
    intercept: float | None,
) -> None:
    data = write_dicom(
        _EVERY_12_BITS,
        BitsStored=12,
        PhotometricInterpretation=photometric,
        WindowCenter=1800.5 * (slope or 1) + (intercept or 0),
        WindowWidth=2401 * (slope or 1),
        VOILUTFunction=function,
        RescaleSlope=slope,
        RescaleIntercept=intercept,
    )
    difference = decode(data).pixels - _as_pydicom_displays(data)

    assert np.abs(difference).max() <= 0.5001


def test_signed_values_match_pydicom(write_dicom: WriteDicom) -> None:
    stored = np.arange(-2048, 2048, dtype=np.int16).reshape(64, 64)
    data = write_dicom(stored, BitsStored=12, WindowCenter=-100, WindowWidth=1500)

    difference = decode(data).pixels - _as_pydicom_displays(data)

    assert np.abs(difference).max() <= 0.5001


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian], ids=lambda syntax: syntax.keyword
)
@pytest.mark.parametrize("packing", ["US", "OW"])
def test_voi_lut_matches_pydicom(write_dicom: WriteDicom, syntax: UID, packing: str) -> None:
    entries = (np.linspace(0, 1, 3000) ** 2 * 1023).astype("<u2")
    table = Dataset()
    table.LUTDescriptor = [3000, 500, 10]
    table.LUTData = entries.tobytes() if packing == "OW" else entries.tolist()
    table["LUTData"].VR = packing
    data = write_dicom(_EVERY_12_BITS, syntax, BitsStored=12, VOILUTSequence=[table])

    mammogram = decode(data)

    assert np.abs(mammogram.pixels - _as_pydicom_displays(data)).max() <= 0.5001
    assert mammogram.facts.window == "1 of 1, table"
    assert mammogram.warnings == ()


def test_modality_lut_replaces_stored_values(write_dicom: WriteDicom) -> None:
    table = Dataset()
    table.LUTDescriptor = [3, 1, 16]
    table.LUTData = [0, 40000, 65535]
    table["LUTData"].VR = "US"
    data = write_dicom(
        np.array([[0, 1], [2, 3]], np.uint16), BitsStored=12, ModalityLUTSequence=[table]
    )

    assert decode(data).pixels.tolist() == [[0, 0], [40000, 65535]]


def test_linear_window_matches_the_standard_example() -> None:
    # PS3.3 C.11.2.1.2.1, note: c = 2048, w = 4096 maps 0..4095 to the whole output range.
    table = _windowed(VoiWindow(2048, 4096, "LINEAR"))
    assert (table[0], table[1], table[4094], table[4095]) == (0, 16, 65519, 65535)


def test_linear_window_of_width_one_is_a_step() -> None:
    table = _windowed(VoiWindow(100, 1, "LINEAR"))

    assert set(table[:100]) == {0}
    assert set(table[100:]) == {65535}


def test_linear_exact_window_matches_hand_computed_values() -> None:
    # (x - c) / w + 1/2: 90 is a quarter of the way from 80 to 120.
    table = _windowed(VoiWindow(100, 40, "LINEAR_EXACT"))

    assert (table[80], table[90], table[110], table[120]) == (
        0,
        round(65535 / 4),
        round(65535 * 3 / 4),
        65535,
    )


def test_sigmoid_window_matches_hand_computed_values() -> None:
    # 1 / (1 + exp(-4 (x - c) / w)): at c + w / 4 it is 1 / (1 + 1 / e)
    table = _windowed(VoiWindow(2000, 400, "SIGMOID"))

    assert table[2100] == round(65535 / (1 + np.exp(-1)))
    assert table[0] == 0
    assert table[4095] == 65535


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("window", [(901.25, 333.3), (512, 31), (37.5, 1000), (128, 256)])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_monochrome1_twin_has_identical_display(
    bits: int, window: tuple[float, float], function: VoiFunction
) -> None:
    center, width = window
    mirror = 2**bits - 1 - center + (function == "LINEAR")
    plain = _windowed(VoiWindow(center, width, function), bits)
    twin = _windowed(VoiWindow(mirror, width, function), bits, inverted=True)

    assert np.array_equal(plain, twin[::-1])


def test_monochrome1_twin_without_window_has_identical_display(
    breast: NDArray[np.uint16], write_dicom: WriteDicom
) -> None:
    plain = decode(write_dicom(breast, BitsStored=12))
    twin = decode(
        write_dicom(4095 - breast, BitsStored=12, PhotometricInterpretation="MONOCHROME1")
    )

    assert np.array_equal(plain.pixels, twin.pixels)
    assert (plain.pixels.min(), plain.pixels.max()) == (0, 65535)


def test_negative_slope_inverts_the_values(write_dicom: WriteDicom) -> None:
    data = write_dicom(_EVERY_12_BITS, BitsStored=12, RescaleSlope=-1, RescaleIntercept=4095)
    plain = decode(write_dicom(_EVERY_12_BITS, BitsStored=12))

    assert np.array_equal(decode(data).pixels, 65535 - plain.pixels)


def test_first_usable_window_is_used(write_dicom: WriteDicom) -> None:
    several = write_dicom(
        _EVERY_12_BITS, BitsStored=12, WindowCenter=[5, 2048, 9], WindowWidth=[0, 4096, 2]
    )
    alone = write_dicom(_EVERY_12_BITS, BitsStored=12, WindowCenter=2048, WindowWidth=4096)

    assert decode(several).facts.window == "2 of 3, LINEAR"
    assert np.array_equal(decode(several).pixels, decode(alone).pixels)


def test_missing_usable_window_gives_a_warning(write_dicom: WriteDicom) -> None:
    unusable = decode(write_dicom(_EVERY_12_BITS, BitsStored=12, WindowCenter=100, WindowWidth=0))
    absent = decode(write_dicom(_EVERY_12_BITS, BitsStored=12))

    assert [warning.code for warning in unusable.warnings] == ["no-window"]
    assert np.array_equal(unusable.pixels, absent.pixels)
    assert (absent.pixels[0, 0], absent.pixels[-1, -1]) == (0, 65535)


def test_bits_outside_the_stored_ones_are_ignored(write_dicom: WriteDicom) -> None:
    plain = write_dicom(_EVERY_12_BITS, BitsStored=12)
    overlaid = write_dicom(_EVERY_12_BITS | np.uint16(0xA000), BitsStored=12)
    shifted = write_dicom(_EVERY_12_BITS << np.uint16(4), BitsStored=12, HighBit=15)

    assert np.array_equal(decode(overlaid).pixels, decode(plain).pixels)
    assert np.array_equal(decode(shifted).pixels, decode(plain).pixels)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black(write_dicom: WriteDicom, photometric: str) -> None:
    data = write_dicom(
        np.array([[10, 11], [12, 300]], np.uint16),
        ImplicitVRLittleEndian,
        BitsStored=12,
        PhotometricInterpretation=photometric,
        WindowCenter=300,
        WindowWidth=600,
        PixelPaddingValue=10,
        PixelPaddingRangeLimit=11,
    )
    black = decode(data).pixels == 0

    assert black.tolist() == [[True, True], [False, False]]


@pytest.mark.parametrize("bits", [12, 16])
def test_range_without_window_is_that_of_the_values(bits: int) -> None:
    """Padding does not count, and the number of stored bits does not matter."""
    storage = Storage(bits_allocated=16, bits_stored=bits, high_bit=bits - 1, signed=False)
    counts = np.zeros(2**16, np.uint8)
    counts[[0, 1000, 1500, 3000]] = 1

    plain, inverted = (
        Calibration(storage, 2.0, -50.0, None, None, inverted, (0, 0)).display_table(counts)
        for inverted in (False, True)
    )

    # 1500 is a quarter of the way from 1000 to 3000.
    assert plain[[0, 1000, 1500, 3000]].tolist() == [0, 0, 16384, 65535]
    assert inverted[[0, 1000, 1500, 3000]].tolist() == [0, 65535, 49151, 0]


def test_image_of_padding_alone_is_black(write_dicom: WriteDicom) -> None:
    data = write_dicom(np.full((4, 4), 7, np.uint16), BitsStored=12, PixelPaddingValue=7)

    assert not decode(data).pixels.any()


def test_lut_of_larger_entries_is_scaled_by_them(write_dicom: WriteDicom) -> None:
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 8]
    table.LUTData = list(range(4096))
    table["LUTData"].VR = "US"

    mammogram = decode(write_dicom(_EVERY_12_BITS, BitsStored=12, VOILUTSequence=[table]))

    assert np.array_equal(mammogram.pixels.ravel(), np.rint(np.arange(4096) * 65535 / 4095))
    assert [warning.code for warning in mammogram.warnings] == ["lut-contradicted"]
