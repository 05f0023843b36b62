"""Pictures in each format, as Pillow reads them."""

import json
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import Base

from service.rendering import Colormap, PictureFormat, png
from service.rendering.colormap import table
from service.rendering.picture_format import encode
from service.rendering.png import Palette

TEXT = {"Software": "mammolens, model demo/1", "Layer": "Schicht für Łódź", "Warnings": "[]"}
RAMP = np.arange(256, dtype=np.uint8)
PALETTE = Palette(table(Colormap.JET), RAMP // 2)


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def smooth_colours() -> NDArray[np.uint8]:
    """A picture whose channels differ, with smooth grey and one sharp edge."""
    y, x = np.mgrid[0:90, 0:121]
    picture = np.stack([x + y, 2 * x, 200 - y], axis=2).astype(np.uint8)
    picture[30:, 60:] = (20, 20, 20)
    return picture


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (90, 121), (90, 121, 3)])
def test_png_has_the_samples(shape: tuple[int, ...]) -> None:
    samples = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)

    image = opened(png.encode(samples, TEXT))

    assert image.format == "PNG"
    assert np.array_equal(np.asarray(image), samples)


def test_indexed_png_has_colours_and_opacity() -> None:
    indices = np.tile(RAMP, (3, 1))

    image = opened(png.encode(indices, {}, PALETTE))

    assert image.mode == "P"
    rgba = np.asarray(image.convert("RGBA"))
    assert np.array_equal(rgba[1, :, :3], PALETTE.colours)
    assert np.array_equal(rgba[1, :, 3], PALETTE.alpha)


def test_png_keeps_any_text() -> None:
    image = opened(encode(smooth_colours(), PictureFormat.PNG, TEXT))

    assert image.info == TEXT


@pytest.mark.parametrize("picture_format", [PictureFormat.JPEG, PictureFormat.WEBP])
def test_lossy_pictures_keep_text_in_exif(picture_format: PictureFormat) -> None:
    image = opened(encode(smooth_colours(), picture_format, TEXT))

    exif = image.getexif()
    assert image.format == picture_format.upper()
    assert json.loads(exif[Base.ImageDescription]) == TEXT
    assert exif[Base.Software] == TEXT["Software"]


@pytest.mark.parametrize("picture_format", [PictureFormat.JPEG, PictureFormat.WEBP])
def test_lossy_pictures_keep_the_brightness(picture_format: PictureFormat) -> None:
    samples = smooth_colours()

    image = opened(encode(samples, picture_format, {}))

    brightness = np.asarray(Image.fromarray(samples).convert("L")).astype(int)
    assert np.abs(np.asarray(image.convert("L")) - brightness).mean() < 2


def test_transparent_webp_is_exact() -> None:
    indices = np.tile(RAMP, (8, 1))

    rgba = np.asarray(opened(encode(indices, PictureFormat.WEBP, TEXT, PALETTE)))

    seen = rgba[4, :, 3] > 0
    assert np.array_equal(rgba[4, :, 3], PALETTE.alpha)
    assert np.array_equal(rgba[4, seen, :3], PALETTE.colours[seen])


def test_jpeg_refuses_transparency() -> None:
    with pytest.raises(ValueError, match="transparent"):
        encode(np.zeros((2, 2), np.uint8), PictureFormat.JPEG, {}, PALETTE)


@pytest.mark.parametrize("picture_format", list(PictureFormat))
def test_longest_edge_can_be_encoded(picture_format: PictureFormat) -> None:
    edge = int(min(picture_format.max_edge, 70_000))

    image = opened(encode(np.zeros((1, edge, 3), np.uint8), picture_format, {}))

    assert image.size == (edge, 1)


def test_large_noise_is_encoded_as_lossless_webp() -> None:
    """Lossy WebP cannot hold it."""
    grey = np.random.default_rng(3).normal(120, 15, (4096, 4096)).clip(0, 255).astype(np.uint8)
    noise = np.repeat(grey[..., None], 3, axis=2)

    image = opened(encode(noise, PictureFormat.WEBP, TEXT))

    assert np.array_equal(np.asarray(image), noise)
    assert json.loads(image.getexif()[Base.ImageDescription]) == TEXT
