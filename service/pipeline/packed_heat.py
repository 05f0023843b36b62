"""Pack the drawn heat of an image, for display elsewhere."""

from dataclasses import dataclass, field

import numpy as np

from service.geometry import Affine
from service.imaging import pack
from service.pipeline.steps import Explanation
from service.records import WHITE


@dataclass(frozen=True, slots=True)
class PackedHeat:
    """Drawn heat as bytes, like `PackedSamples`.

    A sample is the raw heat in units of `maximum` / 65535. `full_value`: as in `DrawnHeat`.
    """

    content: bytes = field(repr=False)
    rows: int
    columns: int
    to_source: Affine
    maximum: float
    full_value: float


def pack_heat(explanation: Explanation) -> PackedHeat | None:
    """Return the drawn heat of an explanation, None if the map is blank."""
    heat = explanation.drawn_heat
    maximum = float(heat.values.max(initial=0))
    if maximum == 0:
        return None

    samples = np.rint(heat.values * (WHITE / maximum)).clip(0, WHITE).astype(np.uint16)
    rows, columns = samples.shape
    return PackedHeat(pack(samples), rows, columns, heat.to_source, maximum, heat.full_value)
