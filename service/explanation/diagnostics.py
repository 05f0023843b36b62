"""How a heatmap lies relative to the breast, and what that says about trusting it."""

import numpy as np

from service.results import Caution, Heatmap, HeatmapDiagnostics, MapState, Mask, ReceptiveField

UNIFORM_ENTROPY = 0.995
"""Normalised entropy above which a map points nowhere: heat spread evenly over 96 % of a 57 x 41 grid has it."""

BLANK_REASONS = {
    MapState.DEAD_LAYER: "every filter of the layer is zero on this image",
    MapState.ZERO_GRADIENT: "the score does not depend on the layer (saturated or dead units behind it)",
    MapState.ALL_NEGATIVE: "nothing in the image speaks for this class at this layer",
    MapState.NOT_FINITE: "the network produced values that are not finite",
}


def diagnose(heatmap: Heatmap, mask: Mask, field: ReceptiveField) -> HeatmapDiagnostics:
    """Where the heat is, in numbers; all None for a blank map.

    `mask`: the breast on the model's grid. A cell counts as in the breast where its receptive field's centre is.
    """
    if heatmap.peak is None:
        return HeatmapDiagnostics(None, None, None, None, None, None)
    values = heatmap.values.astype(np.float64)
    inside = breast_cells(mask, field, values.shape)
    shares = values / values.sum()
    breast_share = float(inside.mean())
    heat_in_breast = float(shares[inside].sum())
    positive = shares[shares > 0]
    return HeatmapDiagnostics(
        heat_in_breast=heat_in_breast,
        breast_share=breast_share,
        lift=heat_in_breast / breast_share if breast_share else None,
        peak_in_breast=bool(inside[heatmap.peak.row, heatmap.peak.column]),
        area_above_half=float((values >= values.max() / 2).mean()),
        entropy=float(-(positive * np.log(positive)).sum() / np.log(values.size)) if values.size > 1 else 0.0,
    )


def breast_cells(mask: Mask, field: ReceptiveField, shape: tuple[int, ...]) -> Mask:
    """Which cells of a [h, w] map are centred in the breast; centres off the grid count by its nearest pixel."""
    rows = np.rint(field.stride_y * np.arange(shape[0]) + field.offset_y).astype(int).clip(0, mask.shape[0] - 1)
    columns = np.rint(field.stride_x * np.arange(shape[1]) + field.offset_x).astype(int).clip(0, mask.shape[1] - 1)
    return mask[np.ix_(rows, columns)]


def heatmap_cautions(heatmap: Heatmap, diagnostics: HeatmapDiagnostics) -> tuple[Caution, ...]:
    """The typed warnings that a reader of this heatmap must see."""
    if heatmap.state is not MapState.OK:
        return (Caution("heatmap-blank", f"The heatmap is blank: {BLANK_REASONS[heatmap.state]}."),)
    cautions = []
    if not diagnostics.peak_in_breast:
        cautions.append(Caution("peak-outside-breast", "The hottest spot lies outside the breast."))
    if diagnostics.lift is not None and diagnostics.lift < 1:
        message = "The breast holds less of the heat than its share of the image: the map may show a shortcut."
        cautions.append(Caution("heat-outside-breast", message))
    if diagnostics.entropy is not None and diagnostics.entropy > UNIFORM_ENTROPY:
        cautions.append(Caution("heatmap-uniform", "The heat is spread almost evenly: the map points nowhere."))
    return tuple(cautions)
