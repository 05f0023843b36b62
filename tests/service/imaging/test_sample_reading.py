"""Samples for display elsewhere: by their first preset they are the service's own picture."""

import math
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset

from service.errors import CorruptImage
from service.imaging import Limits, SamplesTask, decode
from service.records import PackedSamples, Pixels
from tests.support.dicom_files import WriteDicom
from tests.support.sample_display import shown, unpack

WINDOW = {"WindowCenter": 1800, "WindowWidth": 2400}
WHOLE = SamplesTask(math.inf)


def table(values: NDArray[Any], first: int = 0, bits: int = 12) -> Dataset:
    """Return an item of a sequence of tables."""
    item = Dataset()
    item.LUTDescriptor = [len(values), first, bits]
    item.LUTData = [int(value) for value in values]
    item["LUTData"].VR = "US"
    return item


def curve(bits: int = 12) -> NDArray[np.float64]:
    """Return a table of 4096 inputs that is no line."""
    return np.asarray(np.rint((2**bits - 1) * np.sqrt(np.arange(4096) / 4095)))


def picture(image: NDArray[Any], file_format: str) -> bytes:
    stream = BytesIO()
    Image.fromarray(image).save(stream, file_format)
    return stream.getvalue()


def read(data: bytes, long_edge: float = math.inf) -> tuple[PackedSamples, NDArray[np.uint16]]:
    packed = SamplesTask(long_edge)(data, Limits())
    return packed, unpack(packed.content, packed.rows, packed.columns)


def assert_same_picture(data: bytes) -> None:
    packed, samples = read(data)
    own = decode(data).pixels

    assert np.abs(shown(samples, packed.meaning) - own).max() <= 1
    assert np.ptp(own) > 10_000


@pytest.mark.parametrize(
    "elements",
    [
        WINDOW,
        WINDOW | {"VOILUTFunction": "LINEAR_EXACT"},
        WINDOW | {"VOILUTFunction": "SIGMOID"},
        {"WindowCenter": 1500, "WindowWidth": 1},
        {},
        {"VOILUTSequence": [table(curve())]},
        {"VOILUTSequence": [table(curve(14)[300:3000], 300, 14)]},
        {"ModalityLUTSequence": [table(4095 - curve())]},
        {"ModalityLUTSequence": [table(curve())], **WINDOW},
        {"ModalityLUTSequence": [table(curve(16), bits=16)], "VOILUTSequence": [table(curve())]},
        {"RescaleSlope": 0.5, "RescaleIntercept": -70.25, "WindowCenter": 800, "WindowWidth": 900},
        {"RescaleSlope": -1, "RescaleIntercept": 4095, "VOILUTSequence": [table(curve())]},
    ],
    ids=str,
)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_first_preset_gives_services_own_picture(
    write_dicom: WriteDicom, breast: Pixels, elements: dict[str, Any], photometric: str
) -> None:
    assert_same_picture(
        write_dicom(breast, BitsStored=12, PhotometricInterpretation=photometric, **elements)
    )


@pytest.mark.parametrize("window", [(100, 900), (1200, 300)])
def test_signed_values_give_services_own_picture(
    write_dicom: WriteDicom, breast: Pixels, window: tuple[int, int]
) -> None:
    stored = breast.astype(np.int16) - 2000

    data = write_dicom(stored, BitsStored=13, WindowCenter=window[0], WindowWidth=window[1])

    assert_same_picture(data)
    assert read(data)[1][0, 299] == 4096 - 2000


def test_eight_bits_give_services_own_picture(write_dicom: WriteDicom, breast: Pixels) -> None:
    stored = (breast >> 4).astype(np.uint8)

    assert_same_picture(write_dicom(stored, WindowCenter=120, WindowWidth=200))


@pytest.mark.parametrize("lut", [{}, {"ModalityLUTSequence": [table(curve(16), bits=16)]}])
@pytest.mark.parametrize("limit", [None, 40])
def test_padding_gives_services_own_picture(
    write_dicom: WriteDicom, breast: Pixels, lut: dict[str, Any], limit: int | None
) -> None:
    padded = breast.copy()
    padded[:, 250:] = 30
    data = write_dicom(
        padded,
        BitsStored=12,
        PixelPaddingValue=30,
        PixelPaddingRangeLimit=limit,
        PhotometricInterpretation="MONOCHROME1",
        **lut,
    )

    assert_same_picture(data)
    packed, samples = read(data)
    assert packed.meaning.padding is not None
    first, last = packed.meaning.padding
    assert np.array_equal((samples >= first) & (samples <= last), padded == 30)


def test_unusable_window_is_no_preset(write_dicom: WriteDicom, breast: Pixels) -> None:
    data = write_dicom(breast, BitsStored=12, WindowCenter=[128, 1800], WindowWidth=[256, 2400])

    packed, samples = read(data)

    assert_same_picture(data)
    range_, other = packed.meaning.presets
    assert (range_.function, range_.center, range_.width) == (
        "LINEAR_EXACT", samples.max() / 2, samples.max(),
    )  # fmt: skip
    assert (other.function, other.center, other.width) == ("LINEAR", 1800, 2400)


