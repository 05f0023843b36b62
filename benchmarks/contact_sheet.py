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
TILE = 260  # pixels along a tile's edge
TILES_PER_ROW = 10
SUFFIXES = {".dcm", ".jpeg", ".jpg", ".png", ".tif", ".tiff"}

FramedPicture = NDArray[np.uint8]
Colour = tuple[int, int, int]
YELLOW = (0, 255, 255)
MAGENTA = (255, 0, 255)
RED = (0, 0, 255)


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
    """Draw an image with its outline, its crop box, its side, its warnings and its name."""
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
    _write(drawn, name[-28:], (4, TILE - 7), YELLOW)

    # The side of the chest wall, and warnings.
    at = (4 if fitted.side == "left" else TILE - 14, TILE // 2)
    _write(drawn, fitted.side[0].upper(), at, MAGENTA)
    if fitted.warnings:
        cv2.rectangle(drawn, (0, 0), (TILE - 1, TILE - 1), RED, 3)
        for row, warning in enumerate(fitted.warnings):
            _write(drawn, warning.code, (6, TILE - 22 - 14 * row), RED)
    return drawn


def _write(drawn: FramedPicture, text: str, at: tuple[int, int], colour: Colour) -> None:
    """Write with a black rim."""
    for tone, width in (((0, 0, 0), 3), (colour, 1)):
        cv2.putText(drawn, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, tone, width)


def arrange(tiles: list[FramedPicture], per_row: int = TILES_PER_ROW) -> FramedPicture:
    """Return the tiles as one picture, row by row."""
    blanks = [np.zeros_like(tiles[0])] * (-len(tiles) % per_row)
    rows = [
        np.hstack((tiles + blanks)[start : start + per_row])
        for start in range(0, len(tiles), per_row)
    ]
    return np.vstack(rows)


def in_source(fitted: Fitted, shape: tuple[int, ...]) -> Mask:
    """Return the mask of the breast on the pixels of the source image."""
    matrix = np.array(fitted.breast_to_source.matrix())
    drawn = cv2.warpAffine(
        fitted.breast.astype(np.uint8) * 255, matrix, shape[::-1], flags=cv2.INTER_LINEAR
    )
    return np.asarray(drawn > 127, np.bool_)  # noqa: PLR2004 - half of 255
