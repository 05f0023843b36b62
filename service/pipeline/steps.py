"""The steps of a request in order: bytes -> decode -> fit -> model -> explanation -> picture.

Start here to see how a mammogram becomes a prediction and a heatmap. The functions know nothing
about HTTP. They are synchronous, keep no state and may run in any thread.
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
from service.pipeline.heat_strength import HeatStrength, find_strength
from service.records import (
    ConvLayer,
    Diagnostic,
    DrawnHeat,
    FilterStatistics,
    Floats,
    HeatRegion,
    HeatScale,
    Method,
    QualityWarning,
    Scores,
)


@dataclass(frozen=True, slots=True)
class ImagePrediction:
    """An image, read and fitted, with the model's prediction.

    `probabilities`: calibrated, by class. `diagnostics`: by name, for judging how far to trust the
    prediction.
    """

    reading: Reading
    probabilities: Mapping[str, float]
    diagnostics: Mapping[str, Diagnostic]
    warnings: tuple[QualityWarning, ...]


@dataclass(frozen=True, slots=True)
class Activations:
    """The output of every filter of one layer for an image.

    `maps`: [h, w, filters], oriented as in the source image. `to_source`: from their cells to
    source pixels. `diagnostics`: by name, on the state of the filters.
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
    """A prediction and the heatmap of one class.

    `strength`: the scale of the drawn heat, and the strength of the heatmap. `drawn_heat`: the heat
    as picture and regions show it. `note`: how to read the heat of an image decided negative, None
    for others. `diagnostics` and `warnings` cover both the prediction and the heatmap.
    """

    prediction: ImagePrediction
    class_explanation: ClassExplanation
    class_name: str
    strength: HeatStrength
    drawn_heat: DrawnHeat
    regions: list[HeatRegion]
    note: str | None
    diagnostics: Mapping[str, Diagnostic]
    warnings: tuple[QualityWarning, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """The explanation requested by the caller, by default Grad-CAM of the positive class.

    `layer`: None for the manifest's default layer. `class_name`: None for the positive class.
    `level`: share of the full value at and above which heat forms a region. `full`: also compute
    the diagnostics that take many passes. `scale`: sets the full value, None for the reference if
    the model version has one.
    """

    method: Method = Method.GRAD_CAM
    layer: str | None = None
    class_name: str | None = None
    level: float = 0.5
    full: bool = False
    scale: HeatScale | None = None


def predict(model: Model, read: Read, data: bytes, timer: Stopwatch) -> ImagePrediction:
    """Predict the class probabilities of an image file.

    Raises:
        ImageError: the file cannot be read as a mammogram.
    """
    # 1. Decode the file and fit the breast to the model's grid.
    reading = _read(model, read, data, timer)

    # 2. Run the model on the fitted image.
    with timer.step("model"):
        scores = class_explanation.score(model, reading.fitted.image)

    # 3. Name the classes, and add diagnostics and warnings.
    return _prediction(model, reading, scores)


def show_activations(
    model: Model, read: Read, data: bytes, timer: Stopwatch, *, layer: str
) -> Activations:
    """Return the output of every filter of one layer for an image file.

    Raises:
        ImageError: the file cannot be read as a mammogram.
        UnknownLayer: the model has no such layer.
    """
    # 1. Check the request before the costly steps.
    chosen = model.manifest.layer(layer)

    # 2. Decode the file and fit the breast to the model's grid.
    reading = _read(model, read, data, timer)

    # 3. Run the model for the maps of the layer, and for the scores of the image.
    with timer.step("model"):
        maps = model.activations(reading.fitted.image[None])[chosen.name][0]
        scores = class_explanation.score(model, reading.fitted.image)

    with timer.step("explain"):
        # 4. Describe the filters and assess them.
        statistics = explanation.filter_statistics(maps)
        image_assessment = _assess_image(model, reading, scores)
        filter_assessment = assessment.assess_filters(model, chosen.name, maps, statistics, scores)
        assessed = image_assessment + filter_assessment

        # 5. Locate the cells in the source. The fit mirrors a breast whose chest wall is on the
        #    right, so its maps are mirrored back.
        to_source = chosen.receptive_field.to_input().then(reading.fitted.to_source)
        if reading.fitted.side == "right":
            maps = maps[:, ::-1]
            to_source = geometry.flip(chosen.width).then(to_source)

    return Activations(
        reading, chosen, maps, to_source, statistics, assessed.diagnostics, assessed.warnings
    )


def explain(
    model: Model, read: Read, data: bytes, timer: Stopwatch, question: Question
) -> Explanation:
    """Predict an image file and explain one class with a heatmap.

    To draw an overlay later, pass a `read` that also returns the picture (see `picture_edge`).

    Raises:
        ImageError: the file cannot be read as a mammogram.
        UnknownLayer: the model has no such layer.
        UnknownClass: the model has no such class.
    """
    # 1. Check the request before the costly steps, and fill in the model's defaults.
    layer = _layer_name(model, question)
    class_name = _class_name(model, question)
    class_index = model.manifest.classes.index(class_name)

    # 2. Decode the file and fit the breast to the model's grid.
    reading = _read(model, read, data, timer)
    fitted = reading.fitted
    subject = Subject(fitted.image, fitted.mask, fitted.to_source)

    with timer.step("explain"):
        # 3. Compute the heatmap, its figures and the scores.
        explained = class_explanation.explain_class(
            model, subject, question.method, layer, class_index, full=question.full
        )
        prediction = _prediction(model, reading, explained.scores)

        # 4. Choose the scale of the heat.
        strength = find_strength(model, explained, class_index, question.scale)

        # 5. Assess the heatmap, on top of the image.
        assessed = (
            Assessment(dict(prediction.diagnostics), prediction.warnings)
            + assessment.assess_heatmap(model, explained, class_index)
            + assessment.assess_scale(question.scale, strength.scale)
        )

        # 6. Draw the heat on a fine grid, and outline its hot regions in source pixels.
        drawn_heat = explanation.drawn_heat(
            explained.heatmap,
            explained.field,
            fitted.mask,
            fitted.to_source,
            fitted.box,
            strength.full_value,
        )
        spacing = reading.facts.pixel_spacing_mm
        regions = explanation.regions(drawn_heat, question.level, spacing)

    return Explanation(
        prediction,
        explained,
        class_name,
        strength,
        drawn_heat,
        regions,
        assessment.note_decision(model, explained.scores),
        assessed.diagnostics,
        assessed.warnings,
    )


def check_question(model: Model, question: Question) -> None:
    """Check that the model has the layer and the class of the question.

    Raises:
        UnknownLayer, UnknownClass: it has not.
    """
    _layer_name(model, question)
    _class_name(model, question)


def _layer_name(model: Model, question: Question) -> str:
    """Return the layer to explain. An unknown name raises UnknownLayer."""
    name = model.manifest.default_layer if question.layer is None else question.layer
    return model.manifest.layer(name).name


def _class_name(model: Model, question: Question) -> str:
    """Return the class to explain. An unknown name raises UnknownClass."""
    manifest = model.manifest
    name = manifest.positive_class if question.class_name is None else question.class_name

    if name not in manifest.classes:
        raise UnknownClass(manifest.classes)
    return name


def _read(model: Model, read: Read, data: bytes, timer: Stopwatch) -> Reading:
    """Read and fit the file, and add the reader's own timings to the request's."""
    reading = read(data, model.manifest.preprocessing)
    timer.add(reading.laps)
    return reading


def _prediction(model: Model, reading: Reading, scores: Scores) -> ImagePrediction:
    """Name the probabilities by class, and add diagnostics and warnings."""
    probabilities = (float(value) for value in scores.probabilities)
    by_class = dict(zip(model.manifest.classes, probabilities, strict=True))

    assessed = _assess_image(model, reading, scores)
    return ImagePrediction(reading, by_class, assessed.diagnostics, assessed.warnings)


def _assess_image(model: Model, reading: Reading, scores: Scores) -> Assessment:
    """Collect the warnings about the file and the model, and check the image's distance.

    The distance is that from the reference images of the model (its domain).
    """
    return (
        Assessment(warnings=reading.warnings)
        + assessment.assess_model(model)
        + assessment.assess_domain(model, scores.features)
    )
