"""Warnings about a model version: what it did not pass, and which facts its bundle lacks."""

from collections.abc import Callable

from service.model import Model
from service.pipeline.assessment import assess_model
from service.records import QualityWarning

Lacks = Callable[[Model], bool]


def _lacks_peaks(model: Model) -> bool:
    reference = model.manifest.reference
    return reference is None or not any(reference.peaks.values())


def _lacks_sizes(model: Model) -> bool:
    return any(layer.effective_size is None for layer in model.manifest.layers)


def _lacks_methods(model: Model) -> bool:
    return any(layer.methods is None for layer in model.manifest.layers)


def _lacks_levels(model: Model) -> bool:
    return model.manifest.levels is None


def _lacks_curves(model: Model) -> bool:
    return model.curves is None


def _lacks_provenance(model: Model) -> bool:
    return model.manifest.provenance is None


_FACTS: tuple[tuple[Lacks, QualityWarning], ...] = (
    (
        _lacks_peaks,
        QualityWarning(
            "no-reference-peak",
            "This model version has no reference peak, so that heat has the scale of each image "
            "and cannot be compared between images.",
        ),
    ),
    (
        _lacks_sizes,
        QualityWarning(
            "no-effective-size",
            "The effective sizes of this model version's receptive fields were not measured.",
        ),
    ),
    (
        _lacks_methods,
        QualityWarning(
            "no-layer-methods",
            "This model version does not say which methods mean something at its layers, so that "
            "no answer warns of others.",
        ),
    ),
    (
        _lacks_levels,
        QualityWarning(
            "no-levels",
            "This model version has no thresholds for breasts and exams, and answers have no "
            "percentile.",
        ),
    ),
    (
        _lacks_curves,
        QualityWarning(
            "no-curves",
            "The ROC curves and the calibration of this model version are not in its bundle.",
        ),
    ),
    (
        _lacks_provenance,
        QualityWarning(
            "no-provenance",
            "This model version does not say from which data and code it was made.",
        ),
    ),
)


def model_warnings(model: Model) -> tuple[QualityWarning, ...]:
    """Return the warnings of every answer of the model, and one for each fact that it lacks."""
    lacking = (warning for lacks, warning in _FACTS if lacks(model))
    return (*assess_model(model).warnings, *lacking)
