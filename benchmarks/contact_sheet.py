"""Contact sheets of images with the outline of the breast and the crop box."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError
from service.imaging import decode, fit
from service.records import FitParameters, Fitted, Mask, Pixels

GRID = FitParameters(256, 192)
WHITE = 65535
TILE = 200  # pixels along a tile's edge
TILES_PER_ROW = 10
SUFFIXES = {".dcm", ".jpeg", ".jpg", ".png", ".tif", ".tiff"}

FramedPicture = NDArray[np.uint8]


def draw(folders: list[Path]) -> Iterator[FramedPicture]:
    """Yield a tile of each image in the folders, in path order. Print the refused images."""
    for path in sorted(
        path for folder in folders for path in folder.rglob("*.*") if path.suffix in SUFFIXES
    ):
        try:
            pixels = decode(path.read_bytes()).pixels
            fitted = fit(pixels, GRID)
        except ImageError as error:
            print(f"{path.name}: {error}")
            continue

        yield tile(path.stem, pixels, fitted)


def tile(name: str, pixels: Pixels, fitted: Fitted) -> FramedPicture:
    """Draw an image with its outline, its crop box and its name."""
    scale = TILE / max(pixels.shape)
    outlines, _ = cv2.findContours(
        in_source(fitted, pixels.shape).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )

    # Square roots of the grey values brighten the dark parts.
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    drawn = np.zeros((TILE, TILE, 3), np.uint8)
    drawn[: small.shape[0], : small.shape[1]] = np.sqrt(small * np.float32(255 / WHITE * 255))[
        ..., None
    ]

    cv2.drawContours(
        drawn, [(outline * scale).astype(np.int32) for outline in outlines], -1, (0, 255, 0), 1
    )
    box = [
        round(edge * scale)
        for edge in (fitted.box.left, fitted.box.top, fitted.box.right, fitted.box.bottom)
    ]
    cv2.rectangle(drawn, (box[0], box[1]), (box[2] - 1, box[3] - 1), (255, 128, 0), 1)
    cv2.putText(drawn, name[-24:], (2, TILE - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.33, (0, 255, 255), 1)
    return drawn


def arrange(tiles: list[FramedPicture]) -> FramedPicture:
    """Return the tiles as one picture, row by row."""
    blanks = [np.zeros_like(tiles[0])] * (-len(tiles) % TILES_PER_ROW)
    rows = [
        np.hstack((tiles + blanks)[start : start + TILES_PER_ROW])
        for start in range(0, len(tiles), TILES_PER_ROW)
    ]
    return np.vstack(rows)


def in_source(fitted: Fitted, shape: tuple[int, ...]) -> Mask:
    """Return the mask of the breast on the pixels of the source image."""
    matrix = np.array(fitted.breast_to_source.matrix())
    drawn = cv2.warpAffine(
        fitted.breast.astype(np.uint8) * 255, matrix, shape[::-1], flags=cv2.INTER_LINEAR
    )
    return np.asarray(drawn > 127, np.bool_)  # noqa: PLR2004 - half of 255
