"""Parts of an answer with pixels: the bytes of samples and heat, and their meaning."""

from base64 import b64encode
from dataclasses import dataclass

from service import pipeline
from service.api import responses, schemas
from service.api.exam_request import ExamCall
from service.api.held_response import FormField
from service.api.negotiation import MediaType
from service.pipeline import Explanation, PackedHeat
from service.records import PackedSamples, VoiPreset


@dataclass(frozen=True, slots=True)
class PixelParts:
    """Samples and heat of one image. `heat`: None if it is not shown, or the map is blank."""

    samples: PackedSamples
    heat: PackedHeat | None

    def describe(self) -> schemas.ImagePixels:
        """Return what the samples and the heat mean."""
        samples = self.samples
        meaning = samples.meaning
        padding = meaning.padding
        return schemas.ImagePixels(
            rows=samples.rows,
            columns=samples.columns,
            to_source=responses.matrix(samples.to_source),
            slope=meaning.slope,
            intercept=meaning.intercept,
            lowest=meaning.lowest,
            highest=meaning.highest,
            padding=schemas.SampleRange(first=padding[0], last=padding[1]) if padding else None,
            inverted=meaning.inverted,
            presets=list(map(_preset, meaning.presets)),
            heat=None if self.heat is None else _heat(self.heat),
        )

    def keep(self, call: ExamCall, position: int) -> list[FormField]:
        """Hand the bytes over to the answer, and return their fields. They are counted already."""
        named = {"pixels": self.samples.content}
        if self.heat is not None:
            named["heat"] = self.heat.content

        fields = []
        for name, content in named.items():
            call.held.keep(content)
            file_name = f"{name}-{position}.gz"
            fields.append(FormField(f"{name}-{position}", MediaType.GZIP, file_name))
        return fields


def pack_heat(call: ExamCall, explanation: Explanation) -> PackedHeat | None:
    """Return the heat of an image, whose bytes are counted, None for a blank map.

    Raises:
        ObjectsTooLarge, Busy: there is no room for it.
    """
    with call.timer.step("pack"):
        heat = pipeline.pack_heat(explanation)
    if heat is not None:
        call.hold(heat.content)
    return heat


def _preset(preset: VoiPreset) -> schemas.Preset:
    table = None
    if preset.table is not None:
        table = schemas.PresetTable(
            first=preset.table.first,
            maximum=preset.table.maximum,
            entries=b64encode(preset.table.entries).decode("ascii"),
        )
    return schemas.Preset(
        name=preset.name,
        function=preset.function,
        center=preset.center,
        width=preset.width,
        table=table,
    )


def _heat(heat: PackedHeat) -> schemas.HeatPixels:
    return schemas.HeatPixels(
        rows=heat.rows,
        columns=heat.columns,
        to_source=responses.matrix(heat.to_source),
        maximum=heat.maximum,
        full_value=heat.full_value,
    )
