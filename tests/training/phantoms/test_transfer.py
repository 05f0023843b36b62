from io import BytesIO

import numpy as np
import pydicom
import pytest

from training.phantoms import Detector, PhantomImage, render_view, to_dicom_bytes
from training.phantoms.corpus import make_corpus, plain_acquisition
from training.phantoms.transfer import LOSSY, SYNTAXES, Syntax

# Syntaxes that pydicom decodes without further plugins, or with Pillow.
BY_PYDICOM: list[Syntax] = [
    "implicit",
    "explicit",
    "deflated",
    "big-endian",
    "rle",
    "jpeg",
    "jpeg2000",
]


@pytest.fixture(scope="module")
def image() -> PhantomImage:
    return render_view(np.random.default_rng(4), detector=Detector(97, 71))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_syntax_is_written_with_its_uid(image: PhantomImage, syntax: Syntax) -> None:
    dataset = pydicom.dcmread(BytesIO(to_dicom_bytes(image, plain_acquisition(syntax))))

    assert dataset.file_meta.TransferSyntaxUID == SYNTAXES[syntax]
    assert dataset.LossyImageCompression == ("01" if syntax in LOSSY else "00")
    assert (
        "OW" if syntax in {"implicit", "explicit", "deflated", "big-endian"} else "OB"
    ) == dataset["PixelData"].VR


@pytest.mark.parametrize("syntax", BY_PYDICOM)
def test_pydicom_reads_the_stored_values(image: PhantomImage, syntax: Syntax) -> None:
    machine = plain_acquisition(syntax)

    dataset = pydicom.dcmread(BytesIO(to_dicom_bytes(image, machine)))

    error = np.abs(dataset.pixel_array.astype(int) - machine.store(image.pixels))
    assert error.max() <= (12 if syntax == "jpeg" else 0)


def test_corpus_is_reproducible_and_has_every_syntax() -> None:
    corpus = make_corpus()

    assert corpus == make_corpus()
    assert {f"dicom-{syntax}" for syntax in SYNTAXES} < set(corpus)
