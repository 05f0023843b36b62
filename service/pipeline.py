"""The whole way of the data, as straight calls: bytes -> decode -> fit -> model -> explanation -> picture.

Whoever wants to know what happens to a mammogram reads this file. Nothing here knows HTTP; every function is
synchronous, keeps no state and may run in any thread.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from service import explanation, geometry, imaging, rendering
from service.errors import BundleMismatch, UnknownClass
from service.geometry import Affine
from service.imaging import Limits
from service.model import GoldenCase, Model
from service.rendering import Colormap, FilterPicture, FilterScale, Picture, Render, Style
from service.results import (
    Caution,
    FilterStatistics,
    Fitted,
    Floats,
    Heatmap,
    HeatmapDiagnostics,
    Layer,
    Mammogram,
    MapState,
    Pixels,
)


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Milliseconds spent in each step, in the order in which they were first entered."""

    milliseconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Adds the time of the block to that step."""
        start = time.perf_counter()
        yield
        self.milliseconds[name] = self.milliseconds.get(name, 0.0) + (time.perf_counter() - start) * 1e3


@dataclass(frozen=True, slots=True)
class Prediction:
    """An image, read and fitted, and what the model says of it; `probabilities` are calibrated, by class."""

    mammogram: Mammogram
    fitted: Fitted
    probabilities: Mapping[str, float]
    cautions: tuple[Caution, ...]


@dataclass(frozen=True, slots=True)
class Activations:
    """What a layer saw: its `maps` [h, w, filters] turned upright as in the source, and where their cells lie in it."""

    mammogram: Mammogram
    fitted: Fitted
    layer: Layer
    maps: Floats
    to_source: Affine
    statistics: list[FilterStatistics]
    cautions: tuple[Caution, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prediction, the heatmap of one class at one layer, and how far to trust it."""

    prediction: Prediction
    layer: Layer
    class_name: str
    heatmap: Heatmap
    diagnostics: HeatmapDiagnostics
    cautions: tuple[Caution, ...]


def predict(model: Model, data: bytes, limits: Limits, watch: Stopwatch) -> Prediction:
    """The model's probabilities for an image file.

    Raises:
        ImageError: the file is no mammogram that can be read.
    """
    mammogram, fitted = _read(model, data, limits, watch)
    with watch.step("model"):
        scores = model.predict(fitted.image[None])
    return _prediction(model, mammogram, fitted, scores.probabilities[0])


def show_activations(model: Model, data: bytes, limits: Limits, watch: Stopwatch, *, layer: str) -> Activations:
    """What every filter of that layer saw in an image file.

    Raises:
        ImageError: the file is no mammogram that can be read.
        UnknownLayer: the model has no such layer.
    """
    chosen = model.manifest.layer(layer)
    mammogram, fitted = _read(model, data, limits, watch)
    with watch.step("model"):
        maps = model.activations(fitted.image[None])[chosen.name][0]
    with watch.step("explain"):
        statistics = explanation.filter_statistics(maps)
        to_source = chosen.receptive_field.to_input().then(fitted.to_source)
        if fitted.side == "right":  # the model sees every breast from the left; people see it as it was taken
            maps, to_source = maps[:, ::-1], geometry.flip(chosen.width).then(to_source)
        cautions = (*mammogram.cautions, *explanation.filter_cautions(statistics))
    return Activations(mammogram, fitted, chosen, maps, to_source, statistics, cautions)


