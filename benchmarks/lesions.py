"""Measures how often the peak of each method's heatmap lies in a lesion of real mammograms.

    python -m benchmarks.lesions FOLDER --bundle models/mine/1 --rows rows.jsonl [--sheet OUT.png]

FOLDER has a table `lesions.csv` with the columns file, x, y and radius: a circle around each
lesion, in pixels of the file from the top left. An image is a hit if the peak lies in any of its
lesions. For `grown`, the lesions are grown by half a cell of the map along each axis. Chance is the
expected number of hits of a random cell in the breast. The last two columns ask for each lesion by
itself.

Two baselines need no heatmap: the brightest spot of the model's input, blurred by half a cell of
the layer, and the centroid of the breast. The images decided positive are also counted apart,
because the map of a negative decision is no finding.

Every image and method adds a line to the file of rows. A run that was interrupted goes on there,
and the tables count all its rows of this model and layer. The three methods on the input take far
longer than the others: give them a run of their own, perhaps with `--positive-only`.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
from tqdm import tqdm

from benchmarks.contact_sheet import arrange
from benchmarks.heat_tile import TILE, heat_tile
from benchmarks.held_reading import explain_reading, predict_reading
from benchmarks.pointing import Circle, breast_centroid, brightest_spot, play, read_circles, wilson
from service.imaging import Reading, read
from service.model import Bundle
from service.pipeline import Question
from service.records import ConvLayer, Method

TABLE = "lesions.csv"
SPOT = "brightest spot"
CENTROID = "breast centroid"

Lesions = Mapping[str, Sequence[Circle]]
Row = dict[str, Any]


def main() -> None:
    """Print the tables. Write the rows and the contact sheet."""
    options = _arguments()
    model = Bundle.load(options.bundle)
    layer = model.manifest.layer(options.layer or model.manifest.default_layer)
    lesions = read_circles(options.folder / TABLE)

    # Measure the images and methods that the file does not have.
    rows = _written(options.rows, model, layer)
    with options.rows.open("a") as file:
        for row in _measure(model, layer, options, lesions, rows):
            file.write(json.dumps(row) + "\n")
            file.flush()
            rows.append(row)

    # Count them.
    count = sum(len(circles) for circles in lesions.values())
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, layer {layer.name}")
    print(f"{count} lesions in {len(lesions)} images")
    positive = [row for row in rows if row["positive"]]
    _print_table("all images", rows)
    _print_table("decided positive", positive)
    _print_table("decided negative", [row for row in rows if not row["positive"]])

    names = sorted({row["file"] for row in positive})
    if options.sheet and not names:
        print(f"\nNo image was decided positive: there is no {options.sheet}.")
    elif options.sheet:
        question = Question(options.methods[0], layer.name)
        tiles = [heat_tile(model, options.folder / name, question, lesions[name]) for name in names]
        cv2.imwrite(str(options.sheet), arrange(tiles))


def _arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help=f"folder of {TABLE} and the images it names")
    parser.add_argument("--bundle", type=Path, required=True, help="version directory of a bundle")
    parser.add_argument("--layer", help="layer to explain (default: the bundle's default layer)")
    parser.add_argument(
        "--methods", nargs="+", type=Method, default=list(Method), help="default: all nine"
    )
    parser.add_argument(
        "--positive-only", action="store_true", help="explain only the images decided positive"
    )
    parser.add_argument(
        "--rows", type=Path, required=True, help="file of results, one JSON object a line"
    )
    parser.add_argument(
        "--sheet",
        type=Path,
        help=f"PNG file of tiles of {TILE} pixels: the images decided positive with the heat of "
        "the first method, its peak as a cross, and the lesions as circles",
    )
    return parser.parse_args()


def _written(path: Path, model: Bundle, layer: ConvLayer) -> list[Row]:
    """Return the rows of this model and layer that the file already has."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows: list[Row] = [json.loads(line) for line in lines]
    return [row for row in rows if row["model"] == model.digest and row["layer"] == layer.name]


