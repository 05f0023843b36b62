"""Model card: a bundle's manifest and scorecard as Markdown for human readers."""

from collections.abc import Iterable, Sequence

from service.model import Localisation, Manifest, Scorecard
from service.records import ConvLayer

_NOTICE = (
    "**Not a medical device.** Its output must not be used to diagnose, to screen or to decide on "
    "treatment."
)


def model_card(manifest: Manifest, scorecard: Scorecard | None) -> str:
    """Return the card. Every fact in it comes from the manifest or the scorecard.

    The sections follow Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
    """
    title = f"# {manifest.name}, version {manifest.version}"
    sections = [
        *_section("Intended use", manifest.intended_use),
        *_section("Limitations", manifest.limitations),
        *_section("Training", manifest.training),
        *_section("Decision", _decision(manifest)),
        *_section("Figures", *_figures(manifest)),
        *_section("Scorecard", *_scorecard(scorecard)),
        *_section("Localisation of lesions", *_methods(scorecard)),
        *_section("Layers", *_layers(manifest)),
    ]

    return "\n".join([title, "", _NOTICE, "", _summary(manifest), "", *sections])


def _summary(manifest: Manifest) -> str:
    height, width, _ = manifest.input_shape
    return (
        f"A convolutional network that reads a mammogram at {height} x {width} pixels and gives a "
        f"probability for each of {', '.join(manifest.classes)}. Exported "
        f"{manifest.created.isoformat()}."
    )


def _section(title: str, *lines: str) -> list[str]:
    return [f"## {title}", "", *lines, ""]


def _decision(manifest: Manifest) -> str:
    return (
        f"An image is classified as {manifest.positive_class} if its probability is at least "
        f"{manifest.threshold:.4g}. {manifest.threshold_rule} Before the softmax, logits are "
        f"divided by a temperature of {manifest.temperature:.4g}."
    )


def _figures(manifest: Manifest) -> list[str]:
    if not manifest.figures:
        return ["None were measured."]
    return _table(
        ("Figure", "Value"), ((name, f"{value:.4g}") for name, value in manifest.figures.items())
    )


def _scorecard(scorecard: Scorecard | None) -> list[str]:
    if scorecard is None:
        return ["None. The trustworthiness of its explanations was not measured."]

    origin = (
        f"Measured on {scorecard.images} images that the network was not fitted to, "
        f"{scorecard.created.isoformat()}."
    )

    rows = (
        (
            line.name,
            line.value_text,
            line.asked,
            line.verdict,
            line.meaning,
        )
        for line in scorecard.lines
    )
    return [
        f"{scorecard.outcome} {origin}",
        "",
        *_table(("Test", "Value", "Requirement", "Verdict", "What it means"), rows),
    ]


def _methods(scorecard: Scorecard | None) -> list[str]:
    if scorecard is None or not scorecard.methods:
        reason = (
            "Not measured. There are no lesion masks, or no image with a lesion was correctly "
            "classified as positive."
        )
        return [reason]

    # Every method was measured on the same images.
    (images, *_) = {localisation.images for localisation in scorecard.methods.values()}
    origin = f"Means over {images} unseen images with a lesion, correctly classified as positive."
    return [
        origin,
        "",
        "- Pointing: share of the peaks that are in the lesion.",
        "- Mass: share of the heat that is in the lesion.",
        "- Rank: share of the N hottest pixels that are in the lesion, which has N pixels.",
        "- IoU: intersection over union of the lesion and the heat above Otsu's threshold.",
        "",
        *_table(
            ("Method", "Pointing", "Mass", "Rank", "IoU"),
            (_method_row(method, values) for method, values in scorecard.methods.items()),
        ),
    ]


def _method_row(method: str, localisation: Localisation) -> tuple[str, ...]:
    values = (localisation.pointing, localisation.mass, localisation.rank, localisation.iou)
    return (f"`{method}`", *(f"{value:.3f}" for value in values))


def _layers(manifest: Manifest) -> list[str]:
    note = (
        "Sizes are height x width. Receptive field, effective size and stride are in pixels of the "
        "model's input. The effective size is that of the part that moves a cell most. "
        "A layer's maps are the output of the operation in the column `Maps of`, which is the end "
        "of the chain that the layer's convolution begins. The methods are those of a layer that "
        "mean something at this one. "
        f"Explained by default: `{manifest.default_layer}`."
    )
    table = _table(
        (
            *("Layer", "Stage", "Map", "Filters", "Receptive field", "Effective", "Stride"),
            *("Maps of", "Methods"),
        ),
        map(_layer_row, manifest.layers),
    )

    return [*table, "", note]


def _layer_row(layer: ConvLayer) -> tuple[str, ...]:
    field = layer.receptive_field
    effective = layer.effective_size

    return (
        f"`{layer.name}`",
        layer.stage,
        f"{layer.height} x {layer.width}",
        str(layer.filters),
        f"{field.height} x {field.width}",
        "-" if effective is None else f"{effective.height:.0f} x {effective.width:.0f}",
        f"{field.stride_y:g} x {field.stride_x:g}",
        f"`{layer.tap[-1]}`",
        ", ".join(f"`{method}`" for method in layer.methods or ()) or "none",
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
