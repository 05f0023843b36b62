"""The model card: a bundle's manifest for a person to read, as Markdown."""

from collections.abc import Iterable, Sequence

from service.model import Manifest, Scorecard
from service.records import ConvLayer


def model_card(manifest: Manifest, scorecard: Scorecard | None) -> str:
    """The card; every fact in it comes from the manifest or the scorecard.

    The sections follow Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
    """
    return "\n".join(
        [
            f"# {manifest.name}, version {manifest.version}",
            "",
            "**Not a medical device.** Its output must not be used to diagnose, to screen or to decide on treatment.",
            "",
            _summary(manifest),
            "",
            *_section("Intended use", manifest.intended_use),
            *_section("Limitations", manifest.limitations),
            *_section("Training", manifest.training),
            *_section("Decision", _decision(manifest)),
            *_section("Figures", *_figures(manifest)),
            *_section("Scorecard", *_scorecard(scorecard)),
            *_section("Where its heatmaps point", *_methods(scorecard)),
            *_section(
                "Layers",
                *_table(
                    ("Layer", "Stage", "Map", "Filters", "A cell sees", "Cells apart"),
                    map(_row, manifest.layers),
                ),
                "",
                f"Sizes are height x width; what a cell sees, and the distance of cells, are in pixels of the model's "
                f"input. Explained by default: `{manifest.default_layer}`.",
            ),
        ]
    )


def _summary(manifest: Manifest) -> str:
    height, width, _ = manifest.input_shape
    return (
        f"A convolutional network that reads a mammogram at {height} x {width} pixels and gives a probability for each "
        f"of {', '.join(manifest.classes)}. Exported {manifest.created.isoformat()}."
    )


def _section(title: str, *lines: str) -> list[str]:
    return [f"## {title}", "", *lines, ""]


def _decision(manifest: Manifest) -> str:
    return (
        f"An image is called {manifest.positive_class} from a probability of {manifest.threshold:.4g} on. "
        f"{manifest.threshold_rule} Before the softmax, logits are divided by a temperature of "
        f"{manifest.temperature:.4g}."
    )


def _figures(manifest: Manifest) -> list[str]:
    if not manifest.figures:
        return ["None were measured."]
    return _table(
        ("Figure", "Value"), ((name, f"{value:.4g}") for name, value in manifest.figures.items())
    )


def _scorecard(scorecard: Scorecard | None) -> list[str]:
    if scorecard is None:
        return ["None: nothing was measured of how far its explanations can be trusted."]
    outcome = f"Failed: {', '.join(scorecard.failed)}." if scorecard.failed else "Passed."
    origin = (
        f"Measured on {scorecard.images} images not trained on, {scorecard.created.isoformat()}."
    )
    return [
        f"{outcome} {origin}",
        "",
        *_table(
            ("Test", "Value", "Requirement", "Verdict", "What it means"),
            (
                (
                    line.name,
                    "-" if line.value is None else f"{line.value:.4g}",
                    line.asked,
                    line.verdict,
                    line.meaning,
                )
                for line in scorecard.lines
            ),
        ),
    ]


def _methods(scorecard: Scorecard | None) -> list[str]:
    if scorecard is None or not scorecard.methods:
        return ["Not measured: no lesion masks, or no image rightly decided to be positive."]
    (images, *_) = {found.images for found in scorecard.methods.values()}
    return [
        f"Means over {images} unseen images with a lesion, rightly decided to be positive.",
        "",
        "- Pointing: share of the peaks that are in the lesion.",
        "- Mass: share of the heat that is in it.",
        "- Rank: of the hottest pixels, as many as the lesion has, the share that is in it.",
        "- IoU: of the lesion and the heat above Otsu's threshold.",
        "",
        *_table(
            ("Method", "Pointing", "Mass", "Rank", "IoU"),
            (
                (
                    f"`{method}`",
                    *(
                        f"{value:.3f}"
                        for value in (found.pointing, found.mass, found.rank, found.iou)
                    ),
                )
                for method, found in scorecard.methods.items()
            ),
        ),
    ]


def _row(layer: ConvLayer) -> tuple[str, ...]:
    field = layer.receptive_field
    return (
        f"`{layer.name}`",
        layer.stage,
        f"{layer.height} x {layer.width}",
        str(layer.filters),
        f"{field.height} x {field.width}",
        f"{field.stride_y:g} x {field.stride_x:g}",
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
