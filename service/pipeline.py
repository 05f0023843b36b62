"""The whole way of the data, as straight calls: bytes -> decode -> fit -> model -> explanation -> picture.

Whoever wants to know what happens to a mammogram reads this file. Nothing here knows HTTP; every function is
synchronous, keeps no state and may run in any thread.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from service import explanation, geometry, imaging, rendering
from service.errors import BundleMismatch, UnknownClass
from service.geometry import Affine
from service.imaging import Read, Reading
from service.model import GoldenCase, Model
from service.rendering import Colormap, FilterPicture, FilterScale, Picture, Render, Style
from service.results import (
    Caution,
    FilterStatistics,
    Floats,
    Heatmap,
    HeatmapDiagnostics,
    Layer,
    MapState,
    Pixels,
)
from service.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Prediction:
    """An image, read and fitted, and what the model says of it; `probabilities` are calibrated, by class."""

    reading: Reading
    probabilities: Mapping[str, float]
    cautions: tuple[Caution, ...]


@dataclass(frozen=True, slots=True)
class Activations:
    """What a layer saw: its `maps` [h, w, filters] turned upright as in the source, and where their cells lie in it."""

    reading: Reading
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


def predict(model: Model, read: Read, data: bytes, watch: Stopwatch) -> Prediction:
    """The model's probabilities for an image file.

    Raises:
        ImageError: the file is no mammogram that can be read.
    """
    reading = _read(model, read, data, watch)
    with watch.step("model"):
        scores = model.predict(reading.fitted.image[None])
    return _prediction(model, reading, scores.probabilities[0])


def show_activations(model: Model, read: Read, data: bytes, watch: Stopwatch, *, layer: str) -> Activations:
    """What every filter of that layer saw in an image file.

    Raises:
        ImageError: the file is no mammogram that can be read.
        UnknownLayer: the model has no such layer.
    """
    chosen = model.manifest.layer(layer)
    reading = _read(model, read, data, watch)
    with watch.step("model"):
        maps = model.activations(reading.fitted.image[None])[chosen.name][0]
    with watch.step("explain"):
        statistics = explanation.filter_statistics(maps)
        to_source = chosen.receptive_field.to_input().then(reading.fitted.to_source)
        if reading.fitted.side == "right":  # the model sees every breast from the left; people see it as it was taken
            maps, to_source = maps[:, ::-1], geometry.flip(chosen.width).then(to_source)
        cautions = (*reading.cautions, *explanation.filter_cautions(statistics))
    return Activations(reading, chosen, maps, to_source, statistics, cautions)


def explain(
    model: Model,
    read: Read,
    data: bytes,
    watch: Stopwatch,
    *,
    layer: str | None = None,
    class_name: str | None = None,
) -> Explanation:
    """The Grad-CAM of an image file for a class (default: the positive one) at a layer (default: the manifest's).

    To draw an overlay, let `read` bring the picture along: see `picture_edge`.

    Raises:
        ImageError: the file is no mammogram that can be read.
        UnknownLayer, UnknownClass: the model has no such layer or class.
    """
    manifest = model.manifest
    chosen = manifest.layer(manifest.default_layer if layer is None else layer)
    class_name = manifest.positive_class if class_name is None else class_name
    if class_name not in manifest.classes:
        raise UnknownClass(manifest.classes)
    reading = _read(model, read, data, watch)
    fitted = reading.fitted
    with watch.step("model"):
        index = np.array([manifest.classes.index(class_name)], np.int32)
        found = model.layer_gradients(chosen.name, fitted.image[None], index)
    with watch.step("explain"):
        to_source = chosen.receptive_field.to_input().then(fitted.to_source)
        heatmap = explanation.heatmap(found.maps[0], found.gradients[0], to_source)
        diagnostics = explanation.diagnose(heatmap, fitted.mask, chosen.receptive_field)
        prediction = _prediction(model, reading, found.probabilities[0])
        cautions = (*prediction.cautions, *explanation.heatmap_cautions(heatmap, diagnostics))
    return Explanation(prediction, chosen, class_name, heatmap, diagnostics, cautions)


def picture_edge(render: Render, style: Style) -> float:
    """The long edge of the mammogram's picture that has to be read for that rendering; 0 for none."""
    return style.long_edge if render is Render.OVERLAY else 0


def draw_heatmap(explained: Explanation, style: Style, text: Mapping[str, str], watch: Stopwatch) -> Picture:
    """The heatmap as PNG in the frame of the source image: over its picture where that was read, or alone."""
    reading = explained.prediction.reading
    frame, box = (reading.facts.rows, reading.facts.columns), reading.fitted.box
    with watch.step("render"):
        if reading.picture is None:
            return rendering.heat_alone(frame, explained.heatmap, box, style, text)
        return rendering.overlay(reading.picture, frame, explained.heatmap, box, style, text)


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


def _read(model: Model, read: Read, data: bytes, watch: Stopwatch) -> Reading:
    reading = read(data, model.manifest.preprocessing)
    watch.add(reading.milliseconds)
    return reading


def _prediction(model: Model, reading: Reading, probabilities: Floats) -> Prediction:
    by_class = dict(zip(model.manifest.classes, (float(value) for value in probabilities), strict=True))
    return Prediction(reading, by_class, reading.cautions)
