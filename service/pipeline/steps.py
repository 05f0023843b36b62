"""The whole way of the data, as straight calls: bytes -> decode -> fit -> model -> explanation -> picture.

Whoever wants to know what happens to a mammogram reads this file. Nothing here knows HTTP; every function is
synchronous, keeps no state and may run in any thread.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from service import explanation, geometry
from service.errors import UnknownClass
from service.geometry import Affine
from service.imaging import Read, Reading
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import assessment, class_explanation
from service.pipeline.assessment import Assessment
from service.pipeline.class_explanation import ClassExplanation, Subject
from service.records import (
    ConvLayer,
    Diagnostic,
    FilterStatistics,
    Floats,
    HeatRegion,
    Method,
    QualityWarning,
    Scores,
)


@dataclass(frozen=True, slots=True)
class ImagePrediction:
    """An image, read and fitted, and what the model says of it; `probabilities` are calibrated, by class.

    `diagnostics`: the figures that tell how far to trust it, by name.
    """

    reading: Reading
    probabilities: Mapping[str, float]
    diagnostics: Mapping[str, Diagnostic]
    warnings: tuple[QualityWarning, ...]


@dataclass(frozen=True, slots=True)
class Activations:
    """What a layer saw: its `maps` [h, w, filters] turned upright as in the source, and where their cells lie in it.

    `diagnostics`: the figures that tell how its filters fare, by name.
    """

    reading: Reading
    layer: ConvLayer
    maps: Floats
    to_source: Affine
    statistics: list[FilterStatistics]
    diagnostics: Mapping[str, Diagnostic]
    warnings: tuple[QualityWarning, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prediction, the heatmap of one class, and how far to trust it."""

    prediction: ImagePrediction
    class_explanation: ClassExplanation
    class_name: str
    regions: list[HeatRegion]
    diagnostics: Mapping[str, Diagnostic]
    warnings: tuple[QualityWarning, ...]


def predict(model: Model, read: Read, data: bytes, timer: Stopwatch) -> ImagePrediction:
    """The model's probabilities for an image file.

    Raises:
        ImageError: the file is no mammogram that can be read.
    """
    reading = _read(model, read, data, timer)
    with timer.step("model"):
        scores = class_explanation.score(model, reading.fitted.image)
    return _prediction(model, reading, scores)


def show_activations(
    model: Model, read: Read, data: bytes, timer: Stopwatch, *, layer: str
) -> Activations:
    """What every filter of that layer saw in an image file.

    Raises:
        ImageError: the file is no mammogram that can be read.
        UnknownLayer: the model has no such layer.
    """
    chosen = model.manifest.layer(layer)
    reading = _read(model, read, data, timer)
    with timer.step("model"):
        maps = model.activations(reading.fitted.image[None])[chosen.name][0]
        scores = class_explanation.score(model, reading.fitted.image)
    with timer.step("explain"):
        statistics = explanation.filter_statistics(maps)
        found = _trust(model, reading, scores) + assessment.assess_filters(
            model, chosen.name, maps, statistics, scores
        )
        to_source = chosen.receptive_field.to_input().then(reading.fitted.to_source)
        if (
            reading.fitted.side == "right"
        ):  # the model sees every breast from the left; people see it as it was taken
            maps, to_source = maps[:, ::-1], geometry.flip(chosen.width).then(to_source)
    return Activations(reading, chosen, maps, to_source, statistics, found.measures, found.warnings)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be explained and how; by default the positive class by Grad-CAM at the manifest's layer.

    `level`: the share of the peak from which on heat makes a region. `full`: with the figures that take many passes.
    """

    method: Method = Method.GRAD_CAM
    layer: str | None = None
    class_name: str | None = None
    level: float = 0.5
    full: bool = False


def explain(
    model: Model, read: Read, data: bytes, timer: Stopwatch, question: Question
) -> Explanation:
    """The heatmap of an image file, and the evidence of how far to trust it.

    To draw an overlay, let `read` bring the picture along: see `picture_edge`.

    Raises:
        ImageError: the file is no mammogram that can be read.
        UnknownLayer, UnknownClass: the model has no such layer or class.
    """
    manifest, method = model.manifest, question.method
    layer = manifest.layer(
        manifest.default_layer if question.layer is None else question.layer
    ).name
    class_name = manifest.positive_class if question.class_name is None else question.class_name
    if class_name not in manifest.classes:
        raise UnknownClass(manifest.classes)
    index = manifest.classes.index(class_name)
    reading = _read(model, read, data, timer)
    subject = Subject(reading.fitted.image, reading.fitted.mask, reading.fitted.to_source)
    with timer.step("explain"):
        found = class_explanation.explain_class(
            model, subject, method, layer, index, full=question.full
        )
        prediction = _prediction(model, reading, found.scores)
        trusted = Assessment(
            dict(prediction.diagnostics), prediction.warnings
        ) + assessment.assess_heatmap(model, found, index)
        regions = explanation.regions(found.heatmap, question.level, reading.facts.pixel_spacing_mm)
    return Explanation(
        prediction,
        found,
        class_name,
        regions,
        trusted.measures,
        trusted.warnings,
    )


def _read(model: Model, read: Read, data: bytes, timer: Stopwatch) -> Reading:
    reading = read(data, model.manifest.preprocessing)
    timer.add(reading.laps)
    return reading


def _prediction(model: Model, reading: Reading, scores: Scores) -> ImagePrediction:
    by_class = dict(
        zip(model.manifest.classes, (float(value) for value in scores.probabilities), strict=True)
    )
    found = _trust(model, reading, scores)
    return ImagePrediction(reading, by_class, found.measures, found.warnings)


def _trust(model: Model, reading: Reading, scores: Scores) -> Assessment:
    """What every answer on an image says: of the file, of the model, and of whether the one is made for the other."""
    return (
        Assessment(warnings=reading.warnings)
        + assessment.assess_model(model)
        + assessment.assess_domain(model, scores.features)
    )
