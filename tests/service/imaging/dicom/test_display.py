"""Where the pixels overrule the header: unusable windows, and negatives."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from service.imaging import decode
from service.records import Mammogram, Pixels

WriteDicom = Callable[..., bytes]

FULL_WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}
# Windows that show nothing of values between 400 and 4095.
UNUSABLE = {
    "too low": {"WindowCenter": 128, "WindowWidth": 256},
    "too high": {"WindowCenter": 20000, "WindowWidth": 1000},
    "too wide": {"WindowCenter": 32768, "WindowWidth": 65536},
    "a step": {"WindowCenter": 1500, "WindowWidth": 1},
}


def codes(mammogram: Mammogram) -> list[str]:
    return [warning.code for warning in mammogram.warnings]


def stretched(values: NDArray[np.uint16]) -> NDArray[np.float64]:
    """The range of the values on 0..65535."""
    return np.asarray((values - float(values.min())) * 65535 / np.ptp(values))


@pytest.mark.parametrize("window", UNUSABLE)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_unusable_window_gives_way_to_the_range(
    write_dicom: WriteDicom, breast: Pixels, photometric: str, window: str
) -> None:
    center = UNUSABLE[window]["WindowCenter"]
    inverted = photometric == "MONOCHROME1"
    data = write_dicom(
        4095 - breast if inverted else breast,
        BitsStored=12,
        PhotometricInterpretation=photometric,
        WindowCenter=4096 - center if inverted else center,
        WindowWidth=UNUSABLE[window]["WindowWidth"],
    )

    mammogram = decode(data)

    assert np.abs(mammogram.pixels - stretched(breast)).max() <= 0.5001
    assert codes(mammogram) == ["window-unusable"]
    assert (mammogram.facts.window, mammogram.signal) == (None, None)


def test_voi_lut_of_one_grey_gives_way_to_the_range(
    write_dicom: WriteDicom, breast: Pixels
) -> None:
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 12]
    table.LUTData = [4095] * 4096
    table["LUTData"].VR = "US"

    mammogram = decode(write_dicom(breast, BitsStored=12, VOILUTSequence=[table]))

    assert np.abs(mammogram.pixels - stretched(breast)).max() <= 0.5001
    assert codes(mammogram) == ["window-unusable"]


@pytest.mark.parametrize(
    "window", [(2048, 4096), (2048, 2048), (1500, 1200), (2500, 1000), (800, 1600)]
)
def test_narrow_window_is_used(
    write_dicom: WriteDicom, breast: Pixels, window: tuple[int, int]
) -> None:
    mammogram = decode(
        write_dicom(breast, BitsStored=12, WindowCenter=window[0], WindowWidth=window[1])
    )

    assert codes(mammogram) == []
    assert mammogram.facts.window == "1 of 1, LINEAR"


def test_window_is_used_beside_a_white_implant(write_dicom: WriteDicom, breast: Pixels) -> None:
    """The window shows the tissue. The implant, most of what is bright, is white."""
    stored = np.where(breast > 0, breast // 2, 0).astype(np.uint16)
    stored[100:300, :120] = 4095

    mammogram = decode(write_dicom(stored, BitsStored=12, WindowCenter=900, WindowWidth=1800))

    assert codes(mammogram) == []


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_signal_does_not_depend_on_the_window(
    write_dicom: WriteDicom, breast: Pixels, photometric: str
) -> None:
    stored = 4095 - breast if photometric == "MONOCHROME1" else breast
    elements = {"BitsStored": 12, "PhotometricInterpretation": photometric}

    plain = decode(write_dicom(stored, **elements))
    windowed = decode(write_dicom(stored, WindowCenter=2048, WindowWidth=1000, **elements))

    assert plain.signal is None
    assert windowed.signal is not None
    assert np.abs(windowed.signal - stretched(breast)).max() <= 0.5001
    assert not np.array_equal(windowed.pixels, windowed.signal)


def test_padding_is_black_in_the_signal(write_dicom: WriteDicom, breast: Pixels) -> None:
    stored = breast.copy()
    stored[:40] = 4000

    mammogram = decode(write_dicom(stored, BitsStored=12, PixelPaddingValue=4000, **FULL_WINDOW))

    assert mammogram.signal is not None
    assert not mammogram.signal[:40].any()
    # The brightest value that is not padding is white.
    assert mammogram.signal.max() == 65535


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("window", [FULL_WINDOW, {}], ids=["window", "no window"])
@pytest.mark.parametrize("padded", ["nowhere", "air", "above", "chest wall"])
def test_negative_is_inverted_with_a_warning(
    write_dicom: WriteDicom,
    breast: Pixels,
    photometric: str,
    window: dict[str, int],
    padded: str,
) -> None:
    """The wrong Photometric Interpretation gives the image of the right one."""
    stored = 4095 - breast if photometric == "MONOCHROME1" else breast
    padding = 4095 if photometric == "MONOCHROME1" else 0
    elements: dict[str, object] = {"BitsStored": 12, **window}
    if padded == "above":
        stored = np.pad(stored, ((60, 0), (0, 0)), constant_values=padding)
    if padded == "chest wall":
        stored = np.pad(stored, ((0, 0), (20, 0)), constant_values=padding)
    if padded != "nowhere":
        elements["PixelPaddingValue"] = padding
    other = {"MONOCHROME1": "MONOCHROME2", "MONOCHROME2": "MONOCHROME1"}[photometric]

    right = decode(write_dicom(stored, PhotometricInterpretation=photometric, **elements))
    wrong = decode(write_dicom(stored, PhotometricInterpretation=other, **elements))

    assert np.array_equal(wrong.pixels, right.pixels)
    assert "inverted" not in codes(right)
    assert codes(wrong) == [*codes(right), "inverted"]


def test_padding_at_the_chest_wall_does_not_invert(write_dicom: WriteDicom, breast: Pixels) -> None:
    """The tissue beside such padding is bright in a positive."""
    stored = np.pad(breast, ((0, 0), (20, 0)), constant_values=4095)

    mammogram = decode(write_dicom(stored, BitsStored=12, PixelPaddingValue=4095, **FULL_WINDOW))

    assert codes(mammogram) == []
