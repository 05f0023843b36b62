from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from service.errors import EmptyImage, ImageError, UnsupportedFormat
from service.imaging import Limits, decode
from service.records import Pixels
from training.phantoms.corpus import make_corpus

WriteDicom = Callable[..., bytes]


def test_empty_file_has_its_own_error() -> None:
    with pytest.raises(EmptyImage):
        decode(b"")


@pytest.mark.parametrize(
    "data", [b"x", b"GIF89a" + bytes(300), b"%PDF-1.7\n" * 40, bytes(1000), b"\xff" * 1000]
)
def test_unknown_bytes_are_an_unsupported_format(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat):
        decode(data)


def test_dicom_with_tiff_preamble_is_dicom(write_dicom: WriteDicom, breast: Pixels) -> None:
    data = b"II*\x00" + write_dicom(breast)[4:]
    assert decode(data).facts.format == "dicom"


CORPUS = make_corpus()
REFUSED: Counter[str] = Counter()

# A change to a file: its kind, its relative position (mostly in the header), and its bytes.
Change = tuple[str, float, bytes]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["overwrite", "overwrite", "overwrite", "insert", "delete", "cut"]),
        st.floats(0, 0.1) | st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=4)
        | st.sampled_from([b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f"]),
    ),
    min_size=1,
    max_size=2,
)


def change(data: bytes, changes: list[Change]) -> bytes:
    mutant = bytearray(data)
    for kind, position, content in changes:
        start = int(position * len(mutant))
        match kind:
            case "overwrite":
                mutant[start : start + len(content)] = content
            case "insert":
                mutant[start:start] = content
            case "delete":
                del mutant[start : start + 4 * len(content)]
            case _:
                del mutant[start:]
    return bytes(mutant)


def test_the_corpus_is_read() -> None:
    assert {decode(data).pixels.shape for data in CORPUS.values()} == {(160, 120)}


@settings(
    derandomize=True, database=None, deadline=None, max_examples=1000, phases=[Phase.generate]
)
@given(st.sampled_from(sorted(CORPUS)), CHANGES)
def _try_any_bytes(name: str, changes: list[Change]) -> None:
    try:
        mammogram = decode(change(CORPUS[name], changes), Limits(max_pixels=1_000_000))
    except ImageError as error:
        REFUSED[type(error).__name__] += 1
    else:
        REFUSED["read"] += 1
        assert mammogram.pixels.shape == (mammogram.facts.rows, mammogram.facts.columns)
        assert mammogram.pixels.dtype == np.uint16


def test_any_bytes_give_mammogram_or_image_error() -> None:
    _try_any_bytes()

    assert REFUSED["read"] > 100
    assert REFUSED["CorruptImage"] > 100
    assert len(REFUSED) > 4
