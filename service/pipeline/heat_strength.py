"""How strong a heatmap is beside the model version's reference peak, and how it is scaled."""

from dataclasses import dataclass

from service.model import Model
from service.pipeline.class_explanation import ClassExplanation, reference_layer
from service.records import HeatScale


@dataclass(frozen=True, slots=True)
class HeatStrength:
    """The scale of a heatmap's picture and regions, and its strength.

    `full_value`: the raw value that is drawn at full strength, None for the heatmap's own peak.
    `relative_peak`: peak / reference peak, None for a blank map or without a reference peak.
    """

    scale: HeatScale
    full_value: float | None
    relative_peak: float | None


def find_strength(
    model: Model, explained: ClassExplanation, class_index: int, asked: HeatScale | None
) -> HeatStrength:
    """Choose the scale of a heatmap, and compare its peak with the reference peak.

    `asked`: None for the reference, if there is one. Otherwise, the scale is that of the image.
    """
    layer = reference_layer(model, explained, class_index)
    reference = None if layer is None else model.manifest.reference_peak(layer, explained.method)
    if reference is None:
        return HeatStrength(HeatScale.IMAGE, None, None)

    peak = explained.heatmap.peak
    relative_peak = peak.value / reference if peak else None
    if asked is HeatScale.IMAGE:
        return HeatStrength(HeatScale.IMAGE, None, relative_peak)
    return HeatStrength(HeatScale.REFERENCE, reference, relative_peak)