def _measure(
    model: Bundle,
    layer: ConvLayer,
    options: argparse.Namespace,
    lesions: Lesions,
    rows: Sequence[Row],
) -> Iterator[Row]:
    """Yield the rows that are missing: of each image, one for every method and baseline."""
    written = {(row["file"], row["method"]) for row in rows}

    for name, circles in tqdm(lesions.items(), unit="image"):
        methods = [method for method in options.methods if (name, method) not in written]
        baselines = [baseline for baseline in (SPOT, CENTROID) if (name, baseline) not in written]
        if not methods and not baselines:
            continue

        reading = read((options.folder / name).read_bytes(), model.manifest.preprocessing)
        head = {"model": model.digest, "layer": layer.name, "file": name}
        head |= _decision(model, reading)
        if options.positive_only and not head["positive"]:
            continue

        for method in methods:
            yield head | {"method": method} | _heat_row(model, layer, method, reading, circles)
        for baseline in baselines:
            yield head | {"method": baseline} | _baseline_row(layer, baseline, reading, circles)


def _decision(model: Bundle, reading: Reading) -> Row:
    """Return the probability of the positive class, and whether the decision is positive."""
    probabilities = predict_reading(model, reading).probabilities
    probability = probabilities[model.manifest.positive_class]
    return {"probability": probability, "positive": probability >= model.manifest.threshold}


def _heat_row(
    model: Bundle, layer: ConvLayer, method: Method, reading: Reading, circles: Sequence[Circle]
) -> Row:
    """Play the game with the peak of a method's heatmap."""
    explained = explain_reading(model, reading, Question(method, layer.name))
    heatmap = explained.class_explanation.heatmap
    peak = None if heatmap.peak is None else (heatmap.peak.x, heatmap.peak.y)
    shape = heatmap.values.shape

    games = [
        asdict(play(targets, peak, reading.fitted, heatmap.to_source, shape))
        for targets in (circles, *([circle] for circle in circles))
    ]
    return {"peak": peak, **games[0], "lesions": games[1:]}


def _baseline_row(
    layer: ConvLayer, baseline: str, reading: Reading, circles: Sequence[Circle]
) -> Row:
    """Play the game with a baseline's place, as if it were the peak of a map of the layer."""
    fitted = reading.fitted
    field = layer.receptive_field
    to_source = field.to_input().then(fitted.to_source)
    sigma = field.stride_y / 2
    place = brightest_spot(fitted, sigma) if baseline == SPOT else breast_centroid(fitted)

    games = [
        asdict(play(targets, place, fitted, to_source, (layer.height, layer.width)))
        for targets in (circles, *([circle] for circle in circles))
    ]
    return {"peak": place, **games[0], "lesions": games[1:]}


def _print_table(title: str, rows: Sequence[Row]) -> None:
    """Print hits, intervals and chance of each method and baseline, as Markdown."""
    print(f"\n{title}\n")
    print("| method | in lesion | chance | grown | chance | each lesion | grown |")
    print("|---|---|---|---|---|---|---|")

    for method in (*Method, SPOT, CENTROID):
        games = [row for row in rows if row["method"] == method]
        lesions = [lesion for row in games for lesion in row["lesions"]]
        if games:
            cells = [method, *_counted(games, "plain"), *_counted(games, "grown")]
            cells += [_counted(lesions, "plain")[0], _counted(lesions, "grown")[0]]
            print(f"| {' | '.join(cells)} |")


def _counted(games: Sequence[Row], kind: str) -> tuple[str, str]:
    """Return the hits with their interval, and the expected hits of chance."""
    expected = sum(game[f"chance_{kind}"] for game in games)
    return wilson(sum(game[kind] for game in games), len(games)), f"{expected:.1f}"


if __name__ == "__main__":
    main()
