"""Measures where heat lies on real mammograms: peaks in the outermost cells, heat outside breasts.

    python -m benchmarks.placement FOLDER ... --bundle models/mine/1 [--most 200] [--sheet OUT.png]

Of each folder up to `--most` images, evenly spread in the order of their paths, are explained at
the bundle's default layer. The table counts the images with heat:

- peak in the ring: the hottest cell is one of the outermost cells of the map. The left column of a
  map is at the chest wall, where the breast goes on, so the ring is also counted without it.
  Chance: the expected count for a random cell in the breast.
- peak outside: the hottest cell is centred outside the breast.
- heat of cells: share of the summed heat of the cells that are centred outside the breast.
- drawn heat: share of the summed heat of the picture that is drawn outside the breast's outline.

Shares are told as mean, median and 95th percentile. The images decided positive are also counted
apart.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from benchmarks.contact_sheet import SUFFIXES, arrange
from benchmarks.heat_tile import heat_tile
from benchmarks.pointing import breast_cells, wilson
from service import pipeline
from service.errors import ImageError
from service.imaging import read
from service.model import Bundle, Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import Explanation, Question
from service.records import Mask, Method
from service.rendering import Colormap, Render, Style

STYLE = Style(Colormap.GRAY, opacity=1, long_edge=1024)
HALF = 127  # of a mask in bytes
TILES = 40  # on the contact sheet

Row = dict[str, Any]


def main() -> None:
    """Print a table for each folder, and write the rows."""
    options = _arguments()
    model = Bundle.load(options.bundle)
    question = Question(options.method)
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, {options.method}")

    rows: list[Row] = []
    for folder in options.folders:
        of_folder = list(_measure(model, folder, options.most, question))
        positive = [row for row in of_folder if row["positive"]]
        _print_table(f"{folder}, all images", of_folder)
        _print_table(f"{folder}, decided positive", positive)
        rows += of_folder

    if options.rows:
        options.rows.write_text("".join(json.dumps(row) + "\n" for row in rows))
    if options.sheet:
        worst = sorted(rows, key=lambda row: -row.get("drawn_outside", 0))[:TILES]
        tiles = [heat_tile(model, Path(row["path"]), question) for row in worst]
        cv2.imwrite(str(options.sheet), arrange(tiles))


def _arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, help="folders of images")
    parser.add_argument("--bundle", type=Path, required=True, help="version directory of a bundle")
    parser.add_argument("--method", type=Method, default=Method.GRAD_CAM, help="default: grad-cam")
    parser.add_argument(
        "--most", type=int, default=200, help="max number of images of a folder (default 200)"
    )
    parser.add_argument("--rows", type=Path, help="file for the results, one JSON object a line")
    parser.add_argument(
        "--sheet",
        type=Path,
        help=f"PNG file for the overlays of the {TILES} images with the most heat drawn "
        "outside the breast, by share",
    )
    return parser.parse_args()


def _measure(model: Model, folder: Path, most: int, question: Question) -> Iterator[Row]:
    """Yield a row for each image. Print the refused ones."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    spread = np.unique(np.linspace(0, len(files) - 1, min(most, len(files))).astype(int))

    for path in tqdm([files[index] for index in spread], unit="image"):
        try:
            explained = pipeline.explain(model, read, path.read_bytes(), Stopwatch(), question)
        except ImageError as error:
            print(f"{path.name}: {error}")
            continue

        probability = explained.prediction.probabilities[model.manifest.positive_class]
        positive = probability >= model.manifest.threshold
        row = {"path": str(path), "probability": probability, "positive": positive}
        yield row | _placement(explained)


def _placement(explained: Explanation) -> Row:
    """Return where the heat of one image lies, or nothing more than `blank` without heat."""
    heatmap = explained.class_explanation.heatmap
    peak = heatmap.peak
    if peak is None:
        return {"blank": True}

    fitted = explained.prediction.reading.fitted
    breast = breast_cells(fitted, heatmap.to_source, heatmap.values.shape)
    ring = _ring(breast.shape, wall=True)
    rim = _ring(breast.shape, wall=False)
    at = (peak.row, peak.column)

    return {
        "blank": False,
        "ring": bool(ring[at]),
        "chance_ring": float(ring[breast].mean()),
        "rim": bool(rim[at]),
        "chance_rim": float(rim[breast].mean()),
        "peak_outside": not breast[at],
        "cells_outside": _share_outside(heatmap.values, breast),
        "drawn_outside": _drawn_outside(explained),
    }


def _ring(shape: tuple[int, ...], *, wall: bool) -> Mask:
    """Return the outermost cells of a map, with or without the column at the chest wall."""
    ring = np.ones(shape, np.bool_)
    ring[1:-1, int(wall) : -1] = False
    return ring


def _drawn_outside(explained: Explanation) -> float:
    """Return the share of the picture's heat that is drawn outside the outline of the breast."""
    picture = pipeline.draw_heatmap(explained, Render.HEATMAP, STYLE, {}, Stopwatch())
    heat = np.asarray(Image.open(BytesIO(picture.content)))

    fitted = explained.prediction.reading.fitted
    to_picture = fitted.breast_to_source.then(picture.to_source.inverse())
    breast = cv2.warpAffine(
        fitted.breast.astype(np.uint8) * 255,
        np.array(to_picture.matrix()),
        (picture.width, picture.height),
        flags=cv2.INTER_LINEAR,
    )
    return _share_outside(heat, np.asarray(breast > HALF))


def _share_outside(heat: NDArray[Any], breast: Mask) -> float:
    """Return the share of the summed heat that is not in the breast."""
    return float(heat[~breast].sum(dtype=np.float64) / heat.sum(dtype=np.float64))


def _print_table(title: str, rows: Sequence[Row]) -> None:
    """Print counts with intervals, and shares, of the images with heat, as Markdown."""
    hot = [row for row in rows if not row["blank"]]
    print(f"\n{title}: {len(rows)}, of which {len(rows) - len(hot)} have no heat\n")
    print("| figure | value | chance |")
    print("|---|---|---|")

    ring = f"{sum(row['chance_ring'] for row in hot):.1f}"
    rim = f"{sum(row['chance_rim'] for row in hot):.1f}"
    print(f"| peak in the ring | {_counted(hot, 'ring')} | {ring} |")
    print(f"| peak in the ring without the chest wall | {_counted(hot, 'rim')} | {rim} |")
    print(f"| peak outside the breast | {_counted(hot, 'peak_outside')} | - |")
    print(f"| heat of cells outside | {_shares(hot, 'cells_outside')} | - |")
    print(f"| drawn heat outside | {_shares(hot, 'drawn_outside')} | - |")


def _counted(rows: Sequence[Row], figure: str) -> str:
    """Return the number of rows with the figure, and its interval."""
    return wilson(sum(row[figure] for row in rows), len(rows))


def _shares(rows: Sequence[Row], figure: str) -> str:
    """Return mean, median and 95th percentile of a share."""
    if not rows:
        return "-"
    shares = [row[figure] for row in rows]
    median, high = np.percentile(shares, (50, 95))
    return f"{np.mean(shares):.1%}, {median:.1%}, {high:.1%}"


if __name__ == "__main__":
    main()
