"""Mini-MIAS: films of pairs of breasts, and their lesions in Info.txt.

As its readme says, even numbers are left breasts and odd ones right, a pair is a patient, and y
counts from the bottom. An image with several lesions has several lines. Widespread calcifications
have no place.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from service.records import Mask
from training.errors import TableError
from training.tables.lesion_shapes import fill_circles
from training.tables.published_set import PublishedSet, SetImage

INFO = "Info.txt"
# The service does not read PGM, in which the set is published.
_READABLE = (".png", ".tif", ".tiff", ".jpg")
_PLACES = ("mdb*", "*/mdb*", "*/*/mdb*")
_LESION = re.compile(
    r"(?P<name>mdb(?P<number>\d{3}))\s+(?P<tissue>[FGD])\s+(?P<kind>[A-Z]+)"
    r"(?:\s+(?P<severity>[BM])(?:\s+(?P<x>\d+)\s+(?P<y>\d+)\s+(?P<radius>\d+))?)?"
)


def read_mini_mias(source: Path, png: Path | None) -> PublishedSet:
    """Read the set from the directory of Info.txt, which holds the images or folders of them.

    `png`: directory to write the images to as PNG; needed if they are PGM.

    Raises:
        TableError: if there is no Info.txt, no lesion in it, or images are PGM and `png` is None.
    """
    lesions = _read_lesions(source / INFO)
    files = _image_files(source)
    left_out = Counter({"no image file": len(lesions.keys() - files.keys())})

    images = []
    for name in sorted(lesions.keys() & files.keys()):
        path = files[name] if png is None else _write_png(files[name], png)
        if path.suffix not in _READABLE:
            raise TableError(
                f"{path} is PGM, which the service does not read: give --png DIR, and the images "
                "are written there as PNG."
            )
        images.append(_image(name, lesions[name], path, source if png is None else png))

    return PublishedSet(source if png is None else png, tuple(images), left_out)


def _read_lesions(path: Path) -> dict[str, list[re.Match[str]]]:
    """Return the lines of Info.txt about each image."""
    try:
        lines = path.read_text("latin-1").splitlines()
    except FileNotFoundError as error:
        raise TableError(f"There is no {path}: name the directory that holds it.") from error

    lesions: dict[str, list[re.Match[str]]] = {}
    for line in lines:
        if lesion := _LESION.match(line.strip()):
            lesions.setdefault(lesion["name"], []).append(lesion)

    if not lesions:
        raise TableError(f"{path} does not list an image: it is not that of mini-MIAS.")
    return lesions


def _image_files(source: Path) -> dict[str, Path]:
    """Return the file of each image, one that the service reads rather than a PGM."""
    paths = (path for place in _PLACES for path in source.glob(place))
    files = sorted(paths, key=lambda path: path.suffix in _READABLE)
    return {path.stem: path for path in files if path.suffix in (*_READABLE, ".pgm")}


def _image(name: str, lesions: Sequence[re.Match[str]], path: Path, root: Path) -> SetImage:
    number = int(lesions[0]["number"])
    malignant = [lesion for lesion in lesions if lesion["severity"] == "M"]
    return SetImage(
        patient_id=f"mias{(number + 1) // 2:03}",
        image_id=name,
        laterality="R" if number % 2 else "L",
        view="MLO",
        cancer=bool(malignant),
        path=path.relative_to(root).as_posix(),
        further={
            "tissue": lesions[0]["tissue"],
            "abnormality": "+".join(sorted({lesion["kind"] for lesion in lesions})),
        },
        draw_lesion=partial(_draw, malignant, path) if malignant else None,
    )


def _draw(malignant: Sequence[re.Match[str]], path: Path) -> Mask | None:
    """Draw the malignant lesions, None if the place of one is not known."""
    if any(lesion["x"] is None for lesion in malignant):
        return None

    rows, columns = _read_pixels(path).shape
    circles = [
        (int(lesion["x"]), rows - 1 - int(lesion["y"]), int(lesion["radius"]))
        for lesion in malignant
    ]
    return fill_circles(circles, (rows, columns))


def _write_png(path: Path, directory: Path) -> Path:
    """Write an image as PNG, unless it is there, and return its path."""
    target = directory / f"{path.stem}.png"
    if not target.exists():
        directory.mkdir(parents=True, exist_ok=True)
        target.write_bytes(cv2.imencode(".png", _read_pixels(path))[1].tobytes())
    return target


def _read_pixels(path: Path) -> NDArray[np.uint8]:
    """Read the grey values of an image, [rows, columns].

    Raises:
        TableError: if the file is not an image.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise TableError(f"{path} is not an image.")
    return np.asarray(pixels, np.uint8)
