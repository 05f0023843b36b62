"""Model card: a bundle's manifest and scorecard as Markdown for human readers."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from service.model import (
    Curves,
    LevelFacts,
    Levels,
    Localisation,
    Manifest,
    RocCurve,
    Scorecard,
    ViewsFacts,
)
from service.records import ConvLayer
from training.evaluation.headline import FLOOR_AUC

_NOTICE = (
    "**Not a medical device.** Its output must not be used to diagnose, to screen or to decide on "
    "treatment."
)

_SHOWN_RATES = (0.05, 0.1, 0.2)
"""Rates of false positives at which the card tells sensitivities."""


def model_card(
    manifest: Manifest, scorecard: Scorecard | None, curves: Curves | None = None
) -> str:
    """Return the card. Every fact in it comes from the manifest, the scorecard or the curves.

    The sections follow Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
    """
    title = f"# {manifest.name}, version {manifest.version}"
    sections = [
        *_section("Intended use", manifest.intended_use),
        *_section("Limitations", manifest.limitations),
        *_section("Training", manifest.training),
        *_section("Decision", *_decision(manifest)),
        *_section("Figures", *_figures(manifest)),
        *_section("Curves", *_curves(curves)),
        *_section("Floor", *_floor(manifest)),
        *_section("Scorecard", *_scorecard(scorecard)),
        *_section("Localisation of lesions", *_methods(scorecard)),
        *_section("Layers", *_layers(manifest)),
        *_section("Provenance", *_provenance(manifest)),
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


def _decision(manifest: Manifest) -> list[str]:
    image = (
        f"An image is classified as {manifest.positive_class} if its probability is at least "
        f"{manifest.threshold:.4g}. {manifest.threshold_rule} Before the softmax, logits are "
        f"divided by a temperature of {manifest.temperature:.4g}."
    )
    if manifest.offset:
        image += f" Then {manifest.offset:.4g} is added to that of {manifest.positive_class}."
    if manifest.deployment_prevalence is not None:
        image += (
            " The probabilities are for a place where "
            f"{100 * manifest.deployment_prevalence:.3g} % of the images have cancer."
        )

    if manifest.levels is None:
        return [image, "", "Thresholds of breasts and exams were not chosen."]
    return [image, "", *_levels(manifest.levels)]


def _levels(levels: Levels) -> list[str]:
    note = (
        "The probability of a breast is the mean of its images, and that of an exam is the higher "
        "one of its breasts. The shares are those of decisions about test patients, at thresholds "
        "that were chosen without them, with 95 % intervals by patient. Rows with a number of "
        "views are about cases of exactly that number, made of complete ones by leaving views out."
    )
    rows: list[Sequence[str]] = []
    for level, facts in levels.by_level().items():
        cases = f"{facts.cases} ({facts.with_cancer} with cancer)"
        rows.append((level, "all", facts.target, *_decision_cells(facts), cases))

        for views, by_views in sorted(facts.by_views.items()):
            cells = _decision_cells(by_views)
            rows.append((level, str(views), "", *cells, str(by_views.cases)))

    head = ("Level", "Views", "Target", "Threshold", "Sensitivity", "Specificity", "Cases")
    return [note, "", *_table(head, rows)]


def _decision_cells(facts: LevelFacts | ViewsFacts) -> tuple[str, str, str]:
    shares = (facts.sensitivity, facts.specificity)
    sensitivity, specificity = (
        "-" if share is None else f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"
        for share in shares
    )
    return f"{facts.threshold:.4g}", sensitivity, specificity


def _figures(manifest: Manifest) -> list[str]:
    if not manifest.figures:
        return ["None were measured."]
    return _table(
        ("Figure", "Value"), ((name, f"{value:.4g}") for name, value in manifest.figures.items())
    )


def _curves(curves: Curves | None) -> list[str]:
    """Return a few points of each ROC curve."""
    if curves is None:
        return ["Not measured."]

    note = (
        "Of test patients, with 95 % intervals by patient. The other columns have the highest "
        "sensitivity where at most that share of the cases without cancer is positive. "
        "`curves.json` has all points, and the calibration of single images in bins: its expected "
        f"error is {curves.calibration.error:.3g}."
    )
    rows = [
        (
            level,
            f"{curve.auc.value:.3f} ({curve.auc.low:.3f} to {curve.auc.high:.3f})",
            *(_sensitivity(curve.roc, rate) for rate in _SHOWN_RATES),
        )
        for level, curve in curves.levels.by_level().items()
        if curve is not None
    ]
    head = ("Level", "AUC", *(f"At {100 * rate:g} %" for rate in _SHOWN_RATES))
    return [note, "", *_table(head, rows)]


def _sensitivity(roc: RocCurve, rate: float) -> str:
    """Return the sensitivity at the last measured rate of false positives up to `rate`."""
    index = bisect_right(roc.false_positive_rate, rate) - 1
    return f"{roc.sensitivity[index]:.3f} ({roc.low[index]:.3f} to {roc.high[index]:.3f})"


def _floor(manifest: Manifest) -> list[str]:
    """Return the network beside regressions on facts that need no network."""
    floors = {
        name.removeprefix(FLOOR_AUC): value
        for name, value in manifest.figures.items()
        if name.startswith(FLOOR_AUC)
    }
    if not floors:
        return [
            "Not measured. It is not known whether the network has learnt more than a shortcut."
        ]

    note = (
        "AUC over breasts of the same test patients. Each floor is a regression on the named facts "
        "alone, fitted to the training part. A network that does not clearly beat all of them may "
        "have learnt nothing else."
    )
    rows = {"network": manifest.figures["breast_auc"], **floors}
    return [
        note,
        "",
        *_table(("Scores of", "AUC"), ((name, f"{value:.3f}") for name, value in rows.items())),
    ]


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


def _provenance(manifest: Manifest) -> list[str]:
    origin = manifest.provenance
    if origin is None:
        return ["Not recorded."]

    facts = [
        ("Table", f"SHA-256 `{origin.table_sha256}`"),
        ("Images", f"SHA-256 `{origin.images_sha256}`"),
        ("Split", f"SHA-256 `{origin.split_sha256}`"),
        ("Commit", "unknown" if origin.commit is None else f"`{origin.commit}`"),
        ("Device", origin.device),
        ("Versions", _listed(origin.versions)),
        ("Seeds", _listed(origin.seeds)),
        ("Patients", _listed(origin.patients)),
        ("Images by part", _listed(origin.images)),
    ]
    return _table(("Fact", "Value"), facts)


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "-"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
