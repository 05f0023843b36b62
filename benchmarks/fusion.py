"""Measures whether a map fused from two layers finds lesions better than a map of either layer.

    python -m benchmarks.fusion --experiment training/experiments/demo.toml --fine conv2d_1
    python -m benchmarks.fusion --folder FOLDER --bundle models/mine/1 --fine NAME

The fused map is the geometric mean of a method at the default layer, which says where, and of a
method at a finer layer, which gives the outline. Each is divided by its peak. The images are those
with a lesion: of the test part of an experiment, or of FOLDER, whose table `lesions.csv` is that of
`benchmarks.lesions`. Only images decided positive count.
"""

import argparse
import os
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.lesions import TABLE
from benchmarks.load.servers import DEMO
from benchmarks.pointing import Circle, cell_centres, hits, read_circles
from service.geometry import interpolate
from service.imaging import read
from service.model import Bundle
from service.pipeline.class_explanation import ClassExplanation, Subject, explain_class
from service.records import Floats, Mask, Method
from training.config_files import load_experiment
from training.data.cache import open_part
from training.data.lesions import lesion_on_grid, read_lesion
from training.data.split import split_records
from training.data.table import load_records
from training.evaluation.localisation import agreement

DEEP = (Method.GRAD_CAM, Method.HIRES_CAM, Method.LAYER_CAM)
FINE = (Method.HIRES_CAM, Method.LAYER_CAM)
FIGURES = ("pointing", "mass", "rank", "IoU")
RESAMPLES = 2000

Cases = Iterator[tuple[Subject, Mask]]
"""Images with their lesions on the model's grid."""


def main() -> None:
    """Print the mean figures of each map, and the paired differences of the fused ones."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    images = parser.add_mutually_exclusive_group(required=True)
    images.add_argument("--experiment", type=Path, help="experiment with lesion masks")
    images.add_argument("--folder", type=Path, help=f"folder of {TABLE} and its images")
    parser.add_argument("--bundle", type=Path, default=DEMO, help="default: the demo")
    parser.add_argument("--fine", required=True, help="name of the finer layer")
    parser.add_argument("--limit", type=int, default=120, help="images at most (default 120)")
    options = parser.parse_args()

    model = Bundle.load(options.bundle)
    if options.experiment:
        cases = _phantoms(options.experiment, options.limit)
    else:
        cases = _files(model, options.folder, options.limit)

    rows = [row for case in tqdm(cases, unit="image") if (row := _measure(model, options, *case))]
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, {len(rows)} decided positive")
    _print_means(rows)
    _print_differences(rows)


def _phantoms(path: Path, limit: int) -> Cases:
    """Yield images with cancer of the test part of an experiment."""
    experiment = load_experiment(path)
    part = open_part(split_records(load_records(experiment), experiment.split).test, experiment)
    marked = [index for index, record in enumerate(part.records) if record.lesion_mask]
    with_cancer = [index for index in marked if part.labels[index]]
    if not with_cancer:
        raise SystemExit(f"The test part of {path} has no lesion masks.")

    for index in with_cancer[:limit]:
        subject = Subject(part.images([index])[0], part.mask(index), part.to_source(index))
        lesion = read_lesion(part.records[index])
        yield subject, lesion_on_grid(lesion, subject.to_source, subject.mask.shape)


def _files(model: Bundle, folder: Path, limit: int) -> Cases:
    """Yield the images of a folder with circles around their lesions."""
    for name, circles in list(read_circles(folder / TABLE).items())[:limit]:
        fitted = read((folder / name).read_bytes(), model.manifest.preprocessing).fitted
        subject = Subject(fitted.image, fitted.mask, fitted.to_source)
        yield subject, _inside(circles, subject)


def _inside(circles: list[Circle], subject: Subject) -> Mask:
    """Return the pixels of the model's grid whose centres lie in a circle."""
    shape = subject.mask.shape
    centres = cell_centres(np.ones(shape, np.bool_), subject.to_source)
    return hits(circles, centres).reshape(shape)


def _measure(
    model: Bundle, options: argparse.Namespace, subject: Subject, lesion: Mask
) -> dict[str, tuple[float, ...]] | None:
    """Return the figures of each map of an image, or None if it is decided negative."""
    manifest = model.manifest
    positive = manifest.classes.index(manifest.positive_class)
    maps: dict[str, Floats] = {}
    for tag, layer, methods in (
        ("deep", manifest.default_layer, DEEP),
        ("fine", options.fine, FINE),
    ):
        for method in methods:
            explained = explain_class(model, subject, method, layer, positive, full=False)
            if explained.scores.probabilities[positive] < manifest.threshold:
                return None
            maps[f"{tag} {method}"] = _in_breast(explained, subject)

    for deep, fine in product(DEEP[:2], FINE):
        maps[f"fused {deep} x {fine}"] = np.sqrt(maps[f"deep {deep}"] * maps[f"fine {fine}"])
    return {
        name: (float(lesion.flat[heat.argmax()] and heat.any()), *agreement(heat, lesion))
        for name, heat in maps.items()
    }


def _in_breast(explained: ClassExplanation, subject: Subject) -> Floats:
    """Return the heat in the breast on the model's grid, divided by its peak."""
    to_map = subject.to_source.then(explained.heatmap.to_source.inverse())
    heat = interpolate(explained.heatmap.values, to_map, subject.mask.shape) * subject.mask
    return np.asarray(heat / (heat.max() or 1), dtype=np.float32)


def _print_means(rows: list[dict[str, tuple[float, ...]]]) -> None:
    """Print the mean figures of each map."""
    print(f"\n| map | {' | '.join(FIGURES)} |\n|---|{'---|' * len(FIGURES)}")
    for name in rows[0]:
        means = np.mean([row[name] for row in rows], axis=0)
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in means)} |")


def _print_differences(rows: list[dict[str, tuple[float, ...]]]) -> None:
    """Print the paired differences of fused and single maps with 95 % bootstrap intervals."""
    rng = np.random.default_rng(0)
    samples = rng.integers(0, len(rows), (RESAMPLES, len(rows)))

    print(f"\n| fused minus single | {' | '.join(FIGURES)} |\n|---|{'---|' * len(FIGURES)}")
    singles = [name for name in rows[0] if not name.startswith("fused")]
    fused = [name for name in rows[0] if name.startswith("fused")]
    for one, other in product(fused, singles):
        differences = np.array([np.subtract(row[one], row[other]) for row in rows])
        low, high = np.percentile(differences[samples].mean(axis=1), (2.5, 97.5), axis=0)
        cells = [
            f"{mean:+.3f} ({least:+.3f} to {most:+.3f})"
            for mean, least, most in zip(differences.mean(axis=0), low, high, strict=True)
        ]
        print(f"| {one} minus {other} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