def test_overruled_polarity_is_inverted(write_dicom: WriteDicom, breast: Pixels) -> None:
    """The air of a file that says MONOCHROME2 is white."""
    data = write_dicom(4095 - breast, BitsStored=12)

    packed, _ = read(data)

    assert packed.meaning.inverted
    assert_same_picture(data)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(
    ("file_format", "bits"), [("PNG", 8), ("PNG", 16), ("JPEG", 8), ("TIFF", 16)]
)
def test_rasters_give_services_own_picture(
    breast: Pixels, file_format: str, bits: int, *, inverted: bool
) -> None:
    stored = (breast >> 4).astype(np.uint8) if bits == 8 else breast << 4
    data = picture(np.iinfo(stored.dtype).max - stored if inverted else stored, file_format)

    assert_same_picture(data)
    assert read(data)[0].meaning.inverted == inverted


def test_few_bits_in_a_raster_give_own_picture(breast: Pixels) -> None:
    data = picture(breast + 100, "PNG")

    packed, samples = read(data)

    assert_same_picture(data)
    assert np.array_equal(samples, breast + 100)
    assert (packed.meaning.lowest, packed.meaning.highest) == (100, breast.max() + 100)


def test_samples_and_values_follow_the_file(write_dicom: WriteDicom, breast: Pixels) -> None:
    """Of signed 12 bits the lowest stored value is -2048: the sample of 10 is 2058."""
    stored = breast.astype(np.int16) // 2 - 100
    stored[7, 5] = 10
    data = write_dicom(stored, BitsStored=12, RescaleSlope=2, RescaleIntercept=1000)

    packed, samples = read(data)

    meaning = packed.meaning
    assert samples[7, 5] == 2058
    assert meaning.slope * 2058 + meaning.intercept == 1020
    assert (meaning.lowest, meaning.highest) == (800, 2 * int(stored.max()) + 1000)
    assert packed.to_source.matrix() == ((1, 0, 0), (0, 1, 0))


def test_padding_does_not_count_as_lowest(write_dicom: WriteDicom, breast: Pixels) -> None:
    padded = np.maximum(breast, 50)
    padded[:, 280:] = 0

    packed, _ = read(write_dicom(padded, BitsStored=12, PixelPaddingValue=0))

    assert packed.meaning.lowest == 50
    assert packed.meaning.padding == (0, 0)


def test_even_image_is_black(write_dicom: WriteDicom) -> None:
    packed, samples = read(write_dicom(np.full((40, 30), 700, np.uint16), BitsStored=12))

    assert (packed.meaning.lowest, packed.meaning.highest) == (700, 700)
    assert not shown(samples, packed.meaning).any()


def test_smaller_samples_are_means(write_dicom: WriteDicom, breast: Pixels) -> None:
    data = write_dicom(breast, BitsStored=12, **WINDOW)

    packed, samples = read(data, 105)

    means = breast.reshape(105, 4, 75, 4).mean((1, 3))
    assert (packed.rows, packed.columns) == (105, 75)
    assert np.abs(samples - means).max() <= 0.5001
    assert packed.to_source.matrix() == ((4, 0, 1.5), (0, 4, 1.5))
    assert packed.meaning == read(data)[0].meaning


def test_padding_stays_padding_when_reduced(write_dicom: WriteDicom, breast: Pixels) -> None:
    """Padding of 1000 lies among the values. No mean takes it in, and none becomes it."""
    values = np.where(np.indices(breast.shape).sum(0) % 2, 900, 1100).astype(np.uint16)
    values[:, :61] = 1000
    data = write_dicom(values, BitsStored=12, PixelPaddingValue=1000)

    packed, samples = read(data, 105)

    assert packed.meaning.padding == (1000, 1000)
    assert (samples[:, :15] == 1000).all()
    assert (samples[:, 16:] == 1001).all()


def test_no_mean_takes_in_padding(write_dicom: WriteDicom, breast: Pixels) -> None:
    """The sample at the edge covers three columns of 600 and one of padding."""
    values = np.full(breast.shape, 600, np.uint16)
    values[:, 0] = 700
    values[:, 123:] = 0

    _, samples = read(write_dicom(values, BitsStored=12, PixelPaddingValue=0), 105)

    assert (samples[:, 0] == 625).all()
    assert (samples[:, 1:31] == 600).all()
    assert not samples[:, 31:].any()


def test_samples_are_no_larger_than_the_file(write_dicom: WriteDicom, breast: Pixels) -> None:
    packed, samples = read(write_dicom(breast, BitsStored=12), 4096)

    assert np.array_equal(samples, breast)
    assert packed.rows == 420


def test_same_file_gives_same_bytes(write_dicom: WriteDicom, breast: Pixels) -> None:
    data = write_dicom(breast, BitsStored=12)

    assert WHOLE(data, Limits()).content == WHOLE(data, Limits()).content


def test_truncated_file_has_no_samples(write_dicom: WriteDicom, breast: Pixels) -> None:
    with pytest.raises(CorruptImage):
        WHOLE(write_dicom(breast, BitsStored=12)[:-1000], Limits())
