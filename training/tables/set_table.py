"""Write a published set as a table of an experiment, with its lesions as masks."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.bars import bar
from training.errors import TableError
from training.tables.published_set import PublishedSet, SetImage


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """Table on disk. `masks`: number of lesion masks, in the directory `mask_directory`."""

    path: Path
    root: Path
    images: tuple[SetImage, ...]
    left_out: Counter[str]
    masks: int
    mask_directory: Path | None


def write_table(published: PublishedSet, out: Path, mask_directory: Path | None) -> WrittenTable:
    """Write the table and, if a directory is given, the lesion masks as PNG.

    Images without a file are left out.

    Raises:
        TableError: if no image has a file.
    """
    images = tuple(image for image in published.images if (published.root / image.path).is_file())
    left_out = published.left_out + Counter({"no image file": len(published.images) - len(images)})
    if not images:
        example = "".join(f", such as {image.path}" for image in published.images[:1])
        raise TableError(f"{published.root} has none of the files of the images{example}.")

    masks = [""] * len(images)
    if mask_directory is not None:
        mask_directory.mkdir(parents=True, exist_ok=True)
        shown = bar(images, "masks")
        masks = [_write_mask(image, mask_directory) for image in shown]

    out.parent.mkdir(parents=True, exist_ok=True)
    _write_rows(images, masks if mask_directory is not None else None, out)
    return WrittenTable(
        out, published.root, images, left_out, len(list(filter(None, masks))), mask_directory
    )


def summarise(written: WrittenTable) -> str:
    """Return the counts of a table, and the section of an experiment that uses it."""
    images = written.images
    counts = {
        "images": len(images),
        "patients": len({image.patient_id for image in images}),
        "exams": len({(image.patient_id, image.exam_id) for image in images}),
        "images with cancer": sum(image.cancer for image in images),
        "patients with cancer": len({image.patient_id for image in images if image.cancer}),
        **_mask_counts(written),
        **{f"left out: {reason}": count for reason, count in written.left_out.items() if count},
    }
    lines = [f"{count:>8}  {name}" for name, count in counts.items()]
    folds = Counter(image.fold for image in images if image.fold)
    lines += [f"{count:>8}  images in fold {fold}" for fold, count in sorted(folds.items())]
    return "\n".join([*lines, "", *_section(written)])


def _mask_counts(written: WrittenTable) -> dict[str, int]:
    if written.mask_directory is None:
        return {}

    with_cancer = sum(image.cancer for image in written.images)
    return {
        "lesion masks": written.masks,
        "images with cancer without a mask": with_cancer - written.masks,
    }


def _section(written: WrittenTable) -> list[str]:
    """Return the lines of the section [data]."""
    paths = {
        "table": str(written.path),
        "images": f"{_as_template(written.root)}/{{path}}",
        "cache": "data/cache",
    }
    if written.masks and written.mask_directory is not None:
        paths["lesion_masks"] = f"{_as_template(written.mask_directory)}/{{lesion_mask}}"

    # A basic string of TOML is written as one of JSON.
    return ["[data]", *(f"{key} = {json.dumps(path)}" for key, path in paths.items())]


def _as_template(path: Path) -> str:
    return str(path).replace("{", "{{").replace("}", "}}")


def _write_mask(image: SetImage, directory: Path) -> str:
    """Write the mask of an image with cancer. Return its name, or nothing if there is none."""
    if not image.cancer or image.draw_lesion is None:
        return ""

    mask = image.draw_lesion()
    if mask is None or not mask.any():
        return ""

    name = f"{image.patient_id}_{image.image_id}.png"
    encoded = cv2.imencode(".png", mask.astype(np.uint8) * 255)[1]
    (directory / name).write_bytes(encoded.tobytes())
    return name


def _write_rows(images: Sequence[SetImage], masks: Sequence[str] | None, out: Path) -> None:
    """Write the rows, with the columns that the set has."""
    optional = [name for name in ("exam_id", "fold") if any(getattr(each, name) for each in images)]
    own = ["patient_id", *optional, "image_id", "laterality", "view"]
    further = dict.fromkeys(name for image in images for name in image.further)
    columns = [*own, "cancer", *further, "path"]
    if masks is not None:
        columns.append("lesion_mask")

    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        for image, mask in zip(images, masks or [""] * len(images), strict=True):
            cells = {name: getattr(image, name) for name in own}
            cells |= {"cancer": int(image.cancer), "path": image.path, "lesion_mask": mask}
            writer.writerow(image.further | cells)