def explain(
    model: Model,
    data: bytes,
    limits: Limits,
    watch: Stopwatch,
    *,
    layer: str | None = None,
    class_name: str | None = None,
) -> Explanation:
    """The Grad-CAM of an image file for a class (default: the positive one) at a layer (default: the manifest's).

    Raises:
        ImageError: the file is no mammogram that can be read.
        UnknownLayer, UnknownClass: the model has no such layer or class.
    """
    manifest = model.manifest
    chosen = manifest.layer(manifest.default_layer if layer is None else layer)
    class_name = manifest.positive_class if class_name is None else class_name
    if class_name not in manifest.classes:
        raise UnknownClass(manifest.classes)
    mammogram, fitted = _read(model, data, limits, watch)
    with watch.step("model"):
        index = np.array([manifest.classes.index(class_name)], np.int32)
        found = model.layer_gradients(chosen.name, fitted.image[None], index)
    with watch.step("explain"):
        to_source = chosen.receptive_field.to_input().then(fitted.to_source)
        heatmap = explanation.heatmap(found.maps[0], found.gradients[0], to_source)
        diagnostics = explanation.diagnose(heatmap, fitted.mask, chosen.receptive_field)
        prediction = _prediction(model, mammogram, fitted, found.probabilities[0])
        cautions = (*prediction.cautions, *explanation.heatmap_cautions(heatmap, diagnostics))
    return Explanation(prediction, chosen, class_name, heatmap, diagnostics, cautions)


def draw_heatmap(
    explained: Explanation, render: Render, style: Style, text: Mapping[str, str], watch: Stopwatch
) -> Picture:
    """The heatmap as PNG in the frame of the source image: over the image, or alone."""
    pixels, box = explained.prediction.mammogram.pixels, explained.prediction.fitted.box
    with watch.step("render"):
        if render is Render.OVERLAY:
            return rendering.overlay(pixels, explained.heatmap, box, style, text)
        return rendering.heat_alone(pixels.shape, explained.heatmap, box, style, text)


def draw_filters(seen: Activations, scale: FilterScale, watch: Stopwatch) -> list[FilterPicture]:
    """Each filter's map as a greyscale PNG, a pixel a cell."""
    with watch.step("render"):
        return rendering.draw_filters(seen.maps, scale)


def draw_montage(
    seen: Activations, scale: FilterScale, colormap: Colormap, text: Mapping[str, str], watch: Stopwatch
) -> bytes:
    """All filters of the layer on one PNG."""
    with watch.step("render"):
        return rendering.montage_png(seen.maps, scale, colormap, text)


def golden_case(model: Model, pixels: Pixels, layer: str, class_index: int) -> tuple[GoldenCase, MapState]:
    """What fit, prediction and heatmap make of those pixels, and whether the heatmap says anything.

    The export keeps it and every start makes it anew, by this one function.
    """
    image = imaging.fit(pixels, model.manifest.preprocessing).image
    probabilities = model.predict(image[None]).probabilities[0]
    found = model.layer_gradients(layer, image[None], np.array([class_index], np.int32))
    heatmap = explanation.heatmap(found.maps[0], found.gradients[0], Affine())
    return GoldenCase(pixels, image, probabilities, layer, class_index, heatmap.values), heatmap.state


def replay(model: Model, golden: GoldenCase) -> None:
    """Makes sure that fit, prediction and heatmap of the golden case come out as they did when it was exported.

    Raises:
        BundleMismatch: they do not, so training and serving have drifted apart.
    """
    again, _ = golden_case(model, golden.pixels, golden.layer, golden.class_index)
    differences = golden.compare(again.image, again.probabilities, again.heatmap)
    if differences:
        raise BundleMismatch("The bundle does not reproduce its golden case: " + "; ".join(differences) + ".")


def warm(model: Model) -> None:
    """Runs every path of the model once, so that no caller pays for the first time."""
    parameters = model.manifest.preprocessing
    images = np.zeros((1, parameters.height, parameters.width, 1), np.float32)
    model.predict(images)
    model.activations(images)
    for layer in model.manifest.layers:
        model.layer_gradients(layer.name, images, np.zeros(1, np.int32))


def _read(model: Model, data: bytes, limits: Limits, watch: Stopwatch) -> tuple[Mammogram, Fitted]:
    with watch.step("decode"):
        mammogram = imaging.decode(data, limits)
    with watch.step("fit"):
        fitted = imaging.fit(mammogram.pixels, model.manifest.preprocessing)
    return mammogram, fitted


def _prediction(model: Model, mammogram: Mammogram, fitted: Fitted, probabilities: Floats) -> Prediction:
    by_class = dict(zip(model.manifest.classes, (float(value) for value in probabilities), strict=True))
    return Prediction(mammogram, fitted, by_class, mammogram.cautions)
