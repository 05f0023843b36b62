"""Localisation: how well the heatmaps of each method find the lesion of a positive image."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from service.geometry import interpolate
from service.model import Localisation, Model
from service.pipeline.class_explanation import Subject, explain_class
from service.records import Floats, Mask, Method
from training.bars import bar
from training.data.cache import Part
from training.data.lesions import hits, lesion_on_grid, read_lesion

Figures = dict[Method, tuple[float, ...]]
"""Pointing, mass, rank and IoU of one image, by method."""


def localise(
    model: Model, part: Part, indices: Iterable[int], methods: Sequence[Method]
) -> dict[Method, Localisation]:
    """Return the mean figures of each method over these images of a part, at the default layer.

    Every image must have a lesion mask.

    Raises:
        TableError: if the lesion mask of an image is missing, unreadable or empty.
    """
    shown = bar(list(indices), "localisation")
    return average([localise_image(model, part, index, methods) for index in shown])


def localise_image(model: Model, part: Part, index: int, methods: Sequence[Method]) -> Figures:
    """Return the figures of each method on one image of a part; see `localise`."""
    positive = model.manifest.classes.index(model.manifest.positive_class)
    subject = Subject(part.images([index])[0], part.mask(index), part.to_source(index))
    lesion = read_lesion(part.records[index])
    on_grid = lesion_on_grid(lesion, subject.to_source, subject.mask.shape)

    figures: Figures = {}
    for method in methods:
        heatmap = explain_class(
            model, subject, method, model.manifest.default_layer, positive, full=False
        ).heatmap

        # From the map's own grid to the model's grid.
        grid_to_map = subject.to_source.then(heatmap.to_source.inverse())
        heat = interpolate(heatmap.values, grid_to_map, subject.mask.shape)

        figures[method] = (float(hits(heatmap, lesion)), *agreement(heat, on_grid))
    return figures


def average(images: Sequence[Figures]) -> dict[Method, Localisation]:
    """Return the mean figures of each method over at least one image."""
    return {
        method: Localisation(
            len(images),
            *(float(mean) for mean in np.mean([image[method] for image in images], axis=0)),
        )
        for method in images[0]
    }


def agreement(heat: Floats, lesion: Mask) -> tuple[float, float, float]:
    """Return relevance mass accuracy, relevance rank accuracy, and IoU at Otsu's threshold.

    `heat` and `lesion` are on the same grid [h, w]. Mass: share of the heat that is in the lesion.
    Rank: share of the N hottest pixels that are in the lesion, where N is its number of pixels.
    Arras, Osman and Samek, "CLEVR-XAI", Information Fusion 81, 2022. All are 0 for a blank map.
    """
    total = float(heat.sum(dtype=np.float64))
    if total == 0:
        return 0.0, 0.0, 0.0

    # The N hottest pixels.
    size = int(lesion.sum())
    hottest = np.argsort(-heat, axis=None, kind="stable")[:size]

    # Overlap of the lesion and the heat above Otsu's threshold.
    bytes_ = np.rint(heat / heat.max() * 255).astype(np.uint8)
    _, hot = cv2.threshold(bytes_, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    intersection = (lesion & (hot > 0)).sum()
    union = (lesion | (hot > 0)).sum()

    return (
        float(heat[lesion].sum(dtype=np.float64)) / total,
        float(lesion.ravel()[hottest].mean()),
        float(intersection / union),
    )
